//! `doorward probe`: signs on as a client would, and shows every leg in plain words. It knows only
//! what the server tells a client, so it works against any server that speaks Negotiate (RFC 4559)
//! or NTLM (MS-NTHT).

use std::process::ExitCode;
use std::sync::Arc;

use http::StatusCode;
use http::header::COOKIE;
use rustls::sign::CertifiedKey;

use self::connection::target::Target;
use self::connection::{Answer, Connection};
use self::connection::{pair, trust};
use self::error::ProbeError;
use self::kerberos::ticket::Initiator;
use self::messages::{leg, show};
use self::offer::{Challenge, Verdict};
use super::ProbeArguments;
use crate::clock;
use crate::front::request::cookie;
use crate::front::tls::server_end_point;
use crate::mechanism::Bindings;
use crate::pki::file::certificate::Certificate;

mod connection;
mod error;
mod http2;
mod kerberos;
mod messages;
mod ntlm;
mod offer;
mod server;

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
            let signing_on = arguments.negotiate || arguments.ntlm || arguments.cert.is_some();
            let headline = match error {
                ProbeError::KeptOut(_) => "Signed on, but",
                ProbeError::ButNotByHttp2(_) => {
                    "Signed on by HTTP/1.1, but not by HTTP/2, which browsers use:"
                }
                _ if signing_on => "Not signed on:",
                _ => "Failed:",
            };
            show(format_args!("\n{headline} {}", messages::sentence(&error)));
            ExitCode::FAILURE
        }
    }
}

async fn probe(arguments: &ProbeArguments) -> Result<(), ProbeError> {
    let target = Target::parse(&arguments.url).map_err(ProbeError::Usage)?;
    let pair = pair::read(&target, arguments)?;
    let mut connection = connect(&target, arguments, pair.as_ref()).await?;
    let bindings = certificate(&connection, &target, arguments)?;
    if let Some(pair) = &pair {
        leg("shown", messages::certificate(&pair::certificate(pair)?));
        let answer = connection.get(&target.path, &[]).await?;
        leg("answer", answer.status);
        let note = conclude(&mut connection, &target, &answer, false).await?;
        signed_on(note);
        return Ok(());
    }
    let offer = connection.get(&target.path, &[]).await?;
    let offered = offer::challenges(&offer.headers);
    leg("offer", messages::offer(&target.path, &offer, &offered));
    if let Some(clock) = messages::clock(&offer, clock::now()) {
        leg("clock", clock);
    }
    if !(arguments.negotiate || arguments.ntlm) {
        if let Some(explanation) = offer::explanation(&offer.body) {
            leg("says", messages::explained(explanation));
        }
        return Ok(());
    }
    if offer::verdict(offer.status) != Verdict::Refused {
        return Err(ProbeError::NotAsked(messages::not_asked(&offer)));
    }
    let mut exchange = Exchange::prepare(&target, arguments, &offered, bindings.clone()).await?;
    if connection.is_over().await {
        leg("connection", "the server closed it after its answer: opening another one");
        connection = connect(&target, arguments, None).await?;
    }
    let answer = exchange.perform(&mut connection, &target).await?;
    let proven = exchange.has_proven_the_server();
    let note = conclude(&mut connection, &target, &answer, proven).await?;
    if arguments.negotiate {
        http2::sign_on(&target, arguments, bindings).await?;
    }
    signed_on(note);
    Ok(())
}

fn signed_on(note: Option<String>) {
    match note {
        Some(note) => show(format_args!("\nSigned on, but {note}.")),
        None => show("\nSigned on."),
    }
}

/// An exchange of tokens that has not begun.
enum Exchange {
    Kerberos(Initiator),
    Ntlm(ntlm::Exchange),
}

impl Exchange {
    async fn prepare(
        target: &Target,
        arguments: &ProbeArguments,
        offered: &[Challenge],
        bindings: Option<Bindings>,
    ) -> Result<Self, ProbeError> {
        Ok(if arguments.ntlm {
            Self::Ntlm(ntlm::prepare(target, arguments, offered, bindings).await?)
        } else {
            Self::Kerberos(kerberos::prepare(target, arguments, offered, bindings)?)
        })
    }

    /// Whether the server gave a proof of its own, which only follows a sign-on.
    const fn has_proven_the_server(&self) -> bool {
        match self {
            Self::Kerberos(initiator) => initiator.is_complete(),
            Self::Ntlm(_) => false,
        }
    }

    /// Performs it; the server has nothing more to ask then.
    async fn perform(
        &mut self,
        connection: &mut Connection,
        target: &Target,
    ) -> Result<Answer, ProbeError> {
        match self {
            Self::Kerberos(initiator) => kerberos::exchange(connection, target, initiator).await,
            Self::Ntlm(exchange) => ntlm::perform(connection, target, exchange).await,
        }
    }
}

async fn connect(
    target: &Target,
    arguments: &ProbeArguments,
    pair: Option<&Arc<CertifiedKey>>,
) -> Result<Connection, ProbeError> {
    let connection = Connection::open(target, arguments.ca.as_deref(), pair).await?;
    let tls = connection.tls.as_ref();
    let over =
        tls.map_or("plain HTTP, which anybody on the network path can read", |tls| &tls.version);
    leg("connection", format_args!("{} ({}), {over}", target.authority, connection.peer));
    match tls.map(|tls| &tls.verdict) {
        Some(trust::Verdict::Untrusted(why, mend)) if !arguments.insecure => {
            if let Some(tls) = tls
                && let Ok(certificate) = Certificate::read(&tls.certificate)
            {
                leg("certificate", messages::certificate(&certificate));
            }
            Err(ProbeError::Untrusted { why: why.clone(), mend: mend.clone() })
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
        trust::Verdict::Untrusted(why, _) => format!("NOT trusted, {why}; continuing (--insecure)"),
    };
    leg("certificate", format_args!("{}; {trusted}", messages::certificate(&certificate)));
    if arguments.no_channel_binding {
        return Ok(None);
    }
    // What could be read as a certificate above has a binding.
    Ok(server_end_point(&tls.certificate).ok())
}

/// Tells what came of a sign-on, and gives what is missing all the same. `proven`: the
/// server has proven itself in answer to it.
async fn conclude(
    connection: &mut Connection,
    target: &Target,
    answer: &Answer,
    proven: bool,
) -> Result<Option<String>, ProbeError> {
    let cookies = offer::cookies(&answer.headers);
    leg("cookie", messages::cookies(target, &cookies));
    let ours =
        cookies.iter().find(|(name, _)| [cookie::SECURE, cookie::PLAIN].contains(&name.as_str()));
    let explained = offer::explanation(&answer.body).is_some_and(|said| said.is_of_somebody());
    let note = match offer::verdict(answer.status) {
        Verdict::SignedOn if answer.status == StatusCode::NOT_FOUND => {
            Some(messages::without_page(answer).trim_end_matches('.').to_owned())
        }
        Verdict::SignedOn => None,
        Verdict::Refused => {
            return Err(ProbeError::Refused(messages::kept_out(answer, Verdict::Refused)));
        }
        _ if proven || ours.is_some() || explained => {
            return Err(ProbeError::KeptOut(messages::without_page(answer)));
        }
        verdict => return Err(ProbeError::Refused(messages::kept_out(answer, verdict))),
    };
    if let Some((name, value)) = ours {
        let whoami = connection.get(WHOAMI, &[(COOKIE, format!("{name}={value}"))]).await?;
        for line in messages::whoami(&whoami) {
            leg("whoami", line);
        }
    }
    Ok(note)
}

/// Where a Doorward says who somebody is.
const WHOAMI: &str = "/.doorward/whoami";
