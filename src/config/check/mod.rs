//! Whether the keys fit together: from what the file says to what runs.

use super::addresses::is_host_name;
use super::checked::{AuditTarget, CoreAddress, Log, RunAs, Settings};
use super::errors::Notes;
use super::raw;
use super::surroundings::Surroundings;
use super::value::Given;

mod certificate;
mod core;
mod front;
mod keys;
mod site;
mod sso;

/// Notes everything that does not fit. The settings run only when nothing was noted.
pub(super) fn check(
    file: &raw::File,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> Settings {
    let state_path = if file.state_path.is_set() {
        file.state_path.value.clone()
    } else {
        surroundings.state_path()
    };
    let core_socket = match &file.core.listen.value {
        CoreAddress::Unix(path) if file.core.listen.is_set() => path.clone(),
        CoreAddress::Unix(_) => surroundings.core_socket(&state_path),
        CoreAddress::Https(_) => {
            let sentence = "is a unix socket; set the address of TLS in core.listen_tls";
            notes.error(&file.core.listen.at, sentence);
            surroundings.core_socket(&state_path)
        }
    };
    if file.server_name.is_empty() || file.server_name.contains(char::is_whitespace) {
        notes.error(&file.server_name.at, "is not a name; write one word");
    }
    let front = front::check(&file.front, &core_socket, surroundings, notes);
    let server_hostname = server_hostname(&file.server_hostname, surroundings, notes);
    let own = site::Own { addresses: front.addresses(), name: &server_hostname };
    let sso = sso::check(file, front.clients.is_some(), surroundings, notes);
    let sites = site::check(file, &sso.mechanisms, &own, notes);
    Settings {
        server_name: file.server_name.value.clone(),
        server_hostname,
        run_as: run_as(file, notes),
        log: log(&file.log),
        front,
        sites,
        sso,
        core: core::check(&file.core, core_socket, surroundings, notes),
        state_path,
    }
}

fn server_hostname(
    given: &Given<String>,
    surroundings: &Surroundings,
    notes: &mut Notes<'_>,
) -> String {
    let name = given.to_ascii_lowercase();
    if name.is_empty() {
        return surroundings.hostname.clone();
    }
    if !is_host_name(&name) {
        notes
            .error(&given.at, format!("{name:?} is not a host name; write it as gate.example.org"));
    }
    name
}

fn run_as(file: &raw::File, notes: &mut Notes<'_>) -> Option<RunAs> {
    let group = file.run_as_group.0.clone();
    match &file.run_as_user.0 {
        Some(user) => Some(RunAs { user: user.0.clone(), group }),
        None => {
            if group.is_some() {
                notes.error(
                    &file.run_as_group.at,
                    "needs run_as_user; set that too, or remove this",
                );
            }
            None
        }
    }
}

fn log(raw: &raw::Log) -> Log {
    Log {
        level: raw.level.value,
        format: raw.format.value,
        audit_required: raw.audit_required.value,
        audit: match &raw.audit.0 {
            Some(path) => AuditTarget::File(path.clone()),
            None => AuditTarget::Stderr,
        },
    }
}

/// Notes a number or time outside its bounds.
fn within<T: PartialOrd + std::fmt::Debug>(
    given: &Given<T>,
    least: &T,
    most: &T,
    notes: &mut Notes<'_>,
) {
    if given.value < *least {
        notes.error(&given.at, format!("is less than {least:?}; write that or more"));
    } else if given.value > *most {
        notes.error(&given.at, format!("is more than {most:?}; write that or less"));
    }
}
