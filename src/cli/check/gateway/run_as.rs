//! `run_as_user`: whether the account exists, and what it may read. From here on the check itself
//! runs as that account, so that it finds what the gateway finds.

use std::path::Path;

use crate::advice::account;
use crate::cli::check::report::Finding;
use crate::cli::readable;
use crate::cli::role::Role;
use crate::config::Settings;
use crate::process::account::{Account, AccountError, Change};
use crate::process::files::access;
use crate::process::files::ownership::{Plan, plan};
use crate::process::files::reader::Reader;
use crate::process::privileges;

/// As whom the rest is checked.
pub(in crate::cli::check) struct As {
    pub(in crate::cli::check) findings: Vec<Finding>,
    /// Whether root makes the state folder for the account when the gateway starts.
    pub(in crate::cli::check) state_is_made: bool,
    /// Whether root makes the folder of the core's socket, or gives it away.
    pub(in crate::cli::check) socket_is_made: bool,
}

/// Becomes the account that the gateway becomes. `Err`: nothing more can be checked,
/// since it would be checked for another.
pub(in crate::cli::check) fn become_account(
    settings: &Settings,
    file: Option<&Path>,
) -> Result<As, Vec<Finding>> {
    let (mut state_is_made, mut socket_is_made) = (false, false);
    let mut findings = Vec::new();
    if let Some(run_as) = &settings.run_as {
        let told = |error: AccountError| {
            vec![Finding::error(CHECK, &error.to_string(), account::CORRECT_RUN_AS)]
        };
        let account = Account::find(run_as).map_err(told)?;
        if account.change().map_err(told)? == Change::Drop {
            state_is_made = plan(&settings.state_path, None) != Plan::Leave;
            let socket = &settings.core.listen;
            let made = |run| plan(run, Some(socket)) != Plan::Leave;
            socket_is_made = socket.parent().is_some_and(made);
            privileges::drop_to(&account).map_err(|error| {
                vec![Finding::error(CHECK, &error.to_string(), account::START_AS_ACCOUNT)]
            })?;
        }
        findings
            .push(Finding::ok(CHECK, format!("the following checks are for {}", Reader::here())));
    }
    // The keytab has a line of its own.
    let unreadable = readable::unreadable(Role::Both, settings);
    findings.extend(unreadable.iter().filter(|(key, _)| *key != readable::KEYTAB).map(
        |(key, unreadable)| {
            Finding::error("readable", &format!("{key}: {unreadable}"), account::LET_READ)
        },
    ));
    if let Some(Err(unreadable)) = file.map(access::check) {
        findings.push(Finding::warn(
            "readable",
            format!("the gateway will not be able to reload: {unreadable}"),
            account::RELOADS,
        ));
    }
    Ok(As { findings, state_is_made, socket_is_made })
}

const CHECK: &str = "run as";
