//! The server's challenge (CHALLENGE_MESSAGE, MS-NLMP 2.2.1.2), taken apart.

use super::pairs::{Pairs, utf16};
use super::unreadable::Unreadable;
use crate::clock::Timestamp;
use crate::mechanism::ntlm::message::Flags;

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// What it agrees to.
    pub(super) flags: Flags,
    /// The number that the answer is for.
    pub(super) nonce: [u8; 8],
    /// The domain or computer that it speaks for.
    pub(super) target: String,
    /// Its names and its time; empty where it tells none.
    pub(super) information: Pairs,
    /// The message itself, which the integrity code covers.
    pub(super) bytes: Vec<u8>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Challenge, Unreadable> {
    if !bytes.starts_with(SIGNATURE) {
        return Err(Unreadable::NotNtlm);
    }
    match u32::from_le_bytes(fixed(bytes, 8, "message number")?) {
        2 => {}
        other => return Err(Unreadable::Another(other)),
    }
    let flags = Flags(u32::from_le_bytes(fixed(bytes, 20, "flags")?));
    if !flags.contains(Flags::UNICODE) {
        return Err(Unreadable::NoUnicode);
    }
    let nonce = fixed(bytes, 24, "number")?;
    let information = if flags.contains(Flags::TARGET_INFO) {
        Pairs::read(field(bytes, 40, "target information")?)?
    } else {
        Pairs::default()
    };
    let target = utf16(field(bytes, 12, "target name")?);
    Ok(Challenge { flags, nonce, target, information, bytes: bytes.to_vec() })
}

impl Challenge {
    /// The server's clock, where it tells it.
    pub(super) fn time(&self) -> Option<Timestamp> {
        let since_1601 = self.information.time()? / UNITS_A_SECOND;
        Some(Timestamp::from_unix(since_1601.checked_sub(FROM_1601_TO_1970)?))
    }
}

/// A moment as NTLM counts it.
pub(super) fn file_time(moment: Timestamp) -> u64 {
    moment.unix().saturating_add(FROM_1601_TO_1970).saturating_mul(UNITS_A_SECOND)
}

fn fixed<const N: usize>(
    bytes: &[u8],
    at: usize,
    what: &'static str,
) -> Result<[u8; N], Unreadable> {
    let rest = bytes.get(at..).ok_or(Unreadable::CutOff(what))?;
    rest.first_chunk().copied().ok_or(Unreadable::CutOff(what))
}

/// What a field's length and offset point to.
fn field<'a>(bytes: &'a [u8], at: usize, what: &'static str) -> Result<&'a [u8], Unreadable> {
    let [length_low, length_high, _, _, a, b, c, d] = fixed(bytes, at, what)?;
    let length = usize::from(u16::from_le_bytes([length_low, length_high]));
    let offset = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    let rest = bytes.get(offset..).unwrap_or_default();
    rest.get(..length).ok_or(Unreadable::CutOff(what))
}

/// Every message begins so.
pub(super) const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// A FILETIME counts 100 ns.
const UNITS_A_SECOND: u64 = 10_000_000;

/// Seconds.
const FROM_1601_TO_1970: u64 = 11_644_473_600;

#[cfg(test)]
pub(crate) mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::super::pairs;
    use super::*;

    /// A challenge of Samba's ntlm_auth 4.17, at the domain LAB on the computer DC1.
    pub(in super::super) fn samba() -> Vec<u8> {
        let text = "TlRMTVNTUAACAAAABgAGADgAAAAFgomiMUcMJ8rPLn0AAAAAAAAAADAAMAA+AAAABgEAAAAAAA9M\
                    AEEAQgACAAYATABBAEIAAQAGAEQAQwAxAAQAAAADAAQAdgBtAAcACAAS1YRTkXrdAQAAAAA=";
        STANDARD.decode(text).unwrap()
    }

    #[test]
    fn a_challenge_of_samba_is_taken_apart() {
        let challenge = read(&samba()).unwrap();
        assert_eq!(challenge.target, "LAB");
        assert_eq!(challenge.nonce, [0x31, 0x47, 0x0c, 0x27, 0xca, 0xcf, 0x2e, 0x7d]);
        for flag in [Flags::UNICODE, Flags::EXTENDED_SESSION_SECURITY, Flags::BITS_128] {
            assert!(challenge.flags.contains(flag), "{flag:?}");
        }
        assert!(!challenge.flags.contains(Flags::KEY_EXCHANGE));
        let names = [pairs::DOMAIN, pairs::COMPUTER, pairs::DNS_COMPUTER, pairs::DNS_DOMAIN]
            .map(|id| challenge.information.name(id));
        assert_eq!(names, [Some("LAB".into()), Some("DC1".into()), Some("vm".into()), None]);
        let time = challenge.time().unwrap();
        assert_eq!(time.to_string(), "2026-11-22T14:54:08Z");
        assert!(file_time(time) <= challenge.information.time().unwrap());
    }

    #[test]
    fn a_challenge_cut_off_anywhere_is_unreadable() {
        let whole = samba();
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn what_is_no_challenge_is_named() {
        let mut first = samba();
        first[8] = 1;
        assert_eq!(read(&first), Err(Unreadable::Another(1)));
        assert_eq!(read(b"oops, a page"), Err(Unreadable::NotNtlm));
        let mut code_page = samba();
        code_page[20] &= !1;
        assert_eq!(read(&code_page), Err(Unreadable::NoUnicode));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut message = samba();
            message.splice(12..12 + bytes.len().min(60), bytes);
            let _ = read(&message);
        }
    }
}
