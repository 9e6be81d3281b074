//! The ticket and the service, in plain words.

use std::time::Duration;

use super::ticket::{Service, Ticket, renamed};

/// Who will sign on, and out of which cache.
pub(super) fn ticket(ticket: &Ticket) -> String {
    let cache = std::env::var("KRB5CCNAME")
        .unwrap_or_else(|_| "the default cache (KRB5CCNAME is not set)".to_owned());
    let Ticket { principal, remaining } = ticket;
    format!("{principal} from {cache}, valid for another {}", hours(*remaining))
}

/// Which service a ticket is asked for, and whether that is the one of the URL.
pub(super) fn service(service: &Service) -> String {
    let principal = service.principal();
    match service {
        Service::Host(host) if renamed(host, &principal) => format!(
            "{principal}, which this machine's krb5.conf made from {host} (rdns or dns_canonicalize_hostname)"
        ),
        _ => principal,
    }
}

/// Whether the server has proven itself.
pub(super) const fn proof(complete: bool) -> &'static str {
    if complete {
        "has proven its identity with its own key (mutual authentication)"
    } else {
        "has NOT proven its identity: its answer contains no token"
    }
}

fn hours(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}
