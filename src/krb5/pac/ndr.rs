//! A cursor over NDR, little-endian, in type serialization version 1 (MS-RPCE
//! 2.2.6). Every read is checked.

use std::fmt;

use super::PacError;

/// A security identifier (MS-DTYP 2.4.2).
pub(super) struct Sid {
    authority: u64,
    sub_authorities: Vec<u32>,
}

impl Sid {
    /// Reads a whole packet (MS-DTYP 2.4.2.2).
    pub(super) fn read(packet: &[u8]) -> Option<Self> {
        let [1, count, authority @ ..] = packet else { return None };
        let (authority, parts) = authority.split_first_chunk::<6>()?;
        let (parts, []) = parts.as_chunks::<4>() else { return None };
        if parts.len() != usize::from(*count) || *count > MAX_SUB_AUTHORITIES {
            return None;
        }
        let [a, b, c, d, e, f] = *authority;
        let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let sub_authorities = parts.iter().map(|part| u32::from_le_bytes(*part)).collect();
        Some(Self { authority, sub_authorities })
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
pub(super) struct Ndr<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// The header of an RPC_UNICODE_STRING, whose text comes later.
#[derive(Clone, Copy, Debug)]
pub(super) struct StringHeader {
    length: u16,
    present: bool,
}

impl<'a> Ndr<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn take(&mut self, wanted: usize) -> Result<&'a [u8], PacError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken =
            rest.get(..wanted).ok_or(PacError::Truncated { offset: self.offset, wanted })?;
        self.offset += wanted;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PacError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), PacError> {
        self.take(count).map(drop)
    }

    pub(super) fn u32(&mut self) -> Result<u32, PacError> {
        self.skip(self.offset.next_multiple_of(4) - self.offset)?;
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn malformed<T>(&self, what: &'static str) -> Result<T, PacError> {
        Err(PacError::Malformed { what, offset: self.offset })
    }

    pub(super) fn expect(&mut self, wanted: u32, what: &'static str) -> Result<(), PacError> {
        if self.u32()? == wanted { Ok(()) } else { self.malformed(what) }
    }

    /// Version 1, little-endian, 8 bytes long; then length and filler of the private header.
    pub(super) fn serialization_header(&mut self) -> Result<(), PacError> {
        if self.take(4)? != [1, 0x10, 8, 0] {
            return self.malformed("not NDR type serialization version 1, little-endian");
        }
        self.skip(4 + 8)
    }

    /// Whether a pointer is not null; what it points to comes later.
    pub(super) fn pointer(&mut self) -> Result<bool, PacError> {
        self.u32().map(|referent| referent != 0)
    }

    /// The headers of RPC_UNICODE_STRINGs (MS-DTYP 2.3.10).
    pub(super) fn string_headers<const N: usize>(&mut self) -> Result<[StringHeader; N], PacError> {
        let mut headers = [StringHeader { length: 0, present: false }; N];
        for header in &mut headers {
            header.length = u16::from_le_bytes(self.array()?);
            self.skip(2)?; // MaximumLength
            header.present = self.pointer()?;
        }
        Ok(headers)
    }

    /// The text of a string; empty where there is none.
    pub(super) fn string(&mut self, header: StringHeader) -> Result<String, PacError> {
        if !header.present {
            return if header.length == 0 { Ok(String::new()) } else { self.malformed(NO_TEXT) };
        }
        let room = self.u32()?;
        let start = self.u32()?;
        let length = self.u32()?;
        if start.checked_add(length).is_none_or(|end| end > room) {
            return self.malformed("a string is longer than its space");
        }
        if length.checked_mul(2) != Some(u32::from(header.length)) {
            return self.malformed("a string does not have the announced length");
        }
        let text = utf16(self.take(usize::from(header.length))?);
        text.map_or_else(|| self.malformed("a string is not UTF-16"), Ok)
    }

    /// The RIDs of the enabled ones among GROUP_MEMBERSHIPs (MS-PAC 2.2.2).
    pub(super) fn memberships(&mut self, present: bool, count: u32) -> Result<Vec<u32>, PacError> {
        if !present {
            return Ok(Vec::new());
        }
        self.expect(count, "the number of groups is not the announced one")?;
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
    pub(super) fn extra_sids(&mut self, count: u32) -> Result<Vec<(bool, bool)>, PacError> {
        self.expect(count, "the number of extra SIDs is not the announced one")?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push((self.pointer()?, enabled(self.u32()?)));
        }
        Ok(found)
    }

    /// An RPC_SID (MS-DTYP 2.4.2.3).
    pub(super) fn sid(&mut self) -> Result<Sid, PacError> {
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

/// Little-endian UTF-16 as text; `None` where it is none.
pub(super) fn utf16(bytes: &[u8]) -> Option<String> {
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .collect::<Result<_, _>>()
        .ok()
}

const NO_TEXT: &str = "a string has a length but no text";
const MAX_SUB_AUTHORITIES: u8 = 15;
const SE_GROUP_ENABLED: u32 = 0x4;
const SE_GROUP_USE_FOR_DENY_ONLY: u32 = 0x10;
