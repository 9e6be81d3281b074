//! Keytab and Kerberos library.

/// Nobody can sign on at all.
pub(crate) const ENABLE: &str = "set enable_sso = true in [sso]";

/// There is no keytab, or none that can be used.
pub(crate) const EXPORT: &str = "export the keys of HTTP/ and the site's host (ktpass; samba-tool domain exportkeytab; kadmin ktadd), and name the file in [sso.kerberos] keytab";

/// Keys of RC4 alone.
pub(crate) const ADD_AES: &str = "set msDS-SupportedEncryptionTypes of the account to 24, set its password again, and export the keytab again";

/// The configured acceptor has no keys.
pub(crate) fn acceptor(acceptor: &str, held: &[&str]) -> String {
    format!(
        "export the keys of {acceptor} to the keytab, or set acceptor to one of {}",
        held.join(", ")
    )
}

/// A site's host has no service name.
pub(crate) fn register(service: &str) -> String {
    format!(
        "add the service principal to the account (setspn -S {service} ACCOUNT) and export the keytab again"
    )
}

/// The keytab is older than its account's password.
pub(crate) const EXPORT_AGAIN: &str = "export the keytab again (ktpass; samba-tool domain exportkeytab; kadmin ktadd), and replace the file: no reload is needed";

/// The KDC gives tickets by an older key than the keytab has.
pub(crate) const OLDER_KEY: &str = "wait until all domain controllers have the new password (repadmin /showrepl; samba-tool drs showrepl); if it does not change, the keytab is from another account: export it again";

/// The key is of another account.
pub(crate) fn other_account(service: &str) -> String {
    format!("export it again, for the account that `setspn -Q {service}` shows")
}

/// The name is on an account that the keytab does not have.
pub(crate) fn export_name(service: &str) -> String {
    format!(
        "export the keys of {service} into the keytab as well, or move the name to the account that has them (setspn -D {service} OTHER, setspn -S {service} ACCOUNT)"
    )
}

/// The name is on several accounts.
pub(crate) fn one_account(service: &str) -> String {
    format!(
        "`setspn -Q {service}` shows them: remove it from all but the account of this keytab (setspn -D {service} OTHER)"
    )
}

/// The name is on no account, or on several.
pub(crate) fn find_account(service: &str) -> String {
    format!(
        "`setspn -Q {service}` shows which (samba-tool spn list ACCOUNT): if it is on none, register it (setspn -S {service} ACCOUNT; samba-tool spn add; kadmin addprinc); if it is on two, remove it from all but the account of this keytab (setspn -D {service} OTHER)"
    )
}

/// krb5.conf forbids the keytab's types.
pub(crate) const PERMIT: &str = "remove permitted_enctypes from krb5.conf (a gateway does not need it), or add the keytab's types to it";

/// Nobody had a ticket to compare.
pub(crate) const COMPARE: &str = "versions and types of keys were not compared with the KDC's, because nobody here has a ticket: run kinit, as any user of the domain, and check again";

/// Somebody got no ticket, for a reason that may be theirs.
pub(crate) fn by_hand(service: &str, realm: &str) -> String {
    format!(
        "run `kinit` as another user, and `kvno {service}@{realm}`: if that fails in the same way, the user is not the cause"
    )
}
