//! Owner and mode of the files in the state folder.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Gid, Uid, access};

use crate::advice::storage as advice;
use crate::cli::check::report::Finding;
use crate::process::account::{group_name, user_name};
use crate::process::files::reader::Reader;
use crate::process::files::rights;

pub(super) fn check(state: &Path) -> Vec<Finding> {
    let files = files(state);
    let mut findings: Vec<_> = foreign(state, &files).into_iter().collect();
    findings.extend(exposed(state, &files));
    findings.extend(replay_cache(&state.join("replay-cache")));
    findings
}

/// The folder's files, by name.
fn files(state: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.is_file()).take(MOST).collect();
    files.sort();
    files
}

/// Files that another user made, such as root in a start by hand.
fn foreign(state: &Path, files: &[PathBuf]) -> Option<Finding> {
    let may = |path: &Path| access(path, AccessFlags::R_OK | AccessFlags::W_OK).is_ok();
    let refused: Vec<_> = files.iter().filter(|path| !may(path)).collect();
    let foreign: Vec<_> = refused.iter().filter_map(|path| described(path)).collect();
    if foreign.is_empty() {
        return None;
    }
    let shut = refused.iter().filter_map(|path| path.metadata().ok());
    let shut = shut.into_iter().any(|found| found.mode() & OWNERS != OWNERS);
    let found =
        format!("{} cannot write {} in {}", Reader::here(), foreign.join(" and "), state.display());
    Some(Finding::fail("state files", found, advice::give_state(state, &Reader::here(), shut)))
}

/// `sessions.sqlite (root:root, mode 0600)`
fn described(path: &Path) -> Option<String> {
    let found = path.symlink_metadata().ok()?;
    let (owner, group) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
    let mode = found.mode() & 0o7777;
    let name = path.file_name()?.to_string_lossy();
    Some(format!("{name} ({}:{}, mode {mode:04o})", user_name(owner), group_name(group)))
}

/// Keys and sessions are for the gateway alone. In a folder that others may not pass,
/// the modes of its files do not matter.
fn exposed(state: &Path, files: &[PathBuf]) -> Option<Finding> {
    let open = |path: &Path| path.metadata().is_ok_and(|found| found.mode() & OTHERS != 0);
    if !open(state) {
        return None;
    }
    let mode = state.metadata().ok()?.mode() & 0o7777;
    let readable: Vec<_> = files.iter().filter(|path| open(path)).map(PathBuf::as_path).collect();
    let paths: Vec<_> = [state].into_iter().chain(readable.iter().copied()).collect();
    let inside = match readable.len() {
        0 => String::new(),
        1 => " and read a file in it".to_owned(),
        several => format!(" and read {several} files in it"),
    };
    let found = format!(
        "{} has mode {mode:04o}: other users of this host can list it{inside}",
        state.display()
    );
    let reader = Reader::here();
    let shut = advice::close(&paths);
    let is_own = reader.uid.is_root() || state.metadata().ok()?.uid() == reader.uid.as_raw();
    let mend = if is_own { shut } else { format!("{} && {shut}", rights::own(state, &reader)) };
    Some(Finding::warn("state mode", found, mend))
}

/// The library makes the file; one of another user it cannot use.
fn replay_cache(path: &Path) -> Option<Finding> {
    path.exists().then(|| {
        let shown = path.display();
        if access(path, AccessFlags::R_OK | AccessFlags::W_OK).is_ok() {
            return Finding::ok("replay cache", format!("{shown} is writable"));
        }
        Finding::fail(
            "replay cache",
            format!("{} cannot write to {shown}, so no ticket can be accepted", Reader::here()),
            advice::remove_replay_cache(path),
        )
    })
}

/// What the owner needs.
const OWNERS: u32 = 0o600;
/// Permissions of everybody else.
const OTHERS: u32 = 0o007;
/// Files that are looked at.
const MOST: usize = 1_000;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::check::report::Status;

    #[test]
    fn a_folder_that_others_can_read_is_warned_about_with_the_files_in_it() {
        let place = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        };
        let key = place.path().join("key.pem");
        fs::write(&key, "").unwrap();
        set(&key, 0o644);
        set(place.path(), 0o700);
        assert_eq!(exposed(place.path(), &files(place.path())), None);
        set(place.path(), 0o755);
        let warned = exposed(place.path(), &files(place.path())).unwrap();
        assert_eq!(warned.status(), Status::Warn);
        let said = warned.to_string();
        let command = format!("chmod go-rwx {} {}", place.path().display(), key.display());
        assert!(said.contains("read a file in it") && said.ends_with(&command), "{said}");
    }
}
