//! The one place that cuts messages into pieces: a fixed header, and a payload
//! that the header points into (MS-NLMP 2.2.1).

use super::{Flaw, Malformed, Part};

/// A message, and where its payload may begin.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    header: usize,
}

impl<'a> Fields<'a> {
    /// Reads `bytes`, whose header has this length.
    pub(super) const fn new(bytes: &'a [u8], header: usize) -> Self {
        Self { bytes, header }
    }

    /// Demands that the header is there as a whole.
    pub(super) fn whole_header(self) -> Result<Self, Malformed> {
        if self.bytes.len() < self.header {
            return Err(Malformed { part: Part::Header, flaw: Flaw::CutOff });
        }
        Ok(self)
    }

    /// The bytes at a fixed place.
    pub(super) fn array<const N: usize>(
        self,
        part: Part,
        offset: usize,
    ) -> Result<[u8; N], Malformed> {
        let rest = self.bytes.get(offset..).and_then(|rest| rest.first_chunk());
        rest.copied().ok_or(Malformed { part, flaw: Flaw::CutOff })
    }

    /// The number at a fixed place.
    pub(super) fn u32(self, part: Part, offset: usize) -> Result<u32, Malformed> {
        self.array(part, offset).map(u32::from_le_bytes)
    }

    /// What the length and offset at a fixed place point to. The offset of
    /// something empty means nothing, and clients write what they like there.
    pub(super) fn payload(self, part: Part, at: usize) -> Result<&'a [u8], Malformed> {
        let [low, high, _, _, offset @ ..] = self.array::<8>(part, at)?;
        let length = usize::from(u16::from_le_bytes([low, high]));
        if length == 0 {
            return Ok(&[]);
        }
        let past_end = Malformed { part, flaw: Flaw::PastEnd };
        let start = usize::try_from(u32::from_le_bytes(offset)).map_err(|_| past_end)?;
        if start < self.header {
            return Err(Malformed { part, flaw: Flaw::InHeader });
        }
        let end = start.checked_add(length).ok_or(past_end)?;
        self.bytes.get(start..end).ok_or(past_end)
    }
}
