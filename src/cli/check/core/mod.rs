//! The core: whether it answers, and as whom it accepts this user.

use std::path::Path;

use nix::unistd::Uid;

use super::report::Finding;
use crate::advice::core as advice;
use crate::config::Settings;
use crate::config::section::CoreAddress;
use crate::core_client::{Client, ClientError};
use crate::core_server::Place;
use crate::process::account::user_name;
use crate::process::files::access::{self, Unreadable};
use crate::process::files::rights::Need;
use crate::wire::{ActingAs, ErrorBody, Reason, Whoami};

pub(super) mod accounts;
pub(super) mod keys;

/// `is_made`: root makes the folder of the core's socket when the gateway starts, or
/// gives it away.
pub(super) async fn check(settings: &Settings, is_made: bool) -> Vec<Finding> {
    let address = &settings.front.core;
    let own = CoreAddress::Unix(settings.core.listen.clone());
    vec![match Client::new(address.clone()).whoami().await {
        Ok(whoami) => taken_for(address, &whoami),
        // Front and core of one configuration start together.
        Err(ClientError::Unreachable { .. }) if *address == own => {
            resting(&settings.core.listen, is_made)
        }
        Err(ClientError::Unreachable { core, source }) => {
            let found = format!("the core at {core} does not answer ({source})");
            Finding::fail("core", found, advice::START)
        }
        Err(ClientError::Refused(body)) => refused(address, &body),
        Err(error) => Finding::error("core", &error.to_string(), advice::START),
    }]
}

/// The core has looked at the front's certificate, and does not take it.
fn refused(address: &CoreAddress, body: &ErrorBody) -> Finding {
    let ErrorBody { message, reference, reason, .. } = body;
    let message = message.trim_end_matches('.');
    let found = format!("it answers at {address}, but refuses this front: {message}");
    let mend = match reason {
        Some(Reason::PublicKeyNotListed | Reason::PublicKeyRemoved) => advice::LIST_KEY.to_owned(),
        _ => advice::look_at(reference),
    };
    Finding::fail("core", found, mend)
}

/// A front has to be one to the core: the core itself, or one that it lists.
fn taken_for(address: &CoreAddress, whoami: &Whoami) -> Finding {
    let Whoami { uid, key, acting_as, .. } = whoami;
    let account = uid.map(|uid| user_name(Uid::from_raw(uid)));
    let who = match (uid, key) {
        (Some(uid), _) => format!(" (uid {uid})"),
        (None, Some(key)) => format!(" (key {key})"),
        (None, None) => String::new(),
    };
    let taken = acting_as.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
    let found = format!("it answers at {address}, and accepts this user{who} as {taken}");
    if acting_as.as_ref().is_some_and(ActingAs::is_front) {
        return Finding::ok("core", found);
    }
    let found = format!("{found}, not as a front: nobody can sign on");
    Finding::fail(
        "core",
        found,
        match (account, key) {
            (Some(account), _) => advice::front_users(&account),
            (None, Some(key)) => advice::front_key(key.as_str()),
            (None, None) => advice::LIST_KEY.to_owned(),
        },
    )
}

/// None runs. Judged as the start would: it makes the folder where it may, and replaces a
/// socket that nobody listens on.
fn resting(path: &Path, is_made: bool) -> Finding {
    let shown = path.display();
    let free = |found: String| Finding::ok("core", found);
    if is_made {
        return free(format!("none is running; root makes the folder of {shown} at the start"));
    }
    let place = Place::at(path);
    let folder = path.ancestors().skip(1).find(|above| above.exists()).unwrap_or(path);
    match (access::may(folder, Need::Fill), place) {
        (Err(refused), _) => cannot_make(path, &refused),
        (Ok(()), Ok(Place::Stale)) => free(format!(
            "none is running; {shown} is left over, and will be replaced at the start"
        )),
        (Ok(()), Ok(Place::Free)) if folder.is_dir() => {
            free(format!("none is running; one can listen at {shown}"))
        }
        (Ok(()), Ok(Place::Free)) => {
            let found = format!("none can run: {} is not a folder", folder.display());
            Finding::fail("core", found, advice::SOCKET_FOLDER)
        }
        (Ok(()), Ok(Place::NoSocket)) => {
            let found = format!("none can run: {shown} exists and is not a socket");
            Finding::fail("core", found, advice::REMOVE)
        }
        (Ok(()), Ok(Place::Taken)) => {
            let found = format!("the program that listens at {shown} does not answer as a core");
            Finding::fail("core", found, advice::ANOTHER_LISTENS)
        }
        (Ok(()), Err(error)) => {
            Finding::fail("core", format!("{shown} cannot be read: {error}"), advice::SOCKET_FOLDER)
        }
    }
}

/// The socket's folder is not for this user. Where it is one of configuration, more rights
/// on it would be the wrong advice.
fn cannot_make(path: &Path, refused: &Unreadable) -> Finding {
    let shown = path.display();
    if path.starts_with(CONFIGURATION) {
        let found =
            format!("none is running, and {} cannot make the socket {shown}", refused.reader);
        return Finding::fail("core", found, advice::SOCKET_AMONG_CONFIGURATION);
    }
    let said = format!("none is running, and this user cannot make the socket {shown}: {refused}");
    Finding::error("core", &said, advice::SOCKET_FOLDER)
}

/// Where no service writes (Filesystem Hierarchy Standard 3.0, section 3.7).
const CONFIGURATION: &str = "/etc";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;
    use crate::process::files::access::Obstacle;
    use crate::process::files::reader::Reader;
    use crate::wire::PeerCredential;

    fn said(uid: Option<u32>, key: Option<&str>, acting_as: Option<ActingAs>) -> (Status, String) {
        let whoami = Whoami {
            peer: PeerCredential::Unix.into(),
            uid,
            key: key.map(|file| file.parse().unwrap()),
            acting_as,
        };
        let finding = taken_for(&CoreAddress::Unix("/core.sock".into()), &whoami);
        (finding.status(), finding.to_string())
    }

    #[test]
    fn whoever_is_no_front_to_the_core_is_told_the_key_to_set() {
        let users = |names: &str| Some(ActingAs::Users(names.to_owned()));
        assert_eq!(said(Some(0), None, Some(ActingAs::System)).0, Status::Ok);
        assert_eq!(said(None, Some("a-public.pem"), Some(ActingAs::Front)).0, Status::Ok);
        for (uid, key, acting_as, words) in [
            (Some(4_000_000), None, None, "front_users = [\"4000000\"]"),
            (Some(0), None, users("alice"), "front_users = [\"root\"]"),
            (None, Some("a-public.pem"), users("*"), "role = \"front\""),
            (None, None, None, "sslkeys_path"),
        ] {
            let (status, line) = said(uid, key, acting_as);
            assert_eq!(status, Status::Fail, "{line}");
            assert!(line.contains(words), "{line}");
        }
    }

    #[test]
    fn nobody_is_told_to_open_folders_of_configuration() {
        let found = |path: &str| {
            let refused = Unreadable {
                path: path.into(),
                need: Need::Fill,
                reader: Reader::here(),
                obstacle: Obstacle::Other,
            };
            cannot_make(Path::new(path), &refused).to_string()
        };
        assert!(found("/etc/doorward/core.sock").contains("such as /run/doorward/core.sock"));
        assert!(found("/run/doorward/core.sock").contains("is not writable"));
    }
}
