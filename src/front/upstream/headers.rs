//! Which headers pass the gateway, in either direction. Deleting comes before
//! setting: nothing a client sends can stand where an identity is read.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
    TE, TRANSFER_ENCODING, UPGRADE,
};

use super::cookies;
use super::forwarded::is_forwarding;
use crate::config::checked::HeaderNames;

/// What may not pass, prepared once.
#[derive(Clone, Debug)]
pub struct HeaderRules {
    /// Identity headers in lower case, with `-` between the words.
    identity: Vec<Box<[u8]>>,
    /// Doorward's own cookies.
    cookies: Vec<Box<str>>,
}

impl HeaderRules {
    /// Rules for these identity headers and these cookies of our own.
    pub fn new(names: &HeaderNames, cookies: &[&str]) -> Self {
        let HeaderNames { user, name, email, groups, company, admin, mechanism, assertion } = names;
        let identity = [user, name, email, groups, company, admin, mechanism, assertion];
        Self {
            identity: identity.map(|name| name.as_str().bytes().map(fold).collect()).into(),
            cookies: cookies.iter().map(|name| (*name).into()).collect(),
        }
    }

    /// Removes every identity header, however it is spelt.
    pub fn remove_identity(&self, headers: &mut HeaderMap) {
        remove(headers, |name| self.is_identity(name));
    }

    /// Removes what an application must not see: claimed identities, headers
    /// of one connection only (RFC 9110 section 7.6.1), our cookies and
    /// credentials, and what untrusted clients say about forwarding.
    ///
    /// `pass_authorization` lets an `Authorization` header through whose
    /// scheme is one that Doorward does not speak.
    pub fn strip_request(
        &self,
        headers: &mut HeaderMap,
        trusted_proxy: bool,
        pass_authorization: bool,
    ) {
        self.remove_identity(headers);
        remove_hop_by_hop(headers);
        // The gateway meets the expectation itself, by reading the body when
        // the application's connection takes it.
        headers.remove(EXPECT);
        remove(headers, |name| is_forwarding(name) && (!trusted_proxy || !is_plainly_spelt(name)));
        if !(pass_authorization && is_foreign_authorization(headers)) {
            headers.remove(AUTHORIZATION);
        }
        cookies::remove_from_request(headers, &self.cookies);
    }

    /// Removes what an application may not tell the client: headers of its
    /// own connection, and cookies under our names.
    pub fn strip_answer(&self, headers: &mut HeaderMap) {
        remove_hop_by_hop(headers);
        cookies::remove_from_answer(headers, &self.cookies);
    }

    fn is_identity(&self, name: &str) -> bool {
        self.identity.iter().any(|ours| spells(name.as_bytes(), ours))
    }
}

/// Whether a program that makes variables of header names (CGI, WSGI, PHP)
/// could take `name` for `canonical`: they fold case, and `_`, `.` and the
/// like to one character.
pub(super) fn spells(name: &[u8], canonical: &[u8]) -> bool {
    name.len() == canonical.len()
        && name.iter().zip(canonical).all(|(byte, ours)| fold(*byte) == *ours)
}

const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

fn is_plainly_spelt(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Removes headers that belong to one connection, and those that `Connection` lists.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.remove(TRANSFER_ENCODING).is_some() {
        // Beside it a length says nothing (RFC 9112 section 6.3), and the next hop might believe it.
        headers.remove(CONTENT_LENGTH);
    }
    for name in listed(headers) {
        headers.remove(name);
    }
    headers.remove(CONNECTION);
    headers.remove(TE);
    headers.remove(UPGRADE);
    remove(headers, |name| name == "keep-alive" || name.starts_with("proxy-") || name == "proxy");
}

/// Names that `Connection` lists, without those that must arrive whatever a
/// client lists: otherwise it could take from the application what it decides by.
fn listed(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(CONNECTION)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|option| {
            !option.eq_ignore_ascii_case(b"close")
                && !option.eq_ignore_ascii_case(b"keep-alive")
                && !option.eq_ignore_ascii_case(b"upgrade")
        })
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| *name != HOST && *name != CONTENT_LENGTH && !is_forwarding(name.as_str()))
        .collect()
}

fn is_foreign_authorization(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    match (values.next(), values.next()) {
        (Some(only), None) => !is_own_scheme(only),
        _ => false,
    }
}

fn is_own_scheme(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes().trim_ascii_start();
    let scheme = bytes.split(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or(bytes);
    [&b"negotiate"[..], b"ntlm", b"kerberos", b"basic"]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(scheme))
}

/// Removes the headers whose name `is_doomed`. A request without any costs no allocation.
fn remove(headers: &mut HeaderMap, is_doomed: impl Fn(&str) -> bool) {
    let doomed: Vec<HeaderName> =
        headers.keys().filter(|name| is_doomed(name.as_str())).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
}
