//! Why a probe did not sign on.

use std::io;

use crate::pki::file::pair::PairError;

/// Why a probe did not sign on. Each says who is at fault and what fixes it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    #[error("{0}")]
    Usage(String),
    #[error(
        "{host} port {port} cannot be reached ({source}): is the server running, is the name right, and does a firewall let this machine through?"
    )]
    Unreachable { host: String, port: u16, source: io::Error },
    #[error("TLS failed ({source}): is this a TLS port, and does the server speak TLS 1.2 or 1.3?")]
    Tls { source: io::Error },
    #[error("the server showed no certificate")]
    NoCertificate,
    #[error("the certificate is not trusted: {why}. {mend}. --insecure continues without trust")]
    Untrusted { why: String, mend: String },
    #[error(
        "the connection broke off ({what}): the log of the server, or of a proxy in front of it, says why"
    )]
    BrokenOff { what: String },
    #[error("the server does not ask to sign on here: {0}")]
    NotAsked(String),
    #[error(
        "the server does not offer Negotiate here, only {offered}: so a Kerberos ticket does not help. At a Doorward, `mechanisms` of the site must contain \"negotiate\""
    )]
    NoNegotiate { offered: String },
    #[error(
        "the server offers neither NTLM nor Negotiate here, only {offered}. At a Doorward, `mechanisms` of the site must contain \"ntlm\", and Samba's ntlm_auth must be installed"
    )]
    NoNtlm { offered: String },
    /// What proves who somebody is (a ticket, a password) cannot be had or used here.
    #[error("{0}")]
    Credential(String),
    #[error(transparent)]
    Pair(#[from] PairError),
    #[error(
        "the server's challenge cannot be read: {0}. Either this is not an NTLM server, or something in between changes its answers"
    )]
    Challenge(String),
    #[error(
        "the server closed the connection after its challenge, but NTLM needs one connection from the first message to the last: a proxy in front of it, or a server without keep-alive, prevents NTLM"
    )]
    ClosedBetween,
    #[error("{0}")]
    Refused(String),
    /// Somebody whom the server knows gets no page.
    #[error("{0}")]
    KeptOut(String),
    #[error("{0}")]
    ButNotByHttp2(String),
    #[error("the server asks for HTTP/1.1")]
    NeedsHttp1,
    #[error("the exchange has more than {0} legs: this is not Kerberos")]
    TooLong(usize),
}
