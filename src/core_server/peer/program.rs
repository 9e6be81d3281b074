//! Peers on the unix socket: processes of this host, identified by uid. They are checked again
//! after each reload, so that an account that lost its rights loses them on open connections too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::unistd::geteuid;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Peer;
use super::accounts::{PeerRules, System};

/// The other end of a connection on the unix socket.
#[derive(Debug)]
pub(in crate::core_server) struct Program {
    /// Its effective uid when it connected.
    uid: u32,
    judged: Mutex<Option<Judged>>,
}

/// By the same rules a uid is the same peer for as long as its connection lasts.
#[derive(Clone, Debug)]
struct Judged {
    by: Arc<PeerRules>,
    peer: Arc<Peer>,
}

impl Program {
    pub(in crate::core_server) fn new(uid: u32) -> Self {
        Self { uid, judged: Mutex::default() }
    }

    /// Who it is by these rules; `None` where its account cannot be looked up in time.
    pub(in crate::core_server) async fn peer(&self, rules: &Arc<PeerRules>) -> Option<Arc<Peer>> {
        let held = self.judged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Judged { by, peer }) = held
            && Arc::ptr_eq(&by, rules)
        {
            return Some(peer);
        }
        let (uid, by) = (self.uid, Arc::clone(rules));
        // Looking up accounts may block: they may be a directory's.
        let judging = spawn_blocking(move || by.judge(uid, geteuid().as_raw(), &System));
        let Ok(Ok(peer)) = timeout(LOOKUP_TIMEOUT, judging).await else {
            tracing::error!(uid, "the system's accounts cannot be looked up (NSS)");
            return None;
        };
        let peer = Arc::new(peer);
        let judged = Judged { by: Arc::clone(rules), peer: Arc::clone(&peer) };
        *self.judged.lock().unwrap_or_else(PoisonError::into_inner) = Some(judged);
        Some(peer)
    }
}

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
