//! What a first Negotiate token offers, read before GSSAPI sees it: NTLM is recognized, and other
//! mechanisms never reach the library.

use asn1_rs::{Any, FromDer, Oid, oid};

pub(crate) mod negotiation;

use negotiation::NegTokenInit;

pub(super) const SPNEGO: Oid<'static> = oid!(1.3.6.1.5.5.2);
const KERBEROS: Oid<'static> = oid!(1.2.840.113554.1.2.2);
/// Kerberos as Windows 2000 misspelt it, still listed first by every Windows (MS-SPNG 3.1.5.2).
const KERBEROS_MICROSOFT: Oid<'static> = oid!(1.2.840.48018.1.2.2);
const NTLM: Oid<'static> = oid!(1.3.6.1.4.1.311.2.2.10);

/// MS-NLMP 2.2.1: every NTLM message begins so.
const NTLM_SIGNATURE: &[u8] = b"NTLMSSP\0";
/// `[APPLICATION 14]`: an AP-REQ without any GSSAPI frame, which MIT takes too.
const AP_REQ: u8 = 0x6e;
/// `[APPLICATION 0]`: the frame of every first token (RFC 2743 section 3.1).
const INITIAL: u8 = 0x60;
/// `[1]`: NegTokenResp (RFC 4178 section 4.2.2).
const RESPONSE: u8 = 0xa1;

/// What a token is, as far as its frame tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Kerberos, bare or among what SPNEGO offers.
    Kerberos,
    /// NTLM, bare, or what SPNEGO prefers of the two.
    Ntlm(NtlmFraming),
    /// Neither; the object identifiers of what is offered.
    Other(Vec<String>),
    /// The later token of an exchange (NegTokenResp).
    Continuation,
    /// Not a token at all, and at which part the reading stopped.
    Unreadable(&'static str),
}

/// What the first message of NTLM came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NtlmFraming {
    /// Nothing: the message itself.
    Bare(Vec<u8>),
    /// SPNEGO.
    Spnego {
        /// The list of mechanisms as it was sent, which both sides sign.
        list: Vec<u8>,
        /// The message; `None` where NTLM is not the mechanism that the client
        /// put first, and so did not begin.
        message: Option<Vec<u8>>,
        /// Whether Kerberos stands behind NTLM in the list.
        kerberos_too: bool,
    },
}

/// Reads the frame of a token that a client sent.
pub(crate) fn read(token: &[u8]) -> Opening {
    if is_ntlm(token) {
        return Opening::Ntlm(NtlmFraming::Bare(token.to_vec()));
    }
    match token.first() {
        Some(&INITIAL) => initial(token).unwrap_or_else(Opening::Unreadable),
        Some(&AP_REQ) => Opening::Kerberos,
        Some(&RESPONSE) => Opening::Continuation,
        _ => Opening::Unreadable("its first byte does not begin a GSSAPI token"),
    }
}

/// Whether a token is an NTLM message without any frame.
pub(crate) fn is_ntlm(token: &[u8]) -> bool {
    token.starts_with(NTLM_SIGNATURE)
}

/// Whether a token begins an exchange, whatever was going on before.
pub(crate) fn begins_anew(token: &[u8]) -> bool {
    is_ntlm(token) || matches!(token.first(), Some(&(INITIAL | AP_REQ)))
}

fn initial(token: &[u8]) -> Result<Opening, &'static str> {
    let (_, frame) = Any::from_der(token).map_err(|_| "its outer frame")?;
    let (inner, mechanism) = Oid::from_der(frame.data).map_err(|_| "its mechanism")?;
    if mechanism == SPNEGO {
        return NegTokenInit::read(inner).map(preferred);
    }
    Ok(if is_kerberos(&mechanism) {
        Opening::Kerberos
    } else {
        Opening::Other(vec![mechanism.to_id_string()])
    })
}

/// Of Kerberos and NTLM, the one that the client names first.
fn preferred(init: NegTokenInit<'_>) -> Opening {
    let offered = &init.mechanisms;
    match offered.iter().find(|oid| is_kerberos(oid) || **oid == NTLM) {
        Some(oid) if *oid == NTLM => Opening::Ntlm(NtlmFraming::Spnego {
            list: init.list.to_vec(),
            message: init.token.filter(|_| offered.first() == Some(&NTLM)).map(<[u8]>::to_vec),
            kerberos_too: offered.iter().any(is_kerberos),
        }),
        Some(_) => Opening::Kerberos,
        None => Opening::Other(offered.iter().map(Oid::to_id_string).collect()),
    }
}

pub(super) fn is_kerberos(oid: &Oid<'_>) -> bool {
    *oid == KERBEROS || *oid == KERBEROS_MICROSOFT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mechanism::spnego::negotiation::{framed, init};

    const NEGOEX: Oid<'static> = oid!(1.3.6.1.4.1.311.2.2.30);
    const IAKERB: Oid<'static> = oid!(1.3.6.1.5.2.5);

    #[test]
    fn kerberos_is_found_wherever_it_stands_in_the_list() {
        for list in [
            vec![KERBEROS],
            vec![KERBEROS_MICROSOFT, KERBEROS, NEGOEX, NTLM],
            vec![NEGOEX, KERBEROS_MICROSOFT],
        ] {
            assert_eq!(read(&neg_token_init(&list)), Opening::Kerberos, "{list:?}");
        }
    }

    #[test]
    fn kerberos_is_taken_without_spnego_too() {
        assert_eq!(read(&framed(&KERBEROS, b"\x01\0AP-REQ")), Opening::Kerberos);
        assert_eq!(read(b"\x6e\x82\x01\x00"), Opening::Kerberos);
    }

    #[test]
    fn ntlm_is_named_bare_and_in_spnego() {
        let bare = b"NTLMSSP\0\x01\0\0\0";
        assert_eq!(read(bare), Opening::Ntlm(NtlmFraming::Bare(bare.to_vec())));
        for (list, begun, expected) in [
            (vec![NTLM], true, (true, false)),
            (vec![NTLM, KERBEROS], true, (true, true)),
            (vec![NTLM], false, (false, false)),
            (vec![NEGOEX, NTLM], true, (false, false)),
        ] {
            let opening = read(&init(&list, begun.then_some(bare)));
            let Opening::Ntlm(NtlmFraming::Spnego { message, kerberos_too, .. }) = opening else {
                panic!("{list:?}: {opening:?}");
            };
            assert_eq!((message.is_some(), kerberos_too), expected, "{list:?}");
        }
    }

    #[test]
    fn other_mechanisms_are_told_by_number() {
        let offered = vec!["1.3.6.1.4.1.311.2.2.30".to_owned(), "1.3.6.1.5.2.5".to_owned()];
        assert_eq!(read(&neg_token_init(&[NEGOEX, IAKERB])), Opening::Other(offered));
        let iakerb = Opening::Other(vec!["1.3.6.1.5.2.5".to_owned()]);
        assert_eq!(read(&framed(&IAKERB, b"")), iakerb);
        assert_eq!(read(&neg_token_init(&[])), Opening::Other(Vec::new()));
    }

    #[test]
    fn a_later_token_is_not_taken_for_a_first_one() {
        assert_eq!(read(&[0xa1, 0x02, 0x30, 0x00]), Opening::Continuation);
    }

    #[test]
    fn only_a_first_token_begins_anew() {
        assert!(begins_anew(&neg_token_init(&[KERBEROS])));
        assert!(begins_anew(b"NTLMSSP\0\x03"));
        assert!(begins_anew(b"\x6e\x82"));
        for later in [&b"\xa1\x02\x30\x00"[..], b"\x6f\x81", b"", b"NTLMSSP"] {
            assert!(!begins_anew(later), "{later:?}");
        }
    }

    #[test]
    fn a_token_cut_off_anywhere_is_unreadable() {
        let whole = neg_token_init(&[KERBEROS_MICROSOFT, KERBEROS]);
        for end in 0..whole.len() {
            assert!(matches!(read(&whole[..end]), Opening::Unreadable(_)), "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
            first in prop::sample::select(vec![INITIAL, RESPONSE, AP_REQ, b'N']),
        ) {
            bytes.insert(0, first);
            let _ = read(&bytes);
        }
    }

    fn neg_token_init(mechanisms: &[Oid<'_>]) -> Vec<u8> {
        init(mechanisms, None)
    }
}
