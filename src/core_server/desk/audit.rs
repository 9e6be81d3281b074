//! The core's lines in the audit log.

use super::open::SignOnAttempt;
use crate::audit::{Handed, Happening, Line, Verdict};
use crate::core_server::Core;
use crate::core_server::peer::Peer;
use crate::core_server::peer::certificate::Client;
use crate::core_server::store::{Record, WriteError};
use crate::wire::{Denied, Ending};

/// What is known of a session since it was opened.
pub(super) fn of_record<'a>(event: Happening, record: &'a Record, key: &'a str) -> Line<'a> {
    Line {
        mechanism: Some(record.mechanism),
        principal: Some(&record.principal),
        login: Some(record.user.login()),
        channel_bound: Some(record.channel_bound),
        session: Some(key),
        ..Line::new(event, Verdict::Granted)
    }
}

impl Core {
    /// A peer asked what it may not.
    pub(super) fn audit_denied_peer(&self, peer: &Peer, denied: &Denied, reference: &str) {
        self.audit.write(&Line {
            reason: Some(denied.reason),
            detail: Some(&denied.detail),
            peer: Some(&peer.to_string()),
            key: peer.key_file(),
            reference: Some(reference),
            ..Line::new(Happening::Peer, Verdict::Refused)
        });
    }

    /// Somebody is signed on.
    pub(super) fn audit_granted(
        &self,
        peer: &Peer,
        attempt: &SignOnAttempt,
        record: &Record,
    ) -> Handed {
        self.audit.hand_over(&Line {
            client: attempt.client,
            peer: Some(&peer.to_string()),
            key: attempt.key_file.as_ref().or(peer.key_file()),
            impersonator: attempt.impersonator.as_deref(),
            ..of_record(Happening::SignOn, record, &record.key.short())
        })
    }

    /// Somebody is not signed on; of a batch that a peer may not hand in nobody is
    /// known.
    pub(super) fn audit_refused(
        &self,
        peer: &Peer,
        attempt: Option<&SignOnAttempt>,
        denied: &Denied,
        reference: &str,
    ) {
        self.audit.write(&Line {
            reason: Some(denied.reason),
            detail: Some(denied.detail.as_str()).filter(|detail| !detail.is_empty()),
            mechanism: attempt.map(|attempt| attempt.mechanism),
            principal: attempt.map(|attempt| attempt.principal.as_str()),
            client: attempt.and_then(|attempt| attempt.client),
            peer: Some(&peer.to_string()),
            key: attempt.and_then(|attempt| attempt.key_file.as_ref()).or(peer.key_file()),
            login: attempt.and_then(|attempt| attempt.act_as.as_deref()),
            reference: Some(reference),
            ..Line::new(Happening::SignOn, Verdict::Refused)
        });
    }

    /// A client showed a certificate that does not count.
    pub(super) fn audit_refused_certificate(
        &self,
        client: &Client,
        denied: &Denied,
        reference: &str,
    ) {
        self.audit.write(&Line {
            reason: Some(denied.reason),
            detail: Some(&format!("{}: {}", client.certificate(), denied.detail)),
            client: Some(client.address()),
            peer: Some("certificate"),
            reference: Some(reference),
            ..Line::new(Happening::Peer, Verdict::Refused)
        });
    }

    /// A peer had a session ended; `unrecorded`: a restart could revive it.
    pub(super) fn audit_end(
        &self,
        peer: &Peer,
        record: &Record,
        why: Ending,
        unrecorded: Option<(WriteError, &str)>,
    ) {
        self.audit.write(&Line {
            ended: unrecorded.is_none().then_some(why),
            reason: unrecorded.map(|(error, _)| error.reason()),
            detail: Some(match why {
                Ending::Admin => "ended by an administrator",
                other => other.label(),
            }),
            reference: unrecorded.map(|(_, reference)| reference),
            peer: Some(&peer.to_string()),
            key: peer.key_file(),
            ..of_record(Happening::SessionEnd, record, &record.key.short())
        });
    }

    /// The key that opened a session is no longer accepted.
    pub(super) fn audit_revoked(&self, record: &Record, denied: &Denied) {
        self.audit.write(&Line {
            reason: Some(denied.reason),
            detail: Some(&denied.detail),
            ..of_record(Happening::SessionEnd, record, &record.key.short())
        });
    }

    /// A session has ended by itself, or for another one's sake.
    pub(in crate::core_server) fn audit_gone(
        &self,
        record: &Record,
        why: Ending,
        detail: Option<&str>,
    ) {
        self.audit.write(&Line {
            ended: Some(why),
            detail,
            ..of_record(Happening::SessionEnd, record, &record.key.short())
        });
    }
}
