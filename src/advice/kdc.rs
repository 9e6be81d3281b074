//! Key distribution centres.

/// None answers.
pub const NAME: &str = "let krb5.conf ([realms] kdc) or DNS name a domain controller, and let it be reached on port 88";
