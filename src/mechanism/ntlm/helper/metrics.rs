//! What is counted of helpers (`ntlm_auth`).

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Result};

use crate::metrics::Metrics;

#[derive(Debug)]
pub(crate) struct NtlmMetrics {
    verdicts: IntCounterVec,
    /// Helpers that ended and were started again.
    pub(super) restarts: IntCounter,
    helpers: IntGaugeVec,
    waiting: IntGauge,
}

/// How many helpers a pool has in each state, and who waits for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HelperCounts {
    /// Verifying.
    pub(super) busy: usize,
    /// Ready.
    pub(super) idle: usize,
    /// Kept for a client that has not answered its challenge yet.
    pub(super) reserved: usize,
    /// Not running yet, or not any more.
    pub(super) starting: usize,
    /// Sign-ons that wait for one.
    pub(super) waiting: usize,
}

impl NtlmMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Result<Self> {
        Ok(Self {
            verdicts: metrics.counters(
                "doorward_ntlm_verdicts_total",
                "NTLM exchanges by outcome",
                &["verdict"],
            )?,
            restarts: metrics
                .counter("doorward_ntlm_restarts_total", "Restarts of helpers (ntlm_auth)")?,
            helpers: metrics.gauges(
                "doorward_ntlm_helpers",
                "Helpers (ntlm_auth) by state",
                &["state"],
            )?,
            waiting: metrics
                .gauge("doorward_ntlm_waiting", "Sign-ons that wait for a helper (ntlm_auth)")?,
        })
    }

    /// What `ntlm_auth` said, or why it said nothing, by a word of few.
    pub(super) fn verdicts(&self, word: &str) -> IntCounter {
        self.verdicts.with_label_values(&[word])
    }

    /// A pool of helpers says how many it had in each state, and has now. While
    /// two pools live, after a reload, the metrics are of both.
    pub(super) fn changed(&self, before: HelperCounts, now: HelperCounts) {
        let moved = |before: usize, now: usize| {
            i64::try_from(now).unwrap_or(i64::MAX) - i64::try_from(before).unwrap_or(i64::MAX)
        };
        for (state, moved) in [
            ("busy", moved(before.busy, now.busy)),
            ("idle", moved(before.idle, now.idle)),
            ("reserved", moved(before.reserved, now.reserved)),
            ("starting", moved(before.starting, now.starting)),
        ] {
            self.helpers.with_label_values(&[state]).add(moved);
        }
        self.waiting.add(moved(before.waiting, now.waiting));
    }
}
