//! The table of mechanisms: a row for each way in which users and programs sign on. All code that
//! stores, counts, offers or configures mechanisms reads it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What everybody has to know of a mechanism. What it does is in `mechanism/`.
#[derive(Debug)]
pub(crate) struct Row {
    /// The word in configuration, headers, metrics, audit lines and the store.
    pub word: &'static str,
    /// What is known of the client in the end, and who finds it out.
    pub evidence: Evidence,
    /// What it needs of the way between client and gateway.
    pub needs: Needs,
    /// Whether a proof can be bound to the client's TLS channel (RFC 5929).
    pub can_bind: bool,
    /// What the client answers its challenge with; `None` where there is no challenge.
    pub credentials: Option<Credentials>,
    /// Whether `mechanisms` may name it.
    pub listing: Listing,
    /// What its sessions end with, at the latest.
    pub ends_with: EndsWith,
}

/// What is known of a client in the end, and who finds it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// A front proves a principal of Kerberos: `john@REALM`.
    Principal,
    /// A front proves an account of a Windows domain: `DOMAIN\john`.
    WindowsAccount,
    /// A front proves that the client holds a key. The core knows whose it is.
    Key,
    /// A front passes on name and password. The core checks them.
    PasswordAtFront,
    /// A program gives the core name and password.
    PasswordAtCore,
    /// A program asks the core, which knows the program by its socket or its key.
    Peer,
}

/// What a mechanism needs of the way between client and gateway. Without it, it is
/// neither offered nor taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// A connection of the client's own: what was proven belongs to it.
    pub connection: bool,
    /// TLS from the client on.
    pub tls: bool,
    /// HTTP/1.1: with HTTP/2 requests of several clients could share a connection.
    pub http1: bool,
}

/// What is in `Authorization` (RFC 9110 section 11.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// A token of an exchange, in base64.
    Token(Scheme),
    /// Name and password (RFC 7617).
    Password,
}

/// The word before a token in `Authorization` and `WWW-Authenticate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RFC 4559: Kerberos, or NTLM, in SPNEGO or bare.
    Negotiate,
    /// NTLM's own, as Windows had it before.
    Ntlm,
}

/// Whether `mechanisms` may name a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// It does, where nobody writes a list.
    ByDefault,
    /// Where somebody writes it.
    Optional,
    /// Never: its sessions are used at no site.
    Never,
}

/// What a session ends with, at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndsWith {
    Ticket,
    Certificate,
    /// Its own limits.
    Nothing,
}

macro_rules! mechanisms {
    ($($(#[$doc:meta])* $variant:ident $word:literal $row:expr;)*) => {
        /// By what a person or program was proven.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub(crate) enum Mechanism {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl Mechanism {
            /// All there are, in the order in which they are offered by default.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its row of the table.
            pub(crate) const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => {
                        const ROW: Row = Row { word: $word, ..$row };
                        &ROW
                    })*
                }
            }
        }
    };
}

const NOTHING: Needs = Needs { connection: false, tls: false, http1: false };

/// What most rows have; the macro sets the word.
const fn row(evidence: Evidence, listing: Listing) -> Row {
    Row {
        word: "",
        evidence,
        needs: NOTHING,
        can_bind: false,
        credentials: None,
        listing,
        ends_with: EndsWith::Nothing,
    }
}

mechanisms! {
    /// A client certificate, shown in the TLS handshake.
    Certificate "certificate" Row {
        needs: Needs { connection: true, tls: true, ..NOTHING },
        can_bind: true,
        ends_with: EndsWith::Certificate,
        ..row(Evidence::Key, Listing::ByDefault)
    };
    /// Kerberos, by `Authorization: Negotiate` (RFC 4559).
    Negotiate "negotiate" Row {
        can_bind: true,
        credentials: Some(Credentials::Token(Scheme::Negotiate)),
        ends_with: EndsWith::Ticket,
        ..row(Evidence::Principal, Listing::ByDefault)
    };
    /// NTLM version 2 (MS-NLMP), verified by winbind.
    Ntlm "ntlm" Row {
        needs: Needs { connection: true, http1: true, ..NOTHING },
        can_bind: true,
        credentials: Some(Credentials::Token(Scheme::Ntlm)),
        ..row(Evidence::WindowsAccount, Listing::ByDefault)
    };
    /// Name and password, by HTTP Basic authentication at a front (RFC 7617).
    Basic "basic" Row {
        // Not bound to anything: whoever a false server fools gives it the password.
        needs: Needs { tls: true, ..NOTHING },
        credentials: Some(Credentials::Password),
        ..row(Evidence::PasswordAtFront, Listing::ByDefault)
    };
    /// Name and password, given to the core itself.
    Password "password" row(Evidence::PasswordAtCore, Listing::Never);
    /// The uid of a program on the same host is the proof (`allow_local_users`).
    Unix "unix" row(Evidence::Peer, Listing::Optional);
    /// A peer that may vouch for users named them.
    Trusted "trusted" row(Evidence::Peer, Listing::Optional);
}

impl Mechanism {
    /// The mechanism of this word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mechanism| mechanism.as_str() == word)
    }

    /// Its word.
    pub(crate) const fn as_str(self) -> &'static str {
        self.row().word
    }

    /// Those that `mechanisms` may name.
    pub(crate) fn listed() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|mechanism| mechanism.row().listing != Listing::Never)
    }

    /// Whether people sign on by it at a front, which gives them a cookie. The other
    /// sessions programs open at the core, and show their secret.
    pub(crate) const fn is_at_front(self) -> bool {
        match self.row().evidence {
            Evidence::Principal
            | Evidence::WindowsAccount
            | Evidence::Key
            | Evidence::PasswordAtFront => true,
            Evidence::PasswordAtCore | Evidence::Peer => false,
        }
    }

    /// Whether a front proves people by it, and hands the proof to the core.
    pub(crate) const fn proves(self) -> bool {
        match self.row().evidence {
            Evidence::Principal | Evidence::WindowsAccount | Evidence::Key => true,
            Evidence::PasswordAtFront | Evidence::PasswordAtCore | Evidence::Peer => false,
        }
    }
}

impl Credentials {
    /// The word that they begin with.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Token(scheme) => scheme.as_str(),
            Self::Password => "Basic",
        }
    }
}

impl Scheme {
    /// As it is written in headers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Negotiate => "Negotiate",
            Self::Ntlm => "NTLM",
        }
    }

    /// The mechanism that it is named after.
    pub(crate) const fn mechanism(self) -> Mechanism {
        match self {
            Self::Negotiate => Mechanism::Negotiate,
            Self::Ntlm => Mechanism::Ntlm,
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_has_a_word_of_its_own_which_is_the_word_on_the_wire() {
        for mechanism in Mechanism::ALL.iter().copied() {
            assert_eq!(Mechanism::named(mechanism.as_str()), Some(mechanism));
            let wire = serde_json::to_string(&mechanism).unwrap();
            assert_eq!(wire, format!("\"{}\"", mechanism.as_str()));
        }
    }

    #[test]
    fn each_scheme_is_of_the_mechanism_that_it_is_named_after() {
        for mechanism in Mechanism::ALL.iter().copied() {
            if let Some(Credentials::Token(scheme)) = mechanism.row().credentials {
                assert_eq!(scheme.mechanism(), mechanism);
            }
        }
    }

    #[test]
    fn the_documents_name_each() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let configuration = read("docs/configuration.md");
        let (_, about) = configuration.split_once("### `sso.mechanisms`").unwrap();
        let (about, _) = about.split_once("\n### ").unwrap();
        let api = read("docs/openapi.yaml");
        let (_, words) = api.split_once("    Mechanism:\n").unwrap();
        let words = words.lines().next().unwrap();
        let (_, proof) = api.split_once("    Proof:\n").unwrap();
        let proof = proof.lines().find(|line| line.contains("mechanism: {enum:")).unwrap();
        let audit = read("docs/troubleshooting.md");
        let audit = audit.lines().find(|line| line.starts_with("| `mechanism` |")).unwrap();
        let has =
            |text: &str, word: &str| text.split(|c: char| !c.is_alphabetic()).any(|w| w == word);
        for mechanism in Mechanism::ALL.iter().copied() {
            let word = mechanism.as_str();
            assert!(has(words, word), "{word}: {words}");
            assert_eq!(has(proof, word), mechanism.proves(), "{word}: {proof}");
            assert!(has(audit, word), "{word}: {audit}");
            let listed = mechanism.row().listing != Listing::Never;
            assert_eq!(about.contains(&format!("`{word}`")), listed, "{word} in sso.mechanisms");
        }
    }
}
