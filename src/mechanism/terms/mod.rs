//! Under which terms a client may sign on.

use std::sync::Arc;

use crate::config::section::ChannelBinding;
use crate::krb5::bindings::Bindings;
use crate::wire::mechanism::Scheme;
use target::Targets;

pub(super) mod target;

/// What is known of the channel between us and the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Plain HTTP, from the client itself: there is nothing to bind to.
    Plain,
    /// TLS that ends here.
    Tls(Arc<Bindings>),
    /// A trusted proxy's: the client's own channel ends there, and is not known.
    Proxied,
}

/// Under which terms a client may sign on here: the site's policy, and how the
/// request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The scheme that the tokens come under.
    pub scheme: Scheme,
    /// Whether NTLM is taken.
    pub ntlm: bool,
    /// What the site asks of channel bindings.
    pub channel_binding: ChannelBinding,
    pub channel: Channel,
    /// For which services an answer by NTLM may be made.
    pub targets: Targets,
}
