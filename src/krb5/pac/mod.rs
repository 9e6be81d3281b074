//! The PAC of a Kerberos ticket (MS-PAC): the account that it was issued to, according to the
//! domain controller. Only bytes with a valid signature arrive here; they are still read with
//! checked cursors.

use crate::wire::{Account, AccountKind};

use logon_info::LogonInfo;
use upn_dns_info::UpnDnsInfo;

mod logon_info;
mod ndr;
#[cfg(test)]
mod samples;
mod upn_dns_info;

/// Why a PAC cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PacError {
    /// The bytes end too early.
    #[error("{wanted} bytes at offset {offset} run past the end")]
    Truncated {
        offset: usize,
        /// How many bytes were to be read.
        wanted: usize,
    },
    /// The bytes contradict themselves or the format.
    #[error("{what} at offset {offset}")]
    Malformed { what: &'static str, offset: usize },
    /// Two of its parts name different accounts.
    #[error("one part says {0:?}, another {1:?}")]
    Contradiction(String, String),
    /// No account is named.
    #[error("it names no account")]
    Nameless,
}

/// The parts of an authenticated PAC that name an account, as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// KERB_VALIDATION_INFO.
    pub logon_info: Option<Vec<u8>>,
    /// UPN_DNS_INFO, which older domain controllers leave out.
    pub upn_dns_info: Option<Vec<u8>>,
}

/// What a PAC says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub account: Account,
    /// Its groups, as SIDs.
    pub groups: Vec<String>,
}

impl Parts {
    /// The account of a ticket, with its groups; `None` where the PAC names none,
    /// as those of MIT's KDC.
    ///
    /// # Errors
    /// The PAC is not readable, or contradicts itself: then it is nobody's.
    pub(crate) fn read(&self) -> Result<Option<Said>, PacError> {
        let Some(logon) = self.logon_info.as_deref().map(LogonInfo::read).transpose()?.flatten()
        else {
            return match self.upn_dns_info {
                Some(_) => Err(PacError::Nameless),
                None => Ok(None),
            };
        };
        let names = self.upn_dns_info.as_deref().map(UpnDnsInfo::read).transpose()?;
        let names = names.unwrap_or_default();
        if logon.effective_name.is_empty() {
            return Err(PacError::Nameless);
        }
        agree(Some(&logon.effective_name), names.sam.as_ref())?;
        agree(logon.sid.as_ref(), names.sid.as_ref())?;
        let kind = match logon.account_control & TRUSTS {
            0 if !logon.effective_name.ends_with('$') => AccountKind::Person,
            _ => AccountKind::Computer,
        };
        let known = |text: String| Some(text).filter(|text| !text.is_empty());
        let account = Account {
            sam: logon.effective_name,
            upn: known(names.upn),
            domain: known(logon.domain),
            dns_domain: known(names.dns_domain),
            sid: logon.sid.or(names.sid),
            kind,
        };
        Ok(Some(Said { account, groups: logon.groups }))
    }
}

/// Both parts come from one domain controller, so they say the same.
fn agree(one: Option<&String>, other: Option<&String>) -> Result<(), PacError> {
    match (one, other) {
        (Some(one), Some(other)) if !one.eq_ignore_ascii_case(other) => {
            Err(PacError::Contradiction(one.clone(), other.clone()))
        }
        _ => Ok(()),
    }
}

/// USER_INTERDOMAIN_TRUST_ACCOUNT, USER_WORKSTATION_TRUST_ACCOUNT and
/// USER_SERVER_TRUST_ACCOUNT (MS-SAMR 2.2.1.12).
const TRUSTS: u32 = 0x40 | 0x80 | 0x100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krb5::pac::samples::{ALIAS_NAMES, COMPUTER, COMPUTER_NAMES, FROM_SAMBA, bytes};

    fn read(logon_info: &str, upn_dns_info: &str) -> Result<Option<Said>, PacError> {
        let part = |hex: &str| Some(bytes(hex)).filter(|bytes| !bytes.is_empty());
        Parts { logon_info: part(logon_info), upn_dns_info: part(upn_dns_info) }.read()
    }

    #[test]
    fn the_account_is_told_with_all_its_names() {
        let computer = read(COMPUTER, COMPUTER_NAMES).unwrap().unwrap().account;
        assert_eq!(
            computer,
            Account {
                sam: "ws-root$".into(),
                upn: Some("ws-root$@lab.example".into()),
                domain: Some("LAB".into()),
                dns_domain: Some("LAB.EXAMPLE".into()),
                sid: Some("S-1-5-21-3059580623-1408318129-3603929489-2113".into()),
                kind: AccountKind::Computer,
            }
        );
        let bob = read(FROM_SAMBA, "").unwrap().unwrap().account;
        assert_eq!((bob.sam.as_str(), bob.kind, bob.upn), ("bob", AccountKind::Person, None));
    }

    #[test]
    fn parts_of_different_accounts_are_nobodys() {
        assert!(matches!(read(COMPUTER, ALIAS_NAMES), Err(PacError::Contradiction(..))));
        assert_eq!(read("", ALIAS_NAMES), Err(PacError::Nameless));
        assert_eq!(read("", ""), Ok(None));
    }

    #[test]
    fn either_mark_of_a_computer_is_enough() {
        // UserAccountControl lies behind Reserved1; the name's last letter before the groups.
        let whole = bytes(COMPUTER);
        let control = 16 + 4 + 48 + 48 + 4 + 4 + 4 + 4 + 4 + 4 + 16 + 16 + 4 + 8;
        assert_eq!(whole[control], 0x80);
        let sign = whole.windows(4).position(|four| four == b"t\0$\0").unwrap() + 2;
        for (no_trust, no_sign, kind) in [
            (true, false, AccountKind::Computer),
            (false, true, AccountKind::Computer),
            (true, true, AccountKind::Person),
        ] {
            let mut changed = whole.clone();
            changed[control] = if no_trust { 0x10 } else { 0x80 };
            changed[sign] = if no_sign { b'x' } else { b'$' };
            let parts = Parts { logon_info: Some(changed), upn_dns_info: None };
            assert_eq!(parts.read().unwrap().unwrap().account.kind, kind);
        }
    }
}
