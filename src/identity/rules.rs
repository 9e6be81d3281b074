//! What the settings say of realms and of names in them.

/// A realm whose people may come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Realm {
    /// The Kerberos realm, in capitals.
    pub realm: String,
    /// The Windows (NetBIOS) name of the domain.
    pub domain: String,
    pub strip: Strip,
    /// The tenant of its people; empty without tenants.
    pub company: String,
    /// Whether John and john are two people.
    pub case_sensitive: bool,
}

/// How a realm is removed from a login name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strip {
    /// The name is kept whole: `john@ADSDOMAIN.EXAMPLE`.
    Keep,
    /// Exactly the listed realm or domain is taken off.
    Exact,
    /// Everything from the first `@` (ZCP's LOGINNAME_STRIP_DOMAIN); a backslash stays.
    Zcp,
    /// Everything up to the last backslash, else from the first `@` (Kopano WebApp).
    Kopano,
}

/// Which name of an account is the login, where a ticket tells the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserName {
    /// The SAM account name.
    Sam,
    /// The user principal name.
    Upn,
    /// The client's name in the ticket, where it is a name of the account.
    Principal,
}
