//! What the gateway writes: the state folder, the session store, the replay
//! cache, the audit log.

use std::path::Path;

/// There is no state folder, or it cannot be written.
pub fn make_state(path: &Path, owner: &str) -> String {
    let path = path.display();
    format!("run `install -d -o {owner} -m 0700 {path}` as root, or set state_path")
}

/// Files of the state folder belong to somebody else.
pub fn give_state(path: &Path, owner: &str) -> String {
    format!(
        "run `chown -R {owner} {}` as root, and start the gateway as one user always",
        path.display()
    )
}

/// Others may look into a folder or file that is for the gateway alone.
pub fn close(paths: &[&Path]) -> String {
    let shown: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    format!("chmod go-rwx {}", shown.join(" "))
}

/// The disk is full, or nearly.
pub fn make_room(key: &str) -> String {
    format!(
        "make room on that disk, or set {key} to another: when it is full, nobody new can sign on"
    )
}

/// No more files can be made on the disk, or hardly any.
pub fn remove_files(key: &str) -> String {
    format!("remove files from that disk (`df -i` shows its inodes), or set {key} to another disk")
}

/// The replay cache belongs to somebody else.
pub fn remove_replay_cache(path: &Path) -> String {
    format!("remove {}, and start the gateway as one user always", path.display())
}

/// The audit log, or the folder for it, cannot be written.
pub fn audit(path: &Path, owner: &str) -> String {
    format!("run `chown {owner} {}` as root, or set [log] audit", path.display())
}

/// The session store is damaged.
pub fn move_store_aside(path: &Path) -> String {
    let path = path.display();
    format!(
        "stop the gateway, and move {path} aside with its -wal file: everybody then signs on anew"
    )
}

/// A newer version wrote the session store.
pub fn newer_store(path: &Path) -> String {
    format!(
        "run the version that wrote it, or move {} aside: everybody then signs on anew",
        path.display()
    )
}

/// The session store cannot be read for another reason.
pub const LOOK_AT_STORE: &str = "look at owner and mode of the file, and at the disk";

/// Another program holds the session store.
pub fn end_holder(pid: i32) -> String {
    format!("end that program (pid {pid}): while it holds the store, the gateway does not start")
}

/// Another Doorward uses the same state folder.
pub const OWN_STATE: &str = "stop that one, or give this one a state_path of its own";
