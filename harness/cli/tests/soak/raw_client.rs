//! Clients that behave in ways in which no load generator does.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::account::{Fate, key};

/// How a client behaves. All clients call `conformance`.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    /// Sends a whole request to a blocking guest, half-closes, and reads the response.
    HalfCloses,
    /// Leaves in the middle of the body.
    LeavesInBody,
    /// Leaves in the middle of the head.
    LeavesInHead,
    /// Never sends the rest of the body.
    StopsInBody,
    /// Never sends the rest of the head.
    StopsInHead,
    /// Sends the body byte by byte.
    Dawdles,
    /// Makes the guest allocate all memory; the response names the cause of its end.
    Greedy,
}

/// The mean number of requests a second of each behaviour.
pub const BEHAVIOURS: [(Behaviour, f64); 7] = [
    (Behaviour::HalfCloses, 3.0),
    (Behaviour::LeavesInBody, 2.0),
    (Behaviour::LeavesInHead, 1.0),
    (Behaviour::StopsInBody, 0.7),
    (Behaviour::StopsInHead, 0.7),
    (Behaviour::Dawdles, 2.0),
    (Behaviour::Greedy, 0.5),
];

const ECHO: &str = r#"{"op":"echo","data":"slowly"}"#;

/// Sends one request and returns its fate.
pub fn send_request(address: SocketAddr, behaviour: Behaviour, silent: SocketAddr) -> Fate {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_nodelay(true).unwrap();
    let left = || Fate::Counted("client-left".to_owned());
    match behaviour {
        Behaviour::HalfCloses => {
            let body = format!(r#"{{"op":"block","addr":"{silent}"}}"#);
            send(&mut stream, &request(&body));
            stream.shutdown(Shutdown::Write).expect("the server waits for the guest");
            receive(stream).map_or_else(left, Fate::Counted)
        }
        Behaviour::LeavesInBody => {
            let request = request(ECHO);
            send(&mut stream, &request[..request.len() - 5]);
            left()
        }
        Behaviour::LeavesInHead => {
            send(&mut stream, &request(ECHO)[..20]);
            Fate::Unseen("the client left in the middle of the head")
        }
        Behaviour::StopsInBody => {
            let request = request(ECHO);
            send(&mut stream, &request[..request.len() - 5]);
            Fate::Counted(receive(stream).expect("the server responds"))
        }
        Behaviour::StopsInHead => {
            send(&mut stream, &request(ECHO)[..20]);
            assert_eq!(receive(stream).expect("the server responds"), "slow-head");
            Fate::Unseen("the head was slow, and the server responded")
        }
        Behaviour::Dawdles => {
            let request = request(ECHO);
            let (head, body) = request.split_at(request.len() - ECHO.len());
            send(&mut stream, head);
            for byte in body.chunks(1) {
                std::thread::sleep(Duration::from_millis(2));
                send(&mut stream, byte);
            }
            Fate::Counted(receive(stream).expect("the server responds"))
        }
        Behaviour::Greedy => {
            send(&mut stream, &request(r#"{"op":"oom"}"#));
            Fate::Counted(receive(stream).expect("the server responds"))
        }
    }
}

fn request(body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "POST /conformance HTTP/1.1\r\nhost: soak\r\nconnection: close\r\n";
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("the server has no reason to close");
}

/// The cause that the response names; `None` if the connection ended without a response.
fn receive(mut stream: TcpStream) -> Option<String> {
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("the server closes properly");
    if all.is_empty() {
        return None;
    }
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("cut off: {all}"));
    let line = head.lines().next().expect("a status line");
    if line == "HTTP/1.1 200 OK" {
        assert_eq!(body, r#"{"data":"slowly"}"#);
        return Some("answered".to_owned());
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{all}"));
    let status = line.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    assert_eq!(body["error"]["status"].as_u64(), status.map(u64::from), "{all}");
    Some(key(body["error"]["cause"].as_str().expect("an error names its cause")).to_owned())
}
