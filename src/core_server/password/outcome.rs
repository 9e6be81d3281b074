//! What came of a password.

use super::limits::Limited;
use crate::identity::{self, Identity, Rules, Via};
use crate::krb5::pac::Said;
use crate::wire::Denied;

/// Whoever typed a name has its password. Made only here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Verified {
    identity: Identity,
    /// As it was asked for at the KDC: `john@ADSDOMAIN.EXAMPLE`.
    principal: String,
    typed: String,
    groups: Vec<String>,
}

impl Verified {
    pub(in crate::core_server) fn principal(&self) -> &str {
        &self.principal
    }

    /// Who it is, the principal, the name as it was typed, and the groups.
    pub(in crate::core_server) fn into_parts(self) -> (Identity, String, String, Vec<String>) {
        (self.identity, self.principal, self.typed, self.groups)
    }
}

/// Why there is no [`Verified`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) enum Unverified {
    /// Name and password are not taken. All of these are answered alike.
    Refused(Denied),
    /// Too many wrong ones came before; this one was not looked at.
    Limited(Limited),
    /// Nobody could say whether it is right.
    Unable(Denied),
}

/// Who it is whose password was right: the account that the KDC named.
pub(super) fn identified(
    principal: String,
    typed: &str,
    said: Option<Said>,
    names: &Rules,
) -> Result<Verified, Denied> {
    let realm = principal.rsplit_once('@').map(|(_, realm)| realm);
    let via = Via::Kerberos { acceptor_realm: realm };
    let account = said.as_ref().map(|said| &said.account);
    let identity = identity::verified(&principal, account, via, names)?;
    let groups = said.map(|said| said.groups).unwrap_or_default();
    Ok(Verified { identity, principal, typed: typed.to_owned(), groups })
}
