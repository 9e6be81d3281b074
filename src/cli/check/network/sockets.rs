//! Listening addresses: free, or used by a running gateway.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::advice::socket as advice;
use crate::cli::check::gateway::Gateway;
use crate::cli::check::gateway::process::Process;
use crate::cli::check::report::Finding;
use crate::config::Settings;

pub(in crate::cli::check) fn check(settings: &Settings, gateway: &Gateway) -> Vec<Finding> {
    let front = &settings.front;
    let none = Vec::new();
    let core = settings.core.tls.as_ref().map_or(&none, |tls| &tls.listen);
    let named = [
        ("front.listen", &front.listen),
        ("front.listen_tls", &front.listen_tls),
        ("core.listen_tls", core),
    ];
    let mut findings: Vec<_> = named
        .into_iter()
        .flat_map(|(key, addresses)| {
            addresses.iter().map(move |address| try_address(key, *address, gateway))
        })
        .collect();
    findings.extend(
        front.listen_status.map(|address| try_address("front.listen_status", address, gateway)),
    );
    findings
}

fn try_address(key: &str, address: SocketAddr, gateway: &Gateway) -> Finding {
    let error = match TcpListener::bind(address) {
        Ok(_) => return Finding::ok("socket", format!("{key} {address} is free")),
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::AddrInUse => in_use(key, address, Process::listening_at(address), gateway),
        io::ErrorKind::PermissionDenied => Finding::warn(
            "socket",
            format!("this user may not bind {key} {address}"),
            advice::LOW_PORT,
        ),
        io::ErrorKind::AddrNotAvailable => Finding::fail(
            "socket",
            format!("{key} {address}: this host has no such address"),
            advice::another_host(key),
        ),
        _ => Finding::fail(
            "socket",
            format!("{key} {address} cannot be bound: {error}"),
            advice::correct(key),
        ),
    }
}

fn in_use(key: &str, address: SocketAddr, holder: Option<Process>, gateway: &Gateway) -> Finding {
    match holder {
        Some(holder) if holder.is_doorward() && !gateway.is_another(&holder) => {
            Finding::ok("socket", format!("{key} {address} is used by {holder}"))
        }
        Some(holder) => Finding::fail(
            "socket",
            format!("{key} {address} is used by {holder}"),
            advice::taken(key),
        ),
        None => Finding::warn(
            "socket",
            format!("{key} {address} is used by a process that this user cannot see"),
            advice::LOOK_AS_ROOT,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;

    fn looked_at(address: SocketAddr) -> Finding {
        try_address("listen", address, &Gateway::default())
    }

    #[test]
    fn a_free_address_is_fine_and_a_held_one_names_its_holder() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let finding = looked_at(address);
        assert_eq!(finding.status(), Status::Fail);
        let pid = format!("(pid {})", std::process::id());
        assert!(finding.to_string().contains(&pid), "{finding}");
        drop(held);
        assert_eq!(looked_at(address).status(), Status::Ok);
    }

    #[test]
    fn an_address_of_another_host_fails() {
        assert_eq!(looked_at("192.0.2.1:8080".parse().unwrap()).status(), Status::Fail);
    }

    #[test]
    fn one_out_of_sight_may_be_the_gateway() {
        let address = "127.0.0.1:8080".parse().unwrap();
        let finding = in_use("listen", address, None, &Gateway::default());
        assert_eq!(finding.status(), Status::Warn);
    }
}
