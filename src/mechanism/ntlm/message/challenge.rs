//! CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2).

use std::fmt;

use super::av_pair::TargetInfo;
use super::text::Encoding;
use super::{Fields, Flags, Flaw, Kind, Malformed, Negotiate, Part, SIGNATURE, expect};

/// The server's message: eight random bytes, and who it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// What both sides can do.
    pub flags: Flags,
    /// The bytes that the response answers.
    pub server_challenge: [u8; 8],
    /// Whose users the server knows; empty where the client did not ask.
    pub target_name: String,
    /// Who the server is.
    pub target_info: TargetInfo,
    bytes: Vec<u8>,
}

/// What a server tells of itself in its challenges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerNames {
    nb_domain: String,
    nb_computer: String,
    dns_domain: Option<String>,
    dns_computer: String,
}

impl ServerNames {
    /// The names of a server: of its domain (`EXAMPLE`, `example.com`) and of itself
    /// (`WEB`, `web.example.com`).
    ///
    /// # Errors
    /// A name that is empty, over 255 UTF-16 units long, or has control characters.
    pub(crate) fn new(
        nb_domain: &str,
        nb_computer: &str,
        dns_domain: Option<&str>,
        dns_computer: &str,
    ) -> Result<Self, Malformed> {
        let dns_domain = dns_domain.map(|name| checked(Part::DnsDomainName, name)).transpose()?;
        Ok(Self {
            nb_domain: checked(Part::NbDomainName, nb_domain)?,
            nb_computer: checked(Part::NbComputerName, nb_computer)?,
            dns_domain,
            dns_computer: checked(Part::DnsComputerName, dns_computer)?,
        })
    }
}

fn checked(part: Part, name: &str) -> Result<String, Malformed> {
    let flaw = match name {
        "" => Flaw::WrongLength,
        _ if name.encode_utf16().count() > MAX_NAME => Flaw::TooLong,
        _ if name.chars().any(char::is_control) => Flaw::ControlCharacter,
        _ => return Ok(name.to_owned()),
    };
    Err(Malformed { part, flaw })
}

impl Challenge {
    /// The answer to a client's first message. `timestamp` is the time in units
    /// of 100 ns since 1601 (MS-DTYP 2.3.3, FILETIME); a client that sees it sends
    /// a message integrity code (MS-NLMP 3.1.5.1.2).
    pub(crate) fn new(
        negotiate: &Negotiate,
        names: &ServerNames,
        server_challenge: [u8; 8],
        timestamp: u64,
    ) -> Self {
        let mut flags = answer(negotiate.flags);
        let mut target_name = String::new();
        let mut target = Vec::new();
        if negotiate.flags.contains(Flags::REQUEST_TARGET)
            && let Some(spelt) = encoding(flags).encode(&names.nb_domain)
        {
            flags |= Flags::REQUEST_TARGET | Flags::TARGET_TYPE_DOMAIN;
            target_name.clone_from(&names.nb_domain);
            target = spelt;
        }
        let target_info = TargetInfo {
            nb_domain_name: Some(names.nb_domain.clone()),
            nb_computer_name: Some(names.nb_computer.clone()),
            dns_domain_name: names.dns_domain.clone(),
            dns_computer_name: Some(names.dns_computer.clone()),
            timestamp: Some(timestamp),
            ..TargetInfo::default()
        };
        let pairs = target_info.server_pairs();

        let mut bytes = Vec::with_capacity(HEADER + target.len() + pairs.len());
        bytes.extend(SIGNATURE);
        bytes.extend(2_u32.to_le_bytes());
        bytes.extend(pointer(target.len(), HEADER));
        bytes.extend(flags.0.to_le_bytes());
        bytes.extend(server_challenge);
        bytes.extend([0; 8]);
        bytes.extend(pointer(pairs.len(), HEADER + target.len()));
        bytes.extend(if flags.contains(Flags::VERSION) { OUR_VERSION } else { [0; 8] });
        bytes.extend(target);
        bytes.extend(pairs);
        Self { flags, server_challenge, target_name, target_info, bytes }
    }

    /// Reads a challenge that another server made.
    ///
    /// # Errors
    /// No such message, or one that contradicts itself.
    pub(crate) fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {
        expect(&bytes, Kind::Challenge)?;
        let fields = Fields::new(&bytes, HEADER_WITHOUT_VERSION).whole_header()?;
        let flags = Flags(fields.u32(Part::Flags, FLAGS)?);
        let server_challenge = fields.array(Part::ServerChallenge, SERVER_CHALLENGE)?;
        let target = fields.payload(Part::TargetName, TARGET_NAME)?;
        let target_name = encoding(flags).decode(Part::TargetName, target, MAX_NAME)?;
        let target_info = if flags.contains(Flags::TARGET_INFO) {
            TargetInfo::parse(fields.payload(Part::TargetInfo, TARGET_INFO)?)?
        } else {
            TargetInfo::default()
        };
        Ok(Self { flags, server_challenge, target_name, target_info, bytes })
    }

    /// The message itself.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("flags", &self.flags)
            .field("target_name", &self.target_name)
            .field("target_info", &self.target_info)
            .finish_non_exhaustive()
    }
}

/// What of the client's wishes is granted. The target information comes
/// unasked (clients that do not ask for it use it all the same). Without
/// extended session security a signature would be a checksum that anybody can
/// forge, so none is offered then; and without signatures there is no
/// key to be exchanged (MS-NLMP 3.2.5.1.2).
fn answer(asked: Flags) -> Flags {
    let characters = if asked.contains(Flags::UNICODE) { Flags::UNICODE } else { Flags::OEM };
    let plain = Flags::ALWAYS_SIGN
        | Flags::EXTENDED_SESSION_SECURITY
        | Flags::VERSION
        | Flags::BITS_128
        | Flags::BITS_56;
    let mut granted = Flags::NTLM | Flags::TARGET_INFO | characters | (asked & plain);
    if granted.contains(Flags::EXTENDED_SESSION_SECURITY) {
        granted |= asked & (Flags::SIGN | Flags::SEAL);
    }
    if granted.intersects(Flags::SIGN | Flags::SEAL) {
        granted |= asked & Flags::KEY_EXCHANGE;
    }
    granted
}

fn encoding(flags: Flags) -> Encoding {
    if flags.contains(Flags::UNICODE) { Encoding::Unicode } else { Encoding::Oem }
}

/// Length, room and offset of something in the payload. [`ServerNames`] are so
/// short that both fit.
fn pointer(length: usize, offset: usize) -> [u8; 8] {
    debug_assert!(length + offset <= usize::from(u16::MAX));
    let [low, high] = (length as u16).to_le_bytes();
    let [a, b, c, d] = (offset as u32).to_le_bytes();
    [low, high, low, high, a, b, c, d]
}

const TARGET_NAME: usize = 12;
const FLAGS: usize = 20;
const SERVER_CHALLENGE: usize = 24;
const TARGET_INFO: usize = 40;
const HEADER_WITHOUT_VERSION: usize = 48;
const HEADER: usize = 56;

/// UTF-16 units of a name at most: the longest DNS name.
const MAX_NAME: usize = 255;

/// Windows 7 in the third revision of NTLM (MS-NLMP 2.2.2.10), as Samba says
/// too. It is there for debugging only.
const OUR_VERSION: [u8; 8] = [6, 1, 0, 0, 0, 0, 0, 15];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::ntlm::samples::{self, bytes};

    const TIMESTAMP: u64 = 0x01dd_7a91_6d2a_78b4;

    #[test]
    fn a_real_challenge_is_read() {
        let message = bytes(samples::BOUND_CHALLENGE);
        let challenge = Challenge::parse(message.clone()).unwrap();
        assert_eq!(challenge.flags, Flags(0xe28a_8235));
        assert_eq!(challenge.server_challenge, message[24..32]);
        assert_eq!(challenge.target_name, "VM");
        assert_eq!(challenge.target_info.nb_domain_name.as_deref(), Some("VM"));
        assert_eq!(challenge.target_info.dns_computer_name.as_deref(), Some("vm"));
        assert_eq!(challenge.target_info.dns_domain_name.as_deref(), Some(""));
        assert_eq!(challenge.target_info.timestamp, Some(TIMESTAMP));
        assert_eq!(challenge.bytes(), message);
    }

    #[test]
    fn our_own_challenges_are_those_that_real_clients_answered() {
        let names = ServerNames::new("LAB", "WEB", Some("lab.example"), "web.lab.example").unwrap();
        let server_challenge = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        for exchange in [samples::samba(), samples::curl()] {
            let negotiate = Negotiate::parse(exchange.negotiate).unwrap();
            let challenge = Challenge::new(&negotiate, &names, server_challenge, TIMESTAMP);
            assert_eq!(challenge.bytes(), exchange.challenge);
            assert_eq!(challenge.target_name, "LAB");
        }
    }

    #[test]
    fn our_own_challenge_is_read_as_it_was_made() {
        for sample in [samples::NEGOTIATE, samples::CURL_NEGOTIATE] {
            for dns_domain in [None, Some("lab.example")] {
                let names = ServerNames::new("LÄB", "WEB", dns_domain, "web.lab.example").unwrap();
                let negotiate = Negotiate::parse(bytes(sample)).unwrap();
                let challenge = Challenge::new(&negotiate, &names, [7; 8], TIMESTAMP);
                assert_eq!(Challenge::parse(challenge.bytes().to_vec()), Ok(challenge.clone()));
                assert_eq!(challenge.target_info.nb_domain_name.as_deref(), Some("LÄB"));
                assert_eq!(challenge.target_info.nb_computer_name.as_deref(), Some("WEB"));
                assert_eq!(challenge.target_info.dns_domain_name.as_deref(), dns_domain);
                let dns_computer = challenge.target_info.dns_computer_name.as_deref();
                assert_eq!(dns_computer, Some("web.lab.example"));
                assert_eq!(challenge.target_info.timestamp, Some(TIMESTAMP));
            }
        }
    }

    #[test]
    fn a_challenge_answers_what_was_asked_and_what_is_safe() {
        let always = 0x0080_0200; // NTLM, TARGET_INFO
        for (asked, answered, why) in [
            (0x0000_0001, always | 0x1, "nothing asked"),
            (0x0000_0003, always | 0x1, "Unicode rather than OEM"),
            (0x0000_0002, always | 0x2, "OEM where Unicode is not known"),
            (0x0000_0005, always | 0x1_0005, "the target is a domain"),
            (0x0000_0081, always | 0x1, "no LM key"),
            (0x4000_0031, always | 0x1, "no signatures that can be forged"),
            (0x4008_0011, always | 0x4008_0011, "signatures and a key for them"),
            (0x4008_0021, always | 0x4008_0021, "encryption and a key for it"),
            (0x4008_0001, always | 0x0008_0001, "no key without a use for it"),
            (0xa200_8001, always | 0xa200_8001, "key lengths, version, dummy signatures"),
            (0x0000_0841, always | 0x1, "no anonymous users, no datagrams"),
            (0xffff_ffff, 0xe289_8235, "everything"),
        ] {
            let challenge = Challenge::new(&negotiate(asked), &names(), [0; 8], TIMESTAMP);
            assert_eq!(challenge.flags, Flags(answered), "{why}");
            assert_eq!(challenge.bytes()[FLAGS..FLAGS + 4], answered.to_le_bytes(), "{why}");
        }
    }

    #[test]
    fn the_target_name_is_written_as_the_client_can_read_it() {
        let target = |asked, domain| {
            let names = ServerNames::new(domain, "WEB", None, "web").unwrap();
            let challenge = Challenge::new(&negotiate(asked), &names, [0; 8], TIMESTAMP);
            (challenge.target_name, challenge.flags.contains(Flags::TARGET_TYPE_DOMAIN))
        };
        assert_eq!(target(0x5, "LÄB"), ("LÄB".to_owned(), true));
        assert_eq!(target(0x6, "LAB"), ("LAB".to_owned(), true));
        assert_eq!(target(0x6, "LÄB"), (String::new(), false));
        assert_eq!(target(0x1, "LAB"), (String::new(), false));
    }

    #[test]
    fn a_challenge_cut_off_anywhere_is_refused() {
        for sample in [samples::BOUND_CHALLENGE, samples::OUR_OEM_CHALLENGE] {
            let whole = bytes(sample);
            for end in 0..whole.len() {
                assert!(Challenge::parse(whole[..end].to_vec()).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn names_that_no_message_can_carry_are_refused() {
        let long = "a".repeat(256);
        for (domain, computer, flaw) in [
            ("", "web", Flaw::WrongLength),
            ("LAB", "", Flaw::WrongLength),
            (long.as_str(), "web", Flaw::TooLong),
            ("LAB", "w\nb", Flaw::ControlCharacter),
        ] {
            let names = ServerNames::new(domain, "WEB", None, computer);
            assert_eq!(names.unwrap_err().flaw, flaw);
        }
        let longest = "a".repeat(255);
        let names = ServerNames::new(&longest, &longest, Some(&longest), &longest).unwrap();
        let challenge = Challenge::new(&negotiate(0x5), &names, [0; 8], TIMESTAMP);
        assert_eq!(Challenge::parse(challenge.bytes().to_vec()), Ok(challenge));
    }

    fn names() -> ServerNames {
        ServerNames::new("LAB", "WEB", None, "web.lab.example").unwrap()
    }

    fn negotiate(flags: u32) -> Negotiate {
        let mut message = bytes(samples::NEGOTIATE);
        message[12..16].copy_from_slice(&flags.to_le_bytes());
        Negotiate::parse(message).unwrap()
    }
}
