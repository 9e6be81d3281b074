//! The running gateway's own state, from its status listener.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::advice::{configuration, proxy};
use crate::cli::check::report::Finding;
use crate::config::Settings;
use crate::wire::Reason;

/// Nothing where it does not run, or has no status listener.
pub(in crate::cli::check) async fn check(settings: &Settings) -> Vec<Finding> {
    let Some(address) = settings.front.listen_status.filter(|address| address.port() != 0) else {
        return Vec::new();
    };
    let address = reachable(address);
    let asked = async { tokio::join!(get(address, "/ready"), get(address, "/metrics")) };
    let Ok((Some(ready), metrics)) = timeout(LIMIT, asked).await else { return Vec::new() };
    // Something else may answer there; the line of its socket says so.
    let Ok(ready) = serde_json::from_str(&ready) else { return Vec::new() };
    findings_in(&ready, &metrics.unwrap_or_default())
}

fn findings_in(ready: &Value, metrics: &str) -> Vec<Finding> {
    let (Some(parts), Some(is_ready)) = (ready.as_object(), ready["ready"].as_bool()) else {
        return Vec::new();
    };
    let mend = configuration::AS_IT_SAYS;
    let said = |told: String| Finding::warning(CHECK, &told, mend);
    let mut findings = Vec::new();
    for (part, state) in parts {
        if let Some(state) = state.as_str().filter(|state| *state != "ok") {
            findings.push(said(format!("it reports {part}: {state}")));
        }
    }
    let notices = parts.get("notices").and_then(Value::as_array).into_iter().flatten();
    let notices = notices.filter_map(Value::as_str);
    findings.extend(notices.map(|notice| said(format!("it reports: {notice}"))));
    findings.extend(MET.iter().filter_map(|(reason, mend)| refused(metrics, *reason, mend)));
    if is_ready && findings.is_empty() {
        findings.push(Finding::ok(CHECK, "it is running, and ready for sign-ons"));
    }
    findings
}

/// Refusals that tell of the way to the gateway, and not of who came.
fn refused(metrics: &str, reason: Reason, mend: &str) -> Option<Finding> {
    let label = reason.label();
    let (series, of_reason) = ("doorward_signons_total{", format!("reason=\"{label}\""));
    let lines =
        metrics.lines().filter(|line| line.starts_with(series) && line.contains(&of_reason));
    let counts = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    let count: f64 = counts.sum();
    (count >= 1.0).then(|| {
        let found = format!(
            "refused sign-ons for {label} since its start: {count}. {}",
            reason.sentence().trim_end_matches('.')
        );
        Finding::warn(CHECK, found, mend)
    })
}

/// The body of a status page, whatever its status.
async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: doorward-check\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer).await.ok()?;
    let text = String::from_utf8(answer).ok()?;
    Some(text.split_once("\r\n\r\n")?.1.to_owned())
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

/// What a proxy that nobody listed makes of sign-ons.
const MET: [(Reason, &str); 1] = [(Reason::BindingMismatch, proxy::BETWEEN)];

const CHECK: &str = "gateway";
const LIMIT: Duration = Duration::from_secs(5);
const LARGEST: u64 = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(ready: &str, metrics: &str) -> Vec<String> {
        let findings = findings_in(&serde_json::from_str(ready).unwrap(), metrics);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_it_says_of_itself_is_told() {
        let well = lines_of(r#"{"ready": true, "keytab": "ok", "notices": []}"#, "");
        assert_eq!(well, ["ok    gateway: it is running, and ready for sign-ons"]);
        let ill = lines_of(
            r#"{"ready": false, "core": "gone; start it", "notices": ["10.0.0.1 sends X-Forwarded-For"]}"#,
            "",
        );
        assert_eq!(ill[0], "warn  gateway: it reports core: gone. Fix: start it");
        assert!(ill[1].contains("it reports: 10.0.0.1 sends"), "{ill:?}");
        assert_eq!(lines_of(r#"{"some": "other"}"#, ""), [] as [&str; 0]);
    }

    #[test]
    fn refusals_that_tell_of_a_proxy_are_counted() {
        let line = |mechanism, reason, count| {
            format!(
                "doorward_signons_total{{mechanism=\"{mechanism}\",outcome=\"refused\",reason=\"{reason}\"}} {count}\n"
            )
        };
        let metrics = [
            line("negotiate", "binding_mismatch", 2),
            line("ntlm", "binding_mismatch", 1),
            line("negotiate", "key_wrong", 5),
        ];
        let said = lines_of(r#"{"ready": true}"#, &metrics.concat());
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("refused sign-ons for binding_mismatch since its start: 3"),
            "{said:?}"
        );
    }
}
