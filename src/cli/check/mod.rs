//! `doorward check`: reads the configuration and tries the surroundings. It
//! changes nothing, and can run beside the gateway.

use std::path::Path;
use std::process::ExitCode;
use std::thread;

use self::finding::Finding;
use super::CheckArguments;
use crate::advice;
use crate::config::{self, Settings};

mod accounts;
mod command;
mod core;
mod finding;
mod kerberos;
mod keys;
mod names;
mod ntlm;
mod passwords;
mod report;
mod rights;
mod sockets;
mod storage;
mod tls;
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
                Finding::warn("configuration", warning.to_string(), mend)
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
    /// Whether root makes the folder of the core's socket, or gives it away.
    socket_is_made: bool,
}

/// What is looked at, in the order of the report. Each asks for a bounded time.
const CHECKS: [fn(&Context<'_>) -> Vec<Finding>; 10] = [
    |context| kerberos::check(context.settings),
    |context| passwords::check(context.settings),
    |context| names::check(context.settings),
    |context| tls::check(context.settings),
    |context| keys::check(context.settings),
    |context| storage::check(context.settings, context.state_is_made),
    |context| accounts::check(&context.settings.core),
    |context| wait_for("ntlm_auth", ntlm::check(context.settings)),
    |context| wait_for("core", core::check(context.settings, context.socket_is_made)),
    |context| wait_for("upstream", upstream::check(context.settings)),
];

fn surroundings(settings: &Settings, file: Option<&Path>) -> Vec<Finding> {
    // Whoever starts the gateway binds its sockets; all else is done as `run_as_user`.
    let mut findings = sockets::check(settings);
    let account = match rights::become_account(settings, file) {
        Ok(account) => account,
        Err(failed) => {
            findings.extend(failed);
            return findings;
        }
    };
    findings.extend(account.findings);
    let rights::As { state_is_made, socket_is_made, .. } = account;
    findings.extend(side_by_side(&Context { settings, state_is_made, socket_is_made }));
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
