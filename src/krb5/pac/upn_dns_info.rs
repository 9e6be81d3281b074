//! UPN_DNS_INFO (MS-PAC 2.10): the names of an account, each as a length and an
//! offset into the same bytes.

use super::PacError;
use super::ndr::{Sid, utf16};

/// What is read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UpnDnsInfo {
    /// The user principal name.
    pub(super) upn: String,
    /// The DNS name of the account's domain.
    pub(super) dns_domain: String,
    /// The SAM account name, where it is told (flag S).
    pub(super) sam: Option<String>,
    /// The account's SID, where it is told (flag S).
    pub(super) sid: Option<String>,
}

impl UpnDnsInfo {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PacError> {
        let number = |offset: usize| {
            let two = bytes.get(offset..).and_then(<[u8]>::first_chunk::<2>);
            let two = two.ok_or(PacError::Truncated { offset, wanted: 2 })?;
            Ok(usize::from(u16::from_le_bytes(*two)))
        };
        let field = |at: usize| {
            let (wanted, offset) = (number(at)?, number(at + 2)?);
            let found = bytes.get(offset..offset + wanted);
            found.ok_or(PacError::Truncated { offset, wanted })
        };
        let text = |at: usize| {
            utf16(field(at)?)
                .ok_or(PacError::Malformed { what: "a name is not UTF-16", offset: at })
        };
        let mut names = Self { upn: text(0)?, dns_domain: text(4)?, sam: None, sid: None };
        if number(8)? & HAS_SAM_NAME_AND_SID != 0 {
            let sid = Sid::read(field(16)?);
            let sid = sid.ok_or(PacError::Malformed { what: "not a SID", offset: 16 })?;
            names.sam = Some(text(12)?);
            names.sid = Some(sid.to_string());
        }
        Ok(names)
    }
}

/// Flag S.
const HAS_SAM_NAME_AND_SID: usize = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::krb5::pac::samples::{ALIAS_NAMES, COMPUTER_NAMES, bytes};

    #[test]
    fn all_names_are_read() {
        let alias = UpnDnsInfo::read(&bytes(ALIAS_NAMES)).unwrap();
        assert_eq!(
            alias,
            UpnDnsInfo {
                upn: "boss2@lab.example".into(),
                dns_domain: "LAB.EXAMPLE".into(),
                sam: Some("evil1".into()),
                sid: Some("S-1-5-21-3059580623-1408318129-3603929489-2114".into()),
            }
        );
    }

    #[test]
    fn without_the_flag_there_is_neither_sam_name_nor_sid() {
        let mut older = bytes(ALIAS_NAMES);
        older[8] = 0;
        let read = UpnDnsInfo::read(&older).unwrap();
        assert_eq!((read.sam, read.sid, read.upn.as_str()), (None, None, "boss2@lab.example"));
    }

    #[test]
    fn names_that_lie_outside_are_refused() {
        let whole = bytes(COMPUTER_NAMES);
        assert!(UpnDnsInfo::read(&whole).is_ok());
        // The last four bytes are padding.
        for end in 0..whole.len() - 4 {
            assert!(UpnDnsInfo::read(&whole[..end]).is_err(), "cut at {end}");
        }
        for at in [1, 3, 5, 7, 13, 15, 17, 19] {
            let mut far = whole.clone();
            far[at] = 0xff;
            assert!(UpnDnsInfo::read(&far).is_err(), "{at}");
        }
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
        ) {
            let mut damaged = bytes(COMPUTER_NAMES);
            for (place, value) in damage {
                let place = place.index(damaged.len());
                damaged[place] = value;
            }
            let _ = UpnDnsInfo::read(&damaged);
        }
    }
}
