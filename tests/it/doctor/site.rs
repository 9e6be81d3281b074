//! A site with a fault: what it is made of, and what its client has.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::gateway::{Setup, web};
use crate::lab::doorward::{self, program};
use crate::lab::servers::{self, Server};
use crate::lab::{Ticket, realm, temp_dir};

/// A site, until it is dropped.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    config: String,
    env: Vec<(String, String)>,
    /// Whether the gateway's clock is not the realm's.
    pub(super) own_clock: bool,
    host: String,
    url: Option<String>,
    client_env: Vec<(String, String)>,
    headers: Vec<String>,
    /// The ticket of whoever comes, and of the administrator who checks.
    pub(super) ticket: Option<Ticket>,
    kept: Vec<Box<dyn Any + Send>>,
}

impl Site {
    /// A site with the tests' usual settings, before the lab's application.
    pub(crate) fn with(setup: &Setup) -> Self {
        Self::of(&setup.config(Self::app_port()))
    }

    /// The port of the lab's application, which all sites share.
    pub(crate) fn app_port() -> u16 {
        static APP: OnceLock<Server> = OnceLock::new();
        APP.get_or_init(servers::app).port
    }

    /// A site of this configuration. `{dir}` in it is the site's own folder, which is also
    /// given to whatever is not set: state, core socket, audit file.
    pub(crate) fn of(config: &str) -> Self {
        let dir = temp_dir("site-");
        let text = doorward::with_state_and_log(config) + doorward::core_unless_named(config);
        let site = Self {
            dir,
            config: String::new(),
            env: Vec::new(),
            own_clock: false,
            host: web(),
            url: None,
            client_env: Vec::new(),
            headers: Vec::new(),
            ticket: Some(realm().ticket("alice")),
            kept: Vec::new(),
        };
        Self { config: site.own(&text), ..site }
    }

    /// The client comes to this host. It has to lead to loopback.
    pub(crate) fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// The client comes to this address; `{http}` and `{https}` in it are the gateway's
    /// ports. Certificates are not checked.
    pub(crate) fn url(mut self, url: &str) -> Self {
        self.url = Some(url.to_owned());
        self
    }

    /// The browser sends this header too, as a proxy might.
    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// Something in the environment of whoever comes.
    pub(crate) fn client_env(mut self, name: &str, value: &str) -> Self {
        self.client_env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The clock of whoever comes is off by this.
    pub(crate) fn client_clock(mut self, offset: &str) -> Self {
        self.client_env.extend(faked(offset));
        self
    }

    /// Lines before all others: keys of no section.
    pub(crate) fn prepend(mut self, lines: &str) -> Self {
        self.config.insert_str(0, lines);
        self
    }

    /// The same configuration with something else in a place.
    pub(crate) fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.config.contains(from), "{from} is not in\n{}", self.config);
        self.config = self.config.replacen(from, to, 1);
        self
    }

    /// Something in the environment of the gateway, and of the check.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This file is the krb5.conf of the gateway's host.
    pub(crate) fn krb5_conf(self, text: &str) -> Self {
        let path = self.write("krb5.conf", text);
        self.env("KRB5_CONFIG", path.to_str().unwrap())
    }

    /// The clock of the gateway's host is off by this, as faketime says it: `+10m`.
    pub(crate) fn clock(mut self, offset: &str) -> Self {
        self.own_clock = true;
        self.env.extend(faked(offset));
        self
    }

    /// Whoever comes has this ticket, or none.
    pub(crate) fn ticket(mut self, ticket: Option<Ticket>) -> Self {
        self.ticket = ticket;
        self
    }

    /// Keeps a server, a guard or a folder for as long as the site is there.
    pub(crate) fn keep(mut self, kept: impl Any + Send) -> Self {
        self.kept.push(Box::new(kept));
        self
    }

    /// Writes a file into the site's folder.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The name by which the client comes.
    pub(super) fn name(&self) -> &str {
        &self.host
    }

    /// Where the client comes to, by the gateway's ports.
    pub(super) fn address(&self, http: u16, https: u16) -> String {
        match &self.url {
            Some(url) => {
                url.replace("{http}", &http.to_string()).replace("{https}", &https.to_string())
            }
            None => format!("http://{}:{http}/", self.host),
        }
    }

    /// What the client has in its environment.
    pub(super) fn client(&self) -> &[(String, String)] {
        &self.client_env
    }

    /// What the browser sends besides.
    pub(super) fn headers(&self) -> &[String] {
        &self.headers
    }

    /// A word of a row, with what is the site's own put in.
    pub(super) fn own(&self, word: &str) -> String {
        let realm = realm();
        word.replace("{dir}", self.dir().to_str().unwrap())
            .replace("{host}", &self.host)
            .replace("{realm}", &realm.name)
            .replace("{dns}", &realm.dns)
            .replace("{domain}", &realm.domain)
    }

    /// Doorward by this configuration, in the environment of the gateway's host.
    pub(super) fn doorward(&self, verb: &str) -> Command {
        let file = self.write("doorward.toml", &self.config);
        let mut command = program();
        command.arg(verb).arg("--config").arg(file);
        command.env("KRB5CCNAME", format!("FILE:{}/none", self.dir().display()));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What gives a program another clock. Waiting is not faked.
fn faked(offset: &str) -> Vec<(String, String)> {
    let mut faketime = Command::new("faketime");
    faketime.args(["-m", "-f", offset, "env"]).env_clear().env("PATH", "/usr/bin:/bin");
    let said = faketime.output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let lines = said.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(|(name, _)| ["LD_PRELOAD", "FAKETIME"].contains(name))
        .chain([("FAKETIME_DONT_FAKE_MONOTONIC", "1")])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
