//! A peer that accepts connections and never sends anything. It blocks guests that read.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Its threads end with the test.
pub struct SilentPeer {
    pub address: SocketAddr,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl SilentPeer {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<Mutex<Vec<TcpStream>>>::default();
        let accepted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                stream.set_nonblocking(true).unwrap();
                let mut connections = accepted.lock().unwrap();
                connections.retain_mut(is_open);
                connections.push(stream);
            }
        });
        Self { address, connections }
    }

    /// The number of guests that have not closed their socket.
    pub fn open_connections(&self) -> usize {
        let mut connections = self.connections.lock().unwrap();
        connections.retain_mut(is_open);
        connections.len()
    }
}

fn is_open(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}
