//! `sslkeys_path` and `[[core.key]]`.

use std::path::Path;

use crate::process::files::rights::quoted;

/// The folder may be written by others.
pub(crate) fn close_folder(path: &Path) -> String {
    format!("chmod go-w {}: whoever can put a key there can sign on with it", quoted(path))
}

/// There is no such folder.
pub(crate) fn make_folder(path: &Path) -> String {
    format!("run `install -d -m 0755 {}` as root, or correct [core] sslkeys_path", quoted(path))
}

/// One key in several files.
pub(crate) const KEEP_ONE: &str = "keep one of them: a key may be in one file only";

/// A file that holds no key.
pub(crate) const PUT_KEY: &str =
    "put the output of `openssl pkey -in KEY -pubout` there, or move the file away";

/// An entry that is about no key.
pub(crate) const CORRECT_ENTRY: &str =
    "correct file, or remove the entry: until then, the core neither starts nor reloads";

/// A key without an entry, where such keys may do nothing.
pub(crate) const GIVE_RIGHTS: &str = "give it an entry with act_as or role, or remove the file";

/// A key without an entry.
pub(crate) const GIVE_ENTRY: &str =
    "give it an entry with act_as, or with act_as = [\"SYSTEM\"] if that is meant";

/// A key whose time is over.
pub(crate) const REMOVE_KEY: &str = "remove the file, or give the entry another not_after";

/// A listed certificate whose authority is not taken.
pub(crate) const ISSUE_OR_TRUST: &str = "have it issued again by an accepted authority, or append that issuer's certificate to [core] server_ssl_ca_file (for browsers: [front] client_ssl_ca_file)";
