//! Where audit lines are written to.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::config::section::AuditTarget;

/// A file, or standard error.
#[derive(Debug)]
pub(super) enum Output {
    Stderr,
    File {
        file: File,
        /// Whether it ends in the middle of a line.
        torn: bool,
    },
}

impl Output {
    pub(super) fn open(target: &AuditTarget) -> io::Result<Self> {
        match target {
            AuditTarget::Stderr => Ok(Self::Stderr),
            AuditTarget::File(path) => {
                Ok(Self::File { file: append(path)?, torn: ends_within_a_line(path) })
            }
        }
    }

    /// Writes whole lines; how many bytes there was room for, and why not for all.
    pub(super) fn write(&mut self, lines: &[u8], durable: bool) -> (usize, io::Result<()>) {
        let Self::File { file, torn } = self else {
            let written = io::stderr().write_all(lines);
            return (if written.is_ok() { lines.len() } else { 0 }, written);
        };
        if *torn {
            // What stands there was cut off: the next line is to be one of its own.
            if let Err(error) = file.write_all(b"\n") {
                return (0, Err(error));
            }
            *torn = false;
        }
        let mut done = 0;
        while let Some(rest) = lines.get(done..).filter(|rest| !rest.is_empty()) {
            let fault = match file.write(rest) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    done += count;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            *torn = done > 0 && lines.get(done - 1) != Some(&b'\n');
            return (done, Err(fault));
        }
        let synced = if durable { file.sync_data() } else { Ok(()) };
        (if synced.is_ok() { done } else { 0 }, synced)
    }
}

/// A file that is made here is for its group too, whatever the umask says: those who
/// read logs are often in it.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).mode(MODE);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            file.set_permissions(Permissions::from_mode(MODE))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.create(true).open(path)
        }
        Err(error) => Err(error),
    }
}

const MODE: u32 = 0o640;

/// Whether a process that wrote before us got no further than half a line.
fn ends_within_a_line(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        let mut file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Ok(b'\n');
        }
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [b'\n'];
        file.read_exact(&mut byte)?;
        Ok(byte[0])
    };
    // One that is empty, or not for us to read, is taken to be whole.
    last().is_ok_and(|last| last != b'\n')
}
