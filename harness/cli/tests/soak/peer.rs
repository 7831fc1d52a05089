//! Somebody who accepts connections and never speaks: what blocks a guest.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A silent peer; its threads end with the test.
pub struct Peer {
    pub address: SocketAddr,
    held: Arc<Mutex<Vec<TcpStream>>>,
}

impl Peer {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let held = Arc::<Mutex<Vec<TcpStream>>>::default();
        let keeps = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                stream.set_nonblocking(true).unwrap();
                let mut held = keeps.lock().unwrap();
                held.retain_mut(is_open);
                held.push(stream);
            }
        });
        Self { address, held }
    }

    /// Guests that have not closed their socket.
    pub fn held(&self) -> usize {
        let mut held = self.held.lock().unwrap();
        held.retain_mut(is_open);
        held.len()
    }
}

fn is_open(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}
