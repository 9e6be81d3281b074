//! `doorward probe`: signs on as a client would, and shows every leg in plain
//! words. It knows nothing of the server but what a client is told, so it works
//! against any server that speaks Negotiate (RFC 4559).

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE};

use self::connection::{Answer, Connection};
use self::offer::Verdict;
use self::target::Target;
use self::ticket::{Initiator, Service, Ticket, TicketError};
use super::ProbeArguments;
use crate::front::http::cookie;
use crate::front::mechanism::Bindings;
use crate::front::tls::server_end_point;
use crate::pki::certificate::Certificate;

mod connection;
mod offer;
mod target;
mod ticket;
mod trust;
mod words;

/// Why a probe did not sign on. Each says who is at fault and what mends it.
#[derive(Debug, thiserror::Error)]
enum ProbeError {
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
    #[error(
        "the certificate is not trusted: {why}. Reach the site by a name that it has, give its authority with --ca FILE, or go on without trust with --insecure"
    )]
    Untrusted { why: String },
    #[error(
        "the connection was broken off ({what}): the log of the server, or of a proxy before it, says why"
    )]
    BrokenOff { what: String },
    #[error("the server does not ask to sign on here: {0}")]
    NotAsked(String),
    #[error(
        "the server does not offer Negotiate here, only {offered}: a Kerberos ticket is of no use to it. At a Doorward, `mechanisms` of the site must hold \"negotiate\""
    )]
    NoNegotiate { offered: String },
    #[error(transparent)]
    Ticket(#[from] TicketError),
    #[error("{0}")]
    Refused(String),
    #[error("the exchange went on for more than {LONGEST_EXCHANGE} legs: that is no Kerberos")]
    TooLong,
}

/// Probes, and prints what happens on standard output.
///
/// Exit code 0: signed on, or without a mechanism: the server answered; 1: not.
pub fn run(arguments: &ProbeArguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            show(format_args!("The probe cannot start: {error}."));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(probe(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let headline = if arguments.negotiate { "Not signed on" } else { "Failed" };
            show(format_args!("\n{headline}: {}", words::sentence(&error)));
            ExitCode::FAILURE
        }
    }
}

async fn probe(arguments: &ProbeArguments) -> Result<(), ProbeError> {
    let target = Target::parse(&arguments.url).map_err(ProbeError::Usage)?;
    let mut connection = connect(&target, arguments).await?;
    let bindings = certificate(&connection, &target, arguments)?;
    let offer = connection.get(&target.path, &[]).await?;
    let offered = offer::challenges(&offer.headers);
    leg("offer", words::offer(&target.path, &offer, &offered));
    if !arguments.negotiate {
        return Ok(());
    }
    if offer::verdict(offer.status) != Verdict::Refused {
        return Err(ProbeError::NotAsked(words::not_asked(&offer)));
    }
    if !offer::offers_negotiate(&offered) {
        return Err(ProbeError::NoNegotiate { offered: words::schemes(&offered) });
    }
    let mut initiator = initiate(&target, arguments, bindings)?;
    if connection.is_over().await {
        leg("connection", "the server closed it after its answer: opening another");
        connection = connect(&target, arguments).await?;
    }
    let answer = exchange(&mut connection, &target, &mut initiator).await?;
    conclude(&mut connection, &mut initiator, &answer).await
}

async fn connect(target: &Target, arguments: &ProbeArguments) -> Result<Connection, ProbeError> {
    let connection = Connection::open(target, arguments.ca.as_deref()).await?;
    let tls = connection.tls.as_ref();
    let over = tls.map_or("plain HTTP, which anybody on the way can read", |tls| &tls.version);
    leg("connection", format_args!("{} ({}), {over}", target.authority, connection.peer));
    match tls.map(|tls| &tls.verdict) {
        Some(trust::Verdict::Untrusted(why)) if !arguments.insecure => {
            if let Some(tls) = tls
                && let Ok(certificate) = Certificate::read(&tls.certificate)
            {
                leg("certificate", words::certificate(&certificate));
            }
            Err(ProbeError::Untrusted { why: why.clone() })
        }
        _ => Ok(connection),
    }
}

/// Tells of the certificate, and makes the channel bindings of it.
fn certificate(
    connection: &Connection,
    target: &Target,
    arguments: &ProbeArguments,
) -> Result<Option<Bindings>, ProbeError> {
    let Some(tls) = &connection.tls else { return Ok(None) };
    let certificate = Certificate::read(&tls.certificate).map_err(|what| {
        ProbeError::Usage(format!("the certificate of {} cannot be read: {what}", target.host))
    })?;
    let trusted = match &tls.verdict {
        trust::Verdict::Trusted => "trusted".to_owned(),
        trust::Verdict::Untrusted(why) => format!("NOT trusted, {why}; going on (--insecure)"),
    };
    leg("certificate", format_args!("{}; {trusted}", words::certificate(&certificate)));
    if arguments.no_channel_binding {
        return Ok(None);
    }
    // What could be read as a certificate above has a binding.
    Ok(server_end_point(&tls.certificate).ok())
}

fn initiate(
    target: &Target,
    arguments: &ProbeArguments,
    bindings: Option<Bindings>,
) -> Result<Initiator, ProbeError> {
    let ticket = Ticket::present()?;
    let service = match &arguments.spn {
        Some(principal) => Service::Principal(principal.clone()),
        None => Service::Host(target.host.clone()),
    };
    leg("ticket", words::ticket(&ticket));
    leg("service", service.principal());
    if target.tls {
        let bound = if bindings.is_some() { "bound" } else { "not bound" };
        leg("binding", format_args!("the token is {bound} to the TLS connection"));
    }
    Ok(Initiator::new(service, bindings)?)
}

/// Sends tokens until the server has nothing more to ask.
async fn exchange(
    connection: &mut Connection,
    target: &Target,
    initiator: &mut Initiator,
) -> Result<Answer, ProbeError> {
    let mut token = initiator.step(None)?.unwrap_or_default();
    for _ in 0..LONGEST_EXCHANGE {
        let field = format!("Negotiate {}", STANDARD.encode(&token));
        leg("token", words::token(token.len(), field.len()));
        let answer = connection.get(&target.path, &[(AUTHORIZATION, field)]).await?;
        leg("answer", answer.status);
        let reply = offer::negotiate_token(&answer.headers);
        if offer::verdict(answer.status) != Verdict::Refused {
            if let Some(reply) = reply {
                initiator.step(Some(&reply))?;
            }
            return Ok(answer);
        }
        let next = reply.map(|reply| initiator.step(Some(&reply))).transpose();
        let next = next.map_err(|error| words::refused(&answer, Some(&error)))?.flatten();
        token = next.ok_or_else(|| words::refused(&answer, None))?;
    }
    Err(ProbeError::TooLong)
}

async fn conclude(
    connection: &mut Connection,
    initiator: &mut Initiator,
    answer: &Answer,
) -> Result<(), ProbeError> {
    if let Some(service) = initiator.used() {
        leg("service", format_args!("the ticket was for {service}"));
    }
    leg("server", words::proof(initiator.is_complete()));
    let cookies = offer::cookies(&answer.headers);
    leg("cookie", words::cookies(&cookies));
    match offer::verdict(answer.status) {
        Verdict::SignedOn => {}
        _ => return Err(words::refused(answer, None)),
    }
    if let Some((name, value)) =
        cookies.iter().find(|(name, _)| [cookie::SECURE, cookie::PLAIN].contains(&name.as_str()))
    {
        let whoami = connection.get(WHOAMI, &[(COOKIE, format!("{name}={value}"))]).await?;
        for line in words::whoami(&whoami) {
            leg("whoami", line);
        }
    }
    show(format_args!("\nSigned on."));
    Ok(())
}

/// Shows one leg.
fn leg(name: &str, what: impl Display) {
    show(format_args!("{name:<12} {what}"));
}

/// A reader that has gone away is no reason to stop.
fn show(what: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{what}");
}

/// Tokens that are sent at most. Kerberos needs one, or two.
const LONGEST_EXCHANGE: usize = 5;

/// Where a Doorward says who somebody is.
const WHOAMI: &str = "/.doorward/whoami";
