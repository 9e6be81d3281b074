//! What the gateway writes: the state folder, the session store, the replay
//! cache, the audit log.

use std::path::Path;

use crate::process::files::reader::Reader;
use crate::process::files::rights;

/// There is no state folder, or one that cannot be reached.
pub(crate) fn make_state(path: &Path, account: &Reader) -> String {
    format!("{}, or set state_path", rights::make(path, 0o700, account))
}

/// Files of the state folder belong to somebody else, or are shut for their owner.
pub(crate) fn give_state(path: &Path, account: &Reader, shut: bool) -> String {
    let own = rights::own(path, account);
    let open = format!("chmod -R u+rwX {}", rights::quoted(path));
    let command = if shut { format!("{own} && {open}") } else { own };
    format!("{command}, and always start the gateway as the same user")
}

/// The disk takes no changes.
pub(crate) const READ_ONLY: &str = "mount it for writing (`mount -o remount,rw`, and look at the kernel's log: a disk with errors becomes read-only), or set state_path";

/// Owner and mode allow what the system refuses.
pub(crate) const OTHER_OBSTACLE: &str = "owner and mode allow it, so something else forbids it: look at `getfacl` and `lsattr`, and at the system's log for SELinux or AppArmor";

/// Others may look into folders or files that are for the gateway alone.
pub(crate) fn close(paths: &[&Path]) -> String {
    let shown: Vec<_> = paths.iter().map(|path| rights::quoted(path)).collect();
    format!("chmod go-rwx {}", shown.join(" "))
}

/// The disk is full, or nearly.
pub(crate) fn make_room(key: &str) -> String {
    format!(
        "free space on that disk, or set {key} to another disk: when it is full, nobody new can sign on"
    )
}

/// No more files can be made on the disk, or hardly any.
pub(crate) fn remove_files(key: &str) -> String {
    format!("remove files from that disk (`df -i` shows its inodes), or set {key} to another disk")
}

/// The replay cache belongs to somebody else.
pub(crate) fn remove_replay_cache(path: &Path) -> String {
    format!("remove {}, and always start the gateway as the same user", path.display())
}

/// `[log] audit` names something that is no file.
pub(crate) const AUDIT_FILE: &str = "name a file in [log] audit";

/// The audit log is in a folder that cannot be reached.
pub(crate) const AUDIT_ELSEWHERE: &str =
    "set [log] audit to a file in a folder that the account can reach";

/// The session store is damaged.
pub(crate) fn move_store_aside(path: &Path) -> String {
    let path = path.display();
    format!(
        "stop the gateway, and move {path} aside with its -wal file: everybody must then sign on again"
    )
}

/// A newer version wrote the session store.
pub(crate) fn newer_store(path: &Path) -> String {
    format!(
        "run the version that wrote it, or move {} aside: everybody must then sign on again",
        path.display()
    )
}

/// Something else is in the place of the session store.
pub(crate) fn no_store(path: &Path) -> String {
    format!("move {} away: the gateway makes the file itself", path.display())
}

/// The session store cannot be read for another reason.
pub(crate) const LOOK_AT_STORE: &str = "check owner and mode of the file, and the disk";

/// Another program holds the session store.
pub(crate) fn end_holder(pid: i32) -> String {
    format!("stop that program (pid {pid}): while it uses the store, the gateway does not start")
}

/// Another Doorward uses the same state folder.
pub(crate) const OWN_STATE: &str = "stop the other one, or give this one a state_path of its own";
