//! Who comes is looked at before anything is asked.

use std::sync::Arc;

use super::Desk;
use crate::core_server::Core;
use crate::core_server::peer::certificate::Client;
use crate::core_server::peer::program::Program;
use crate::core_server::peer::{Peer, Remote};
use crate::core_server::refusal::Refusal;

impl Core {
    /// Who a program is by the settings of this moment; `None` where its account cannot
    /// be looked up in time.
    pub(in crate::core_server) async fn judge_program(
        &self,
        program: &Program,
    ) -> Option<Arc<Peer>> {
        let policy = self.policy.load_full();
        program.peer(&policy.peers).await
    }

    /// Serves a program of this host, as who it is at this moment.
    pub(in crate::core_server) async fn receive_program(
        self: &Arc<Self>,
        program: &Program,
    ) -> Result<Desk, Refusal> {
        let peer = self.judge_program(program).await.ok_or_else(Refusal::unjudged)?;
        Ok(self.desk(peer))
    }

    /// Serves a client of TLS, as who it is at this moment. A certificate that does
    /// not count is refused, and in the audit log, whatever is asked.
    pub(in crate::core_server) async fn receive_client(
        self: &Arc<Self>,
        client: &Arc<Client>,
    ) -> Result<Desk, Refusal> {
        match self.judge_client(client).await {
            Some(Ok(peer)) => Ok(self.desk(Arc::new(peer))),
            Some(Err(denied)) => {
                let refusal = Refusal::certificate(&denied, &client.certificate());
                self.audit_refused_certificate(client, &denied, &refusal.reference);
                Err(refusal)
            }
            None => Err(Refusal::unjudged()),
        }
    }

    /// Who is at the other end at this moment, where somebody who counts is.
    pub(super) async fn peer_at(&self, remote: &Remote) -> Option<Arc<Peer>> {
        match remote {
            Remote::Program(program) => self.judge_program(program).await,
            Remote::Client(client) => self.judge_client(client).await?.ok().map(Arc::new),
        }
    }
}
