//! Folders and files that the gateway writes.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use super::finding::Finding;
use crate::advice::rights::{self, Found, Need};
use crate::config::Settings;
use crate::config::checked::AuditTarget;
use crate::process::access::Reader;

/// `is_made`: root makes the state folder when the gateway starts, or gives it away.
pub(super) fn check(settings: &Settings, is_made: bool) -> Vec<Finding> {
    let state = settings.state_path.as_path();
    let mut findings = vec![if is_made {
        Finding::ok("state", format!("{} will be made by root at the start", state.display()))
    } else {
        folder(state)
    }];
    findings.extend(exposed(state));
    findings.extend(space(state));
    findings.extend(replay_cache(&state.join("replay-cache")));
    if let AuditTarget::File(path) = &settings.log.audit {
        findings.push(audit(path));
    }
    findings
}

fn folder(state: &Path) -> Finding {
    let path = state.display();
    let reader = Reader::here();
    let mend = format!("{}, or set state_path", rights::make(state, 0o700, &reader));
    if state.is_dir() {
        return if may_write(state) {
            Finding::ok("state", format!("{path} can be written"))
        } else {
            let mend = rights::own(state, &reader);
            Finding::fail("state", format!("{path} cannot be written by this user"), mend)
        };
    }
    match existing(state) {
        Some(above) if above.is_dir() && may_write(above) => {
            Finding::ok("state", format!("{path} will be made in {}", above.display()))
        }
        Some(above) if !above.is_dir() => {
            Finding::fail("state", format!("{} is no folder", above.display()), mend)
        }
        _ => Finding::fail(
            "state",
            format!("{path} does not exist, and this user cannot make it"),
            mend,
        ),
    }
}

/// Keys and sessions are for the gateway alone.
fn exposed(state: &Path) -> Option<Finding> {
    let folder = Found::at(state).filter(|folder| folder.mode & OTHERS != 0)?;
    let found = format!(
        "{} has mode {:04o}: other users of this host can look into it",
        state.display(),
        folder.mode
    );
    let reader = Reader::here();
    let shut = format!("chmod 0700 {}", rights::quoted(state));
    let mend = if folder.owner == reader.uid || reader.uid.is_root() {
        shut
    } else {
        format!("{} && {shut}", rights::own(state, &reader))
    };
    Some(Finding::warn("state mode", found, mend))
}

fn space(state: &Path) -> Option<Finding> {
    let disk = statvfs(existing(state)?).ok()?;
    let free = disk.blocks_available().saturating_mul(disk.fragment_size());
    let found = format!("{} MB are free under {}", free / MEGABYTE, state.display());
    let mend = "make room on that disk, or set state_path to another: when it is full, nobody new can sign on";
    Some(match free {
        ..SCANT => Finding::fail("disk", found, mend),
        SCANT..MODEST => Finding::warn("disk", found, mend),
        _ => Finding::ok("disk", found),
    })
}

/// The library makes the file; one of another user it cannot use.
fn replay_cache(path: &Path) -> Option<Finding> {
    path.exists().then(|| {
        if may_write(path) {
            return Finding::ok("replay cache", format!("{} can be written", path.display()));
        }
        Finding::fail(
            "replay cache",
            format!("{} cannot be written by this user, so no ticket can be taken", path.display()),
            format!("remove {}, and start the gateway as one user always", path.display()),
        )
    })
}

fn audit(path: &Path) -> Finding {
    let folder = path.parent().unwrap_or(path);
    let appendable =
        if path.exists() { path.is_file() && may_write(path) } else { may_write(folder) };
    if appendable {
        return Finding::ok("audit", format!("{} can be appended to", path.display()));
    }
    Finding::fail(
        "audit",
        format!("{} cannot be written by this user", path.display()),
        audit_mend(path, folder),
    )
}

fn audit_mend(path: &Path, folder: &Path) -> String {
    let reader = Reader::here();
    if path.is_file() {
        return rights::own(path, &reader);
    }
    if path.exists() {
        return "name a file in [log] audit".to_owned();
    }
    match Found::at(folder) {
        Some(found) if found.folder => {
            rights::grant(&found, &reader, Need::Fill).unwrap_or_else(|| {
                "set [log] audit to a file in a folder that it can reach".to_owned()
            })
        }
        _ => rights::make(folder, 0o750, &reader),
    }
}

fn may_write(path: &Path) -> bool {
    let wanted =
        if path.is_dir() { AccessFlags::W_OK | AccessFlags::X_OK } else { AccessFlags::W_OK };
    access(path, wanted).is_ok()
}

/// The path itself, or the nearest folder above it that exists.
fn existing(path: &Path) -> Option<&Path> {
    path.ancestors().find(|above| above.exists())
}

const MEGABYTE: u64 = 1024 * 1024;
/// The database and its journal need this to go on.
const SCANT: u64 = 16 * MEGABYTE;
/// Below this somebody should look.
const MODEST: u64 = 256 * MEGABYTE;
/// Permissions of everybody else.
const OTHERS: u32 = 0o007;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::check::finding::Status;

    #[test]
    fn a_folder_that_can_be_made_is_fine() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(folder(place.path()).status(), Status::Ok);
        assert_eq!(folder(&place.path().join("a/b")).status(), Status::Ok);
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_fails() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(folder(&file).status(), Status::Fail);
        assert_eq!(folder(&file.join("state")).status(), Status::Fail);
    }

    #[test]
    fn a_folder_that_others_can_read_is_warned_about() {
        let place = tempfile::tempdir().unwrap();
        let set =
            |mode| std::fs::set_permissions(place.path(), PermissionsExt::from_mode(mode)).unwrap();
        set(0o755);
        assert_eq!(exposed(place.path()).map(|finding| finding.status()), Some(Status::Warn));
        set(0o700);
        assert_eq!(exposed(place.path()), None);
    }

    #[test]
    fn the_audit_file_need_not_exist_but_its_folder_must() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(audit(&place.path().join("audit.log")).status(), Status::Ok);
        assert_eq!(audit(&place.path().join("none/audit.log")).status(), Status::Fail);
        assert_eq!(audit(place.path()).status(), Status::Fail);
    }
}
