//! Group SIDs out of KERB_VALIDATION_INFO (MS-PAC 2.5), which is what a domain
//! controller says about a user: NDR, little-endian, in type serialization
//! version 1 (MS-RPCE 2.2.6). The bytes are signed by the KDC, and still read
//! with a checked cursor.

use std::fmt;

/// Why a PAC's logon information cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacError {
    /// The bytes end too early.
    #[error("{wanted} bytes at offset {offset} reach over the end")]
    Truncated {
        /// Where.
        offset: usize,
        /// How many bytes were to be read.
        wanted: usize,
    },
    /// The bytes contradict themselves or the format.
    #[error("{what} at offset {offset}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
        /// Where.
        offset: usize,
    },
}

/// The SIDs of all groups that are enabled for access decisions (MS-PAC 2.2.2
/// and 2.5): of the account's domain, of other domains and well-known ones, and
/// of the resource domain, in this order.
///
/// # Errors
/// Bytes that are not a whole KERB_VALIDATION_INFO.
pub fn group_sids(logon_info: &[u8]) -> Result<Vec<String>, PacError> {
    let mut ndr = Ndr { bytes: logon_info, offset: 0 };
    ndr.serialization_header()?;
    if !ndr.pointer()? {
        return Ok(Vec::new());
    }
    let fixed = Fixed::read(&mut ndr)?;
    let mut groups = Vec::new();
    for _ in 0..fixed.strings_before_groups {
        ndr.string()?;
    }
    let mut domain_rids = ndr.memberships(fixed.group_ids, fixed.group_count)?;
    for _ in 0..fixed.strings_after_groups {
        ndr.string()?;
    }
    if fixed.logon_domain_id {
        let domain = ndr.sid()?;
        domain_rids.push(fixed.primary_group_id);
        append(&mut groups, &domain, domain_rids);
    }
    if fixed.extra_sids {
        for (present, enabled) in ndr.extra_sids(fixed.sid_count)? {
            let sid = if present { Some(ndr.sid()?) } else { None };
            groups.extend(sid.filter(|_| enabled).map(|sid| sid.to_string()));
        }
    }
    let resource_domain = if fixed.resource_group_domain { Some(ndr.sid()?) } else { None };
    let resource_rids = ndr.memberships(fixed.resource_group_ids, fixed.resource_group_count)?;
    if let Some(domain) = resource_domain {
        append(&mut groups, &domain, resource_rids);
    }
    Ok(groups)
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
    strings_before_groups: u32,
    primary_group_id: u32,
    group_count: u32,
    group_ids: bool,
    strings_after_groups: u32,
    logon_domain_id: bool,
    sid_count: u32,
    extra_sids: bool,
    resource_group_domain: bool,
    resource_group_count: u32,
    resource_group_ids: bool,
}

impl Fixed {
    fn read(ndr: &mut Ndr<'_>) -> Result<Self, PacError> {
        ndr.skip(6 * FILETIME)?; // LogonTime … PasswordMustChange
        let strings_before_groups = ndr.string_headers(6)?; // EffectiveName … HomeDirectoryDrive
        ndr.skip(2 + 2 + 4)?; // LogonCount, BadPasswordCount, UserId
        let primary_group_id = ndr.u32()?;
        let group_count = ndr.u32()?;
        let group_ids = ndr.pointer()?;
        ndr.skip(4 + 16)?; // UserFlags, UserSessionKey
        let strings_after_groups = ndr.string_headers(2)?; // LogonServer, LogonDomainName
        let logon_domain_id = ndr.pointer()?;
        // Reserved1, UserAccountControl, SubAuthStatus, LastSuccessfulILogon,
        // LastFailedILogon, FailedILogonCount, Reserved3
        ndr.skip(8 + 4 + 4 + FILETIME + FILETIME + 4 + 4)?;
        Ok(Self {
            strings_before_groups,
            primary_group_id,
            group_count,
            group_ids,
            strings_after_groups,
            logon_domain_id,
            sid_count: ndr.u32()?,
            extra_sids: ndr.pointer()?,
            resource_group_domain: ndr.pointer()?,
            resource_group_count: ndr.u32()?,
            resource_group_ids: ndr.pointer()?,
        })
    }
}

/// A security identifier (MS-DTYP 2.4.2).
struct Sid {
    authority: u64,
    sub_authorities: Vec<u32>,
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // MS-DTYP 2.4.2.1: authorities of 2^32 and more are written in hexadecimal.
        match u32::try_from(self.authority) {
            Ok(small) => write!(f, "S-1-{small}")?,
            Err(_) => write!(f, "S-1-0x{:012X}", self.authority)?,
        }
        self.sub_authorities.iter().try_for_each(|part| write!(f, "-{part}"))
    }
}

/// A cursor over NDR. Alignment counts from the first byte, because both
/// headers together have 16.
struct Ndr<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Ndr<'a> {
    fn take(&mut self, wanted: usize) -> Result<&'a [u8], PacError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken =
            rest.get(..wanted).ok_or(PacError::Truncated { offset: self.offset, wanted })?;
        self.offset += wanted;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PacError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn skip(&mut self, count: usize) -> Result<(), PacError> {
        self.take(count).map(drop)
    }

    fn u32(&mut self) -> Result<u32, PacError> {
        self.skip(self.offset.next_multiple_of(4) - self.offset)?;
        self.array().map(u32::from_le_bytes)
    }

    fn malformed<T>(&self, what: &'static str) -> Result<T, PacError> {
        Err(PacError::Malformed { what, offset: self.offset })
    }

    fn expect(&mut self, wanted: u32, what: &'static str) -> Result<(), PacError> {
        if self.u32()? == wanted { Ok(()) } else { self.malformed(what) }
    }

    /// Version 1, little-endian, 8 bytes long; then length and filler of the private header.
    fn serialization_header(&mut self) -> Result<(), PacError> {
        if self.take(4)? != [1, 0x10, 8, 0] {
            return self.malformed("not NDR type serialization version 1, little-endian");
        }
        self.skip(4 + 8)
    }

    /// Whether a pointer is not null; what it points to comes later.
    fn pointer(&mut self) -> Result<bool, PacError> {
        self.u32().map(|referent| referent != 0)
    }

    /// The headers of `count` RPC_UNICODE_STRINGs: how many have text to come.
    fn string_headers(&mut self, count: u32) -> Result<u32, PacError> {
        let mut present = 0;
        for _ in 0..count {
            self.skip(2 + 2)?; // Length, MaximumLength
            present += u32::from(self.pointer()?);
        }
        Ok(present)
    }

    /// Passes over the text of an RPC_UNICODE_STRING.
    fn string(&mut self) -> Result<(), PacError> {
        let room = self.u32()?;
        let start = self.u32()?;
        let length = self.u32()?;
        if start.checked_add(length).is_none_or(|end| end > room) {
            return self.malformed("a string is longer than its room");
        }
        self.skip(length as usize * 2)
    }

    /// The RIDs of the enabled ones among GROUP_MEMBERSHIPs (MS-PAC 2.2.2).
    fn memberships(&mut self, present: bool, count: u32) -> Result<Vec<u32>, PacError> {
        if !present {
            return Ok(Vec::new());
        }
        self.expect(count, "the groups are not as many as announced")?;
        let mut rids = Vec::new();
        for _ in 0..count {
            let rid = self.u32()?;
            if enabled(self.u32()?) {
                rids.push(rid);
            }
        }
        Ok(rids)
    }

    /// The fixed parts of KERB_SID_AND_ATTRIBUTES (MS-PAC 2.2.1): whether a SID
    /// follows, and whether it is enabled.
    fn extra_sids(&mut self, count: u32) -> Result<Vec<(bool, bool)>, PacError> {
        self.expect(count, "the extra SIDs are not as many as announced")?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push((self.pointer()?, enabled(self.u32()?)));
        }
        Ok(found)
    }

    /// An RPC_SID (MS-DTYP 2.4.2.3).
    fn sid(&mut self) -> Result<Sid, PacError> {
        let announced = self.u32()?;
        let [revision, count] = self.array()?;
        if revision != 1 || count > MAX_SUB_AUTHORITIES || u32::from(count) != announced {
            return self.malformed("not a SID");
        }
        let [a, b, c, d, e, f] = self.array()?;
        let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let sub_authorities = (0..count).map(|_| self.u32()).collect::<Result<_, _>>()?;
        Ok(Sid { authority, sub_authorities })
    }
}

/// Whether a membership counts when access is decided: enabled, and not only
/// there to be denied by.
fn enabled(attributes: u32) -> bool {
    attributes & SE_GROUP_ENABLED != 0 && attributes & SE_GROUP_USE_FOR_DENY_ONLY == 0
}

const FILETIME: usize = 8;
/// Decimal digits of a `u32`.
const MAX_DIGITS: usize = 10;
const MAX_SUB_AUTHORITIES: u8 = 15;
const SE_GROUP_ENABLED: u32 = 0x4;
const SE_GROUP_USE_FOR_DENY_ONLY: u32 = 0x10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_groups_of_a_user_of_a_real_domain_are_read() {
        let domain = "S-1-5-21-3087743998-1590847976-344668715";
        let expected: Vec<String> = [513, 1108, 1109, 1110]
            .iter()
            .map(|rid| format!("{domain}-{rid}"))
            .chain(["S-1-18-1".to_owned()])
            .collect();
        assert_eq!(group_sids(&bytes(FROM_SAMBA)), Ok(expected));
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
        let groups = group_sids(&every_kind_of_group()).unwrap();
        assert_eq!(groups, expected);
    }

    #[test]
    fn logon_information_that_ends_early_is_refused_wherever_it_ends() {
        let whole = every_kind_of_group();
        // Its last four bytes are the padding after the last group's attributes.
        for end in 0..whole.len() - 4 {
            assert!(group_sids(&whole[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_count_that_contradicts_its_array_is_refused() {
        let mut forged = bytes(FROM_SAMBA);
        let group_count = 16 + 4 + 48 + 48 + 4 + 4 + 4;
        assert_eq!(forged[group_count], 4);
        forged[group_count] = 255;
        assert!(matches!(group_sids(&forged), Err(PacError::Malformed { .. })));
    }

    #[test]
    fn big_endian_and_other_versions_are_refused() {
        for (offset, value) in [(0, 2), (1, 0), (2, 9)] {
            let mut other = bytes(FROM_SAMBA);
            other[offset] = value;
            assert!(matches!(group_sids(&other), Err(PacError::Malformed { .. })));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = group_sids(&bytes);
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
            let _ = group_sids(&damaged);
        }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    }

    fn every_kind_of_group() -> Vec<u8> {
        let body = bytes(EVERY_KIND);
        let mut whole = vec![1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc];
        whole.extend((body.len() as u32).to_le_bytes());
        whole.extend([0; 4]);
        whole.extend(body);
        whole
    }

    /// `urn:mspac:logon-info` of a ticket from a Samba 4.17 domain controller.
    const FROM_SAMBA: &str = "\
    01100800ccccccccc001000000000000000002000000000000000000ffffffffffffff7fffffffffffffff7f726b \
    e4bc7c7add01722b4ee7457bdd0172eb3db27d9bdd0106000600040002000e000e0008000200000000000c000200 \
    000000001000020000000000140002000000000018000200000000005004000001020000040000001c0002002000 \
    00000000000000000000000000000000000006000800200002000600080024000200280002000000000000000000 \
    1000000000000000000000000000000000000000000000000000000000000000010000002c000200000000000000 \
    00000000000003000000000000000300000062006f006200000007000000000000000700000042006f0062002000 \
    4c006100620000000000000000000000000000000000000000000000000000000000000000000000000000000000 \
    00000000000000000000040000000102000007000000540400000700000055040000070000005604000007000000 \
    04000000000000000300000044004300310000000400000000000000030000004c00410042000000040000000104 \
    00000000000515000000fe3b0bb8e869d25e2b3a8b14010000003000020007000000010000000101000000000012 \
    01000000";

    /// Packed by Samba's own NDR library: four domain groups (one deny-only, one
    /// disabled), three extra SIDs (one deny-only), two resource groups (one disabled).
    const EVERY_KIND: &str = "\
    00000200000000000000000000000000000000000000000000000000000000000000000000000000000000000000 \
    00000000000006000600040002000e000e00080002000a000a000c00020000000000000000000a000a0010000200 \
    00000000000000000000000051040000010200000400000014000200200200000000000000000000000000000000 \
    00000600080018000200060008001c00020020000200000000000000000000000000000000000000000000000000 \
    00000000000000000000000000000000030000002400020028000200020000002c00020003000000000000000300 \
    0000650076006500000007000000000000000700000045007600650020004c006100620000000500000000000000 \
    0500000078002e0063006d00640000000500000000000000050000005c005c0068005c0065000000040000000102 \
    000007000000b004000007000000b104000010000000b20400000300000004000000000000000300000044004300 \
    310000000400000000000000030000004c0041004200000004000000010400000000000515000000010000000200 \
    00000300000003000000300002000700000034000200070000003800020010000000010000000101000000000012 \
    0100000005000000010500000000000515000000090000000800000007000000ffffffff05000000010500000000 \
    0005150000000900000008000000070000009a020000040000000104000000000005150000000400000005000000 \
    0600000002000000d007000007000020d107000000000000";
}
