//! A core on a socket of its own, for the unit tests.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::door::api;
use super::peer::program::Program;
use super::peer::{Peer, Remote};
use super::*;
use crate::config::section::{AuditTarget, CoreAddress};
use crate::config::{self, Surroundings};
use crate::core_client::{Client, ClientError};
use crate::wire::open::{ByProof, Claim, Own, Trusted};
use crate::wire::{ErrorBody, Mechanism, OpenSession, Proof};

pub(super) const REALM: &str = "[[core.realm]]\nrealm = 'EXAMPLE.TEST'\n";

pub(super) fn settings(directory: &Path, text: &str) -> CoreSettings {
    let surroundings = Surroundings {
        environment: [("HOME".to_owned(), directory.display().to_string())].into(),
        root: false,
        hostname: "host.example.test".to_owned(),
        cores: 2,
        installed: |_| false,
    };
    let mut settings = config::parse(text, "test", &surroundings).unwrap().settings;
    settings.state_path = directory.join("state");
    settings.core.listen = directory.join("run/core.sock");
    settings.for_core()
}

/// A core that serves on a socket of its own.
pub(super) struct Lab {
    pub(super) directory: TempDir,
    pub(super) core: Arc<Core>,
    pub(super) stop: CancellationToken,
    pub(super) serving: JoinHandle<io::Result<()>>,
}

impl Lab {
    pub(super) fn start(text: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), text)
    }

    pub(super) fn start_in(directory: TempDir, text: &str) -> Self {
        let settings = settings(directory.path(), text);
        let database = Database::open(&settings.state_path).unwrap();
        Self::start_with(database, directory, &settings)
    }

    pub(super) fn start_with(
        database: Database,
        directory: TempDir,
        settings: &CoreSettings,
    ) -> Self {
        let audit = Audit::open(AuditTarget::File(directory.path().join("audit")), false).unwrap();
        let store = Box::new(Sqlite::start(database).unwrap());
        let starting = Core::start_with(store, settings, Arc::new(audit));
        // A thread may wait for it where the test's own runtime may not.
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let core = std::thread::scope(|scope| {
            scope.spawn(|| runtime().block_on(starting)).join().unwrap().unwrap()
        });
        let core = Arc::new(core);
        let stop = CancellationToken::new();
        let sockets = Sockets { local: bind(&settings.core).unwrap(), tls: Vec::new() };
        let serving = tokio::spawn(serve(sockets, Arc::clone(&core), stop.clone()));
        Self { directory, core, stop, serving }
    }

    pub(super) async fn stop(self) -> TempDir {
        self.stop.cancel();
        timeout(Duration::from_secs(4), self.serving).await.unwrap().unwrap().unwrap();
        assert_eq!(Arc::strong_count(&self.core), 1, "nothing serves any more");
        self.directory
    }

    pub(super) fn client(&self) -> Client {
        Client::new(CoreAddress::Unix(self.directory.path().join("run/core.sock")))
    }

    /// The audit lines, as soon as there are so many: a thread of its own writes them.
    pub(super) async fn audit(&self, count: usize) -> Vec<Value> {
        let path = self.directory.path().join("audit");
        for _ in 0..1_000 {
            let text = std::fs::read_to_string(&path).unwrap();
            if text.lines().count() >= count && text.ends_with('\n') {
                return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            }
            clock::pause(Duration::from_millis(10)).await;
        }
        panic!("there are no {count} audit lines within ten seconds");
    }

    /// Asks as a peer that this test cannot be.
    pub(super) async fn ask(
        &self,
        peer: Peer,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let own = nix::unistd::geteuid().as_raw();
        let remote = Remote::Program(Arc::new(Program::new(own)));
        let desk = self.core.desk(Arc::new(peer));
        let asker = api::Asker { desk, remote, stop: self.stop.clone() };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(path).extension(asker);
        let router = TowerToHyperService::new(api::router());
        let response = router.call(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

pub(super) fn proof(principal: &str) -> OpenSession {
    let proof = Proof {
        mechanism: Mechanism::Negotiate,
        principal: principal.to_owned(),
        acceptor_realm: Some("EXAMPLE.TEST".to_owned()),
        account: None,
        public_key: None,
        channel_bound: true,
        ends_at: Some(clock::now().plus(Duration::from_secs(600))),
        groups: vec!["S-1-5-21-1-2-3-513".to_owned()],
    };
    let claim = Claim::Proof(ByProof { proof, act_as: None, secret: None });
    OpenSession { client: None, claim }
}

pub(super) fn trusted(user: &str) -> OpenSession {
    let claim = Claim::Trusted(Trusted { user: user.to_owned(), act_as: None });
    OpenSession { client: None, claim }
}

pub(super) fn own(user: &str) -> OpenSession {
    let claim = Claim::Own(Own { user: user.to_owned(), act_as: None });
    OpenSession { client: None, claim }
}

pub(super) fn refused<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> ErrorBody {
    match answer {
        Err(ClientError::Refused(body)) => body,
        other => panic!("refused was expected: {other:?}"),
    }
}

pub(super) const fn local(account: Option<String>) -> Peer {
    Peer::Local { uid: 1000, account }
}

pub(super) fn john() -> Peer {
    local(Some("john".to_owned()))
}

pub(super) const FRONT: Peer = Peer::Front { uid: 33 };
