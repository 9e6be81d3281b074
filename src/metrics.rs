//! Metrics for Prometheus. Each part registers its own when it starts, and keeps them:
//! counting then costs an atomic addition. Every name begins `doorward_`.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, Result, TextEncoder,
};

/// Everything that a process counts.
///
/// What registers a metric fails where its name is taken: a mistake in the code.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    registry: Registry,
    #[cfg(test)]
    registered: std::sync::Mutex<Vec<String>>,
}

impl Metrics {
    pub(crate) fn counter(&self, name: &str, help: &str) -> Result<IntCounter> {
        self.show(IntCounter::new(name, help)?)
    }

    /// Counters by labels. They are shown as soon as their labels have values.
    pub(crate) fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec> {
        self.show(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> Result<IntGauge> {
        self.show(IntGauge::new(name, help)?)
    }

    /// Gauges by labels. They are shown as soon as their labels have values.
    pub(crate) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
        self.show(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    /// A gauge that is asked whenever the metrics are read.
    pub(crate) fn asked_gauge(
        &self,
        name: &str,
        help: &str,
        asked: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Result<()> {
        let gauge = IntGauge::new(name, help)?;
        self.show(AskedGauge { gauge, asked: Arc::new(asked) }).map(|_| ())
    }

    /// How long things take, in seconds, by the upper ends of the buckets.
    pub(crate) fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram> {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        self.show(Histogram::with_opts(options)?)
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics could not be written");
        }
        text
    }

    /// Shows what was made elsewhere.
    pub(crate) fn show<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C> {
        #[cfg(test)]
        self.note(&collector);
        self.registry.register(Box::new(collector.clone()))?;
        Ok(collector)
    }
}

#[derive(Clone)]
struct AskedGauge {
    gauge: IntGauge,
    asked: Arc<dyn Fn() -> usize + Send + Sync>,
}

impl Collector for AskedGauge {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set(i64::try_from((self.asked)()).unwrap_or(i64::MAX));
        self.gauge.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core_server;
    use crate::front::metrics::FrontMetrics;

    impl Metrics {
        /// Writes down the name and the labels.
        pub(super) fn note(&self, collector: &impl Collector) {
            let described = collector.desc().into_iter().map(|desc| {
                let labels = desc.variable_labels.join(",");
                format!("{} {labels}", desc.fq_name).trim_end().to_owned()
            });
            self.registered.lock().unwrap().extend(described);
        }
    }

    /// Dashboards and alerts of administrators name them.
    #[test]
    fn names_and_labels_stay_as_they_are() {
        let metrics = Metrics::default();
        FrontMetrics::register(&metrics).unwrap();
        core_server::register_metrics(None, &metrics).unwrap();
        metrics.show(core_server::password_checks().unwrap()).unwrap();
        let mut registered = metrics.registered.lock().unwrap().clone();
        registered.sort();
        assert_eq!(
            registered,
            [
                "doorward_certificate_end_seconds kind,file",
                "doorward_clock_ahead_seconds",
                "doorward_connections",
                "doorward_connections_ended_total why",
                "doorward_core_connected",
                "doorward_heads_refused_total reason",
                "doorward_ntlm_helpers state",
                "doorward_ntlm_restarts_total",
                "doorward_ntlm_verdicts_total verdict",
                "doorward_ntlm_waiting",
                "doorward_password_checks_total outcome",
                "doorward_ready",
                "doorward_ready_part part",
                "doorward_request_seconds",
                "doorward_responses_total class",
                "doorward_session_requests_total",
                "doorward_sessions",
                "doorward_signons_total mechanism,outcome,reason",
                "doorward_tunnels",
                "doorward_unlisted_proxies",
                "doorward_unlisted_proxy_requests_total",
                "doorward_upstream_errors_total kind",
            ]
        );
    }
}
