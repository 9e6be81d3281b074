//! The legs of a sign-on by Kerberos (RFC 4559).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;

use self::ticket::{Initiator, Service, Ticket, TicketError};
use super::connection::target::Target;
use super::connection::{Answer, Connection};
use super::error::ProbeError;
use super::messages::{self as common, Presented, leg};
use super::offer::{self, Challenge, Verdict};
use crate::cli::ProbeArguments;
use crate::mechanism::Bindings;

mod messages;
pub(super) mod ticket;

/// A context that has not begun, with the ticket it will use told.
pub(super) fn prepare(
    target: &Target,
    arguments: &ProbeArguments,
    offered: &[Challenge],
    bindings: Option<Bindings>,
) -> Result<Initiator, ProbeError> {
    if !offer::offers(offered, SCHEME) {
        return Err(ProbeError::NoNegotiate { offered: common::schemes(offered) });
    }
    let ticket = Ticket::present()?;
    let service = Service::of(target, arguments);
    leg("ticket", messages::ticket(&ticket));
    leg("service", messages::service(&service));
    common::binding(target, bindings.as_ref());
    Ok(Initiator::new(service, bindings)?)
}

/// Sends tokens until the server has nothing more to ask.
pub(super) async fn exchange(
    connection: &mut Connection,
    target: &Target,
    initiator: &mut Initiator,
) -> Result<Answer, ProbeError> {
    let answer = tokens(connection, target, initiator).await?;
    if let Some(service) = initiator.used() {
        leg("service", format_args!("the ticket was for {service}"));
    }
    leg("server", messages::proof(initiator.is_complete()));
    Ok(answer)
}

async fn tokens(
    connection: &mut Connection,
    target: &Target,
    initiator: &mut Initiator,
) -> Result<Answer, ProbeError> {
    let mut token = initiator.step(None)?.unwrap_or_default();
    for _ in 0..LONGEST_EXCHANGE {
        let field = format!("{SCHEME} {}", STANDARD.encode(&token));
        leg("token", common::token(token.len(), field.len()));
        let answer = connection.get(&target.path, &[(AUTHORIZATION, field)]).await?;
        leg("answer", answer.status);
        let reply = offer::token(&answer.headers, SCHEME);
        if offer::verdict(answer.status) != Verdict::Refused {
            if let Some(reply) = reply {
                initiator.step(Some(&reply))?;
            }
            return Ok(answer);
        }
        let next = reply.map(|reply| initiator.step(Some(&reply))).transpose();
        let next = next.map_err(|error| common::refused(&answer, &refused_ticket(&error)))?;
        token = next.flatten().ok_or_else(|| common::refused(&answer, &TICKET))?;
    }
    Err(ProbeError::TooLong(LONGEST_EXCHANGE))
}

pub(super) const SCHEME: &str = "Negotiate";

/// Tokens that are sent at most. Kerberos needs one, or two.
const LONGEST_EXCHANGE: usize = 5;

/// The ticket, and why servers refuse it.
const TICKET: Presented = Presented {
    what: "the ticket",
    said: None,
    causes: "its keytab is older than the service's password (kvno), or lacks the service's name or the ticket's encryption type; two accounts have the same service name; the clocks differ; something between you and the site opens TLS",
};

/// The same, with what the library read in the server's token.
fn refused_ticket(error: &TicketError) -> Presented {
    let said = match error {
        TicketError::NotVerified(said) => Some(said.clone()),
        _ => None,
    };
    Presented { said, ..TICKET.clone() }
}
