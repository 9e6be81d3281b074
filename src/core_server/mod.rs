//! The core: decides who may come in and as whom, and keeps the sessions.
//!
//! ```text
//! door ─▶ peer (who asks) ─▶ desk (the verbs) ─▶ rights (who may what) ─▶ request ─▶ identity
//!                              │                                              │
//!          events ◀── sessions ◀┴───────────── Admission ◀── admit ◀──────────┘
//!                        └──▶ store
//! ```

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::audit::Audit;
use crate::clock::{self, Timestamp};
use crate::config::{CoreSettings, section};
use crate::pki::file::pair::PairError;
use crate::pki::peer::chain::AuthorityError;
use store::{Database, OpenError, Sqlite, Store};

mod desk;
mod door;
mod metrics;
mod password;
mod peer;
mod policy;
mod refusal;
mod request;
mod rights;
mod sessions;
pub(crate) mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub(crate) use door::serve::{Sockets, serve};
use door::socket;
pub(crate) use door::socket::{BindError, Place};
use door::tls::Tls;
#[cfg(test)]
pub(crate) use metrics::password_checks;
pub(crate) use metrics::register_metrics;
use password::Passwords;
pub(crate) use peer::keys::{EntryError, KeyEntries};
use policy::Policy;
use sessions::{EndedSession, Sessions};

/// The core of this process. Its verbs are asked by the peers of [`serve`].
#[derive(Debug)]
pub(crate) struct Core {
    policy: ArcSwap<Policy>,
    tls: ArcSwapOption<Tls>,
    sessions: Sessions,
    passwords: Passwords,
    audit: Arc<Audit>,
}

/// Why the core cannot start.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The session store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// There is no socket.
    #[error(transparent)]
    Socket(#[from] BindError),
    /// Key, certificate or authorities of the core's TLS.
    #[error("the core's TLS: {0}")]
    Tls(#[from] TlsSetupError),
    /// A `[[core.key]]` is about no key: exit code 78.
    #[error(transparent)]
    Key(#[from] EntryError),
    /// The metrics of passwords.
    #[error("the metrics of passwords cannot be set up: {0}")]
    Figures(#[from] prometheus::Error),
    /// The system has no thread left for the store.
    #[error("cannot start the thread that writes sessions: {0}")]
    Thread(#[source] io::Error),
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// The core's own key and certificate.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// The authorities of peers.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The TLS library.
    #[error("TLS does not work: {0}")]
    Library(#[from] rustls::Error),
}

/// New settings that a core can take.
#[derive(Debug)]
pub(crate) struct Prepared {
    policy: Policy,
    tls: Option<Tls>,
}

/// Listens on the core's unix socket, for [`serve`].
///
/// # Errors
/// [`CoreError::Socket`].
pub(crate) fn bind(settings: &section::Core) -> Result<UnixListener, CoreError> {
    Ok(socket::bind(&settings.listen)?)
}

/// Listens for the core's TLS, for [`serve`].
///
/// # Errors
/// [`CoreError::Socket`].
pub(crate) fn bind_tls(settings: &section::Core) -> Result<Vec<TcpListener>, CoreError> {
    let all = settings.tls.as_ref().map_or(&[][..], |tls| &tls.listen);
    Ok(all.iter().map(|address| socket::bind_tls(*address, all)).collect::<Result<_, _>>()?)
}

impl Core {
    /// Opens the session store under `state_path` and takes up the sessions in it.
    ///
    /// # Errors
    /// See [`CoreError`]. Nothing is begun before all that can fail has been done.
    pub(crate) async fn start(
        settings: &CoreSettings,
        audit: Arc<Audit>,
    ) -> Result<Self, CoreError> {
        let database = Database::open(&settings.state_path)?;
        let store = Sqlite::start(database).map_err(CoreError::Thread)?;
        Self::start_with(Box::new(store), settings, audit).await
    }

    async fn start_with(
        store: Box<dyn Store>,
        settings: &CoreSettings,
        audit: Arc<Audit>,
    ) -> Result<Self, CoreError> {
        let Prepared { policy, tls } = Self::prepare(settings)?;
        let sessions = Sessions::start(store, policy.limits, clock::now()).await?;
        let tls = ArcSwapOption::from_pointee(tls);
        let passwords = Passwords::new()?;
        Ok(Self { policy: ArcSwap::from_pointee(policy), tls, sessions, passwords, audit })
    }

    /// Makes all of new settings that can fail.
    ///
    /// # Errors
    /// [`CoreError::Tls`], [`CoreError::Key`].
    pub(crate) fn prepare(settings: &CoreSettings) -> Result<Prepared, CoreError> {
        let tls = settings.core.tls.as_ref().map(Tls::load).transpose()?;
        Ok(Prepared { policy: Policy::new(settings)?, tls })
    }

    /// Lets new settings decide from now on. Sessions that live stay, under the new limits.
    /// Where there was TLS and shall be none any more, that takes a restart, and
    /// the former settings of TLS count until then.
    pub(crate) fn reload(&self, prepared: Prepared) {
        let Prepared { policy, tls } = prepared;
        policy.keys.carry_over(&self.policy.load().keys);
        self.sessions.set_limits(policy.limits);
        if let Some(tls) = tls {
            self.tls.store(Some(Arc::new(tls)));
        }
        self.policy.store(Arc::new(policy));
    }

    /// How many sessions live.
    fn live_sessions(&self) -> usize {
        self.sessions.len()
    }

    fn sweep(&self, now: Timestamp) {
        self.sessions.sweep(now, |ended| self.tell_end(ended));
        self.sweep_attempts();
    }

    /// Takes up what other cores do in the store, for as long as it tells.
    async fn follow_store(self: Arc<Self>) {
        self.sessions.follow(|ended| self.tell_end(ended)).await;
    }

    /// The audit line of a session that nobody ended. One whose cookie never came back
    /// was of no use to anybody.
    fn tell_end(&self, ended: &EndedSession) {
        if ended.was_claimed {
            self.audit_gone(&ended.record, ended.why, None);
        }
    }
}
