//! Realms and domains.

/// A realm that is to be listed.
pub(crate) fn list(realms: &[&str]) -> String {
    let realms: Vec<_> = realms.iter().map(|realm| format!("realm = \"{realm}\"")).collect();
    format!("set {} in [[core.realm]]", realms.join(" and "))
}

/// A realm in the wrong case.
pub(crate) fn spelling(realm: &str) -> String {
    format!("write realm = \"{realm}\" in [[core.realm]]")
}

/// The same in krb5.conf.
pub(crate) fn default_realm(realm: &str) -> String {
    format!("write default_realm = {realm} in krb5.conf")
}

/// A krb5.conf that is for another realm.
pub(crate) fn file_for(realm: &str) -> String {
    format!(
        "write default_realm = {realm} in krb5.conf, and its KDC under [realms]; krb5-examples has a whole file"
    )
}

/// NTLM's domain.
pub(crate) fn domain(domain: &str) -> String {
    format!("set domain = \"{domain}\" in [[core.realm]]")
}
