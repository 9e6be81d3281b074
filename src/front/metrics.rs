//! What the front counts.

use std::sync::Arc;

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Result};

use crate::clock::Timestamp;
use crate::mechanism::ntlm::NtlmMetrics;
use crate::metrics::Metrics;
use crate::wire::{Mechanism, Reason};

#[derive(Debug)]
pub(crate) struct FrontMetrics {
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
    /// Counted whether NTLM is offered or not: a reload may offer it.
    pub ntlm: Arc<NtlmMetrics>,
}

impl FrontMetrics {
    /// Every series that an alert may name is at zero from the start.
    pub(crate) fn register(metrics: &Metrics) -> Result<Self> {
        let signons = metrics.counters(
            "doorward_signons_total",
            "Sign-ons by mechanism, outcome (granted, refused) and reason",
            &["mechanism", "outcome", "reason"],
        )?;
        for mechanism in
            [Mechanism::Certificate, Mechanism::Negotiate, Mechanism::Ntlm, Mechanism::Basic]
        {
            signons.with_label_values(&[mechanism.as_str(), "granted", "none"]);
        }
        let responses = metrics.counters(
            "doorward_responses_total",
            "Answers by class of status",
            &["class"],
        )?;
        let connections_ended = metrics.counters(
            "doorward_connections_ended_total",
            "Connections that the gateway closed: place_needed, address_full, stopped_reading",
            &["why"],
        )?;
        for why in ["place_needed", "address_full", "stopped_reading"] {
            connections_ended.with_label_values(&[why]);
        }
        Ok(Self {
            signons,
            responses: ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .map(|class| responses.with_label_values(&[class])),
            upstream_errors: metrics.counters(
                "doorward_upstream_errors_total",
                "Requests that an application did not answer, by kind",
                &["kind"],
            )?,
            connections_ended,
            heads_refused: metrics.counters(
                "doorward_heads_refused_total",
                "Refused request heads, by reason",
                &["reason"],
            )?,
            request_seconds: metrics.histogram(
                "doorward_request_seconds",
                "Time from a request's head to the head of its answer",
                &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0],
            )?,
            connections: metrics.gauge("doorward_connections", "Open client connections")?,
            tunnels: metrics.gauge("doorward_tunnels", "Open tunnels (websockets)")?,
            session_requests: metrics.counter(
                "doorward_session_requests_total",
                "Requests with an existing session, without a new sign-on",
            )?,
            core_connected: metrics
                .gauge("doorward_core_connected", "1 while the core's event stream is open")?,
            ready: metrics.gauge("doorward_ready", "1 while people can sign on")?,
            parts: metrics.gauges(
                "doorward_ready_part",
                "1 while this part is all right",
                &["part"],
            )?,
            certificate_ends: metrics.gauges(
                "doorward_certificate_end_seconds",
                "The earliest expiry in the file, in seconds since 1970",
                &["kind", "file"],
            )?,
            clock_ahead: metrics.gauge(
                "doorward_clock_ahead_seconds",
                "How far this host's clock is ahead of the KDC's, in seconds",
            )?,
            unlisted_proxies: metrics.gauge(
                "doorward_unlisted_proxies",
                "Peers that send forwarding headers and are not in trusted_proxies",
            )?,
            unlisted_proxy_requests: metrics.counter(
                "doorward_unlisted_proxy_requests_total",
                "Requests with forwarding headers from peers that are not in trusted_proxies",
            )?,
            ntlm: Arc::new(NtlmMetrics::register(metrics)?),
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
}
