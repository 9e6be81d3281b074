//! `doorward cert`: a CA, and keys and certificates signed by it, in one step
//! each and without questions. What `ssl-certificates.sh` did for ZCP.

use std::process::ExitCode;

use self::arguments::Action;
pub use self::arguments::CertArguments;
use crate::clock;

mod arguments;
mod error;
mod files;
mod issue;
mod passphrase;
mod report;
mod show;

/// Makes, renews or explains; prints what was made and where it goes on standard output.
///
/// Exit code 0: done; 1: not done, or the explained file is of no use.
pub fn run(arguments: &CertArguments) -> ExitCode {
    let now = clock::now();
    let made = match &arguments.action {
        Action::Show(arguments) => return show::run(arguments, now),
        Action::Ca(arguments) => issue::ca::run(arguments, now),
        Action::Server(arguments) => issue::leaf::server(arguments, now),
        Action::Client(arguments) => issue::leaf::client(arguments, now),
    };
    match made {
        Ok(told) => {
            told.print();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("doorward: {error}");
            ExitCode::FAILURE
        }
    }
}
