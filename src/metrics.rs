//! Metrics for Prometheus. Every name begins `doorward_`; the handles of the session path are made
//! once, so that counting costs an atomic addition.

use std::fmt;
use std::sync::OnceLock;

use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use crate::clock::Timestamp;
use crate::wire::{Mechanism, Reason};

/// Everything a process counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    signons: IntCounterVec,
    responses: [IntCounter; 5],
    upstream_errors: IntCounterVec,
    connections_ended: IntCounterVec,
    heads_refused: IntCounterVec,
    /// Time from a request's head to the head of its answer, in seconds.
    pub request_seconds: Histogram,
    /// Open client connections.
    pub connections: IntGauge,
    /// Open tunnels (websockets).
    pub tunnels: IntGauge,
    /// Requests with an existing session, without a new sign-on.
    pub session_requests: IntCounter,
    /// 1 while the core's event stream is open.
    pub core_connected: IntGauge,
    /// Verdicts of `ntlm_auth`, and why there was none, by a word of few.
    pub ntlm_verdicts: IntCounterVec,
    /// Helpers (`ntlm_auth`) that ended and were started again.
    pub ntlm_restarts: IntCounter,
    ntlm_helpers: IntGaugeVec,
    ntlm_waiting: IntGauge,
    /// 1 while people can sign on.
    pub ready: IntGauge,
    parts: IntGaugeVec,
    certificate_ends: IntGaugeVec,
    /// How far this host's clock is ahead of the KDC's, in seconds.
    pub clock_ahead: IntGauge,
    /// Peers that are not in `trusted_proxies`, and speak as proxies do.
    pub unlisted_proxies: IntGauge,
    /// Their requests.
    pub unlisted_proxy_requests: IntCounter,
    sessions: IntGauge,
    live_sessions: OnceLock<SessionCount>,
}

/// How many helpers (`ntlm_auth`) a pool has in each state, and who waits for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NtlmHelpers {
    /// Verifying.
    pub busy: usize,
    /// Ready.
    pub idle: usize,
    /// Kept for a client that has not answered its challenge yet.
    pub reserved: usize,
    /// Not running yet, or not any more.
    pub starting: usize,
    /// Sign-ons that wait for one.
    pub waiting: usize,
}

/// Asks how many sessions live in this process's core.
struct SessionCount(Box<dyn Fn() -> usize + Send + Sync>);

impl fmt::Debug for SessionCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionCount")
    }
}

impl Metrics {
    /// A fresh set, with every series that an alert may name already at zero.
    ///
    /// # Errors
    /// Two series with one name: a mistake in this file.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let signons = counters(
            &registry,
            "doorward_signons_total",
            "Sign-ons by mechanism, outcome (granted, refused) and reason",
            &["mechanism", "outcome", "reason"],
        )?;
        let responses = counters(
            &registry,
            "doorward_responses_total",
            "Answers by class of status",
            &["class"],
        )?;
        let upstream_errors = counters(
            &registry,
            "doorward_upstream_errors_total",
            "Requests that an application did not answer, by kind",
            &["kind"],
        )?;
        let connections_ended = counters(
            &registry,
            "doorward_connections_ended_total",
            "Connections that the gateway closed: place_needed, address_full, stopped_reading",
            &["why"],
        )?;
        for why in ["place_needed", "address_full", "stopped_reading"] {
            connections_ended.with_label_values(&[why]);
        }
        let heads_refused = counters(
            &registry,
            "doorward_heads_refused_total",
            "Refused request heads, by reason",
            &["reason"],
        )?;
        let request_seconds = Histogram::with_opts(
            HistogramOpts::new(
                "doorward_request_seconds",
                "Time from a request's head to the head of its answer",
            )
            .buckets(vec![0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0]),
        )?;
        registry.register(Box::new(request_seconds.clone()))?;
        let session_requests = IntCounter::new(
            "doorward_session_requests_total",
            "Requests with an existing session, without a new sign-on",
        )?;
        registry.register(Box::new(session_requests.clone()))?;
        let ntlm_verdicts = counters(
            &registry,
            "doorward_ntlm_verdicts_total",
            "NTLM exchanges by outcome",
            &["verdict"],
        )?;
        let ntlm_restarts =
            IntCounter::new("doorward_ntlm_restarts_total", "Restarts of helpers (ntlm_auth)")?;
        registry.register(Box::new(ntlm_restarts.clone()))?;
        let ntlm_helpers =
            gauges(&registry, "doorward_ntlm_helpers", "Helpers (ntlm_auth) by state", &["state"])?;
        let parts =
            gauges(&registry, "doorward_ready_part", "1 while this part is all right", &["part"])?;
        let certificate_ends = gauges(
            &registry,
            "doorward_certificate_end_seconds",
            "The earliest expiry in the file, in seconds since 1970",
            &["kind", "file"],
        )?;
        let unlisted_proxy_requests = IntCounter::new(
            "doorward_unlisted_proxy_requests_total",
            "Requests with forwarding headers from peers that are not in trusted_proxies",
        )?;
        registry.register(Box::new(unlisted_proxy_requests.clone()))?;
        for mechanism in Mechanism::ALL.iter().filter(|mechanism| mechanism.is_at_front()) {
            signons.with_label_values(&[mechanism.as_str(), "granted", "none"]);
        }
        let class = |name: &str| responses.with_label_values(&[name]);
        Ok(Self {
            responses: [class("1xx"), class("2xx"), class("3xx"), class("4xx"), class("5xx")],
            connections: gauge(&registry, "doorward_connections", "Open client connections")?,
            tunnels: gauge(&registry, "doorward_tunnels", "Open tunnels (websockets)")?,
            core_connected: gauge(
                &registry,
                "doorward_core_connected",
                "1 while the core's event stream is open",
            )?,
            ntlm_waiting: gauge(
                &registry,
                "doorward_ntlm_waiting",
                "Sign-ons that wait for a helper (ntlm_auth)",
            )?,
            ntlm_verdicts,
            ntlm_restarts,
            ntlm_helpers,
            ready: gauge(&registry, "doorward_ready", "1 while people can sign on")?,
            parts,
            certificate_ends,
            clock_ahead: gauge(
                &registry,
                "doorward_clock_ahead_seconds",
                "How far this host's clock is ahead of the KDC's, in seconds",
            )?,
            unlisted_proxies: gauge(
                &registry,
                "doorward_unlisted_proxies",
                "Peers that send forwarding headers and are not in trusted_proxies",
            )?,
            unlisted_proxy_requests,
            sessions: gauge(&registry, "doorward_sessions", "Live sessions in this core")?,
            live_sessions: OnceLock::new(),
            registry,
            signons,
            upstream_errors,
            connections_ended,
            heads_refused,
            request_seconds,
            session_requests,
        })
    }

    /// Counts a sign-on that was granted.
    pub(crate) fn granted(&self, mechanism: Mechanism) {
        self.signons.with_label_values(&[mechanism.as_str(), "granted", "none"]).inc();
    }

    /// Counts a sign-on that was refused.
    pub(crate) fn refused(&self, mechanism: Mechanism, reason: Reason) {
        self.signons.with_label_values(&[mechanism.as_str(), "refused", reason.label()]).inc();
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, status: http::StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, self.responses.len());
        if let Some(counter) = self.responses.get(class - 1) {
            counter.inc();
        }
    }

    /// Whether a part of what a sign-on needs is all right.
    pub(crate) fn part_is_ready(&self, part: &str, is_ready: bool) {
        self.parts.with_label_values(&[part]).set(is_ready.into());
    }

    /// When what ends first in a file ends.
    pub(crate) fn certificate_ends(&self, kind: &str, file: &str, ends_at: Timestamp) {
        let seconds = i64::try_from(ends_at.unix()).unwrap_or(i64::MAX);
        self.certificate_ends.with_label_values(&[kind, file]).set(seconds);
    }

    /// Counts a request that an application did not answer.
    pub(crate) fn upstream_failed(&self, kind: &str) {
        self.upstream_errors.with_label_values(&[kind]).inc();
    }

    /// Counts a connection that the gateway ended.
    pub(crate) fn connection_ended(&self, why: &str) {
        self.connections_ended.with_label_values(&[why]).inc();
    }

    /// Counts a head that could not be served.
    pub(crate) fn head_refused(&self, reason: Reason) {
        self.heads_refused.with_label_values(&[reason.label()]).inc();
    }

    /// A pool of helpers says how many it had in each state, and has now. While
    /// two pools live, after a reload, the figures are of both.
    pub(crate) fn ntlm_helpers(&self, before: NtlmHelpers, now: NtlmHelpers) {
        let moved = |before: usize, now: usize| {
            i64::try_from(now).unwrap_or(i64::MAX) - i64::try_from(before).unwrap_or(i64::MAX)
        };
        for (state, moved) in [
            ("busy", moved(before.busy, now.busy)),
            ("idle", moved(before.idle, now.idle)),
            ("reserved", moved(before.reserved, now.reserved)),
            ("starting", moved(before.starting, now.starting)),
        ] {
            self.ntlm_helpers.with_label_values(&[state]).add(moved);
        }
        self.ntlm_waiting.add(moved(before.waiting, now.waiting));
    }

    /// Shows figures that another part counts. Their names must be new.
    pub(crate) fn show(&self, figures: &IntCounterVec) {
        if let Err(error) = self.registry.register(Box::new(figures.clone())) {
            tracing::error!(%error, "some metrics are not shown");
        }
    }

    /// From now on, `live` tells how many sessions live in this process's core.
    pub(crate) fn count_sessions(&self, live: impl Fn() -> usize + Send + Sync + 'static) {
        if self.live_sessions.set(SessionCount(Box::new(live))).is_err() {
            tracing::error!("the sessions are counted already");
        }
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self) -> Vec<u8> {
        if let Some(SessionCount(live)) = self.live_sessions.get() {
            self.sessions.set(i64::try_from(live()).unwrap_or(i64::MAX));
        }
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics could not be written");
        }
        text
    }
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> prometheus::Result<IntCounterVec> {
    let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(counters.clone()))?;
    Ok(counters)
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> prometheus::Result<IntGaugeVec> {
    let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(gauges.clone()))?;
    Ok(gauges)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> prometheus::Result<IntGauge> {
    let gauge = IntGauge::new(name, help)?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mechanism_is_counted_from_the_start_where_people_sign_on_by_it_at_a_front() {
        let text = String::from_utf8(Metrics::new().unwrap().render()).unwrap();
        for mechanism in Mechanism::ALL {
            let label = format!("doorward_signons_total{{mechanism=\"{}\"", mechanism.as_str());
            assert_eq!(text.contains(&label), mechanism.is_at_front(), "{label}");
        }
    }
}
