//! Does a TCP port of another machine let packets through?

use siaga_model::Why;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// On one's own networks an answer needs a millisecond; a lost packet is repeated after a second.
const WITHIN: Duration = Duration::from_millis(1500);

/// A connection or a refusal is an answer. Anything else tells that packets are dropped or prohibited on the way.
pub fn answers(address: SocketAddr) -> Result<(), Why> {
    match TcpStream::connect_timeout(&address, WITHIN) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(e) => Err(Why::system(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_connection_and_a_refusal_are_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(answers(address).is_ok());
        drop(listener);
        assert!(answers(address).is_ok(), "refused");
    }
}
