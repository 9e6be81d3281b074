//! Folders and files that the gateway writes.

use std::io::ErrorKind;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access as access_of};

use super::Context;
use super::report::Finding;
use crate::advice::storage as advice;
use crate::config::section::AuditTarget;
use crate::process::files::access::{self, Obstacle};
use crate::process::files::reader::Reader;
use crate::process::files::rights::{self, Found, Need};

mod files;
mod space;
mod store;

pub(super) fn check(context: &Context<'_>) -> Vec<Finding> {
    let state = context.settings.state_path.as_path();
    let mut findings = vec![if context.state_is_made {
        Finding::ok("state", format!("{} will be made by root at the start", state.display()))
    } else {
        folder(state)
    }];
    findings.extend(space::check(state, "state_path"));
    if !findings.iter().any(Finding::failed) {
        findings.extend(files::check(state));
        findings.extend(store::check(context));
    }
    if let AuditTarget::File(path) = &context.settings.log.audit {
        findings.push(audit(path));
        findings.extend(space::of_another_disk(path, state, "[log] audit"));
    }
    findings
}

fn folder(state: &Path) -> Finding {
    let path = state.display();
    let mend = advice::make_state(state, &Reader::here());
    match state.metadata() {
        Ok(found) if found.is_dir() && may_write(state) => {
            Finding::ok("state", format!("{path} is writable"))
        }
        Ok(found) if found.is_dir() => unwritable("state", state),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Finding::error("state", &access::explain(state, Need::Fill).to_string(), &mend)
        }
        _ => missing(state, mend),
    }
}

/// Why a folder cannot be written, and what lets the account in.
fn unwritable(check: &'static str, folder: &Path) -> Finding {
    let (path, reader) = (folder.display(), Reader::here());
    if access_of(folder, WRITE) == Err(Errno::EROFS) {
        let found = format!("{path} is on a file system that is mounted read-only");
        return Finding::fail(check, found, advice::READ_ONLY);
    }
    let found = format!("{reader} cannot write to {path}");
    let by_mode = Found::at(folder).and_then(|found| rights::grant(&found, &reader, Need::Fill));
    let mend = match by_mode {
        Some(_) => rights::own(folder, &reader),
        None => advice::OTHER_OBSTACLE.to_owned(),
    };
    Finding::fail(check, found, mend)
}

fn missing(state: &Path, mend: String) -> Finding {
    let path = state.display();
    match existing(state) {
        Some(above) if !above.is_dir() => {
            Finding::fail("state", format!("{} is not a folder", above.display()), mend)
        }
        Some(above) if may_write(above) => {
            Finding::ok("state", format!("{path} will be made in {}", above.display()))
        }
        _ => Finding::fail(
            "state",
            format!("{path} does not exist, and {} cannot make it", Reader::here()),
            mend,
        ),
    }
}

fn audit(path: &Path) -> Finding {
    let folder = path.parent().unwrap_or(path);
    let appendable =
        if path.exists() { path.is_file() && may_write(path) } else { may_write(folder) };
    if appendable {
        return Finding::ok("audit", format!("{} can be appended to", path.display()));
    }
    let found = format!("{} cannot be written by {}", path.display(), Reader::here());
    Finding::fail("audit", found, audit_mend(path, folder))
}

fn audit_mend(path: &Path, folder: &Path) -> String {
    let reader = Reader::here();
    if path.is_file() {
        return rights::own(path, &reader);
    }
    if path.exists() {
        return advice::AUDIT_FILE.to_owned();
    }
    match access::may(folder, Need::Fill).map_err(|refused| refused.obstacle) {
        Err(Obstacle::Mode { advice, .. }) => advice,
        Ok(()) if !folder.exists() => rights::make(folder, 0o750, &reader),
        _ => advice::AUDIT_ELSEWHERE.to_owned(),
    }
}

fn may_write(path: &Path) -> bool {
    let wanted = if path.is_dir() { WRITE } else { AccessFlags::W_OK };
    access_of(path, wanted).is_ok()
}

/// The path itself, or the nearest folder above it that exists.
fn existing(path: &Path) -> Option<&Path> {
    path.ancestors().find(|above| above.exists())
}

/// To make files in a folder.
const WRITE: AccessFlags = AccessFlags::W_OK.union(AccessFlags::X_OK);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;

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
    fn the_audit_file_need_not_exist_but_its_folder_must() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(audit(&place.path().join("audit.log")).status(), Status::Ok);
        assert_eq!(audit(&place.path().join("none/audit.log")).status(), Status::Fail);
        assert_eq!(audit(place.path()).status(), Status::Fail);
    }
}
