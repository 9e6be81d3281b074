//! Names as they are in messages: UTF-16LE, or an OEM character set of which only ASCII is the
//! same everywhere (MS-NLMP 2.2.2.5, NTLMSSP_NEGOTIATE_OEM).

use super::{Flaw, Malformed, Part};

/// How a message writes its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-16, little-endian.
    Unicode,
    /// One byte a character.
    Oem,
}

impl Encoding {
    /// The name that `bytes` spell, of `most` units at most: UTF-16 units, or bytes.
    pub(super) fn decode(self, part: Part, bytes: &[u8], most: usize) -> Result<String, Malformed> {
        let flawed = |flaw| Malformed { part, flaw };
        let name = match self {
            Self::Unicode => {
                let (units, []) = bytes.as_chunks() else {
                    return Err(flawed(Flaw::NotUtf16));
                };
                if units.len() > most {
                    return Err(flawed(Flaw::TooLong));
                }
                let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
                let decoded: Result<String, _> = char::decode_utf16(units).collect();
                decoded.map_err(|_| flawed(Flaw::NotUtf16))?
            }
            Self::Oem if bytes.len() > most => return Err(flawed(Flaw::TooLong)),
            Self::Oem if !bytes.is_ascii() => return Err(flawed(Flaw::NotAscii)),
            Self::Oem => bytes.iter().copied().map(char::from).collect(),
        };
        if name.chars().any(char::is_control) {
            return Err(flawed(Flaw::ControlCharacter));
        }
        Ok(name)
    }

    /// The bytes that spell `name`; `None` where the encoding cannot.
    pub(super) fn encode(self, name: &str) -> Option<Vec<u8>> {
        match self {
            Self::Unicode => Some(name.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Oem => name.is_ascii().then(|| name.as_bytes().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_taken_as_they_are_spelt_or_refused() {
        use Encoding::{Oem, Unicode};
        let cases: [(Encoding, &[u8], Result<&str, Flaw>); 13] = [
            (Unicode, b"", Ok("")),
            (Unicode, b"j\0o\0s\0", Ok("jos")),
            (Unicode, b"\xfc\0", Ok("ü")),
            (Unicode, b"\x3d\xd8\x00\xde", Ok("😀")),
            (Unicode, b"j\0o", Err(Flaw::NotUtf16)),
            (Unicode, b"\x3d\xd8", Err(Flaw::NotUtf16)),
            (Unicode, b"\x00\xde\x3d\xd8", Err(Flaw::NotUtf16)),
            (Unicode, b"j\0\0\0", Err(Flaw::ControlCharacter)),
            (Unicode, b"j\0\x85\0", Err(Flaw::ControlCharacter)),
            (Oem, b"jos", Ok("jos")),
            (Oem, b"j\xfc", Err(Flaw::NotAscii)),
            (Oem, b"jos\n", Err(Flaw::ControlCharacter)),
            (Oem, b"jo\x7f", Err(Flaw::ControlCharacter)),
        ];
        for (encoding, bytes, expected) in cases {
            let expected = expected.map(str::to_owned);
            let decoded = encoding.decode(Part::UserName, bytes, 8).map_err(|error| error.flaw);
            assert_eq!(decoded, expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_name_may_have_its_full_length_and_no_more() {
        for encoding in [Encoding::Unicode, Encoding::Oem] {
            let eight = encoding.encode("12345678").unwrap();
            assert!(encoding.decode(Part::UserName, &eight, 8).is_ok());
            let too_long = Malformed { part: Part::UserName, flaw: Flaw::TooLong };
            assert_eq!(encoding.decode(Part::UserName, &eight, 7), Err(too_long));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(name in "\\PC{0,40}") {
            let written = Encoding::Unicode.encode(&name).unwrap();
            let read = Encoding::Unicode.decode(Part::UserName, &written, 80);
            prop_assert_eq!(read, Ok(name));
        }
    }
}
