//! `doorward check`: reads the configuration and tries the surroundings. It
//! changes nothing, and can run beside the gateway.

use std::path::Path;
use std::process::ExitCode;

use self::finding::Finding;
use super::CheckArguments;
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
                Finding::warn("configuration", warning.to_string(), "as the warning says")
            }));
            findings.extend(surroundings(&loaded.settings, path.as_deref()));
            (findings, ExitCode::FAILURE)
        }
        Err(errors) => {
            let complaints = errors.complaints().iter();
            let failed = complaints.map(|complaint| {
                Finding::error("configuration", &complaint.to_string(), "correct this line")
            });
            (failed.collect(), ExitCode::from(WRONG_CONFIGURATION))
        }
    };
    // A reader that has gone away changes nothing about what was found.
    let _ = finding::print(&findings, arguments.json);
    if findings.iter().any(Finding::failed) { bad } else { ExitCode::SUCCESS }
}

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
    findings.extend(kerberos::check(settings));
    findings.extend(passwords::check(settings));
    findings.extend(names::check(settings));
    findings.extend(tls::check(settings));
    findings.extend(keys::check(settings));
    findings.extend(storage::check(settings, account.state_is_made));
    findings.extend(accounts::check(&settings.core));
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(async {
            findings.extend(ntlm::check(settings).await);
            findings.extend(core::check(settings).await);
            findings.extend(upstream::check(settings).await);
        }),
        Err(error) => findings.push(Finding::fail(
            "core",
            format!("it cannot be asked: {error}"),
            "raise the limits of this process (ulimit -n)",
        )),
    }
    findings
}

/// EX_CONFIG of sysexits.h.
const WRONG_CONFIGURATION: u8 = 78;
