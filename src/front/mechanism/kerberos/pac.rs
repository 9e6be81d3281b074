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
/// of the resource domain; sorted, each once.
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
    let domain_rids = ndr.memberships(fixed.group_ids, fixed.group_count)?;
    for _ in 0..fixed.strings_after_groups {
        ndr.string()?;
    }
    if fixed.logon_domain_id {
        let domain = ndr.sid()?;
        groups.push(domain.with(fixed.primary_group_id));
        groups.extend(domain_rids.into_iter().map(|rid| domain.with(rid)));
    }
    if fixed.extra_sids {
        for (present, enabled) in ndr.extra_sids(fixed.sid_count)? {
            let sid = if present { Some(ndr.sid()?) } else { None };
            groups.extend(sid.filter(|_| enabled));
        }
    }
    let resource_domain = if fixed.resource_group_domain { Some(ndr.sid()?) } else { None };
    let resource_rids = ndr.memberships(fixed.resource_group_ids, fixed.resource_group_count)?;
    if let Some(domain) = resource_domain {
        groups.extend(resource_rids.into_iter().map(|rid| domain.with(rid)));
    }
    let mut groups: Vec<String> = groups.iter().map(Sid::to_string).collect();
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
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

impl Sid {
    fn with(&self, rid: u32) -> Self {
        let mut sub_authorities = self.sub_authorities.clone();
        sub_authorities.push(rid);
        Self { authority: self.authority, sub_authorities }
    }
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
const MAX_SUB_AUTHORITIES: u8 = 15;
const SE_GROUP_ENABLED: u32 = 0x4;
const SE_GROUP_USE_FOR_DENY_ONLY: u32 = 0x10;
