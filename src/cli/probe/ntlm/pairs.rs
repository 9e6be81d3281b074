//! Target information: what a server tells about itself, and a client adds, as
//! a list of attributes (AV_PAIR, MS-NLMP 2.2.2.1).

use super::unreadable::Unreadable;

/// Names and facts, in their order, without the end mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs(Vec<(u16, Vec<u8>)>);

impl Pairs {
    /// Reads a list up to its end mark.
    ///
    /// # Errors
    /// It breaks off before.
    pub(super) fn read(mut bytes: &[u8]) -> Result<Self, Unreadable> {
        const CUT: Unreadable = Unreadable::CutOff("target information");
        let mut found = Vec::new();
        loop {
            let (head, rest) = bytes.split_first_chunk::<4>().ok_or(CUT)?;
            let [id_low, id_high, length_low, length_high] = *head;
            let id = u16::from_le_bytes([id_low, id_high]);
            if id == END {
                return Ok(Self(found));
            }
            let length = usize::from(u16::from_le_bytes([length_low, length_high]));
            let (value, rest) = rest.split_at_checked(length).ok_or(CUT)?;
            found.push((id, value.to_vec()));
            bytes = rest;
        }
    }

    /// Whether nothing is told.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first value under a number.
    pub(super) fn get(&self, id: u16) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, value)| value.as_slice())
    }

    /// A name; `None` where it is missing or empty.
    pub(super) fn name(&self, id: u16) -> Option<String> {
        self.get(id).map(utf16).filter(|name| !name.is_empty())
    }

    /// The server's time, in units of 100 ns since 1601 (FILETIME).
    pub(super) fn time(&self) -> Option<u64> {
        self.get(TIMESTAMP)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// Sets a value, in place of what was there before.
    pub(super) fn set(&mut self, id: u16, value: Vec<u8>) {
        self.0.retain(|(known, _)| *known != id);
        self.0.push((id, value));
    }

    /// The list with its end mark. No value is longer than the 64 KB that it came with.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (id, value) in &self.0 {
            out.extend(id.to_le_bytes());
            out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
            out.extend(value);
        }
        out.extend([0; 4]);
        out
    }
}

/// Text as it is in messages.
pub(super) fn to_utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Text out of a message, whatever it holds: it is only shown.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// MsvAvEOL.
const END: u16 = 0;
/// MsvAvNbComputerName.
pub(super) const COMPUTER: u16 = 1;
/// MsvAvNbDomainName.
pub(super) const DOMAIN: u16 = 2;
/// MsvAvDnsComputerName.
pub(super) const DNS_COMPUTER: u16 = 3;
/// MsvAvDnsDomainName.
pub(super) const DNS_DOMAIN: u16 = 4;
/// MsvAvFlags: 2 means that a message integrity code is there.
pub(super) const FLAGS: u16 = 6;
/// MsvAvTimestamp.
pub(super) const TIMESTAMP: u16 = 7;
/// MsvAvTargetName: the service principal that the client wants.
pub(super) const TARGET_NAME: u16 = 9;
/// MsvAvChannelBindings: MD5 of the GSS channel bindings.
pub(super) const CHANNEL_BINDINGS: u16 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let mut pairs = Pairs::default();
        pairs.set(DOMAIN, to_utf16("LAB"));
        pairs.set(FLAGS, vec![1, 0, 0, 0]);
        pairs.set(FLAGS, vec![2, 0, 0, 0]);
        assert_eq!(Pairs::read(&pairs.bytes()), Ok(pairs.clone()));
        assert_eq!(pairs.name(DOMAIN).as_deref(), Some("LAB"));
        assert_eq!(pairs.get(FLAGS), Some(&[2, 0, 0, 0][..]));
        assert_eq!((pairs.name(COMPUTER), pairs.time()), (None, None));
    }

    #[test]
    fn a_list_without_its_end_is_cut_off() {
        let mut pairs = Pairs::default();
        pairs.set(DOMAIN, to_utf16("LAB"));
        let whole = pairs.bytes();
        for end in 0..whole.len() {
            let cut = Pairs::read(&whole[..end]);
            assert_eq!(cut, Err(Unreadable::CutOff("target information")), "cut at {end}");
        }
    }

    #[test]
    fn half_a_character_is_shown_as_unknown() {
        assert_eq!(utf16(&[0x41, 0, 0, 0xd8, 0x42]), "A\u{fffd}");
    }
}
