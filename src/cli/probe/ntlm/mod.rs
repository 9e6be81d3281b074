//! The legs of a sign-on by NTLM (MS-NLMP, MS-NTHT): a first message, the
//! server's challenge, and the answer to it, all on one connection.
//!
//! This is a client of its own: with the gateway it shares the algorithms and
//! the names of flags, and not the reading and writing of messages, so that a
//! misreading of the specification on one side shows on the other. The crate `ntlmclient` would not do: it has neither channel binding
//! nor message integrity code, and no place for them in its messages, so that
//! only an HMAC would be left of it; and it capitalises names by whole strings,
//! so that nobody with a `ß` in the name can sign on.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use secrecy::SecretString;

use self::account::Account;
use self::message::Secrets;
use self::password::Origin;
use super::connection::target::Target;
use super::connection::{Answer, Connection};
use super::error::ProbeError;
use super::messages::{self as common, Presented, leg};
use super::offer::{self, Challenge, Verdict};
use crate::cli::ProbeArguments;
use crate::clock;
use crate::mechanism::Bindings;

mod account;
mod challenge;
mod message;
mod messages;
mod pairs;
mod password;
mod response;
mod unreadable;

/// An exchange that has not begun.
pub(super) struct Exchange {
    scheme: &'static str,
    account: Account,
    password: SecretString,
    service: String,
    bindings: Option<Bindings>,
}

/// Chooses the scheme, tells who will sign on, and asks for the password.
pub(super) async fn prepare(
    target: &Target,
    arguments: &ProbeArguments,
    offered: &[Challenge],
    bindings: Option<Bindings>,
) -> Result<Exchange, ProbeError> {
    let mut schemes = SCHEMES.into_iter();
    let scheme = schemes
        .find(|scheme| offer::offers(offered, scheme))
        .ok_or_else(|| ProbeError::NoNtlm { offered: common::schemes(offered) })?;
    let name = arguments.user.as_deref().unwrap_or_default();
    let account = Account::parse(name).map_err(ProbeError::Usage)?;
    let origin = Origin::of(arguments.password_file.as_deref());
    leg("account", format_args!("{account}, with the password {origin}"));
    let password = password::read(origin, &account).await?;
    common::binding(target, bindings.as_ref());
    let service = format!("HTTP/{}", target.host);
    Ok(Exchange { scheme, account, password, service, bindings })
}

/// Goes through the three messages; the server has nothing more to ask then.
pub(super) async fn perform(
    connection: &mut Connection,
    target: &Target,
    exchange: &Exchange,
) -> Result<Answer, ProbeError> {
    let Exchange { scheme, account, password, service, bindings } = exchange;
    let first = message::first();
    let what = format!("asks for a challenge, with the scheme {scheme}");
    let answer = send(connection, target, scheme, ("message 1", &what), &first).await?;
    if offer::verdict(answer.status) != Verdict::Refused {
        return Err(ProbeError::NotAsked(common::not_asked(&answer)));
    }
    let token = offer::token(&answer.headers, scheme)
        .ok_or_else(|| common::refused(&answer, &FIRST_MESSAGE))?;
    let challenge = challenge::read(&token)?;
    for (name, line) in messages::challenge(&challenge, clock::now()) {
        leg(name, line);
    }
    if connection.is_over().await {
        return Err(ProbeError::ClosedBetween);
    }
    let secrets = Secrets::new(account, password).map_err(ProbeError::Usage)?;
    let third = message::third(&first, &challenge, &secrets, service, bindings.as_ref());
    let what = messages::third(account, &third);
    let answer = send(connection, target, scheme, ("message 3", &what), &third.bytes).await?;
    if offer::verdict(answer.status) == Verdict::Refused {
        return Err(common::refused(&answer, &THIRD_MESSAGE));
    }
    leg("server", messages::proof(target));
    Ok(answer)
}

async fn send(
    connection: &mut Connection,
    target: &Target,
    scheme: &str,
    (name, what): (&str, &str),
    message: &[u8],
) -> Result<Answer, ProbeError> {
    let field = format!("{scheme} {}", STANDARD.encode(message));
    leg(name, format_args!("{what}: {}", common::token(message.len(), field.len())));
    let answer = connection.get(&target.path, &[(AUTHORIZATION, field)]).await?;
    leg("answer", answer.status);
    Ok(answer)
}

/// NTLM's own scheme, else the one under which Windows sends it without a ticket.
const SCHEMES: [&str; 2] = ["NTLM", "Negotiate"];

const FIRST_MESSAGE: Presented = Presented {
    what: "the first message",
    said: None,
    causes: "NTLM is switched off behind Negotiate; its password verifier (winbind, a domain controller) does not answer; a proxy in front of it prevents NTLM, which needs one connection from end to end",
};

const THIRD_MESSAGE: Presented = Presented {
    what: "the third message",
    said: None,
    causes: "the name or the password is wrong; the account is disabled, locked, expired, or may not use NTLM (Protected Users); the domain does not permit NTLM; something between you and the site opens TLS, so the binding is for another certificate",
};
