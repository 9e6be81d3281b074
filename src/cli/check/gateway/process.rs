//! Other processes of this host, as far as this user may see them (proc(5)).

use std::fmt;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::check) struct Process {
    pub(in crate::cli::check) pid: i32,
    name: String,
    arguments: Vec<String>,
}

impl Process {
    /// What can be seen of a process.
    pub(in crate::cli::check) fn of(pid: i32) -> Self {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let line = read("cmdline");
        let arguments = line.split(|byte| *byte == 0).skip(1).map(text);
        Self {
            pid,
            name: text(&read("comm")),
            arguments: arguments.filter(|argument| !argument.is_empty()).collect(),
        }
    }

    /// Who listens at an address, or at all addresses.
    pub(in crate::cli::check) fn listening_at(address: SocketAddr) -> Option<Self> {
        let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
            .iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .find_map(|table| listening_inode(&table, address))?;
        Self::holding(&inode)
    }

    /// Who listens at a unix socket.
    pub(in crate::cli::check) fn listening_on(socket: &Path) -> Option<Self> {
        let table = fs::read_to_string("/proc/net/unix").ok()?;
        Self::holding(&unix_inode(&table, socket.to_str()?)?)
    }

    fn holding(inode: &str) -> Option<Self> {
        let link = format!("socket:[{inode}]");
        let entries = fs::read_dir("/proc").ok()?.flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| holds(*pid, &link)).map(Self::of).next()
    }

    /// Whether it is Doorward.
    pub(in crate::cli::check) fn is_doorward(&self) -> bool {
        self.name == "doorward"
    }

    /// Whether it is a front whose core is another process.
    pub(in crate::cli::check) fn is_front_alone(&self) -> bool {
        self.is_doorward() && self.arguments.first().is_some_and(|role| role == "front")
    }

    /// The configuration it was started with, where its arguments say so.
    pub(in crate::cli::check) fn configuration(&self) -> Option<PathBuf> {
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument == "--config" {
                return arguments.next().map(PathBuf::from);
            }
            if let Some(path) = argument.strip_prefix("--config=") {
                return Some(path.into());
            }
        }
        None
    }
}

/// `doorward (pid 712: serve --config /etc/doorward/doorward.toml)`
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, name, arguments } = self;
        let name = if name.is_empty() { "a process" } else { name };
        if self.is_doorward() && !arguments.is_empty() {
            return write!(f, "{name} (pid {pid}: {})", arguments.join(" "));
        }
        write!(f, "{name} (pid {pid})")
    }
}

fn holds(pid: i32, link: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors
        .flatten()
        .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|to| to.as_os_str() == link))
}

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

/// `Num RefCount Protocol Flags Type St Inode Path`
fn unix_inode(table: &str, path: &str) -> Option<String> {
    table.lines().find_map(|row| {
        let mut words = row.split_ascii_whitespace();
        let listens = words.nth(3) == Some(ACCEPTS);
        let inode = words.nth(2)?;
        (listens && words.next() == Some(path)).then(|| inode.to_owned())
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
/// The flags of a unix socket that listens (SO_ACCEPTCON).
const ACCEPTS: &str = "00010000";

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn whoever_listens_on_a_unix_socket_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("core.sock");
        assert_eq!(Process::listening_on(&path), None);
        let listener = UnixListener::bind(&path).unwrap();
        let found = Process::listening_on(&path).unwrap();
        assert_eq!(found.pid.unsigned_abs(), std::process::id());
        drop(listener);
        assert_eq!(Process::listening_on(&path), None);
    }

    #[test]
    fn the_configuration_is_taken_from_the_arguments() {
        let started = |arguments: &[&str]| Process {
            pid: 712,
            name: "doorward".to_owned(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        };
        let one = started(&["serve", "--config", "/etc/a.toml"]);
        assert_eq!(one.configuration(), Some("/etc/a.toml".into()));
        assert_eq!(one.to_string(), "doorward (pid 712: serve --config /etc/a.toml)");
        assert_eq!(started(&["core", "--config=b"]).configuration(), Some("b".into()));
        assert_eq!(started(&["serve"]).configuration(), None);
    }
}
