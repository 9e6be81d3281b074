//! `doorward check`: checks the configuration and everything that the gateway needs. It changes
//! nothing, and can run while the gateway runs.

use std::path::Path;
use std::process::ExitCode;
use std::thread;

use self::gateway::{Gateway, run_as};
use self::kerberos::Callers;
use self::report::Finding;
use super::CheckArguments;
use crate::advice;
use crate::config::{self, Settings};

mod bounded;
mod certificates;
mod core;
mod gateway;
mod kerberos;
mod network;
mod ntlm;
mod report;
mod storage;
mod upstream;

/// Checks, and prints what was found on standard output.
///
/// Exit code 0: nothing failed; 1: something did; 78: the configuration is wrong.
pub fn run(arguments: &CheckArguments) -> ExitCode {
    let path = arguments.configured.path();
    let origin =
        path.as_ref().map_or("the defaults, no file".into(), |path| path.to_string_lossy());
    let (findings, bad) = match config::load(path.as_deref()) {
        Ok(loaded) => {
            let mut findings = vec![Finding::ok("configuration", origin)];
            findings.extend(loaded.warnings.iter().map(|warning| {
                let mend = advice::configuration::AS_IT_SAYS;
                Finding::warning("configuration", &warning.to_string(), mend)
            }));
            findings.extend(surroundings(&loaded.settings, path.as_deref()));
            (findings, ExitCode::FAILURE)
        }
        Err(errors) => {
            let complaints = errors.complaints().iter();
            let mend = advice::configuration::CORRECT_LINE;
            let failed = complaints
                .map(|complaint| Finding::error("configuration", &complaint.to_string(), mend));
            (failed.collect(), ExitCode::from(WRONG_CONFIGURATION))
        }
    };
    // A reader that has gone away changes nothing about what was found.
    let _ = report::print(&findings, arguments.json);
    if findings.iter().any(Finding::failed) { bad } else { ExitCode::SUCCESS }
}

/// What all checks know.
struct Context<'a> {
    settings: &'a Settings,
    /// Whether root makes the state folder for the account when the gateway starts.
    state_is_made: bool,
    /// The gateway that runs now by this configuration.
    gateway: Gateway,
    /// Whether root makes the folder of the core's socket, or gives it away.
    socket_is_made: bool,
    /// The ticket of whoever started the check.
    callers: Callers,
}

/// What is looked at, in the order of the report. Each asks for a bounded time.
const CHECKS: [fn(&Context<'_>) -> Vec<Finding>; 12] = [
    |context| kerberos::check(context.settings, &context.callers),
    |context| network::names::check(context.settings),
    |context| certificates::check(context.settings),
    |context| certificates::authorities::check(context.settings),
    |context| core::keys::check(context.settings),
    storage::check,
    |context| core::accounts::check(&context.settings.core),
    |context| wait_for("ntlm_auth", ntlm::check(context.settings)),
    |context| wait_for("core", core::check(context.settings, context.socket_is_made)),
    |context| wait_for("upstream", upstream::check(context.settings)),
    |context| network::proxies::check(context.settings),
    |context| wait_for("gateway", gateway::running::check(context.settings)),
];

fn surroundings(settings: &Settings, file: Option<&Path>) -> Vec<Finding> {
    // Whoever starts the gateway binds its sockets; all else is done as `run_as_user`.
    let gateway = Gateway::find(settings, file);
    let mut findings = network::sockets::check(settings, &gateway);
    let callers = Callers::take();
    let account = match run_as::become_account(settings, file) {
        Ok(account) => account,
        Err(failed) => {
            findings.extend(failed);
            return findings;
        }
    };
    findings.extend(account.findings);
    let run_as::As { state_is_made, socket_is_made, .. } = account;
    let context = Context { settings, state_is_made, socket_is_made, gateway, callers };
    findings.extend(side_by_side(&context));
    findings
}

/// All at once, since most of them wait for an answer. Threads that begin now have
/// the rights of the account alone.
fn side_by_side(context: &Context<'_>) -> Vec<Finding> {
    thread::scope(|scope| {
        let running = CHECKS.map(|check| scope.spawn(move || check(context)));
        let findings = running.into_iter().map(|thread| match thread.join() {
            Ok(findings) => findings,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        findings.flatten().collect()
    })
}

/// Runs a check that talks to others; `what` stands for it where that is impossible.
fn wait_for(what: &'static str, check: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(check),
        Err(error) => {
            let found = format!("it cannot be asked: {error}");
            vec![Finding::fail(what, found, advice::account::RAISE_LIMITS)]
        }
    }
}

/// EX_CONFIG of sysexits.h.
const WRONG_CONFIGURATION: u8 = 78;
