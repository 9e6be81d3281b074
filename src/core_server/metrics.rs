//! What the core counts.

use std::sync::Arc;

use prometheus::{IntCounterVec, Opts};

use super::Core;
use crate::metrics::Metrics;

/// Registers the metrics of this process's core. A front alone says that it has no sessions.
pub(crate) fn register_metrics(
    core: Option<&Arc<Core>>,
    metrics: &Metrics,
) -> prometheus::Result<()> {
    let name = "doorward_sessions";
    let help = "Live sessions in this core";
    let Some(core) = core.map(Arc::clone) else {
        return metrics.asked_gauge(name, help, || 0);
    };
    metrics.show(core.passwords.counts())?;
    metrics.asked_gauge(name, help, move || core.live_sessions())
}

/// Passwords by outcome.
pub(crate) fn password_checks() -> prometheus::Result<IntCounterVec> {
    let help = "Password checks by outcome: checked by the KDC (granted, refused), found in the cache (remembered), not checked (limited_address, limited_account, busy), failed (unable)";
    IntCounterVec::new(Opts::new("doorward_password_checks_total", help), &["outcome"])
}
