//! What passes between a pool of helpers and those who ask it.

use std::fmt;

use super::dialogue::server_1::Question;
use super::pool::helpers::Reservation;
use crate::mechanism::ntlm::crypto::SecretKey;

/// How an exchange begins.
#[derive(Debug)]
pub(crate) enum Opened {
    /// The challenge is ours to write, with these names in it.
    Names(Names),
    /// The helper has written the challenge.
    Challenge {
        /// A CHALLENGE_MESSAGE ([MS-NLMP] 2.2.1.2).
        message: Vec<u8>,
        /// The helper that expects the client's answer to it.
        reservation: Reservation,
    },
}

/// Who we are, for the target information of a challenge ([MS-NLMP] 2.2.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// The domain's NetBIOS name; the computer's where winbind does not name one.
    pub netbios_domain: String,
    /// The domain's DNS name, where winbind knows it.
    pub dns_domain: Option<String>,
    /// The computer's NetBIOS name.
    pub netbios_computer: String,
    /// The computer's host name.
    pub dns_computer: String,
}

/// What is to be verified.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// A response to a challenge of ours (`ntlm-server-1`).
    Response(Question),
    /// A client's answer to a helper's challenge (`squid-2.5-ntlmssp`).
    Message {
        /// The helper that made the challenge.
        reservation: Reservation,
        /// The AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1.3).
        authenticate: Vec<u8>,
    },
}

/// A password that winbind found right.
#[derive(Debug)]
pub(crate) struct Logon {
    pub account: Account,
    /// Guests and odd servers have none.
    pub key: Option<LogonKey>,
}

/// The key of a logon (MS-NLMP 3.1.5.1.2).
#[derive(Debug)]
pub(crate) enum LogonKey {
    /// The KeyExchangeKey, from which the exported one is to be derived.
    Exchange(SecretKey),
    /// The ExportedSessionKey.
    Exported(SecretKey),
}

/// An account that winbind proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// The domain, by its NetBIOS name wherever that is known.
    pub domain: String,
    /// The user, as the directory spells it.
    pub user: String,
    /// The DNS name of the domain, where winbind knows it.
    pub dns_domain: Option<String>,
    /// Its SID, where winbind was asked for it.
    pub sid: Option<String>,
}

impl Account {
    /// This user of this domain, if both are names.
    pub(super) fn new(domain: &str, user: &str) -> Option<Self> {
        let is_name =
            |name: &str| !name.is_empty() && !name.chars().any(|c| c.is_control() || c == '\\');
        (is_name(domain) && is_name(user)).then(|| Self {
            domain: domain.to_owned(),
            user: user.to_owned(),
            dns_domain: None,
            sid: None,
        })
    }

    /// The same with what is known of its domain.
    pub(super) fn of(self, domains: Option<&Domains>) -> Self {
        let domain = domains.and_then(|domains| domains.find(&self.domain));
        Self { dns_domain: domain.and_then(|domain| domain.dns.clone()), ..self }
    }
}

impl fmt::Display for Account {
    /// `DOMAIN\user`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\\{}", self.domain, self.user)
    }
}

/// A domain that winbind knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Domain {
    /// `LAB`
    pub(super) netbios: String,
    /// `lab.example`; an old domain has none.
    pub(super) dns: Option<String>,
}

/// The domains that winbind knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Domains {
    /// The one this host belongs to.
    pub(super) own: Domain,
    /// Those it trusts.
    pub(super) others: Vec<Domain>,
    /// What winbind writes between domain and user (`winbind separator`).
    pub(super) separator: char,
}

impl Domains {
    pub(super) fn find(&self, name: &str) -> Option<&Domain> {
        let is_it = |domain: &&Domain| {
            domain.netbios.eq_ignore_ascii_case(name)
                || domain.dns.as_deref().is_some_and(|dns| dns.eq_ignore_ascii_case(name))
        };
        std::iter::once(&self.own).chain(&self.others).find(is_it)
    }

    pub(super) fn join(&self, domain: &Domain, user: &str) -> String {
        format!("{}{}{user}", domain.netbios, self.separator)
    }
}
