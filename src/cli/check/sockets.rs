//! Addresses to listen on: free, or held by a gateway that runs.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;

use super::finding::Finding;
use crate::advice::socket as advice;
use crate::config::Settings;

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
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
        .flat_map(|(key, addresses)| addresses.iter().map(move |address| one(key, *address)))
        .collect();
    findings.extend(front.listen_status.map(|address| one("front.listen_status", address)));
    findings
}

fn one(key: &str, address: SocketAddr) -> Finding {
    let error = match TcpListener::bind(address) {
        Ok(_) => return Finding::ok("socket", format!("{key} {address} is free")),
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::AddrInUse => in_use(key, address, holder(address)),
        io::ErrorKind::PermissionDenied => Finding::warn(
            "socket",
            format!("{key} {address} may not be bound by this user"),
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

fn in_use(key: &str, address: SocketAddr, holder: Option<Process>) -> Finding {
    match holder {
        Some(Process { name, pid }) if name == "doorward" => {
            Finding::ok("socket", format!("{key} {address} is held by doorward (pid {pid})"))
        }
        Some(Process { name, pid }) => Finding::fail(
            "socket",
            format!("{key} {address} is held by {name} (pid {pid})"),
            advice::taken(key),
        ),
        None => Finding::warn(
            "socket",
            format!("{key} {address} is in use, by a process that this user cannot see"),
            advice::LOOK_AS_ROOT,
        ),
    }
}

struct Process {
    name: String,
    pid: u32,
}

/// Who listens at an address, as far as this user may know (proc(5)).
fn holder(address: SocketAddr) -> Option<Process> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, address))?;
    let link = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if holds(&entry.path(), &link) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some(Process { name: name.trim().to_owned(), pid });
        }
    }
    None
}

fn holds(process: &Path, link: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors
        .flatten()
        .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|to| to.as_os_str() == link))
}

/// The inode of the socket that listens at an address, or at all addresses.
fn listening_inode(table: &str, address: SocketAddr) -> Option<String> {
    let rows = table.lines().map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.get(3) == Some(&LISTENS)).find_map(|row| {
        let (host, port) = row.get(1)?.rsplit_once(':')?;
        let same_port = u16::from_str_radix(port, 16) == Ok(address.port());
        let any = host.bytes().all(|digit| digit == b'0');
        let same_host = any || address.ip().is_unspecified() || host == hex(address.ip());
        (same_port && same_host).then(|| row.get(9).map(ToString::to_string)).flatten()
    })
}

/// An address as the kernel writes it: 32-bit words in this machine's order.
fn hex(address: IpAddr) -> String {
    let bytes = match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let words = bytes.chunks_exact(4).filter_map(|word| <[u8; 4]>::try_from(word).ok());
    words.map(|word| format!("{:08X}", u32::from_ne_bytes(word))).collect()
}

/// The state of a listening socket (TCP_LISTEN).
const LISTENS: &str = "0A";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::finding::Status;

    #[test]
    fn a_free_address_is_fine_and_a_held_one_names_its_holder() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let finding = one("listen", address);
        assert_eq!(finding.status(), Status::Fail);
        let pid = format!("(pid {})", std::process::id());
        assert!(finding.to_string().contains(&pid), "{finding}");
        drop(held);
        assert_eq!(one("listen", address).status(), Status::Ok);
    }

    #[test]
    fn an_address_of_another_host_fails() {
        assert_eq!(one("listen", "192.0.2.1:8080".parse().unwrap()).status(), Status::Fail);
    }

    #[test]
    fn a_running_gateway_may_hold_it() {
        let address = "127.0.0.1:8080".parse().unwrap();
        let doorward = Some(Process { name: "doorward".to_owned(), pid: 1 });
        assert_eq!(in_use("listen", address, doorward).status(), Status::Ok);
        assert_eq!(in_use("listen", address, None).status(), Status::Warn);
    }
}
