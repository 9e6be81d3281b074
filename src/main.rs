//! The `doorward` program: arguments → configuration → role → drain.

use std::error::Error as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use doorward::cli::role::Role;
use doorward::cli::serve;
use doorward::cli::{Arguments, Command, admin, cert, check, probe, reload};

/// Wrong configuration (sysexits.h: EX_CONFIG).
const WRONG_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => run(Role::Both, arguments.path().as_deref()),
        Command::Front(arguments) => run(Role::Front, Some(&arguments.config)),
        Command::Core(arguments) => run(Role::Core, Some(&arguments.config)),
        Command::Reload(arguments) => reload::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Cert(arguments) => cert::run(&arguments),
        Command::Admin(arguments) => admin::run(&arguments),
        Command::Probe(arguments) => probe::run(&arguments),
    }
}

fn run(role: Role, file: Option<&Path>) -> ExitCode {
    let Err(error) = serve::run(role, file) else { return ExitCode::SUCCESS };
    let mut said = format!("doorward: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        // Many errors have the words of their cause in their own.
        if !said.contains(&error.to_string()) {
            said.push_str(&format!("\n  because: {error}"));
        }
        cause = error.source();
    }
    eprintln!("{said}");
    if error.is_configuration() { ExitCode::from(WRONG_CONFIGURATION) } else { ExitCode::FAILURE }
}
