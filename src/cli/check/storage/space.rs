//! Free space on a disk: bytes, and files that can still be made.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::statvfs::{Statvfs, statvfs};

use super::existing;
use crate::advice::storage as advice;
use crate::cli::check::report::Finding;

/// What is left under a folder that `key` names.
pub(super) fn check(folder: &Path, key: &str) -> Vec<Finding> {
    let Some(disk) = existing(folder).and_then(|folder| statvfs(folder).ok()) else {
        return Vec::new();
    };
    let shown = folder.display().to_string();
    let bytes = disk.blocks_available().saturating_mul(disk.fragment_size());
    [Some(room(&shown, bytes, key)), inodes(&shown, &disk, key)].into_iter().flatten().collect()
}

/// The same for a file, where it is on another disk than `folder`.
pub(super) fn of_another_disk(file: &Path, folder: &Path, key: &str) -> Vec<Finding> {
    let disk = |path: &Path| existing(path).and_then(|path| Some(path.metadata().ok()?.dev()));
    if disk(file) == disk(folder) { Vec::new() } else { check(file, key) }
}

fn room(shown: &str, bytes: u64, key: &str) -> Finding {
    let found = match bytes / MEGABYTE {
        0 => format!("{bytes} bytes are free under {shown}"),
        megabytes => format!("{megabytes} MB are free under {shown}"),
    };
    match bytes {
        ..SCANT => Finding::fail("disk", found, advice::make_room(key)),
        SCANT..MODEST => Finding::warn("disk", found, advice::make_room(key)),
        _ => Finding::ok("disk", found),
    }
}

/// Nothing where there are enough, and where the file system does not count them.
fn inodes(shown: &str, disk: &Statvfs, key: &str) -> Option<Finding> {
    let free = disk.files_available();
    if disk.files() == 0 || free > FEW_FILES {
        return None;
    }
    let found = format!("{free} files (inodes) can still be made under {shown}");
    let mend = advice::remove_files(key);
    Some(if free < SCANT_FILES {
        Finding::fail("disk", found, mend)
    } else {
        Finding::warn("disk", found, mend)
    })
}

const MEGABYTE: u64 = 1024 * 1024;
/// The database and its journal need this to go on.
const SCANT: u64 = 16 * MEGABYTE;
/// Below this somebody should look.
const MODEST: u64 = 256 * MEGABYTE;
/// The database, its journal, the replay cache, and what they are replaced by.
const SCANT_FILES: u64 = 16;
const FEW_FILES: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;

    #[test]
    fn little_room_is_warned_about_before_it_fails() {
        let status = |bytes| room("/var", bytes, "state_path").status();
        assert_eq!(status(0), Status::Fail);
        assert_eq!(status(SCANT - 1), Status::Fail);
        assert_eq!(status(SCANT), Status::Warn);
        assert_eq!(status(MODEST), Status::Ok);
        assert!(room("/var", 17, "state_path").to_string().contains("17 bytes are free"));
    }
}
