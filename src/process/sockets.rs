//! Listening TCP sockets.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn6, bind, listen as listen_on, setsockopt,
    socket, sockopt,
};

/// Listens on an address. `[::]` takes IPv4 as well, as Linux does it, unless
/// one of the addresses of `all` takes the same port for IPv4.
///
/// # Errors
/// What the system says.
pub(crate) fn listen(address: SocketAddr, all: &[SocketAddr]) -> io::Result<TcpListener> {
    match address {
        SocketAddr::V6(six) if leaves_ipv4(address, all) => {
            let kind = (SockType::Stream, SockFlag::SOCK_CLOEXEC);
            let socket = socket(AddressFamily::Inet6, kind.0, kind.1, None)?;
            setsockopt(&socket, sockopt::Ipv6V6Only, &true)?;
            setsockopt(&socket, sockopt::ReuseAddr, &true)?;
            bind(socket.as_raw_fd(), &SockaddrIn6::from(six))?;
            // As many as the standard library lets wait.
            listen_on(&socket, Backlog::new(128)?)?;
            Ok(TcpListener::from(socket))
        }
        _ => TcpListener::bind(address),
    }
}

/// Whether an address of IPv6 leaves IPv4 to another one.
fn leaves_ipv4(address: SocketAddr, all: &[SocketAddr]) -> bool {
    address.is_ipv6()
        && address.port() != 0
        && all.iter().any(|other| other.is_ipv4() && other.port() == address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn both_families_share_a_port_in_either_order_and_ipv6_alone_takes_both() {
        let free = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        let four: SocketAddr = format!("0.0.0.0:{free}").parse().unwrap();
        let six: SocketAddr = format!("[::]:{free}").parse().unwrap();
        for order in [[four, six], [six, four]] {
            let bound = order.map(|address| listen(address, &order).unwrap());
            let here = bound.map(|socket| {
                let ip = if socket.local_addr().unwrap().is_ipv4() { "127.0.0.1" } else { "::1" };
                let client = TcpStream::connect((ip, free)).unwrap();
                assert_eq!(
                    socket.accept().unwrap().0.peer_addr().unwrap(),
                    client.local_addr().unwrap()
                );
            });
            assert_eq!(here.len(), 2);
        }
        let alone = listen(six, &[six]).unwrap();
        let client = TcpStream::connect(("127.0.0.1", free)).unwrap();
        let (_, peer) = alone.accept().unwrap();
        assert_eq!(peer.port(), client.local_addr().unwrap().port());
    }
}
