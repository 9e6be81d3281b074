//! `doorward reload`: makes a running gateway read its configuration again, and prints the result.

use std::process::ExitCode;

use super::ReloadArguments;
use crate::process::control::{self, Outcome};

/// Asks the process, and prints its answer.
///
/// Exit code 0: the new configuration holds; 78: it is wrong, and the old one stays; 1:
/// something that it names cannot be used, and the old one stays; or nobody answered.
pub fn run(arguments: &ReloadArguments) -> ExitCode {
    let Outcome { failed, configuration, warnings } = match control::ask(arguments.pid) {
        Ok(outcome) => outcome,
        Err(error) => {
            eprintln!("doorward: {error}");
            return ExitCode::FAILURE;
        }
    };
    for warning in warnings {
        eprintln!("doorward: warning: {warning}");
    }
    match failed {
        None => ExitCode::SUCCESS,
        Some(why) => {
            eprintln!("doorward: the old configuration remains. {why}");
            if configuration { ExitCode::from(WRONG_CONFIGURATION) } else { ExitCode::FAILURE }
        }
    }
}

/// EX_CONFIG of sysexits.h.
const WRONG_CONFIGURATION: u8 = 78;
