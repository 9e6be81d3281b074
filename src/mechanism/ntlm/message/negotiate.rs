//! NEGOTIATE_MESSAGE (MS-NLMP 2.2.1.1).

use super::{Fields, Flags, Flaw, Kind, Malformed, Part, TYPE_END, expect};

/// The client's first message: what it can do. The names of its domain and
/// workstation, which may follow, are claims that nothing needs, so they are
/// not read; clients also leave them out, with the fields that point to them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Negotiate {
    /// What the client can do.
    pub flags: Flags,
    bytes: Vec<u8>,
}

impl Negotiate {
    /// Reads the message.
    ///
    /// # Errors
    /// No such message, one that breaks off in the fields that it began, or one
    /// that asks neither for Unicode nor for OEM characters.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        expect(&bytes, Kind::Negotiate)?;
        let flags = Flags(Fields::new(&bytes, FLAGS_END).u32(Part::Flags, TYPE_END)?);
        if bytes.len() != FLAGS_END {
            Fields::new(&bytes, NAMES_END).whole_header()?;
        }
        if !flags.intersects(Flags::UNICODE | Flags::OEM) {
            return Err(Malformed { part: Part::Flags, flaw: Flaw::NoCharacterSet });
        }
        Ok(Self { flags, bytes })
    }

    /// The message as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl std::fmt::Debug for Negotiate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Negotiate").field("flags", &self.flags).finish_non_exhaustive()
    }
}

/// The shortest genuine message ends here.
const FLAGS_END: usize = 16;
/// DomainNameFields and WorkstationFields end here. A version may follow.
const NAMES_END: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::ntlm::samples::{self, bytes};

    #[test]
    fn real_first_messages_of_every_length_are_taken() {
        let with_version = bytes(samples::NEGOTIATE);
        let without_version = bytes(samples::CURL_NEGOTIATE);
        let only_flags = without_version[..FLAGS_END].to_vec();
        for (message, length, flags) in [
            (with_version, 40, 0xe208_8237),
            (without_version, 32, 0x0008_8206),
            (only_flags, 16, 0x0008_8206),
        ] {
            assert_eq!(message.len(), length);
            let negotiate = Negotiate::parse(message.clone()).unwrap();
            assert_eq!(negotiate.flags, Flags(flags));
            assert_eq!(negotiate.bytes(), message);
        }
    }

    #[test]
    fn a_message_that_breaks_off_in_its_fields_is_refused() {
        let whole = bytes(samples::NEGOTIATE);
        for end in (0..NAMES_END).filter(|end| *end != FLAGS_END) {
            let cut = Negotiate::parse(whole[..end].to_vec());
            assert_eq!(cut.unwrap_err().flaw, Flaw::CutOff, "cut at {end}");
        }
    }

    #[test]
    fn a_client_without_a_character_set_is_refused() {
        let mut message = bytes(samples::NEGOTIATE);
        message[TYPE_END] &= !3;
        let malformed = Malformed { part: Part::Flags, flaw: Flaw::NoCharacterSet };
        assert_eq!(Negotiate::parse(message), Err(malformed));
    }
}
