//! The applications behind the gateway: one request to each.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::answer::{Answer, Spoken};
use super::report::Finding;
use crate::advice::application as advice;
use crate::config::Settings;
use crate::config::section::{HostPattern, Site};
use crate::front::upstream::Application;

mod answer;
mod ask;

/// An application, and what is to be known of the site that asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    host: String,
    port: u16,
    /// As a client's `Host` would be.
    name: String,
    path: String,
    pass_authorization: bool,
}

/// All at once, each for a few seconds.
pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut running = JoinSet::new();
    for (index, asked) in applications(settings).into_iter().enumerate() {
        match asked {
            Ok(asked) => {
                let own = own_listener(settings, &asked);
                let limit = settings.front.connect_timeout;
                running.spawn(async move { (index, ask_one(&asked, own, limit).await) });
            }
            Err(odd) => findings.push((index, odd)),
        }
    }
    // A task that panics has said so on standard error.
    findings.extend(running.join_all().await);
    findings.sort_by_key(|(index, _)| *index);
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// Each address once, asked as the first of its sites does.
fn applications(settings: &Settings) -> Vec<Result<Asked, Finding>> {
    let mut found: Vec<Result<Asked, Finding>> = Vec::new();
    for site in &settings.sites {
        let Some(uri) = &site.upstream else { continue };
        let asked = match Application::new(uri) {
            Ok(_) => Ok(asked(settings, site, uri)),
            Err(odd) => Err(Finding::error(CHECK, &odd.to_string(), advice::NOT_HTTP)),
        };
        let same = |known: &Result<Asked, Finding>| match (known, &asked) {
            (Ok(known), Ok(asked)) => (&known.host, known.port) == (&asked.host, asked.port),
            (known, asked) => known == asked,
        };
        if !found.iter().any(same) {
            found.push(asked);
        }
    }
    found
}

fn asked(settings: &Settings, site: &Site, uri: &http::Uri) -> Asked {
    let name = match &site.host {
        HostPattern::Exact(host) => host.clone(),
        HostPattern::Any | HostPattern::Suffix(_) => settings.server_hostname.clone(),
    };
    Asked {
        host: uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
        port: uri.port_u16().unwrap_or(80),
        name,
        path: site.path.clone(),
        pass_authorization: site.pass_authorization,
    }
}

/// The gateway's own listener at the address of an application.
fn own_listener(settings: &Settings, asked: &Asked) -> Option<String> {
    let front = &settings.front;
    let core = settings.core.tls.iter().flat_map(|tls| &tls.listen);
    let listeners = (front.listen.iter().map(|address| ("front.listen", address)))
        .chain(front.listen_tls.iter().map(|address| ("front.listen_tls", address)))
        .chain(front.listen_status.iter().map(|address| ("front.listen_status", address)))
        .chain(core.map(|address| ("core.listen_tls", address)));
    let mut same_port = listeners.filter(|(_, address)| address.port() == asked.port).peekable();
    same_port.peek()?;
    let addresses: Vec<_> = (asked.host.as_str(), asked.port).to_socket_addrs().ok()?.collect();
    let reaches = |listener: &SocketAddr| {
        addresses.iter().any(|address| match listener.ip() {
            any if any.is_unspecified() => is_here(address.ip()),
            own => own == address.ip(),
        })
    };
    same_port.find(|(_, listener)| reaches(listener)).map(|(key, at)| format!("{key} {at}"))
}

/// Whether this host has the address: only then can it be bound.
fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || std::net::UdpSocket::bind((address, 0)).is_ok()
}

async fn ask_one(asked: &Asked, own: Option<String>, limit: Duration) -> Finding {
    let Asked { host, port, .. } = asked;
    if let Some(listener) = own {
        let found = format!("{host} port {port} is Doorward itself ({listener})");
        return Finding::fail(CHECK, found, advice::ITSELF);
    }
    match timeout(limit, TcpStream::connect((host.as_str(), *port))).await {
        Ok(Ok(stream)) => finding_on(asked, &ask::application(stream, asked).await),
        Ok(Err(error)) => unreachable(asked, &error),
        Err(_) => {
            let seconds = limit.as_secs_f32();
            let found = format!("{host} port {port} does not answer within {seconds} s");
            Finding::fail(CHECK, found, advice::START)
        }
    }
}

fn unreachable(Asked { host, port, .. }: &Asked, error: &io::Error) -> Finding {
    // What the resolver says has no kind of its own.
    let unresolved = error.raw_os_error().is_none() && host.parse::<IpAddr>().is_err();
    let mend = if unresolved { advice::NAME } else { advice::START };
    Finding::fail(CHECK, format!("{host} port {port}: {error}"), mend)
}

fn finding_on(asked: &Asked, spoken: &Spoken) -> Finding {
    let at = format!("{} port {}", asked.host, asked.port);
    match spoken {
        Spoken::Http(answer) => answered(asked, &at, answer),
        Spoken::Tls => Finding::fail(
            CHECK,
            format!("{at} speaks TLS, but Doorward speaks plain HTTP with applications"),
            advice::TLS,
        ),
        Spoken::Http2 => {
            Finding::fail(CHECK, format!("{at} accepts only HTTP/2"), advice::HTTP2_ONLY)
        }
        Spoken::Other(protocol) => {
            Finding::fail(CHECK, format!("{at} speaks {protocol}, not HTTP"), advice::NOT_HTTP)
        }
        Spoken::Nothing => Finding::fail(
            CHECK,
            format!(
                "{at} accepts connections, but closes them without an answer to GET {}",
                asked.path
            ),
            advice::SILENT,
        ),
        Spoken::Late(limit) => Finding::warn(
            CHECK,
            format!(
                "{at} accepts connections, but does not answer GET {} within {} s",
                asked.path,
                limit.as_secs()
            ),
            advice::SLOW,
        ),
    }
}

fn answered(asked: &Asked, at: &str, answer: &Answer) -> Finding {
    let Answer { status, challenge, is_doorward, .. } = answer;
    let found = format!("{at} answers GET {} with {status}", asked.path);
    if *is_doorward {
        let found = format!("{found}, and is itself a Doorward");
        return Finding::fail(CHECK, found, advice::ITSELF);
    }
    match challenge {
        Some(scheme) if *status == 401 && !asked.pass_authorization => Finding::warn(
            CHECK,
            format!(
                "{found}: it asks for a sign-on of its own ({scheme}), which Doorward does not pass on"
            ),
            advice::OWN_SIGN_ON,
        ),
        _ if *status >= 500 => Finding::warn(CHECK, found, advice::FAULTY),
        _ => Finding::ok(CHECK, found),
    }
}

const CHECK: &str = "upstream";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;
    use crate::config::{self, Surroundings};

    fn settings(text: &str) -> Settings {
        config::parse(text, "test", &Surroundings::here()).unwrap().settings
    }

    fn first(settings: &Settings) -> Asked {
        applications(settings).remove(0).unwrap()
    }

    #[test]
    fn each_application_is_asked_once_and_as_its_site() {
        let settings = settings(
            "server_hostname = \"gate.example\"\n\
             [[site]]\nhost = \"a.example\"\nupstream = \"http://127.0.0.1:81\"\n\
             [[site]]\nhost = \"b.example\"\npath = \"/b\"\nupstream = \"http://[::1]\"\n\
             [[site]]\nhost = \"*.c.example\"\nupstream = \"http://127.0.0.1:81\"\n",
        );
        let mut asked: Vec<_> = applications(&settings).into_iter().map(Result::unwrap).collect();
        asked.sort_by_key(|asked| asked.port);
        let shown: Vec<_> = asked
            .iter()
            .map(|asked| format!("{} {} {}{}", asked.host, asked.port, asked.name, asked.path))
            .collect();
        assert_eq!(shown, ["::1 80 b.example/b", "127.0.0.1 81 a.example/"]);
    }

    #[test]
    fn the_gateway_s_own_address_is_known() {
        for (listen, host, port, own) in [
            ("127.0.0.1:8080", "127.0.0.1", 8080, true),
            ("0.0.0.0:8080", "127.0.0.1", 8080, true),
            ("0.0.0.0:8080", "localhost", 8080, true),
            ("127.0.0.1:8080", "127.0.0.1", 8081, false),
            ("127.0.0.1:8080", "127.0.0.2", 8080, false),
            ("0.0.0.0:8080", "192.0.2.1", 8080, false),
        ] {
            // What can be told without DNS is an error of the configuration already.
            let settings = settings(&format!(
                "[front]\nlisten = [\"{listen}\"]\n[[site]]\nupstream = \"http://127.0.0.9:1\"\n"
            ));
            let asked = Asked { host: host.to_owned(), port, ..first(&settings) };
            let found = own_listener(&settings, &asked);
            assert_eq!(found.is_some(), own, "{listen} {host}:{port}: {found:?}");
        }
    }

    #[tokio::test]
    async fn an_application_that_is_down_fails_and_an_unknown_name_is_another_fault() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let limit = Duration::from_secs(5);
        let settings = settings(&format!("[[site]]\nupstream = \"http://127.0.0.1:{port}\"\n"));
        let down = ask_one(&first(&settings), None, limit).await;
        assert_eq!(down.status(), Status::Fail);
        assert!(down.to_string().contains("start the application"), "{down}");
        let nameless = Asked { host: "no-such-name.invalid".to_owned(), ..first(&settings) };
        let nameless = ask_one(&nameless, None, limit).await.to_string();
        assert!(nameless.contains("correct the host"), "{nameless}");
    }

    #[test]
    fn a_challenge_of_its_own_is_warned_about_unless_it_is_passed_on() {
        let settings = settings("[[site]]\nupstream = \"http://127.0.0.1:81\"\n");
        let challenge = Some("Basic".to_owned());
        let answer = Answer { status: 401, challenge, ..Answer::default() };
        let spoken = Spoken::Http(answer);
        let asked = first(&settings);
        assert_eq!(finding_on(&asked, &spoken).status(), Status::Warn);
        let passed = Asked { pass_authorization: true, ..asked };
        assert_eq!(finding_on(&passed, &spoken).status(), Status::Ok);
    }
}
