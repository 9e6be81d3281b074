//! The service that a ticket is for, from its token. The library says only which key opened it,
//! and all names of an account share a key.
//!
//! The name is in the clear part of the ticket (RFC 4120 section 5.3), and no key protects it: it
//! tells one site's tickets from another's, and is no proof.

use std::fmt;

use asn1_rs::{Any, Class, FromDer, Oid};

use crate::mechanism::spnego::negotiation::{NegTokenInit, NegTokenResp};
use crate::mechanism::spnego::{SPNEGO, is_kerberos};

/// A service as a ticket names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TicketService {
    components: Vec<String>,
    realm: String,
}

/// At which part the reading stopped.
pub(crate) type Unreadable = &'static str;

impl TicketService {
    /// The service of the ticket in a token; `None` where the token brings none.
    pub(crate) fn read(token: &[u8]) -> Option<Result<Self, Unreadable>> {
        match *token.first()? {
            AP_REQ => Some(of_request(token)),
            INITIAL => initial(token).unwrap_or_else(|part| Some(Err(part))),
            RESPONSE => match NegTokenResp::read(token) {
                Ok(response) => response.token.and_then(Self::read),
                Err(part) => Some(Err(part)),
            },
            _ => None,
        }
    }

    /// Whether it is a web service: `HTTP/host`, as Windows too writes it.
    pub(crate) fn is_http(&self) -> bool {
        matches!(self.components.as_slice(), [kind, _] if kind.eq_ignore_ascii_case("HTTP"))
    }

    /// Whether it is the service of the setting, which may leave out the realm.
    /// KDCs take hosts in any case.
    pub(crate) fn is(&self, setting: &str) -> bool {
        let (name, realm) = match setting.rsplit_once('@') {
            Some((name, realm)) => (name, Some(realm)),
            None => (setting, None),
        };
        self.components.join("/").eq_ignore_ascii_case(name)
            && realm.is_none_or(|realm| realm == self.realm)
    }
}

impl fmt::Display for TicketService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.components.join("/"), self.realm)
    }
}

type Found = Option<Result<TicketService, Unreadable>>;

fn initial(token: &[u8]) -> Result<Found, Unreadable> {
    let (_, frame) = Any::from_der(token).map_err(|_| "its outer frame")?;
    let (inner, mechanism) = Oid::from_der(frame.data).map_err(|_| "its mechanism")?;
    if mechanism == SPNEGO {
        return Ok(NegTokenInit::read(inner)?.token.and_then(TicketService::read));
    }
    if !is_kerberos(&mechanism) {
        return Ok(None);
    }
    // KRB_AP_REQ (RFC 4121 section 4.1); any other token of Kerberos has no ticket.
    Ok(inner.strip_prefix(&[1, 0]).map(of_request))
}

/// AP-REQ and Ticket (RFC 4120 sections 5.5.1 and 5.3).
fn of_request(request: &[u8]) -> Result<TicketService, Unreadable> {
    let request = application(request, 14).ok_or("the request")?;
    let ticket = field(request, 3).and_then(|ticket| application(ticket, 1)).ok_or("the ticket")?;
    let realm = field(ticket, 1).and_then(text).ok_or("the ticket's realm")?;
    let name = field(ticket, 2).and_then(sequence).and_then(|name| field(name, 1));
    let parts = name.and_then(sequence).and_then(elements).ok_or("the ticket's service")?;
    let components: Option<Vec<String>> = parts.iter().map(general_string).collect();
    let components = components.ok_or("the ticket's service")?;
    Ok(TicketService { components, realm })
}

/// The content of `[APPLICATION number] SEQUENCE`, which is all there is.
fn application(bytes: &[u8], number: u32) -> Option<&[u8]> {
    match Any::from_der(bytes).ok()? {
        ([], any) if any.class() == Class::Application && any.tag().0 == number => {
            sequence(any.data)
        }
        _ => None,
    }
}

fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    match Any::from_der(bytes).ok()? {
        ([], any) if any.class() == Class::Universal && any.tag().0 == SEQUENCE => Some(any.data),
        _ => None,
    }
}

fn elements(mut bytes: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (rest, any) = Any::from_der(bytes).ok()?;
        found.push(any);
        bytes = rest;
    }
    Some(found)
}

/// The content of the one field with this number.
fn field(bytes: &[u8], number: u32) -> Option<&[u8]> {
    let mut found = elements(bytes)?
        .into_iter()
        .filter(|any| any.class() == Class::ContextSpecific && any.tag().0 == number);
    let field = found.next()?;
    found.next().is_none().then_some(field.data)
}

fn text(bytes: &[u8]) -> Option<String> {
    match Any::from_der(bytes).ok()? {
        ([], any) => general_string(&any),
        _ => None,
    }
}

fn general_string(any: &Any<'_>) -> Option<String> {
    let is = any.class() == Class::Universal && any.tag().0 == GENERAL_STRING;
    is.then(|| String::from_utf8(any.data.to_vec()).ok()).flatten()
}

const AP_REQ: u8 = 0x6e;
const INITIAL: u8 = 0x60;
const RESPONSE: u8 = 0xa1;
const SEQUENCE: u32 = 16;
const GENERAL_STRING: u32 = 27;

#[cfg(test)]
mod tests {
    use asn1_rs::oid;
    use proptest::prelude::*;

    use super::*;
    use crate::mechanism::spnego::negotiation::{State, framed, init, response};

    const KERBEROS: Oid<'static> = oid!(1.2.840.113554.1.2.2);

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 128);
        [&[tag, content.len() as u8], content].concat()
    }

    fn ap_req(components: &[&str], realm: &str) -> Vec<u8> {
        let string = |text: &str| der(27, text.as_bytes());
        let number = |number: u8| der(2, &[number]);
        let names: Vec<u8> = components.iter().flat_map(|part| string(part)).collect();
        let name = der(0x30, &[der(0xa0, &number(2)), der(0xa1, &der(0x30, &names))].concat());
        let ticket = [der(0xa0, &number(5)), der(0xa1, &string(realm)), der(0xa2, &name)].concat();
        let ticket = der(0x61, &der(0x30, &ticket));
        der(0x6e, &der(0x30, &[der(0xa0, &number(5)), der(0xa3, &ticket)].concat()))
    }

    fn read(token: &[u8]) -> Option<Result<String, Unreadable>> {
        TicketService::read(token).map(|read| read.map(|service| service.to_string()))
    }

    #[test]
    fn the_service_is_found_in_every_frame() {
        let bare = ap_req(&["HTTP", "web.example"], "EXAMPLE");
        let mechanism = framed(&KERBEROS, &[&[1, 0][..], &bare].concat());
        let first = init(&[KERBEROS], Some(&mechanism));
        let later = response(State::Incomplete, false, Some(&mechanism), None);
        for token in [&bare, &mechanism, &first, &later] {
            assert_eq!(read(token), Some(Ok("HTTP/web.example@EXAMPLE".to_owned())));
        }
        assert_eq!(read(&init(&[KERBEROS], None)), None);
        assert_eq!(read(&response(State::Incomplete, false, None, Some(b"mic"))), None);
        assert_eq!(read(&framed(&KERBEROS, b"\x02\0AP-REP")), None);
    }

    #[test]
    fn what_is_cut_off_or_has_more_than_a_ticket_is_unreadable() {
        let bare = ap_req(&["HTTP", "web.example"], "EXAMPLE");
        for end in 1..bare.len() {
            assert!(matches!(read(&bare[..end]), Some(Err(_))), "cut at {end}");
        }
        assert!(matches!(read(&[&bare[..], b"x"].concat()), Some(Err(_))));
    }

    #[test]
    fn a_setting_may_leave_out_the_realm_and_fits_no_longer_name() {
        let service = |components: &[&str], realm: &str| {
            TicketService::read(&ap_req(components, realm)).unwrap().unwrap()
        };
        let web = service(&["HTTP", "web"], "A");
        assert!(web.is("HTTP/web") && web.is("HTTP/web@A") && web.is("http/WEB"));
        for other in ["HTTP/web@B", "HTTP/we", "HTTP/web.example", "HTTP/web@a", "HTTP"] {
            assert!(!web.is(other), "{other}");
        }
        assert!(web.is_http() && service(&["http", "web"], "A").is_http());
        for other in [&["host", "web"][..], &["HTTP"], &["HTTP", "web", "x"], &["WEB$"], &[]] {
            assert!(!service(other, "A").is_http(), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
            first in prop::sample::select(vec![INITIAL, RESPONSE, AP_REQ]),
        ) {
            bytes.insert(0, first);
            let _ = TicketService::read(&bytes);
        }
    }
}
