//! Doorward in front of the lab's application: what most tests begin with.

use std::path::PathBuf;

use crate::lab::http::{Raw, Response};
use crate::lab::servers::{self, Server};
use crate::lab::{Doorward, Ticket, curl, realm};

/// What a test sets other than the rest do: lines of TOML for each table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    /// The keytab; without one, the web server's of the domain.
    pub keytab: Option<PathBuf>,
    /// Lines of `[front]`.
    pub front: &'static str,
    /// Lines of `[sso]`. Without `mechanisms`, Kerberos is offered, and NTLM where it
    /// is set up.
    pub sso: &'static str,
    /// Lines of `[sso.ntlm]`.
    pub ntlm: Option<String>,
    /// Lines of the site that serves everything.
    pub site: &'static str,
    /// Further tables.
    pub more: String,
    /// Lines of `[core]`.
    pub core: &'static str,
}

/// A running gateway and its application.
pub(crate) struct Gateway {
    /// The gateway.
    pub doorward: Doorward,
    /// The application.
    pub app: Server,
}

impl Setup {
    /// The configuration, for an application on `port`.
    pub(crate) fn config(&self, port: u16) -> String {
        let keytab = self.keytab.clone().unwrap_or_else(|| realm().web_keytab.clone());
        let offered = match &self.ntlm {
            _ if self.sso.contains("mechanisms") => "",
            Some(_) => r#"mechanisms = ["negotiate", "ntlm"]"#,
            None => r#"mechanisms = ["negotiate"]"#,
        };
        let ntlm =
            self.ntlm.as_ref().map_or(String::new(), |lines| format!("[sso.ntlm]\n{lines}\n"));
        format!(
            "[front]\nlisten = [\"127.0.0.1:0\"]\nlisten_tls = [\"127.0.0.1:0\"]\n\
             listen_status = \"127.0.0.1:0\"\n{}\n[sso]\n{offered}\n{}\n\
             [sso.kerberos]\nkeytab = \"{}\"\n{ntlm}\
             [[site]]\nhost = \"*\"\nupstream = \"http://127.0.0.1:{port}\"\n{}\n{}\n\
             [core]\nlisten = \"unix:{{dir}}/core.sock\"\n{}\n",
            self.front,
            self.sso,
            keytab.display(),
            self.site,
            self.more,
            self.core
        )
    }

    /// Starts gateway and application.
    #[track_caller]
    pub(crate) fn start(&self) -> Gateway {
        let app = servers::app();
        Gateway { doorward: Doorward::serve(&self.config(app.port)), app }
    }
}

impl Gateway {
    /// A gateway with nothing special about it.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Setup::default().start()
    }

    /// Fetches a path over plain HTTP with curl.
    #[track_caller]
    pub(crate) fn get(&self, ticket: Option<&Ticket>, path: &str, args: &[&str]) -> Response {
        let url = self.doorward.url(path);
        curl(ticket, &[args, &[url.as_str()]].concat())
    }

    /// Fetches a path over TLS with curl, which does not check the certificate.
    #[track_caller]
    pub(crate) fn get_tls(&self, ticket: Option<&Ticket>, path: &str, args: &[&str]) -> Response {
        let url = self.doorward.https_url(path);
        curl(ticket, &[&["--insecure"], args, &[url.as_str()]].concat())
    }

    /// A connection to the plain listener on which the test says every byte.
    #[track_caller]
    pub(crate) fn connect(&self) -> Raw {
        Raw::connect(self.doorward.http_port())
    }

    /// Sends one Negotiate token on a connection of its own.
    #[track_caller]
    pub(crate) fn send_token(&self, token: &str) -> Response {
        let value = format!("Negotiate {token}");
        self.connect().get(&web(), "/", &[("Authorization", &value)])
    }

    /// Signs somebody on, and gives the cookie pair that they are given.
    #[track_caller]
    pub(crate) fn sign_on(&self, user: &str) -> String {
        let token = realm().ticket(user).tokens(&web(), 1).remove(0);
        let answer = self.send_token(&token);
        assert_eq!(answer.status, 200, "{answer:?}");
        cookie_of(&answer)
    }

    /// The same at `/.doorward/whoami`, where no site requires anything.
    #[track_caller]
    pub(crate) fn sign_on_anywhere(&self, user: &str) -> String {
        let token = realm().ticket(user).tokens(&web(), 1).remove(0);
        let value = format!("Negotiate {token}");
        let answer = self.connect().get(&web(), "/.doorward/whoami", &[("Authorization", &value)]);
        assert_eq!(answer.status, 200, "{answer:?}");
        cookie_of(&answer)
    }

    /// Asks who a cookie stands for.
    #[track_caller]
    pub(crate) fn whoami(&self, cookie: &str) -> Response {
        self.connect().get(&web(), "/.doorward/whoami", &[("Cookie", cookie)])
    }

    /// A figure of `/metrics`, by the start of its line.
    #[track_caller]
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.status("/metrics").text();
        let line = text.lines().find(|line| line.starts_with(series));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
            .unwrap_or_else(|| panic!("no {series} in\n{text}"))
    }

    /// A page of the status listener.
    #[track_caller]
    pub(crate) fn status(&self, path: &str) -> Response {
        let mut connection = Raw::connect(self.doorward.status_port());
        connection.get("localhost", path, &[("Connection", "close")])
    }
}

/// The host name that tickets are for.
pub(crate) fn web() -> String {
    realm().host("web")
}

/// The `name=value` of a Set-Cookie header.
#[track_caller]
pub(crate) fn cookie_of(answer: &Response) -> String {
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie in {answer:?}"));
    set.split(';').next().unwrap().to_owned()
}

/// The values under which a header reached the application.
pub(crate) fn reached(answer: &Response, name: &str) -> Vec<String> {
    let seen = answer.json();
    let pairs = seen["headers"].as_array().unwrap();
    let named = pairs.iter().filter(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
    named.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}
