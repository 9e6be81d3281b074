//! krb5.conf.

/// It does not exist.
pub const NAME: &str = "correct KRB5_CONFIG in the gateway's environment (systemctl edit doorward), or take it out: then /etc/krb5.conf counts";

/// It cannot be read by the account.
pub const READABLE: &str = "let everybody read it: it holds no secret";

/// A line of it is wrong.
pub const CORRECT: &str =
    "correct that line of krb5.conf; krb5.conf(5) describes the file, and krb5-examples has some";
