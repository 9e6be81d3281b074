//! Sign-on by name and password.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::lab::realm;

mod at_core;
mod basic;
mod limits;

/// A kept connection to the core's socket.
pub(crate) struct Core(BufReader<UnixStream>);

impl Core {
    #[track_caller]
    pub(crate) fn connect(socket: &Path) -> Core {
        Core(BufReader::new(UnixStream::connect(socket).unwrap()))
    }

    /// `POST /v1/sessions`
    #[track_caller]
    pub(crate) fn open(&mut self, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let head = format!(
            "POST /v1/sessions HTTP/1.1\r\nHost: core\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.get_mut().write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the core hung up");
            match line.trim_end().to_ascii_lowercase().split_once(' ') {
                Some(("http/1.1", rest)) => status = rest[..3].parse().unwrap(),
                Some(("content-length:", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// The same with a name and a password.
    #[track_caller]
    pub(crate) fn password(&mut self, user: &str, password: &str) -> (u16, Value) {
        self.open(&json!({"user": user, "password": password}))
    }
}

/// A core of the lab's domain.
pub(crate) fn config(core: &str) -> String {
    config_with(&realm().web_keytab, core)
}

fn config_with(keytab: &Path, core: &str) -> String {
    format!(
        "[sso.kerberos]\nkeytab = \"{}\"\n[core]\nlisten = \"unix:{{dir}}/core.sock\"\n{core}\n",
        keytab.display()
    )
}

const LISTED: &str = "[[core.realm]]\nrealm = \"LAB.EXAMPLE\"\ndomain = \"LAB\"\n";
