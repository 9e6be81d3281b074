//! The applications behind the gateway.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::finding::Finding;
use crate::advice::application;
use crate::config::Settings;

pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let mut seen: Vec<(String, u16)> = Vec::new();
    let mut findings = Vec::new();
    for uri in settings.sites.iter().filter_map(|site| site.upstream.as_ref()) {
        let Some(host) = uri.host() else { continue };
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let place = (host.trim_matches(['[', ']']).to_owned(), uri.port_u16().unwrap_or(default));
        if !seen.contains(&place) {
            findings.push(one(&place, settings.front.connect_timeout).await);
            seen.push(place);
        }
    }
    findings
}

async fn one((host, port): &(String, u16), limit: Duration) -> Finding {
    let mend = application::START;
    match timeout(limit, TcpStream::connect((host.as_str(), *port))).await {
        Ok(Ok(_)) => Finding::ok("upstream", format!("{host} port {port} accepts connections")),
        Ok(Err(error)) => Finding::fail("upstream", format!("{host} port {port}: {error}"), mend),
        Err(_) => Finding::fail(
            "upstream",
            format!("{host} port {port} does not answer within {} s", limit.as_secs_f32()),
            mend,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::finding::Status;

    #[tokio::test]
    async fn an_application_that_listens_is_fine() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = ("127.0.0.1".to_owned(), listener.local_addr().unwrap().port());
        let limit = Duration::from_secs(5);
        assert_eq!(one(&place, limit).await.status(), Status::Ok);
        drop(listener);
        assert_eq!(one(&place, limit).await.status(), Status::Fail);
    }
}
