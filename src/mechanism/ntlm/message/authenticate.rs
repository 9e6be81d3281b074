//! AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3).

use std::fmt;

use super::response::{NtResponse, Unfit};
use super::text::Encoding;
use super::{Fields, Flags, Flaw, Kind, Malformed, Part, expect};

/// The client's second message: who it claims to be, and the response that is
/// to prove it. Names are as the client wrote them; nothing is proven yet.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authenticate {
    /// What was agreed on, in the client's words.
    pub flags: Flags,
    /// The user; empty for anonymous clients.
    pub user: String,
    /// The domain, which may be empty.
    pub domain: String,
    /// The client's computer, which may be empty, or invented.
    pub workstation: String,
    /// The response.
    pub response: NtResponse,
    /// The session key that the client chose, where one was exchanged.
    pub encrypted_random_session_key: Option<[u8; 16]>,
    bytes: Vec<u8>,
}

/// The message integrity code in its message.
#[derive(Clone, Copy)]
pub(crate) struct Mic<'a> {
    /// What stands before it.
    pub before: &'a [u8],
    /// The code.
    pub code: &'a [u8; 16],
    /// What stands behind it.
    pub after: &'a [u8],
}

impl Authenticate {
    /// Reads the message.
    ///
    /// # Errors
    /// No such message, one that contradicts itself, names that are not text,
    /// over 256 characters or with control characters, a response of no version.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        expect(&bytes, Kind::Authenticate)?;
        let fields = Fields::new(&bytes, HEADER).whole_header()?;
        let nt = fields.payload(Part::NtResponse, NT_RESPONSE)?;
        let lm = fields.payload(Part::LmResponse, LM_RESPONSE)?;
        let response = NtResponse::read(nt, lm)?;
        // Only now is it known how long the header is: a payload inside the code
        // would be replaced by zeros when the code is computed.
        let fields = match &response {
            NtResponse::Ntlmv2(response) if response.promises_mic() => {
                let fields = Fields::new(&bytes, HEADER_WITH_MIC);
                fields.payload(Part::NtResponse, NT_RESPONSE)?;
                fields.payload(Part::LmResponse, LM_RESPONSE)?;
                fields
            }
            _ => fields,
        };
        let flags = Flags(fields.u32(Part::Flags, FLAGS)?);
        let encoding =
            if flags.contains(Flags::UNICODE) { Encoding::Unicode } else { Encoding::Oem };
        let name = |part, at| encoding.decode(part, fields.payload(part, at)?, MAX_NAME);
        let user = name(Part::UserName, USER)?;
        let domain = name(Part::DomainName, DOMAIN)?;
        let workstation = name(Part::Workstation, WORKSTATION)?;
        let response = if user.is_empty() { NtResponse::Unfit(Unfit::Anonymous) } else { response };
        let key = fields.payload(Part::SessionKey, SESSION_KEY)?;
        let encrypted_random_session_key = exchanged(flags, key)?;
        Ok(Self { flags, user, domain, workstation, response, encrypted_random_session_key, bytes })
    }

    /// The message as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its integrity code, where the response promises one.
    pub(crate) fn mic(&self) -> Option<Mic<'_>> {
        self.response.ntlmv2().filter(|response| response.promises_mic())?;
        let (before, rest) = self.bytes.split_at_checked(MIC)?;
        let (code, after) = rest.split_first_chunk()?;
        Some(Mic { before, code, after })
    }
}

/// The client's key, where one is exchanged: only for signatures or encryption.
/// Windows fills the field with a single byte otherwise, and the key of the
/// response is used as it is (MS-NLMP 3.2.5.1.2).
fn exchanged(flags: Flags, key: &[u8]) -> Result<Option<[u8; 16]>, Malformed> {
    let exchanged =
        flags.contains(Flags::KEY_EXCHANGE) && flags.intersects(Flags::SIGN | Flags::SEAL);
    if !exchanged {
        return Ok(None);
    }
    let wrong = Malformed { part: Part::SessionKey, flaw: Flaw::WrongLength };
    key.try_into().map(Some).map_err(|_| wrong)
}

impl fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate")
            .field("flags", &self.flags)
            .field("user", &self.user)
            .field("domain", &self.domain)
            .field("workstation", &self.workstation)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Mic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mic").finish_non_exhaustive()
    }
}

const LM_RESPONSE: usize = 12;
const NT_RESPONSE: usize = 20;
const DOMAIN: usize = 28;
const USER: usize = 36;
const WORKSTATION: usize = 44;
const SESSION_KEY: usize = 52;
const FLAGS: usize = 60;
/// What every client sends. Version and integrity code may follow; the version's
/// flag says nothing of it, because some clients repeat ours and send no version.
const HEADER: usize = 64;
const MIC: usize = 72;
const HEADER_WITH_MIC: usize = 88;

/// Characters of a name at most, in UTF-16 units or OEM bytes.
const MAX_NAME: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::ntlm::samples::{self, bytes};

    #[test]
    fn real_messages_say_who_their_sender_claims_to_be() {
        for (sample, user, workstation, mic) in [
            (samples::BOUND_AUTHENTICATE, "jos", "VM", true),
            (samples::PLAIN_AUTHENTICATE, "jürgen", "VM", true),
            (samples::SAMBA_AUTHENTICATE, "jos", "", true),
            (samples::CURL_AUTHENTICATE, "jos", "WORKSTATION", false),
        ] {
            let message = Authenticate::parse(bytes(sample)).unwrap();
            assert_eq!(message.domain, "LAB");
            assert_eq!(message.user, user);
            assert_eq!(message.workstation, workstation);
            assert_eq!(message.mic().is_some(), mic);
            assert_eq!(message.encrypted_random_session_key.is_some(), mic);
            assert!(message.response.ntlmv2().is_some());
            assert_eq!(message.bytes(), bytes(sample));
        }
    }

    #[test]
    fn the_documented_message_is_read() {
        let message = Authenticate::parse(bytes(samples::DOCUMENTED_AUTHENTICATE)).unwrap();
        assert_eq!(message.user, "User");
        assert_eq!(message.domain, "Domain");
        assert_eq!(message.workstation, "COMPUTER");
        let response = message.response.ntlmv2().unwrap();
        assert_eq!(response.proof.to_vec(), bytes("68cd0ab851e51c96aabc927bebef6a1c"));
        assert_eq!(response.target_info.nb_domain_name.as_deref(), Some("Domain"));
        assert_eq!(response.target_info.nb_computer_name.as_deref(), Some("Server"));
        assert!(message.mic().is_none());
    }

    #[test]
    fn a_message_cut_off_anywhere_is_refused() {
        for exchange in samples::exchanges() {
            let whole = exchange.authenticate;
            for end in 0..whole.len() {
                assert!(Authenticate::parse(whole[..end].to_vec()).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn what_points_past_the_end_or_into_the_header_is_refused() {
        for (at, part) in [
            (LM_RESPONSE, Part::LmResponse),
            (NT_RESPONSE, Part::NtResponse),
            (DOMAIN, Part::DomainName),
            (USER, Part::UserName),
            (WORKSTATION, Part::Workstation),
            (SESSION_KEY, Part::SessionKey),
        ] {
            let whole = bytes(samples::BOUND_AUTHENTICATE);
            let length = u32::from(u16::from_le_bytes([whole[at], whole[at + 1]]));
            let last = whole.len() as u32 - length;
            for (offset, flaw) in [
                (last + 1, Flaw::PastEnd),
                (whole.len() as u32, Flaw::PastEnd),
                (u32::MAX, Flaw::PastEnd),
                (0, Flaw::InHeader),
                (63, Flaw::InHeader),
            ] {
                let refused = pointing(at, offset).unwrap_err();
                assert_eq!(refused, Malformed { part, flaw }, "{offset}");
            }
        }
    }

    #[test]
    fn nothing_but_the_code_stands_where_the_code_is() {
        for (at, part) in [
            (LM_RESPONSE, Part::LmResponse),
            (DOMAIN, Part::DomainName),
            (USER, Part::UserName),
            (WORKSTATION, Part::Workstation),
            (SESSION_KEY, Part::SessionKey),
        ] {
            for offset in [64, 72, 87] {
                let refused = pointing(at, offset).unwrap_err();
                assert_eq!(refused, Malformed { part, flaw: Flaw::InHeader }, "{offset}");
            }
        }
        let mut early = bytes(samples::CURL_AUTHENTICATE);
        let response = 64..64 + 24;
        assert_eq!(early[LM_RESPONSE + 4], 64);
        early[response].fill(0x3f);
        assert!(Authenticate::parse(early).is_ok(), "without a code the payload begins earlier");
    }

    #[test]
    fn a_promised_code_needs_its_room() {
        let promised = [&[7; 16][..], &[1, 1], &[0; 26], &[6, 0, 4, 0, 2, 0, 0, 0], &[0; 4]];
        let response = promised.concat();
        let mut message = bytes(samples::CURL_AUTHENTICATE);
        message.truncate(HEADER);
        for field in [LM_RESPONSE, DOMAIN, USER, WORKSTATION] {
            message[field..field + 8].fill(0);
        }
        message[NT_RESPONSE] = response.len() as u8;
        message[NT_RESPONSE + 4..NT_RESPONSE + 8].copy_from_slice(&64_u32.to_le_bytes());
        message.extend(response);
        let inside = Malformed { part: Part::NtResponse, flaw: Flaw::InHeader };
        assert_eq!(Authenticate::parse(message).unwrap_err(), inside);
    }

    #[test]
    fn an_empty_field_may_point_anywhere() {
        let mut message = bytes(samples::BOUND_AUTHENTICATE);
        message[WORKSTATION..WORKSTATION + 2].fill(0);
        message[WORKSTATION + 4..WORKSTATION + 8].fill(0xff);
        assert_eq!(Authenticate::parse(message).unwrap().workstation, "");
    }

    #[test]
    fn who_names_no_user_is_anonymous_whatever_else_is_sent() {
        let mut message = bytes(samples::BOUND_AUTHENTICATE);
        message[USER..USER + 2].fill(0);
        let message = Authenticate::parse(message).unwrap();
        assert_eq!(message.response, NtResponse::Unfit(Unfit::Anonymous));
        assert!(message.mic().is_none());
    }

    #[test]
    fn a_session_key_is_taken_where_one_is_exchanged() {
        let key = bytes("9ee8d4f2c1d3b4a5968778695a4b3c2d");
        let taken = key.as_slice().try_into().unwrap();
        let wrong = Malformed { part: Part::SessionKey, flaw: Flaw::WrongLength };
        let exchange = Flags::KEY_EXCHANGE;
        for (flags, key, expected) in [
            (exchange | Flags::SIGN, key.as_slice(), Ok(Some(taken))),
            (exchange | Flags::SEAL, &key, Ok(Some(taken))),
            (exchange | Flags::SIGN, &key[..15], Err(wrong)),
            (exchange | Flags::SIGN, &[], Err(wrong)),
            (exchange, &[0], Ok(None)),
            (exchange, &[], Ok(None)),
            (Flags::SIGN, &[], Ok(None)),
            (Flags::SIGN, &key, Ok(None)),
        ] {
            assert_eq!(exchanged(flags, key), expected, "{flags:?}");
        }
    }

    #[test]
    fn oem_names_are_ascii_or_refused() {
        let mut message = bytes(samples::CURL_AUTHENTICATE);
        let user = usize::from(message[USER + 4]);
        message[user] = 0xfc;
        let not_ascii = Malformed { part: Part::UserName, flaw: Flaw::NotAscii };
        assert_eq!(Authenticate::parse(message).unwrap_err(), not_ascii);
    }

    /// A real message in which one field points elsewhere.
    fn pointing(at: usize, offset: u32) -> Result<Authenticate, Malformed> {
        let mut message = bytes(samples::BOUND_AUTHENTICATE);
        message[at + 4..at + 8].copy_from_slice(&offset.to_le_bytes());
        Authenticate::parse(message)
    }
}
