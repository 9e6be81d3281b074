//! The two tokens of SPNEGO (RFC 4178 section 4.2) that NTLM travels in.

use asn1_rs::{Any, Class, FromDer, Header, Length, Oid, Tag, ToDer};

use super::NTLM;
#[cfg(test)]
use super::SPNEGO;

/// What a client offers: NegTokenInit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NegTokenInit<'a> {
    /// The mechanisms, the preferred one first.
    pub mechanisms: Vec<Oid<'a>>,
    /// The list of mechanisms as it was sent, which both sides sign (RFC 4178 section 5).
    pub list: &'a [u8],
    /// The first token of the preferred mechanism.
    pub token: Option<&'a [u8]>,
}

/// A later token: NegTokenResp.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NegTokenResp<'a> {
    /// The mechanism's token.
    pub token: Option<&'a [u8]>,
    /// The signature over the list of mechanisms.
    pub mic: Option<&'a [u8]>,
}

/// Where a negotiation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// `accept-completed`
    Completed,
    /// `accept-incomplete`
    Incomplete,
}

impl<'a> NegTokenInit<'a> {
    /// Reads what stands behind SPNEGO's object identifier in an initial token.
    ///
    /// # Errors
    /// The part at which the reading stopped.
    pub(crate) fn read(inner: &'a [u8]) -> Result<Self, &'static str> {
        let fields = fields(inner, Tag(0)).ok_or("its NegTokenInit")?;
        let list = field(&fields, 0).ok_or("its list of mechanisms")?;
        let mut rest =
            tagged(list, Class::Universal, Tag::Sequence).ok_or("its list of mechanisms")?;
        let mut mechanisms = Vec::new();
        while !rest.is_empty() {
            let (after, mechanism) = Oid::from_der(rest).map_err(|_| "a mechanism in its list")?;
            mechanisms.push(mechanism);
            rest = after;
        }
        let token = octets(&fields, 2).map_err(|()| "its mechanism's token")?;
        Ok(Self { mechanisms, list, token })
    }
}

impl<'a> NegTokenResp<'a> {
    /// Reads a token whose first byte is that of NegTokenResp.
    ///
    /// # Errors
    /// The part at which the reading stopped.
    pub(crate) fn read(token: &'a [u8]) -> Result<Self, &'static str> {
        let fields = fields(token, Tag(1)).ok_or("its NegTokenResp")?;
        Ok(Self {
            token: octets(&fields, 2).map_err(|()| "its response token")?,
            mic: octets(&fields, 3).map_err(|()| "its mechListMIC")?,
        })
    }
}

/// Writes a NegTokenResp: the first one names NTLM as the mechanism.
pub(crate) fn response(
    state: State,
    first: bool,
    token: Option<&[u8]>,
    mic: Option<&[u8]>,
) -> Vec<u8> {
    let octets = |number, bytes: &[u8]| field_of(number, &universal(Tag::OctetString, bytes));
    let state = match state {
        State::Completed => 0,
        State::Incomplete => 1,
    };
    let mut content = field_of(0, &universal(Tag::Enumerated, &[state]));
    if first {
        content.extend(field_of(1, &universal(Tag::Oid, NTLM.as_bytes())));
    }
    content.extend(token.map(|token| octets(2, token)).unwrap_or_default());
    content.extend(mic.map(|mic| octets(3, mic)).unwrap_or_default());
    field_of(1, &sequence(&content))
}

/// The elements of the sequence in `[choice]`, which the whole token is.
fn fields(token: &[u8], choice: Tag) -> Option<Vec<Any<'_>>> {
    let content = tagged(token, Class::ContextSpecific, choice)?;
    let mut rest = tagged(content, Class::Universal, Tag::Sequence)?;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (after, element) = Any::from_der(rest).ok()?;
        fields.push(element);
        rest = after;
    }
    Some(fields)
}

/// The content of the field `[number]`.
fn field<'a>(fields: &[Any<'a>], number: u32) -> Option<&'a [u8]> {
    let wanted = |element: &&Any<'_>| {
        element.header.class() == Class::ContextSpecific && element.header.tag() == Tag(number)
    };
    fields.iter().find(wanted).map(|element| element.data)
}

/// The octet string in the field `[number]`, where there is one.
fn octets<'a>(fields: &[Any<'a>], number: u32) -> Result<Option<&'a [u8]>, ()> {
    field(fields, number)
        .map(|content| tagged(content, Class::Universal, Tag::OctetString).ok_or(()))
        .transpose()
}

/// The content of the element that `bytes` are, if it has this tag.
fn tagged(bytes: &[u8], class: Class, tag: Tag) -> Option<&[u8]> {
    let (rest, element) = Any::from_der(bytes).ok()?;
    let wanted = element.header.class() == class && element.header.tag() == tag;
    (wanted && rest.is_empty()).then_some(element.data)
}

fn field_of(number: u32, content: &[u8]) -> Vec<u8> {
    element(Class::ContextSpecific, true, Tag(number), content)
}

fn sequence(content: &[u8]) -> Vec<u8> {
    element(Class::Universal, true, Tag::Sequence, content)
}

fn universal(tag: Tag, content: &[u8]) -> Vec<u8> {
    element(Class::Universal, false, tag, content)
}

fn element(class: Class, constructed: bool, tag: Tag, content: &[u8]) -> Vec<u8> {
    let header = Header::new(class, constructed, tag, Length::Definite(content.len()));
    // Writing into memory does not fail.
    Any::new(header, content).to_der_vec().unwrap_or_default()
}

/// A NegTokenInit in its frame, for tests.
#[cfg(test)]
pub(in crate::mechanism) fn init(mechanisms: &[Oid<'_>], token: Option<&[u8]>) -> Vec<u8> {
    let list: Vec<u8> =
        mechanisms.iter().flat_map(|oid| universal(Tag::Oid, oid.as_bytes())).collect();
    let mut content = field_of(0, &sequence(&list));
    content.extend(
        token.map(|token| field_of(2, &universal(Tag::OctetString, token))).unwrap_or_default(),
    );
    framed(&SPNEGO, &field_of(0, &sequence(&content)))
}

/// A token in the frame of RFC 2743 section 3.1, for tests.
#[cfg(test)]
pub(in crate::mechanism) fn framed(mechanism: &Oid<'_>, inner: &[u8]) -> Vec<u8> {
    let content = [&universal(Tag::Oid, mechanism.as_bytes()), inner].concat();
    element(Class::Application, true, Tag(0), &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let token = vec![7; 300];
        let written = response(State::Incomplete, true, Some(&token), Some(b"signature"));
        let read = NegTokenResp::read(&written).unwrap();
        assert_eq!(read.token, Some(&token[..]));
        assert_eq!(read.mic, Some(&b"signature"[..]));
        let last = response(State::Completed, false, None, None);
        assert_eq!(last, b"\xa1\x07\x30\x05\xa0\x03\x0a\x01\x00");
        assert_eq!(NegTokenResp::read(&last), Ok(NegTokenResp::default()));
    }

    #[test]
    fn the_signed_list_is_the_list_as_it_was_sent() {
        let token = init(&[NTLM], Some(b"NTLMSSP\0\x01"));
        let (_, frame) = Any::from_der(&token).unwrap();
        let (inner, _) = Oid::from_der(frame.data).unwrap();
        let read = NegTokenInit::read(inner).unwrap();
        assert_eq!(read.list, b"\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a");
        assert_eq!(read.token, Some(&b"NTLMSSP\0\x01"[..]));
    }

    #[test]
    fn a_response_cut_off_anywhere_is_told_as_such() {
        let whole = response(State::Incomplete, true, Some(b"token"), Some(b"mic"));
        for end in 0..whole.len() {
            assert!(NegTokenResp::read(&whole[..end]).is_err(), "cut at {end}");
        }
    }
}
