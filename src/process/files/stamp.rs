//! Detects that a file has changed, without reading it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::clock::Timestamp;

/// What the file system says of a file, other than its bytes: another stamp,
/// another file. Links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    /// The stamp of what stands at `path`; `None` where nothing can be seen.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|metadata| Self::from(&metadata))
    }

    /// Whether a change after this stamp was taken at `now` shows in the next
    /// one. File systems count time in steps: what changed just now may change
    /// again within the same step.
    pub(crate) fn is_settled(&self, now: Timestamp) -> bool {
        let latest = self.changed.0.max(self.modified.0);
        u64::try_from(latest).is_ok_and(|latest| latest + STEP < now.unix())
    }
}

impl From<&Metadata> for FileStamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Seconds; the coarsest step that is still in use (FAT) is two.
const STEP: u64 = 2;
