//! Peers on the unix socket: processes of this host, identified by uid. They are checked again
//! after each reload, so that an account that lost its rights loses them on open connections too.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::unistd::geteuid;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Peer;
use super::accounts::System;
use crate::core_server::Core;
use crate::core_server::policy::Policy;

/// The other end of a connection on the unix socket.
#[derive(Debug)]
pub(in crate::core_server) struct Program {
    /// Its effective uid when it connected.
    uid: u32,
    judged: Mutex<Option<Judged>>,
}

/// By one policy a uid is the same peer for as long as its connection lasts.
#[derive(Clone, Debug)]
struct Judged {
    by: Arc<Policy>,
    peer: Arc<Peer>,
}

impl Program {
    pub(in crate::core_server) fn new(uid: u32) -> Self {
        Self { uid, judged: Mutex::default() }
    }
}

impl Core {
    /// Who a program is by the settings of this moment; `None` where its account
    /// cannot be looked up in time.
    pub(in crate::core_server) async fn judge_program(
        &self,
        program: &Program,
    ) -> Option<Arc<Peer>> {
        let policy = self.policy.load_full();
        let held = program.judged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Judged { by, peer }) = held
            && Arc::ptr_eq(&by, &policy)
        {
            return Some(peer);
        }
        let (uid, by) = (program.uid, Arc::clone(&policy));
        // Looking up accounts may block: they may be a directory's.
        let judging = spawn_blocking(move || policy.peers.judge(uid, geteuid().as_raw(), &System));
        let Ok(Ok(peer)) = timeout(LOOKUP_TIMEOUT, judging).await else {
            tracing::error!(uid, "the system's accounts cannot be looked up (NSS)");
            return None;
        };
        let peer = Arc::new(peer);
        let judged = Judged { by, peer: Arc::clone(&peer) };
        *program.judged.lock().unwrap_or_else(PoisonError::into_inner) = Some(judged);
        Some(peer)
    }
}

const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
