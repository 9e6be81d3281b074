//! What is wrong with a message, and where.

use std::fmt;

/// A message that is not what MS-NLMP says. Reads as a fragment: "its user name
/// runs past the end of the message".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its {part} {flaw}")]
pub(crate) struct Malformed {
    /// Where.
    pub part: Part,
    /// What.
    pub flaw: Flaw,
}

/// A part of a message (MS-NLMP 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Message,
    /// The eight bytes that begin every message.
    Signature,
    /// MessageType.
    Type,
    /// NegotiateFlags.
    Flags,
    /// What stands at fixed places, before the payload.
    Header,
    /// ServerChallenge.
    ServerChallenge,
    /// LmChallengeResponse.
    LmResponse,
    /// NtChallengeResponse.
    NtResponse,
    /// UserName.
    UserName,
    /// DomainName.
    DomainName,
    /// Workstation.
    Workstation,
    /// EncryptedRandomSessionKey.
    SessionKey,
    /// TargetName.
    TargetName,
    /// TargetInfo: the list of AV pairs.
    TargetInfo,
    /// MsvAvNbDomainName.
    NbDomainName,
    /// MsvAvNbComputerName.
    NbComputerName,
    /// MsvAvDnsDomainName.
    DnsDomainName,
    /// MsvAvDnsComputerName.
    DnsComputerName,
    /// MsvAvFlags.
    AvFlags,
    /// MsvAvTimestamp.
    Timestamp,
    /// MsvAvChannelBindings.
    ChannelBindings,
    /// MsvAvTargetName.
    ServicePrincipal,
}

/// What can be wrong with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The message ends before it is whole.
    CutOff,
    /// Its length and offset name bytes that are not there.
    PastEnd,
    /// Its offset points into the header.
    InHeader,
    /// It is longer than it can sensibly be.
    TooLong,
    /// Its length is not the one that it must have.
    WrongLength,
    /// Its value is none of those that are possible there.
    Unexpected,
    /// Neither Unicode nor OEM is asked for.
    NoCharacterSet,
    /// UTF-16 was negotiated, and this is not.
    NotUtf16,
    /// OEM was negotiated: only ASCII is understood then.
    NotAscii,
    /// A control character.
    ControlCharacter,
    /// The same pair comes a second time.
    Twice,
    /// A list without its end mark.
    Endless,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message => "message",
            Self::Signature => "signature",
            Self::Type => "message type",
            Self::Flags => "negotiate flags",
            Self::Header => "header",
            Self::ServerChallenge => "server challenge",
            Self::LmResponse => "LM response",
            Self::NtResponse => "NT response",
            Self::UserName => "user name",
            Self::DomainName => "domain name",
            Self::Workstation => "workstation name",
            Self::SessionKey => "encrypted session key",
            Self::TargetName => "target name",
            Self::TargetInfo => "target information",
            Self::NbDomainName => "NetBIOS domain name in the target information",
            Self::NbComputerName => "NetBIOS computer name in the target information",
            Self::DnsDomainName => "DNS domain name in the target information",
            Self::DnsComputerName => "DNS computer name in the target information",
            Self::AvFlags => "flags in the target information",
            Self::Timestamp => "timestamp in the target information",
            Self::ChannelBindings => "channel binding in the target information",
            Self::ServicePrincipal => "service name in the target information",
        })
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CutOff => "is cut off",
            Self::PastEnd => "runs past the end of the message",
            Self::InHeader => "begins inside the header",
            Self::TooLong => "is too long",
            Self::WrongLength => "has the wrong length",
            Self::Unexpected => "does not belong there",
            Self::NoCharacterSet => "allow neither Unicode nor OEM characters",
            Self::NotUtf16 => "is not UTF-16",
            Self::NotAscii => "contains more than ASCII in an OEM character set",
            Self::ControlCharacter => "contains a control character",
            Self::Twice => "is there twice",
            Self::Endless => "has no end mark",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_a_fragment_of_a_sentence() {
        let malformed = Malformed { part: Part::UserName, flaw: Flaw::PastEnd };
        assert_eq!(malformed.to_string(), "its user name runs past the end of the message");
        let malformed = Malformed { part: Part::Flags, flaw: Flaw::NoCharacterSet };
        let said = "its negotiate flags allow neither Unicode nor OEM characters";
        assert_eq!(malformed.to_string(), said);
    }
}
