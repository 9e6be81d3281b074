//! Target information: a list of AV pairs (MS-NLMP 2.2.2.1). The server says in
//! it who it is; the client repeats it in its response, and adds what it wants
//! to say under the protection of that response.

use super::text::Encoding;
use super::{Flaw, Malformed, Part};

/// What the pairs of a list say. Pairs that nothing needs are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TargetInfo {
    /// The server's NetBIOS domain name.
    pub nb_domain_name: Option<String>,
    /// The server's NetBIOS computer name.
    pub nb_computer_name: Option<String>,
    /// The server's DNS domain name.
    pub dns_domain_name: Option<String>,
    /// The server's DNS computer name.
    pub dns_computer_name: Option<String>,
    /// MsvAvFlags.
    pub flags: Option<u32>,
    /// The server's time, in units of 100 ns since 1601 (MS-DTYP 2.3.3, FILETIME).
    pub timestamp: Option<u64>,
    /// The service that the client means to speak to: `HTTP/host`.
    pub service_principal: Option<String>,
    /// The channel that the client means to speak over.
    pub channel_binding: ChannelBinding,
}

/// What a client says of its channel (MsvAvChannelBindings).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    /// Nothing: the pair is not there.
    #[default]
    Absent,
    /// Sixteen zero bytes: it knows the pair, and no channel to bind to.
    Zero,
    /// The hash of the channel's bindings, see
    /// [`channel_binding_hash`](super::super::crypto::key::channel_binding_hash).
    Hash([u8; 16]),
}

impl TargetInfo {
    /// Reads the list that `bytes` begin with. What follows its end mark is not
    /// looked at.
    ///
    /// # Errors
    /// Pairs that run past the end, a pair with a wrong length or text, one that
    /// comes twice, or a list without an end mark.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut found = Self::default();
        let mut binding = None;
        let mut rest = bytes;
        loop {
            let (id, value, after) = split_pair(rest)?;
            rest = after;
            match id {
                END => break,
                NB_COMPUTER_NAME => name(&mut found.nb_computer_name, Part::NbComputerName, value)?,
                NB_DOMAIN_NAME => name(&mut found.nb_domain_name, Part::NbDomainName, value)?,
                DNS_COMPUTER_NAME => {
                    name(&mut found.dns_computer_name, Part::DnsComputerName, value)?
                }
                DNS_DOMAIN_NAME => name(&mut found.dns_domain_name, Part::DnsDomainName, value)?,
                FLAGS => {
                    let flags = array(Part::AvFlags, value).map(u32::from_le_bytes)?;
                    once(&mut found.flags, Part::AvFlags, flags)?;
                }
                TIMESTAMP => {
                    let timestamp = array(Part::Timestamp, value).map(u64::from_le_bytes)?;
                    once(&mut found.timestamp, Part::Timestamp, timestamp)?;
                }
                TARGET_NAME => name(&mut found.service_principal, Part::ServicePrincipal, value)?,
                CHANNEL_BINDINGS => {
                    let hash = array(Part::ChannelBindings, value)?;
                    once(&mut binding, Part::ChannelBindings, hash)?;
                }
                _ => {}
            }
        }
        found.channel_binding = match binding {
            None => ChannelBinding::Absent,
            Some(hash) if hash == [0; 16] => ChannelBinding::Zero,
            Some(hash) => ChannelBinding::Hash(hash),
        };
        Ok(found)
    }

    /// The list of what a server says: names and time.
    pub(super) fn server_pairs(&self) -> Vec<u8> {
        let names = [
            (NB_DOMAIN_NAME, &self.nb_domain_name),
            (NB_COMPUTER_NAME, &self.nb_computer_name),
            (DNS_DOMAIN_NAME, &self.dns_domain_name),
            (DNS_COMPUTER_NAME, &self.dns_computer_name),
        ];
        let mut list = Vec::new();
        for (id, name) in names {
            let spelt = name.as_deref().and_then(|name| Encoding::Unicode.encode(name));
            spelt.iter().for_each(|name| push(&mut list, id, name));
        }
        if let Some(timestamp) = self.timestamp {
            push(&mut list, TIMESTAMP, &timestamp.to_le_bytes());
        }
        push(&mut list, END, &[]);
        list
    }

    /// Whether a message integrity code was promised (MsvAvFlags, 0x2).
    pub(crate) fn promises_mic(&self) -> bool {
        self.flags.is_some_and(|flags| flags & MIC_PROMISED != 0)
    }
}

/// Appends a pair. No value that a server says is longer than the length can tell.
fn push(list: &mut Vec<u8>, id: u16, value: &[u8]) {
    debug_assert!(value.len() <= usize::from(u16::MAX));
    list.extend(id.to_le_bytes());
    list.extend((value.len() as u16).to_le_bytes());
    list.extend(value);
}

/// The first pair of a list, and the rest.
fn split_pair(list: &[u8]) -> Result<(u16, &[u8], &[u8]), Malformed> {
    let flawed = |flaw| Malformed { part: Part::TargetInfo, flaw };
    let (&[id_low, id_high, length_low, length_high], rest) =
        list.split_first_chunk().ok_or(flawed(Flaw::Endless))?;
    let id = u16::from_le_bytes([id_low, id_high]);
    let length = usize::from(u16::from_le_bytes([length_low, length_high]));
    if id == END && length != 0 {
        return Err(flawed(Flaw::WrongLength));
    }
    let (value, rest) = rest.split_at_checked(length).ok_or(flawed(Flaw::PastEnd))?;
    Ok((id, value, rest))
}

fn name(place: &mut Option<String>, part: Part, value: &[u8]) -> Result<(), Malformed> {
    once(place, part, Encoding::Unicode.decode(part, value, MAX_NAME)?)
}

fn array<const N: usize>(part: Part, value: &[u8]) -> Result<[u8; N], Malformed> {
    value.try_into().map_err(|_| Malformed { part, flaw: Flaw::WrongLength })
}

/// Of two that contradict each other, one reader might take the first and
/// another one the second.
fn once<T>(place: &mut Option<T>, part: Part, value: T) -> Result<(), Malformed> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed { part, flaw: Flaw::Twice }),
    }
}

/// UTF-16 units of a name at most: a service name has a whole host name in it.
const MAX_NAME: usize = 512;

const END: u16 = 0;
const NB_COMPUTER_NAME: u16 = 1;
const NB_DOMAIN_NAME: u16 = 2;
const DNS_COMPUTER_NAME: u16 = 3;
const DNS_DOMAIN_NAME: u16 = 4;
const FLAGS: u16 = 6;
const TIMESTAMP: u16 = 7;
const TARGET_NAME: u16 = 9;
const CHANNEL_BINDINGS: u16 = 10;

const MIC_PROMISED: u32 = 0x2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pair_is_read() {
        let mut list = list(&[
            (NB_DOMAIN_NAME, b"L\0"),
            (NB_COMPUTER_NAME, b"W\0"),
            (DNS_DOMAIN_NAME, b""),
            (DNS_COMPUTER_NAME, b"w\0.\0l\0"),
            (5, b"t\0r\0e\0e\0"),
            (TIMESTAMP, &[1, 0, 0, 0, 0, 0, 0, 2]),
            (FLAGS, &[2, 0, 0, 0]),
            (8, &[0xff; 48]),
            (TARGET_NAME, b"H\0T\0"),
            (CHANNEL_BINDINGS, &[7; 16]),
            (0xffff, b"?"),
        ]);
        list.extend([1, 2, 3]);
        let info = TargetInfo::parse(&list).unwrap();
        let expected = TargetInfo {
            nb_domain_name: Some("L".to_owned()),
            nb_computer_name: Some("W".to_owned()),
            dns_domain_name: Some(String::new()),
            dns_computer_name: Some("w.l".to_owned()),
            flags: Some(2),
            timestamp: Some(0x0200_0000_0000_0001),
            service_principal: Some("HT".to_owned()),
            channel_binding: ChannelBinding::Hash([7; 16]),
        };
        assert_eq!(info, expected);
        assert!(info.promises_mic());
    }

    #[test]
    fn a_zero_binding_is_not_an_absent_one() {
        let binding = |pairs: &[(u16, &[u8])]| TargetInfo::parse(&list(pairs)).unwrap();
        assert_eq!(binding(&[]).channel_binding, ChannelBinding::Absent);
        let zero = binding(&[(CHANNEL_BINDINGS, &[0; 16])]);
        assert_eq!(zero.channel_binding, ChannelBinding::Zero);
    }

    #[test]
    fn only_the_second_flag_promises_a_message_integrity_code() {
        for (flags, promised) in [(0_u32, false), (1, false), (2, true), (3, true), (4, false)] {
            let list = list(&[(FLAGS, &flags.to_le_bytes())]);
            assert_eq!(TargetInfo::parse(&list).unwrap().promises_mic(), promised, "{flags}");
        }
        assert!(!TargetInfo::parse(&list(&[])).unwrap().promises_mic());
    }

    #[test]
    fn a_pair_that_comes_twice_is_refused() {
        for (id, value, part) in [
            (FLAGS, &[2, 0, 0, 0][..], Part::AvFlags),
            (CHANNEL_BINDINGS, &[0; 16], Part::ChannelBindings),
            (TIMESTAMP, &[0; 8], Part::Timestamp),
            (TARGET_NAME, b"", Part::ServicePrincipal),
            (NB_DOMAIN_NAME, b"L\0", Part::NbDomainName),
        ] {
            let twice = TargetInfo::parse(&list(&[(id, value), (id, value)]));
            assert_eq!(twice, Err(Malformed { part, flaw: Flaw::Twice }));
        }
    }

    #[test]
    fn values_of_a_wrong_length_are_refused() {
        for (id, length, part) in [
            (FLAGS, 3, Part::AvFlags),
            (TIMESTAMP, 9, Part::Timestamp),
            (CHANNEL_BINDINGS, 0, Part::ChannelBindings),
            (CHANNEL_BINDINGS, 20, Part::ChannelBindings),
        ] {
            let wrong = TargetInfo::parse(&list(&[(id, &vec![0; length])]));
            assert_eq!(wrong, Err(Malformed { part, flaw: Flaw::WrongLength }));
        }
        let odd = TargetInfo::parse(&list(&[(TARGET_NAME, b"H\0T")]));
        let not_utf16 = Malformed { part: Part::ServicePrincipal, flaw: Flaw::NotUtf16 };
        assert_eq!(odd, Err(not_utf16));
    }

    #[test]
    fn a_list_without_its_end_or_with_a_pair_past_it_is_refused() {
        let whole = list(&[(NB_DOMAIN_NAME, b"L\0"), (TIMESTAMP, &[0; 8])]);
        for end in 0..whole.len() {
            let flaw = TargetInfo::parse(&whole[..end]).unwrap_err().flaw;
            assert!([Flaw::Endless, Flaw::PastEnd].contains(&flaw), "cut at {end}: {flaw:?}");
        }
        let long_end = TargetInfo::parse(&[0, 0, 1, 0, 0]);
        assert_eq!(long_end.unwrap_err().flaw, Flaw::WrongLength);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            pairs in proptest::collection::vec(
                (0_u16..12, proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
            tail in proptest::collection::vec(any::<u8>(), 0..8),
        ) {
            let mut bytes = Vec::new();
            for (id, value) in &pairs {
                push(&mut bytes, *id, value);
            }
            bytes.extend(tail);
            let _ = TargetInfo::parse(&bytes);
        }
    }

    fn list(pairs: &[(u16, &[u8])]) -> Vec<u8> {
        let mut list = Vec::new();
        for (id, value) in pairs {
            push(&mut list, *id, value);
        }
        push(&mut list, END, &[]);
        list
    }
}
