//! What tests share: Samba's own client, and helpers that verify one password without a domain.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_util::sync::CancellationToken;

use super::metrics::NtlmMetrics;
use super::values::Logon;
use super::{Attempt, Failure, Opened, Pool, Question};
use crate::clock;
use crate::config::section::{HelperProtocol, Ntlm};
use crate::metrics::Metrics;

pub(super) const NTLM_AUTH: &str = "/usr/bin/ntlm_auth";

/// The password that helpers of [`settings`] take for right, whoever it is.
pub(super) const PASSWORD: &str = "Password1!";

pub(super) const BOTH: [HelperProtocol; 2] =
    [HelperProtocol::NtlmServer1, HelperProtocol::Squid25Ntlmssp];

/// Two helpers that verify by themselves, with short times.
pub(super) fn settings(protocol: HelperProtocol) -> Ntlm {
    Ntlm {
        ntlm_auth: PathBuf::from(NTLM_AUTH),
        ntlm_auth_args: [
            "--username=alice".to_owned(),
            "--domain=LAB".to_owned(),
            format!("--password={PASSWORD}"),
        ]
        .to_vec(),
        helper_protocol: protocol,
        check_target_name: true,
        helpers: 2,
        queue: 1024,
        helper_timeout: Duration::from_secs(2),
        exchange_timeout: Duration::from_secs(10),
    }
}

/// A pool that is ready.
pub(super) async fn pool(settings: &Ntlm) -> (Pool, Metrics) {
    let metrics = Metrics::default();
    let counted = Arc::new(NtlmMetrics::register(&metrics).unwrap());
    let pool = Pool::start(settings, true, counted, CancellationToken::new());
    eventually("the pool is ready", || pool.ready().is_ok()).await;
    eventually("helpers run", || {
        figure(&metrics, "doorward_ntlm_helpers{state=\"starting\"}") == 0
    })
    .await;
    (pool, metrics)
}

/// Waits for a condition, ten seconds at most.
pub(super) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begun = clock::instant();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}: not within ten seconds");
        clock::pause(Duration::from_millis(5)).await;
    }
}

/// The figure of that name.
pub(super) fn figure(metrics: &Metrics, name: &str) -> i64 {
    let text = String::from_utf8(metrics.render()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// A program that is `ntlm_auth` until the line `at` comes for the first time: then
/// it does `fault`, in bash. Helpers that are started later are well.
pub(super) fn faulty(directory: &Path, at: &str, fault: &str) -> PathBuf {
    let path = directory.join("ntlm_auth");
    let script = format!(
        "#!/bin/bash\n\
         exec 3> >(exec {NTLM_AUTH} \"$@\")\n\
         while IFS= read -r line; do\n\
         case $line in {at}) if mkdir \"$0.used\" 2>/dev/null; then {fault}; fi ;; esac\n\
         printf '%s\\n' \"$line\" >&3\n\
         done\n"
    );
    // By another process: while this one has the file open for writing, a child
    // forked by another test would inherit it, and it could not be executed.
    let mut write = Command::new("sh")
        .args(["-c", "cat >\"$1\"", "sh"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    write.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(write.wait().unwrap().success());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Signs a user on, as far as the pool goes.
pub(super) async fn sign_on(pool: &Pool, user: &str, password: &str) -> Result<Logon, Failure> {
    let mut client = Client::new(user, "LAB", password);
    let negotiate = client.negotiate();
    match pool.open(&negotiate).await? {
        Opened::Challenge { message, reservation } => {
            let authenticate = client.authenticate(&message);
            pool.verify(Attempt::Message { reservation, authenticate }).await
        }
        Opened::Names(_) => {
            let question = client.question();
            pool.verify(Attempt::Response(question)).await
        }
    }
}

/// A client: Samba's, by `ntlm_auth --helper-protocol=ntlmssp-client-1`.
pub(super) struct Client {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Client {
    pub(super) fn new(user: &str, domain: &str, password: &str) -> Self {
        let arguments = [
            "--helper-protocol=ntlmssp-client-1".to_owned(),
            format!("--username={user}"),
            format!("--domain={domain}"),
            format!("--password={password}"),
        ];
        Self::start(&arguments)
    }

    fn start(arguments: &[String]) -> Self {
        let mut child = Command::new(NTLM_AUTH)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    pub(super) fn negotiate(&mut self) -> Vec<u8> {
        self.ask("YR")
    }

    pub(super) fn authenticate(&mut self, challenge: &[u8]) -> Vec<u8> {
        self.ask(&format!("TT {}", STANDARD.encode(challenge)))
    }

    /// What the client answers to a challenge, with that challenge.
    pub(super) fn question(&mut self) -> Question {
        let mut server = Self::start(&[
            "--helper-protocol=squid-2.5-ntlmssp".to_owned(),
            "--username=x".to_owned(),
            "--domain=LAB".to_owned(),
            "--password=x".to_owned(),
        ]);
        let negotiate = self.negotiate();
        let message = server.ask(&format!("YR {}", STANDARD.encode(negotiate)));
        let authenticate = self.authenticate(&message);
        let text = |at: usize| {
            let units = field(&authenticate, at);
            let units = units.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
        };
        Question {
            challenge: message[24..32].try_into().unwrap(),
            nt_response: field(&authenticate, 20).to_vec(),
            user: text(36),
            domain: text(28),
        }
    }

    fn ask(&mut self, line: &str) -> Vec<u8> {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let (_, message) =
            answer.trim_end().split_once(' ').unwrap_or_else(|| panic!("{answer:?}"));
        STANDARD.decode(message).unwrap_or_else(|_| panic!("{answer:?}"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A field of a message ([MS-NLMP] 2.2.1.3), by the place of its length and offset.
fn field(message: &[u8], at: usize) -> &[u8] {
    let length = usize::from(u16::from_le_bytes(message[at..at + 2].try_into().unwrap()));
    let offset = u32::from_le_bytes(message[at + 4..at + 8].try_into().unwrap());
    let offset = usize::try_from(offset).unwrap();
    &message[offset..offset + length]
}
