//! Checks this host: free space, rights, the keytab, krb5.conf.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::AccessFlags;

use super::services::Services;
use super::state::State;
use crate::advice::storage as advice;
use crate::config::section::{AuditTarget, Kerberos};
use crate::krb5::keytab::{self, Whole};

/// Room for what the gateway writes below `folder`, which `key` of the configuration names.
pub(super) fn room(folder: &Path, key: &str) -> State {
    // What cannot be asked is told by what fails to be written.
    let Ok(disk) = statvfs(folder) else { return State::OK };
    let free = disk.blocks_available().saturating_mul(disk.fragment_size());
    // File systems without a table of inodes say 0 of 0.
    let no_inodes = disk.files() > 0 && disk.files_available() == 0;
    let path = folder.display();
    match (free, no_inodes) {
        (0, _) => {
            State::broken(format!("0 bytes are free under {path}: {}", advice::make_room(key)))
        }
        (_, true) => State::broken(format!(
            "no more files can be made under {path}, so nobody new can sign on: {}",
            advice::remove_files(key)
        )),
        (..LITTLE, false) => State::notice(format!(
            "only {} KB are free under {path}: {}",
            free / 1024,
            advice::make_room(key)
        )),
        _ => State::OK,
    }
}

/// Whether the library can remember tokens. It makes the file itself.
pub(super) fn replay_cache(path: &Path) -> State {
    let opened = OpenOptions::new().read(true).write(true).open(path);
    let error = match opened {
        Ok(_) => return State::OK,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return makes_files(path),
        Err(error) => error,
    };
    State::broken(format!(
        "{} cannot be written ({error}), so no ticket can be accepted: {}",
        path.display(),
        advice::remove_replay_cache(path)
    ))
}

fn makes_files(path: &Path) -> State {
    let folder = path.parent().unwrap_or(path);
    match makes(folder) {
        Ok(()) => State::OK,
        Err(error) => State::broken(format!(
            "no file can be made in {} ({error}), so no ticket can be accepted: give that folder \
             to the user that the gateway runs as (chown)",
            folder.display()
        )),
    }
}

fn makes(folder: &Path) -> nix::Result<()> {
    may_write(folder, AccessFlags::W_OK | AccessFlags::X_OK)
}

fn may_write(path: &Path, wanted: AccessFlags) -> nix::Result<()> {
    nix::unistd::access(path, wanted)
}

/// Whether audit lines can be written.
pub(super) fn audit(target: &AuditTarget) -> State {
    let AuditTarget::File(path) = target else { return State::OK };
    let folder = path.parent().unwrap_or(path);
    let writable = if path.exists() { may_write(path, AccessFlags::W_OK) } else { makes(folder) };
    let opened = writable.map_or_else(
        |error| {
            State::notice(format!(
                "{} cannot be opened again for writing ({error}), as after a rotation: {}",
                path.display(),
                advice::AUDIT_ELSEWHERE
            ))
        },
        |()| State::OK,
    );
    room(folder, "[log] audit").and(opened)
}

/// Whether the keys in use can be read, and for which names there are any.
pub(super) fn keytab(settings: &Kerberos) -> (State, Option<Services>) {
    let path = &settings.keytab;
    let Whole { keytab, flaw } = match keytab::read_what_is_whole(path) {
        Ok(read) => read,
        Err(error) => return (State::broken(error.to_string()), None),
    };
    let services = Some(Services::of(&keytab));
    let used = match &settings.acceptor {
        Some(acceptor) => !keytab.keys_for(acceptor).is_empty(),
        None => !keytab.entries.is_empty(),
    };
    let state = match (used, flaw) {
        (true, None) => State::OK,
        (true, Some(flaw)) => State::notice(format!(
            "{flaw}. The keys before that place are intact, and tickets for them are accepted"
        )),
        (false, Some(flaw)) => State::broken(flaw.to_string()),
        (false, None) => State::broken(match &settings.acceptor {
            Some(acceptor) => format!(
                "{} contains no key of {acceptor} ([sso.kerberos] acceptor): export one to it",
                path.display()
            ),
            None => {
                format!(
                    "{} contains no key: export a keytab for this service to it",
                    path.display()
                )
            }
        }),
    };
    (state, services)
}

/// The database and its journal need this to go on.
const LITTLE: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_cache_need_not_exist_but_its_folder_must_take_files() {
        let place = tempfile::tempdir().unwrap();
        let cache = place.path().join("replay-cache");
        assert_eq!(replay_cache(&cache), State::OK);
        std::fs::write(&cache, "").unwrap();
        assert_eq!(replay_cache(&cache), State::OK);
        let missing = place.path().join("none/replay-cache");
        assert!(replay_cache(&missing).broken.unwrap().contains("no file can be made in"));
    }

    #[test]
    fn there_is_room_where_these_tests_run() {
        assert_eq!(room(Path::new("/proc/nowhere"), "state_path"), State::OK);
        assert_eq!(room(&std::env::temp_dir(), "state_path").broken, None);
    }

    #[test]
    fn a_keytab_that_is_missing_is_broken() {
        let settings = Kerberos {
            keytab: "/nonexistent/web.keytab".into(),
            acceptor: None,
            threads: 1,
            queue: 1,
            user_name: crate::identity::UserName::Sam,
            allow_computers: false,
            realms_without_pac: Vec::new(),
        };
        let (state, services) = keytab(&settings);
        assert!(state.broken.unwrap().contains("does not exist"));
        assert_eq!(services, None);
    }
}
