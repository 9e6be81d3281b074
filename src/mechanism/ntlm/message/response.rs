//! NtChallengeResponse (MS-NLMP 2.2.2.8): how a client answers the challenge. Only a whole NTLMv2
//! response is accepted: the older ones are weak, and have neither a channel binding nor an
//! integrity code.

use std::fmt;

use super::av_pair::{ChannelBinding, TargetInfo};
use super::{Flaw, Malformed, Part};

/// A client's response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NtResponse {
    /// By NTLMv2, with target information. Whether it is right is for the domain to say.
    Ntlmv2(Box<Ntlmv2>),
    /// Nothing that can be accepted.
    Unfit(Unfit),
}

/// An NTLMv2_RESPONSE. Everything in it is under the protection of its proof.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ntlmv2 {
    /// The whole response.
    pub bytes: Vec<u8>,
    /// NTProofStr: the HMAC over challenge and target information under the
    /// user's key.
    pub proof: [u8; 16],
    /// What the client says in it.
    pub target_info: TargetInfo,
}

/// Why a response is not acceptable. Reads as a fragment: "it is an NTLMv1 response".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The client does not say who it is.
    Anonymous,
    /// There is an LM response alone.
    LmOnly,
    /// An NTLMv1 response, with extended session security or without.
    Ntlmv1,
    /// NTLMv2 without target information: the client ignored ours, or somebody
    /// took it out of the challenge.
    NoTargetInfo,
}

impl NtResponse {
    /// Reads the responses of a client that names a user.
    ///
    /// # Errors
    /// An NT response that is of no version.
    pub(crate) fn read(nt: &[u8], lm: &[u8]) -> Result<Self, Malformed> {
        match (nt.len(), lm) {
            // A single zero byte is how anonymous clients fill the LM response (MS-NLMP 3.2.5.1.2).
            (0, [] | [0]) => Ok(Self::Unfit(Unfit::Anonymous)),
            (0, _) => Ok(Self::Unfit(Unfit::LmOnly)),
            (NTLMV1_LENGTH, _) => Ok(Self::Unfit(Unfit::Ntlmv1)),
            _ => Ntlmv2::parse(nt),
        }
    }

    /// The response, if it can be accepted.
    pub(crate) fn ntlmv2(&self) -> Option<&Ntlmv2> {
        match self {
            Self::Ntlmv2(response) => Some(response),
            Self::Unfit(_) => None,
        }
    }
}

impl Ntlmv2 {
    /// The channel that the client means to speak over.
    pub(crate) fn channel_binding(&self) -> ChannelBinding {
        self.target_info.channel_binding
    }

    /// Whether the AUTHENTICATE message has a message integrity code.
    pub(crate) fn promises_mic(&self) -> bool {
        self.target_info.promises_mic()
    }

    /// The service that the client means to speak to, where it says so: `HTTP/host`.
    pub(crate) fn service_principal(&self) -> Option<&str> {
        self.target_info.service_principal.as_deref().filter(|name| !name.is_empty())
    }

    /// NTProofStr, then NTLMv2_CLIENT_CHALLENGE (MS-NLMP 2.2.2.7): two version
    /// bytes, 6 reserved, the client's time and challenge, 4 reserved, AV pairs.
    fn parse(bytes: &[u8]) -> Result<NtResponse, Malformed> {
        let flawed = |flaw| Malformed { part: Part::NtResponse, flaw };
        let (proof, challenge) = bytes.split_first_chunk().ok_or(flawed(Flaw::WrongLength))?;
        let pairs = bytes.get(PAIRS..).ok_or(flawed(Flaw::WrongLength))?;
        if !challenge.starts_with(&VERSION) {
            return Err(flawed(Flaw::Unexpected));
        }
        if pairs.is_empty() {
            return Ok(NtResponse::Unfit(Unfit::NoTargetInfo));
        }
        let target_info = TargetInfo::parse(pairs)?;
        if target_info == TargetInfo::default() {
            return Ok(NtResponse::Unfit(Unfit::NoTargetInfo));
        }
        let response = Self { bytes: bytes.to_vec(), proof: *proof, target_info };
        Ok(NtResponse::Ntlmv2(Box::new(response)))
    }
}

impl fmt::Debug for Ntlmv2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ntlmv2").field("target_info", &self.target_info).finish_non_exhaustive()
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "it is anonymous",
            Self::LmOnly => "it is an LM response alone",
            Self::Ntlmv1 => "it is an NTLMv1 response",
            Self::NoTargetInfo => "it is an NTLMv2 response without target information",
        })
    }
}

/// An NTLM_RESPONSE (MS-NLMP 2.2.2.6).
const NTLMV1_LENGTH: usize = 24;
/// RespType and HiRespType.
const VERSION: [u8; 2] = [1, 1];
/// Where the AV pairs begin.
const PAIRS: usize = 44;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::ntlm::message::Authenticate;
    use crate::mechanism::ntlm::samples::{self, bytes};

    #[test]
    fn a_response_says_its_binding_its_service_and_its_promise() {
        let bound = real(samples::BOUND_AUTHENTICATE);
        let hash = bytes(samples::BINDING_HASH).try_into().unwrap();
        assert_eq!(bound.channel_binding(), ChannelBinding::Hash(hash));
        assert_eq!(bound.service_principal(), Some("HTTP/web.lab.example"));
        assert!(bound.promises_mic());

        let samba = real(samples::SAMBA_AUTHENTICATE);
        assert_eq!(samba.channel_binding(), ChannelBinding::Zero);
        assert_eq!(samba.service_principal(), None);
        assert!(samba.promises_mic());

        let curl = real(samples::CURL_AUTHENTICATE);
        assert_eq!(curl.channel_binding(), ChannelBinding::Absent);
        assert_eq!(curl.service_principal(), None);
        assert!(!curl.promises_mic());
    }

    #[test]
    fn what_cannot_be_accepted_says_why() {
        let v2 = v2(&[]);
        let only_end = [v2.as_slice(), &[0; 4]].concat();
        let unknown_pair = [v2.as_slice(), &[0x20, 0, 0, 0], &[0; 4]].concat();
        let cases: [(&[u8], &[u8], Unfit); 8] = [
            (b"", b"", Unfit::Anonymous),
            (b"", b"\0", Unfit::Anonymous),
            (b"", b"\x01", Unfit::LmOnly),
            (b"", &[7; 24], Unfit::LmOnly),
            (&[7; 24], &[7; 24], Unfit::Ntlmv1),
            (&v2, &[7; 24], Unfit::NoTargetInfo),
            (&only_end, b"", Unfit::NoTargetInfo),
            (&unknown_pair, b"", Unfit::NoTargetInfo),
        ];
        for (nt, lm, unfit) in cases {
            assert_eq!(NtResponse::read(nt, lm), Ok(NtResponse::Unfit(unfit)));
        }
    }

    #[test]
    fn a_response_of_no_version_is_malformed() {
        let mut other_version = v2(&[0; 4]);
        other_version[17] = 2;
        let cases: [(&[u8], Flaw); 4] = [
            (&[7; 1], Flaw::WrongLength),
            (&[7; 23], Flaw::WrongLength),
            (&v2(&[])[..43], Flaw::WrongLength),
            (&other_version, Flaw::Unexpected),
        ];
        for (nt, flaw) in cases {
            let malformed = Malformed { part: Part::NtResponse, flaw };
            assert_eq!(NtResponse::read(nt, b""), Err(malformed));
        }
    }

    #[test]
    fn a_response_cut_off_anywhere_is_never_a_whole_one() {
        let whole = real(samples::BOUND_AUTHENTICATE).bytes;
        let end_mark = whole.len() - 4; // pyspnego appends four zero bytes to the list
        for end in 0..end_mark {
            let cut = NtResponse::read(&whole[..end], b"");
            assert!(!matches!(cut, Ok(NtResponse::Ntlmv2(_))), "cut at {end}");
        }
    }

    fn real(authenticate: &str) -> Ntlmv2 {
        let message = Authenticate::parse(bytes(authenticate)).unwrap();
        message.response.ntlmv2().unwrap().clone()
    }

    fn v2(pairs: &[u8]) -> Vec<u8> {
        let fixed = [&[7; 16][..], &VERSION, &[0; 26]].concat();
        [fixed.as_slice(), pairs].concat()
    }
}
