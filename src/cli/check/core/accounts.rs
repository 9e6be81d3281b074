//! Accounts that the core's policy names.

use nix::unistd::{Group, User};

use crate::advice::account;
use crate::cli::check::report::Finding;
use crate::config::section::Core;

pub(in crate::cli::check) fn check(core: &Core) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, names) in
        [("local_admin_users", &core.local_admin_users), ("front_users", &core.front_users)]
    {
        let unknown: Vec<_> = names.iter().filter(|name| !is_known(name)).cloned().collect();
        findings.push(match (names.as_slice(), unknown.as_slice()) {
            ([], _) => continue,
            (_, []) => Finding::ok("accounts", format!("{key}: {}", names.join(", "))),
            _ => Finding::fail(
                "accounts",
                format!("{key} names {}, which this host does not know", unknown.join(", ")),
                account::unknown(key),
            ),
        });
    }
    findings
}

/// A number is a uid, and needs no account; what begins with `@` is a group.
fn is_known(name: &str) -> bool {
    if let Some(group) = name.strip_prefix('@') {
        return Group::from_name(group).is_ok_and(|group| group.is_some());
    }
    name.parse::<u32>().is_ok() || User::from_name(name).is_ok_and(|account| account.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_exist_and_numbers_need_not() {
        assert!(is_known("root"));
        assert!(is_known("4000000"));
        assert!(!is_known("no-such-account"));
        assert!(!is_known("33abc"));
        assert!(is_known("@root"));
        assert!(!is_known("@no-such-group"));
    }
}
