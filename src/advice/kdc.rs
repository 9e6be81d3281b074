//! Key distribution centres.

/// None answers.
pub(crate) const NAME: &str = "name a domain controller in krb5.conf ([realms] kdc) or in DNS, and make sure that port 88 of it can be reached";

/// Two clocks differ.
pub(crate) const CLOCK: &str = "find out which of the two is wrong (timedatectl here; w32tm /query /status there), and set both from the same time servers; on a member of a domain, use its domain controllers";
