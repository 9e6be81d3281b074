//! What can be checked in a client's answer without knowing the password: its version, and the
//! service and the channel that it was made for.

use crate::config::section::ChannelBinding;
use crate::mechanism::ntlm::crypto::key::channel_binding_hash;
use crate::mechanism::ntlm::message::Authenticate;
use crate::mechanism::ntlm::message::av_pair::ChannelBinding as Bound;
use crate::mechanism::ntlm::message::response::{NtResponse, Unfit};
use crate::mechanism::terms::{Channel, Terms};
use crate::wire::Reason;

/// Version, service and channel of an answer. True where it is bound to our channel.
pub(super) fn judge(authenticate: &Authenticate, terms: &Terms) -> Result<bool, (Reason, String)> {
    let response = match &authenticate.response {
        NtResponse::Ntlmv2(response) => response,
        NtResponse::Unfit(Unfit::Anonymous) => {
            let detail = "the client signed on anonymously: it has no name and password to use";
            return Err((Reason::NtlmAnonymous, detail.to_owned()));
        }
        NtResponse::Unfit(unfit) => {
            let detail = format!("the client's answer cannot be accepted: {unfit}");
            return Err((Reason::NtlmTooOld, detail));
        }
    };
    let target = response.service_principal().unwrap_or_default();
    if !terms.targets.admit(target) {
        let detail = format!(
            "the client's answer was made for {}, which is not a service of this gateway: it was \
             relayed, or the name is missing in a site, in server_hostname, or as a key HTTP/… in \
             the keytab (sso.ntlm.target_name)",
            target.escape_debug()
        );
        return Err((Reason::NtlmTarget, detail));
    }
    judge_binding(response.channel_binding(), terms)
}

/// Whether a binding is what the policy wants. True where it is our channel's.
pub(super) fn judge_binding(bound: Bound, terms: &Terms) -> Result<bool, (Reason, String)> {
    match terms.channel_binding {
        ChannelBinding::Off => Ok(false),
        ChannelBinding::Allow => allowed(bound, &terms.channel),
        ChannelBinding::Require => match allowed(bound, &terms.channel) {
            Ok(false) => {
                let detail = "channel_binding = \"require\", but the client did not bind its answer to a channel";
                Err((Reason::BindingMissing, detail.to_owned()))
            }
            judged => judged,
        },
    }
}

/// Whether a binding may stand under `allow`. Windows writes zeros where its
/// program knows of no channel, as over plain HTTP: on TLS such an answer was
/// made for another connection.
fn allowed(bound: Bound, channel: &Channel) -> Result<bool, (Reason, String)> {
    let detail = match (bound, channel) {
        (Bound::Absent, _) | (_, Channel::Proxied) | (Bound::Zero, Channel::Plain) => {
            return Ok(false);
        }
        (Bound::Hash(hash), Channel::Tls(own)) if hash == channel_binding_hash(own) => {
            return Ok(true);
        }
        (Bound::Hash(_), Channel::Tls(_)) => "the answer is bound to another TLS channel",
        (Bound::Zero, Channel::Tls(_)) => {
            "the client says that it has no TLS channel, but the answer came over TLS"
        }
        (Bound::Hash(_), Channel::Plain) => {
            "the answer is bound to a TLS channel, but came over plain HTTP: if a proxy opens TLS, \
             list it in trusted_proxies"
        }
    };
    Err((Reason::BindingMismatch, detail.to_owned()))
}
