//! What the gateway that runs has met itself: it is asked at its status listener.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::finding::Finding;
use crate::advice::configuration;
use crate::config::Settings;

/// Nothing where it does not run, or has no status listener.
pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let Some(address) = settings.front.listen_status.filter(|address| address.port() != 0) else {
        return Vec::new();
    };
    let answer = timeout(LIMIT, ready(reachable(address))).await;
    answer.ok().flatten().map(|ready| judged(&ready)).unwrap_or_default()
}

fn judged(ready: &Value) -> Vec<Finding> {
    let Some(parts) = ready.as_object() else { return Vec::new() };
    let mend = configuration::AS_IT_SAYS;
    let mut findings = Vec::new();
    for (part, said) in parts {
        if let Some(said) = said.as_str().filter(|said| *said != "ok") {
            findings.push(Finding::warning(CHECK, &format!("it says of its {part}: {said}"), mend));
        }
    }
    for notice in parts.get("notices").and_then(Value::as_array).into_iter().flatten() {
        if let Some(said) = notice.as_str() {
            findings.push(Finding::warning(CHECK, &format!("it met this: {said}"), mend));
        }
    }
    match ready.get("ready").and_then(Value::as_bool) {
        Some(true) if findings.is_empty() => {
            findings.push(Finding::ok(CHECK, "it runs, and is ready for sign-ons"));
        }
        Some(_) => {}
        // Something else answers there; the line of its socket says so.
        None => return Vec::new(),
    }
    findings
}

/// The body of `/ready`, whatever its status.
async fn ready(address: SocketAddr) -> Option<Value> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = b"GET /ready HTTP/1.0\r\nUser-Agent: doorward-check\r\n\r\n";
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer).await.ok()?;
    let text = String::from_utf8(answer).ok()?;
    let (_, body) = text.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

/// One that listens at all addresses is reached by loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

const CHECK: &str = "gateway";
const LIMIT: Duration = Duration::from_secs(5);
const LARGEST: u64 = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::finding::Status;

    #[test]
    fn what_it_says_of_itself_is_told() {
        let judge = |text| judged(&serde_json::from_str(text).unwrap());
        let well = judge(r#"{"ready": true, "keytab": "ok", "notices": []}"#);
        assert_eq!(well[0].status(), Status::Ok);
        let ill = judge(
            r#"{"ready": false, "core": "gone; start it", "notices": ["10.0.0.1 sends X-Forwarded-For"]}"#,
        );
        let said: Vec<_> = ill.iter().map(ToString::to_string).collect();
        assert_eq!(said[0], "warn  gateway: it says of its core: gone. Mend: start it");
        assert!(said[1].contains("it met this: 10.0.0.1 sends"), "{said:?}");
        assert_eq!(judge(r#"{"some": "other"}"#), []);
    }
}
