//! The same sign-on by HTTP/2, which browsers use if it is offered, and which may have other
//! limits.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;

use super::connection::Connection;
use super::connection::target::Target;
use super::error::ProbeError;
use super::kerberos::SCHEME;
use super::kerberos::ticket::{Initiator, Service};
use super::messages::{self, leg};
use super::offer::{self, Verdict};
use crate::cli::ProbeArguments;
use crate::mechanism::Bindings;

/// Signs on once more, where the server speaks HTTP/2.
pub(super) async fn sign_on(
    target: &Target,
    arguments: &ProbeArguments,
    bindings: Option<Bindings>,
) -> Result<(), ProbeError> {
    let opened = Connection::open_http2(target, arguments.ca.as_deref()).await?;
    let Some(mut connection) = opened else { return Ok(()) };
    let mut initiator = Initiator::new(Service::of(target, arguments), bindings)?;
    let token = initiator.step(None)?.unwrap_or_default();
    let field = format!("{SCHEME} {}", STANDARD.encode(&token));
    let answer = match connection.get(&target.path, &[(AUTHORIZATION, field)]).await {
        Err(ProbeError::NeedsHttp1) => {
            leg("HTTP/2", "the server sends clients back to HTTP/1.1");
            return Ok(());
        }
        answer => answer?,
    };
    leg("HTTP/2", format_args!("the same sign-on gets {}", answer.status));
    match offer::verdict(answer.status) {
        Verdict::SignedOn | Verdict::NotPermitted => Ok(()),
        verdict => Err(ProbeError::ButNotByHttp2(messages::kept_out(&answer, verdict))),
    }
}
