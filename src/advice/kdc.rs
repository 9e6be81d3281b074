//! Key distribution centres.

/// None answers.
pub(crate) const NAME: &str = "let krb5.conf ([realms] kdc) or DNS name a domain controller, and let it be reached on port 88";

/// Two clocks differ.
pub(crate) const CLOCK: &str = "find out which of the two is wrong (timedatectl here; w32tm /query /status there), and let both follow the same time servers; on a member of a domain those are its controllers";
