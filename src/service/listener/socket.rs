//! The socket of a port.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};
use tracing::info;

/// How many connections the kernel queues until they are accepted.
const BACKLOG: u32 = 1024;

/// Binds `address`. `[::]` is every address of this machine, whatever families it has: IPv6 and
/// IPv4, and IPv4 alone where the kernel has no IPv6. So nobody has to know which pods get.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V6(address) if *address.ip() == Ipv6Addr::UNSPECIFIED => {
            everywhere(address.port())?
        }
        SocketAddr::V6(_) => at(TcpSocket::new_v6()?, address)?,
        SocketAddr::V4(_) => at(TcpSocket::new_v4()?, address)?,
    };
    socket.listen(BACKLOG)
}

fn everywhere(port: u16) -> io::Result<TcpSocket> {
    // booted with ipv6.disable=1 a kernel makes no such socket
    if let Ok(socket) = TcpSocket::new_v6() {
        // whatever net.ipv6.bindv6only says
        SockRef::from(&socket).set_only_v6(false)?;
        match at(socket, SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)) {
            // some sandboxes make one that cannot be bound
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => {}
            bound => return bound,
        }
    }
    info!(port, "there is no IPv6 here: the port is open to IPv4 alone");
    at(TcpSocket::new_v4()?, SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port))
}

fn at(socket: TcpSocket, address: SocketAddr) -> io::Result<TcpSocket> {
    // connections of a former process, which linger, do not keep the port
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn both_families_reach_the_unspecified_address_of_ipv6() {
        let listener = bind("[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        // a machine without IPv6 has no such address, and nobody who asks for it
        if bind("[::1]:0".parse().unwrap()).is_ok() {
            TcpStream::connect(("::1", port)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn other_addresses_are_taken_at_their_word() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = bind(address.parse().unwrap()).unwrap();
            assert!(listener.local_addr().unwrap().is_ipv4(), "{address}");
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_not_taken_for_want_of_ipv6() {
        let taken = bind("[::]:0".parse().unwrap()).unwrap();
        let again = bind(taken.local_addr().unwrap());
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}
