//! Accepts peers on the unix socket, and serves each on a connection of its own.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::unistd::{Uid, User, geteuid};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Core;
use super::api::{Connection, router};
use super::peer::{Accounts, Peer};
use crate::clock;

/// Serves the core's API on `listener` until `stop`, and sweeps the sessions.
/// Then open requests are given a few seconds to finish.
///
/// # Errors
/// The listener cannot be used at all.
pub async fn serve(
    listener: StdListener,
    core: Arc<Core>,
    stop: CancellationToken,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let door = Door {
        router: TowerToHyperService::new(router(Arc::clone(&core))),
        core: Arc::clone(&core),
        locals: Arc::new(Semaphore::new(MAX_LOCALS)),
        stop: stop.clone(),
    };
    let all = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    let mut sweep = interval(SWEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = sweep.tick() => core.sweep(clock::now()),
            (stream, place) = accept(&listener, &all) => {
                let door = door.clone();
                connections.spawn(async move {
                    door.welcome(stream).await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(FAREWELL, connections.wait()).await.is_err() {
        tracing::warn!("some requests to the core did not finish before it stopped");
    }
    Ok(())
}

async fn accept(
    listener: &UnixListener,
    all: &Arc<Semaphore>,
) -> (UnixStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is a place in the end.
    let place = Arc::clone(all).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection on the core's socket");
                clock::pause(Duration::from_millis(100)).await;
            }
        }
    }
}

#[derive(Clone)]
struct Door {
    router: TowerToHyperService<axum::Router>,
    core: Arc<Core>,
    locals: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Door {
    async fn welcome(&self, stream: UnixStream) {
        let Some(peer) = self.judge(&stream).await else { return };
        if !matches!(peer, Peer::Local { .. }) {
            return self.talk(stream, peer, self.stop.clone()).await;
        }
        // Fronts must always find a place, however many local programs connect.
        let Ok(_place) = self.locals.try_acquire() else {
            tracing::warn!(%peer, "too many local programs are connected to the core; hung up");
            return;
        };
        let over = self.stop.child_token();
        let talk = self.talk(stream, peer, over.clone());
        let mut talk = pin!(talk);
        if timeout(LOCAL_LIFETIME, &mut talk).await.is_err() {
            over.cancel();
            talk.await;
        }
    }

    /// Who is at the other end. Accounts are looked up where it may take its time.
    async fn judge(&self, stream: &UnixStream) -> Option<Peer> {
        let uid = stream.peer_cred().ok()?.uid();
        let policy = self.core.policy.load_full();
        let judging = spawn_blocking(move || policy.peers.judge(uid, geteuid().as_raw(), &System));
        match timeout(JUDGING, judging).await {
            Ok(Ok(peer)) => Some(peer),
            Ok(Err(_)) | Err(_) => {
                tracing::error!(uid, "the system's accounts cannot be looked up (NSS): hung up");
                None
            }
        }
    }

    /// Serves requests until the peer leaves, or until `over`.
    async fn talk(&self, stream: UnixStream, peer: Peer, over: CancellationToken) {
        let facts = Connection { peer: Arc::new(peer), stop: over.clone() };
        let service = service_fn(|mut request: http::Request<Incoming>| {
            request.extensions_mut().insert(facts.clone());
            self.router.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let left = tokio::select! {
            left = connection.as_mut() => left,
            () = over.cancelled() => {
                connection.as_mut().graceful_shutdown();
                timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = left {
            tracing::debug!(peer = %facts.peer, %error, "a peer's connection broke");
        }
    }
}

/// The accounts of this host, as NSS knows them.
struct System;

impl Accounts for System {
    fn uid_of(&self, name: &str) -> Option<u32> {
        let found = User::from_name(name).inspect_err(|error| {
            tracing::warn!(name, %error, "an account cannot be looked up, and counts for nobody");
        });
        found.ok().flatten().map(|user| user.uid.as_raw())
    }

    fn name_of(&self, uid: u32) -> Option<String> {
        let found = User::from_uid(Uid::from_raw(uid)).inspect_err(|error| {
            tracing::warn!(uid, %error, "an account cannot be looked up, and counts for nobody");
        });
        found.ok().flatten().map(|user| user.name)
    }
}

const SWEEP: Duration = Duration::from_secs(1);
const MAX_CONNECTIONS: usize = 1024;
/// Of those, connections of peers that are neither SYSTEM nor a front.
const MAX_LOCALS: usize = 512;
/// A local program's connection lasts no longer; it may connect again.
const LOCAL_LIFETIME: Duration = Duration::from_secs(60);
const JUDGING: Duration = Duration::from_secs(5);
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_HEAD: usize = 64 << 10;
const FAREWELL: Duration = Duration::from_secs(5);
