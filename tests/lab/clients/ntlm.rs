//! NTLM clients: pyspnego, steered leg by leg, with the faults that a test chooses.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};

use crate::lab::http::{Raw, Response};
use crate::lab::{clients, lab_path, realm};

/// Who signs on, and how the program does it.
#[derive(Clone, Debug)]
pub struct Login {
    /// As typed: `DOMAIN\user`, `user@dns.domain`, or bare.
    pub user: String,
    /// The password.
    pub password: String,
    /// What the tokens are wrapped in.
    pub wrap: Wrap,
    /// What the response says about the channel.
    pub binding: Binding,
    /// The kind of response.
    pub response: Kind,
    /// The message integrity code of the third message.
    pub mic: Mic,
    /// The service that the client means: a class and a host.
    pub target: (String, String),
    /// The length of the first message, where it is another than pyspnego's.
    pub first_length: Option<usize>,
}

/// What NTLM's messages are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// Nothing, under the scheme `NTLM`.
    Ntlm,
    /// Nothing, under `Negotiate`.
    Raw,
    /// SPNEGO that offers NTLM only.
    Spnego,
    /// SPNEGO that prefers a mechanism nobody knows, and offers NTLM after it.
    SecondChoice,
}

/// What a response says about the TLS connection it was made on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Nothing.
    Absent,
    /// That it was made on none.
    Zero,
    /// The application data of the channel's binding.
    To(Vec<u8>),
}

/// The kind of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ntlmv2,
    Ntlmv1,
    Lm,
    Anonymous,
}

/// The message integrity code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mic {
    Right,
    /// One bit is another.
    Wrong,
    /// The response promises one, the message has none.
    Missing,
}

/// One exchange of such a client.
pub struct Exchange {
    id: u64,
    scheme: &'static str,
}

impl Login {
    /// A user of the domain, as `DOMAIN\user`, with the right password.
    #[track_caller]
    pub fn of(user: &str) -> Login {
        Login::with(&format!(r"{}\{user}", realm().domain), realm().password(user))
    }

    /// A user as typed.
    pub fn with(user: &str, password: &str) -> Login {
        Login {
            user: user.to_owned(),
            password: password.to_owned(),
            wrap: Wrap::Ntlm,
            binding: Binding::Absent,
            response: Kind::Ntlmv2,
            mic: Mic::Right,
            target: ("http".to_owned(), realm().host("web")),
            first_length: None,
        }
    }

    /// Begins an exchange.
    #[track_caller]
    pub fn begin(&self) -> Exchange {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let wrap = match self.wrap {
            Wrap::Ntlm | Wrap::Raw => "raw",
            Wrap::Spnego => "spnego",
            Wrap::SecondChoice => "second choice",
        };
        let response = match self.response {
            Kind::Ntlmv2 => "ntlmv2",
            Kind::Ntlmv1 => "ntlmv1",
            Kind::Lm => "lm",
            Kind::Anonymous => "anonymous",
        };
        let mic = match self.mic {
            Mic::Right => "right",
            Mic::Wrong => "wrong",
            Mic::Missing => "missing",
        };
        let mut wanted = json!({
            "new": id, "user": self.user, "password": self.password,
            "service": self.target.0, "host": self.target.1,
            "wrap": wrap, "response": response, "mic": mic, "first_length": self.first_length,
        });
        match &self.binding {
            Binding::Absent => {}
            Binding::Zero => wanted["zero_binding"] = true.into(),
            Binding::To(data) => {
                let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
                wanted["binding"] = hex.into();
            }
        }
        ask(&wanted);
        let scheme = if self.wrap == Wrap::Ntlm { "NTLM" } else { "Negotiate" };
        Exchange { id, scheme }
    }

    /// Fetches `path`, leg after leg, as a client does that begins without being asked.
    /// The answer's `before` has those to the legs before.
    #[track_caller]
    pub fn get(&self, connection: &mut Raw, path: &str, headers: &[(&str, &str)]) -> Response {
        self.get_from(connection, &realm().host("web"), path, headers)
    }

    /// The same from another host.
    #[track_caller]
    pub fn get_from(
        &self,
        connection: &mut Raw,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Response {
        let mut exchange = self.begin();
        let mut before = Vec::new();
        let mut token = exchange.first();
        for _leg in 0..5 {
            let mut all = headers.to_vec();
            all.push(("Authorization", &token));
            let mut answer = connection.get(host, path, &all);
            let next = exchange.next(&answer);
            match next {
                Some(next) if answer.status == 401 => token = next,
                _ => {
                    answer.before = before;
                    return answer;
                }
            }
            before.push(answer);
        }
        panic!("the exchange has no end: {before:?}");
    }
}

impl Exchange {
    /// The first leg: a value for `Authorization`.
    #[track_caller]
    pub fn first(&mut self) -> String {
        self.step(None).expect("a first message")
    }

    /// The next leg, if the answer has a token for us that we answer.
    #[track_caller]
    pub fn next(&mut self, answer: &Response) -> Option<String> {
        let token = answer.all("www-authenticate").find_map(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case(self.scheme).then_some(token)
        })?;
        self.step(Some(token))
    }

    /// The client's answer to a token that came without HTTP, in base64 as it did.
    #[track_caller]
    pub fn answer(&mut self, token: &str) -> Option<String> {
        Some(self.step(Some(token))?.split_once(' ')?.1.to_owned())
    }

    #[track_caller]
    fn step(&mut self, token: Option<&str>) -> Option<String> {
        let said = ask(&json!({"step": self.id, "token": token}));
        said["token"].as_str().map(|token| format!("{} {token}", self.scheme))
    }
}

/// One Python for all exchanges of a run: starting one takes longer than a sign-on.
struct Python {
    _child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

#[track_caller]
fn ask(question: &Value) -> Value {
    static PYTHON: OnceLock<Mutex<Python>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| {
        let mut child = clients::venv_python(None)
            .arg(lab_path("clients/ntlm.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Mutex::new(Python { _child: child, stdin, stdout: BufReader::new(stdout) })
    });
    let mut python = python.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(python.stdin, "{question}").unwrap();
    let mut line = String::new();
    python.stdout.read_line(&mut line).unwrap();
    drop(python);
    let answer: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
    assert!(answer["error"].is_null(), "pyspnego: {} (asked {question})", answer["error"]);
    answer
}
