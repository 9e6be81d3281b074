//! The state of signing on that a connection keeps between requests: the unfinished exchange, and
//! the proven session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

use super::bound::{Bound, Marks};
use crate::mechanism::Exchange;
use crate::wire::SessionSecret;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::front) struct SignOnState {
    kept: Mutex<Kept>,
    told: AtomicBool,
}

#[derive(Debug, Default)]
struct Kept {
    exchange: Option<Exchange>,
    bound: Bound,
    /// Whether a proxy showed itself here: the connection may carry many clients.
    shared: bool,
}

impl SignOnState {
    /// Takes the unfinished exchange, and drops what was proven here before:
    /// from now on only the new attempt counts.
    pub(in crate::front) fn begin_attempt(&self) -> Option<Exchange> {
        let mut state = self.lock();
        state.bound = Bound::default();
        state.exchange.take()
    }

    /// Notes that a proxy showed itself here, and drops what was proven: the next
    /// request may be another client's, though it has no mark.
    pub(in crate::front) fn share(&self) {
        let mut state = self.lock();
        state.shared = true;
        state.bound = Bound::default();
    }

    /// Whether a proxy showed itself here, with this request or an earlier one.
    pub(in crate::front) fn is_shared(&self) -> bool {
        self.lock().shared
    }

    /// Drops an exchange that was broken off by a request without a token.
    /// True when there was one.
    pub(in crate::front) fn break_off(&self) -> bool {
        self.lock().exchange.take().is_some()
    }

    /// Keeps an exchange until the client's next leg.
    pub(in crate::front) fn await_leg(&self, exchange: Exchange) {
        self.lock().exchange = Some(exchange);
    }

    /// Keeps a session that was proven on this connection for requests to this
    /// host, as long as the client of these marks sends them.
    pub(in crate::front) fn bind(&self, host: &str, session: SessionSecret, client: Option<Marks>) {
        self.lock().bound.keep(host, session, client);
    }

    /// The session that was proven on this connection, for a request to this host
    /// with these headers.
    pub(in crate::front) fn bound(&self, host: &str, headers: &HeaderMap) -> Option<SessionSecret> {
        self.lock().bound.find(host, headers)
    }

    /// Notes that a client without credentials was told what is offered. True
    /// when one was told before.
    pub(in crate::front) fn tell(&self) -> bool {
        self.told.swap(true, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
