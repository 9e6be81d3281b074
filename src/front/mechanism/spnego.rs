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
