//! What a first Negotiate token offers, read before GSSAPI sees it: NTLM has to
//! be named as such, and other mechanisms never reach the library.

use asn1_rs::{Any, Class, FromDer, Oid, Tag, oid};

const SPNEGO: Oid<'static> = oid!(1.3.6.1.5.5.2);
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
pub enum Opening {
    /// Kerberos, bare or among what SPNEGO offers.
    Kerberos,
    /// NTLM, bare or in SPNEGO without Kerberos beside it.
    Ntlm,
    /// Neither; the object identifiers of what is offered.
    Other(Vec<String>),
    /// The later token of an exchange (NegTokenResp).
    Continuation,
    /// Not a token at all, and at which part the reading stopped.
    Unreadable(&'static str),
}

/// Reads the frame of a token that a client sent.
pub fn read(token: &[u8]) -> Opening {
    if token.starts_with(NTLM_SIGNATURE) {
        return Opening::Ntlm;
    }
    match token.first() {
        Some(&INITIAL) => initial(token).unwrap_or_else(Opening::Unreadable),
        Some(&AP_REQ) => Opening::Kerberos,
        Some(&RESPONSE) => Opening::Continuation,
        _ => Opening::Unreadable("its first byte begins no GSSAPI token"),
    }
}

/// Whether a token begins an exchange, whatever was going on before.
pub fn begins_anew(token: &[u8]) -> bool {
    token.starts_with(NTLM_SIGNATURE) || matches!(token.first(), Some(&(INITIAL | AP_REQ)))
}

fn initial(token: &[u8]) -> Result<Opening, &'static str> {
    let (_, frame) = Any::from_der(token).map_err(|_| "its outer frame")?;
    let (inner, mechanism) = Oid::from_der(frame.data).map_err(|_| "its mechanism")?;
    if mechanism == SPNEGO {
        return mechanisms(inner).map(classify);
    }
    Ok(classify(vec![mechanism]))
}

/// `NegotiationToken ::= CHOICE { negTokenInit [0] SEQUENCE { mechTypes [0] SEQUENCE OF OID, … } }`
fn mechanisms(token: &[u8]) -> Result<Vec<Oid<'_>>, &'static str> {
    let choice = tagged(token, Class::ContextSpecific, Tag(0)).ok_or("its NegTokenInit")?;
    let init = tagged(choice, Class::Universal, Tag::Sequence).ok_or("its NegTokenInit")?;
    let types = tagged(init, Class::ContextSpecific, Tag(0)).ok_or("its list of mechanisms")?;
    let mut rest =
        tagged(types, Class::Universal, Tag::Sequence).ok_or("its list of mechanisms")?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (after, mechanism) = Oid::from_der(rest).map_err(|_| "a mechanism in its list")?;
        found.push(mechanism);
        rest = after;
    }
    Ok(found)
}

/// The content of the element that `bytes` begin with, if it has this tag.
fn tagged(bytes: &[u8], class: Class, tag: Tag) -> Option<&[u8]> {
    let (_, element) = Any::from_der(bytes).ok()?;
    let wanted = element.header.class() == class && element.header.tag() == tag;
    wanted.then_some(element.data)
}

fn classify(offered: Vec<Oid<'_>>) -> Opening {
    if offered.iter().any(|oid| *oid == KERBEROS || *oid == KERBEROS_MICROSOFT) {
        Opening::Kerberos
    } else if offered.contains(&NTLM) {
        Opening::Ntlm
    } else {
        Opening::Other(offered.iter().map(Oid::to_id_string).collect())
    }
}

#[cfg(test)]
mod tests {
    use asn1_rs::ToDer;
    use proptest::prelude::*;

    use super::*;

    const NEGOEX: Oid<'static> = oid!(1.3.6.1.4.1.311.2.2.30);
    const IAKERB: Oid<'static> = oid!(1.3.6.1.5.2.5);

    #[test]
    fn kerberos_is_found_wherever_it_stands_in_the_list() {
        for list in [
            vec![KERBEROS],
            vec![KERBEROS_MICROSOFT, KERBEROS, NEGOEX, NTLM],
            vec![NTLM, KERBEROS],
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
        assert_eq!(read(b"NTLMSSP\0\x01\0\0\0"), Opening::Ntlm);
        assert_eq!(read(&neg_token_init(&[NTLM])), Opening::Ntlm);
        assert_eq!(read(&neg_token_init(&[NEGOEX, NTLM])), Opening::Ntlm);
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
        let list: Vec<u8> = mechanisms.iter().flat_map(|oid| oid.to_der_vec().unwrap()).collect();
        let types = element(0xa0, &element(0x30, &list));
        framed(&SPNEGO, &element(0xa0, &element(0x30, &types)))
    }

    fn framed(mechanism: &Oid<'_>, inner: &[u8]) -> Vec<u8> {
        element(INITIAL, &[&mechanism.to_der_vec().unwrap(), inner].concat())
    }

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        assert!(length < 0x80, "a longer length takes another form");
        [&[tag, length], content].concat()
    }
}
