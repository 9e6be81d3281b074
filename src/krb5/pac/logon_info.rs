//! KERB_VALIDATION_INFO (MS-PAC 2.5), which is what a domain controller says
//! about an account: its names, its number, its kind and its groups.

use super::PacError;
use super::ndr::{Ndr, Sid, StringHeader};

/// What is read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LogonInfo {
    /// EffectiveName: the SAM account name.
    pub(super) effective_name: String,
    /// LogonDomainName: the Windows name of the account's domain.
    pub(super) domain: String,
    /// LogonDomainId and UserId.
    pub(super) sid: Option<String>,
    /// UserAccountControl (MS-SAMR 2.2.1.12).
    pub(super) account_control: u32,
    /// The SIDs of all groups that are enabled for access decisions (MS-PAC 2.2.2):
    /// of the account's domain, of other domains and well-known ones, and of the
    /// resource domain, in this order.
    pub(super) groups: Vec<String>,
}

impl LogonInfo {
    /// Reads the bytes; `None` where they say nothing.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, PacError> {
        let mut ndr = Ndr::new(bytes);
        ndr.serialization_header()?;
        if !ndr.pointer()? {
            return Ok(None);
        }
        let fixed = Fixed::read(&mut ndr)?;
        let mut info = Self { account_control: fixed.account_control, ..Self::default() };
        let [effective_name, others @ ..] = fixed.strings_before_groups;
        info.effective_name = ndr.string(effective_name)?;
        for other in others {
            ndr.string(other)?;
        }
        let mut domain_rids = ndr.memberships(fixed.group_ids, fixed.group_count)?;
        let [logon_server, domain] = fixed.strings_after_groups;
        ndr.string(logon_server)?;
        info.domain = ndr.string(domain)?;
        if fixed.logon_domain_id {
            let domain = ndr.sid()?;
            // 0 where the account is of another domain, and stands among the extra SIDs.
            info.sid = (fixed.user_id != 0).then(|| format!("{domain}-{}", fixed.user_id));
            domain_rids.push(fixed.primary_group_id);
            append(&mut info.groups, &domain, domain_rids);
        }
        if fixed.extra_sids {
            for (present, enabled) in ndr.extra_sids(fixed.sid_count)? {
                let sid = if present { Some(ndr.sid()?) } else { None };
                info.groups.extend(sid.filter(|_| enabled).map(|sid| sid.to_string()));
            }
        }
        let resource_domain = if fixed.resource_group_domain { Some(ndr.sid()?) } else { None };
        let resource_rids =
            ndr.memberships(fixed.resource_group_ids, fixed.resource_group_count)?;
        if let Some(domain) = resource_domain {
            append(&mut info.groups, &domain, resource_rids);
        }
        Ok(Some(info))
    }
}

/// Adds the SIDs of a domain's groups. People are in a thousand of them, so the
/// domain's part is written once.
fn append(groups: &mut Vec<String>, domain: &Sid, mut rids: Vec<u32>) {
    rids.sort_unstable();
    rids.dedup();
    let domain = format!("{domain}-");
    groups.extend(rids.into_iter().map(|rid| {
        let mut sid = String::with_capacity(domain.len() + MAX_DIGITS);
        sid.push_str(&domain);
        sid.push_str(&rid.to_string());
        sid
    }));
}

/// What the fixed part says that the rest is read by. A `bool` is a pointer
/// that is not null.
struct Fixed {
    strings_before_groups: [StringHeader; 6],
    user_id: u32,
    primary_group_id: u32,
    group_count: u32,
    group_ids: bool,
    strings_after_groups: [StringHeader; 2],
    logon_domain_id: bool,
    account_control: u32,
    sid_count: u32,
    extra_sids: bool,
    resource_group_domain: bool,
    resource_group_count: u32,
    resource_group_ids: bool,
}

impl Fixed {
    fn read(ndr: &mut Ndr<'_>) -> Result<Self, PacError> {
        ndr.skip(6 * FILETIME)?; // LogonTime … PasswordMustChange
        let strings_before_groups = ndr.string_headers()?; // EffectiveName … HomeDirectoryDrive
        ndr.skip(2 + 2)?; // LogonCount, BadPasswordCount
        let user_id = ndr.u32()?;
        let primary_group_id = ndr.u32()?;
        let group_count = ndr.u32()?;
        let group_ids = ndr.pointer()?;
        ndr.skip(4 + 16)?; // UserFlags, UserSessionKey
        let strings_after_groups = ndr.string_headers()?; // LogonServer, LogonDomainName
        let logon_domain_id = ndr.pointer()?;
        ndr.skip(8)?; // Reserved1
        let account_control = ndr.u32()?;
        // SubAuthStatus, LastSuccessfulILogon, LastFailedILogon, FailedILogonCount, Reserved3
        ndr.skip(4 + FILETIME + FILETIME + 4 + 4)?;
        Ok(Self {
            strings_before_groups,
            user_id,
            primary_group_id,
            group_count,
            group_ids,
            strings_after_groups,
            logon_domain_id,
            account_control,
            sid_count: ndr.u32()?,
            extra_sids: ndr.pointer()?,
            resource_group_domain: ndr.pointer()?,
            resource_group_count: ndr.u32()?,
            resource_group_ids: ndr.pointer()?,
        })
    }
}

const FILETIME: usize = 8;
/// Decimal digits of a `u32`.
const MAX_DIGITS: usize = 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::krb5::pac::samples::{COMPUTER, FROM_SAMBA, bytes, every_kind_of_group};

    fn read(bytes: &[u8]) -> Result<LogonInfo, PacError> {
        LogonInfo::read(bytes).map(Option::unwrap_or_default)
    }

    #[test]
    fn the_account_and_its_groups_are_read() {
        let domain = "S-1-5-21-3087743998-1590847976-344668715";
        let bob = read(&bytes(FROM_SAMBA)).unwrap();
        let groups: Vec<String> = [513, 1108, 1109, 1110]
            .iter()
            .map(|rid| format!("{domain}-{rid}"))
            .chain(["S-1-18-1".to_owned()])
            .collect();
        assert_eq!(bob.groups, groups);
        assert_eq!((bob.effective_name.as_str(), bob.domain.as_str()), ("bob", "LAB"));
        assert_eq!((bob.sid, bob.account_control), (Some(format!("{domain}-1104")), 0x10));
        let computer = read(&bytes(COMPUTER)).unwrap();
        assert_eq!(
            (computer.effective_name.as_str(), computer.account_control),
            ("ws-root$", 0x80)
        );
    }

    #[test]
    fn disabled_and_deny_only_groups_do_not_count_and_resource_groups_do() {
        let expected = [
            "S-1-5-21-1-2-3-513",
            "S-1-5-21-1-2-3-1200",
            "S-1-18-1",
            "S-1-5-21-9-8-7-4294967295",
            "S-1-5-21-4-5-6-2000",
        ];
        let eve = read(&every_kind_of_group()).unwrap();
        assert_eq!(
            (eve.groups.as_slice(), eve.effective_name.as_str()),
            (&expected.map(str::to_owned)[..], "eve")
        );
    }

    #[test]
    fn bytes_that_end_early_are_refused_wherever_they_end() {
        let whole = every_kind_of_group();
        // The last four bytes are the padding after the last group's attributes.
        for end in 0..whole.len() - 4 {
            assert!(read(&whole[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        // The number of groups; the lengths of EffectiveName and LogonDomainName.
        let names = 16 + 4 + 48;
        let group_count = names + 48 + 4 + 4 + 4;
        for (offset, was) in [(group_count, 4), (names, 6), (group_count + 4 + 4 + 4 + 16 + 8, 6)] {
            let mut forged = bytes(FROM_SAMBA);
            assert_eq!(forged[offset], was);
            forged[offset] = 2;
            let refused = read(&forged);
            assert!(matches!(refused, Err(PacError::Malformed { .. })), "{offset}: {refused:?}");
        }
    }

    #[test]
    fn big_endian_and_other_versions_are_refused() {
        for (offset, value) in [(0, 2), (1, 0), (2, 9)] {
            let mut other = bytes(FROM_SAMBA);
            other[offset] = value;
            assert!(matches!(read(&other), Err(PacError::Malformed { .. })));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = LogonInfo::read(&bytes);
        }

        #[test]
        fn no_damage_makes_it_panic(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
        ) {
            let mut damaged = every_kind_of_group();
            for (place, value) in damage {
                let place = place.index(damaged.len());
                damaged[place] = value;
            }
            let _ = LogonInfo::read(&damaged);
        }
    }
}
