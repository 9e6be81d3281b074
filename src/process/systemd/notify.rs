//! Notifications to systemd (sd_notify(3)); does nothing if nobody listens.

use sd_notify::NotifyState;

/// Everything listens; `status` is what `systemctl status` shows.
pub(crate) fn ready(status: &str) {
    let status = status.replace('\n', "; ");
    say(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// The configuration is read again; [`ready`] follows.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(moment) => say(&[NotifyState::Reloading, moment]),
        Err(error) => tracing::debug!(%error, "no monotonic clock for systemd"),
    }
}

/// Open requests are finished, then the process ends.
pub(crate) fn stopping() {
    say(&[NotifyState::Stopping]);
}

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be notified");
    }
}
