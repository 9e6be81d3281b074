//! What all parts of a running front share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::core_link::CoreLink;
use super::live::Live;
use super::readiness::Readiness;
use super::request::unlisted::Unlisted;
use crate::audit::Audit;
use crate::front::metrics::FrontMetrics;
use crate::metrics::Metrics;
use crate::process::seldom::Seldom;
use crate::wire::Reason;
use visitors::Visitors;

pub(in crate::front) mod visitors;

/// A running front.
#[derive(Debug)]
pub(crate) struct Front {
    pub(super) live: Arc<ArcSwap<Live>>,
    /// The line to the core.
    pub(in crate::front) core: Arc<CoreLink>,
    pub(in crate::front) metrics: Arc<FrontMetrics>,
    /// All that this process counts, for the status listener.
    pub(in crate::front) counted: Arc<Metrics>,
    /// Who was refused, and why.
    pub(in crate::front) audit: Arc<Audit>,
    /// Whether a sign-on would succeed.
    pub(in crate::front) readiness: Arc<Readiness>,
    /// Proxies that are not listed.
    pub(in crate::front) unlisted: Unlisted,
    /// What strangers can bring about as often as they like is logged once in a while.
    pub(in crate::front) log_limits: LogLimits,
    /// Fires when the front is to stop.
    pub(in crate::front) stop: CancellationToken,
    pub(in crate::front) connections: TaskTracker,
}

impl Front {
    /// What holds at this moment.
    pub(in crate::front) fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Whether an address is one of the trusted proxies.
    pub(in crate::front) fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let proxies = &self.live.load().settings.front.trusted_proxies;
        proxies.iter().any(|network| network.contains(&address))
    }
}

/// Which lines of the log were written not long ago.
#[derive(Debug)]
pub(in crate::front) struct LogLimits {
    /// That somebody is not signed on.
    pub(in crate::front) visitors: Visitors,
    /// What an administrator has to fix: by reason.
    pub(in crate::front) faults: Seldom<Reason>,
}

impl LogLimits {
    pub(in crate::front) fn new() -> Self {
        let minute = Duration::from_secs(60);
        Self { visitors: Visitors::default(), faults: Seldom::new(minute, 256) }
    }
}
