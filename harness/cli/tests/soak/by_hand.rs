//! Clients that behave as no load generator does.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::account::{Fate, word};

/// How a client behaves; all ask `conformance`.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Sends a whole request for a blocking guest, half-closes, and reads what still comes.
    HalfCloses,
    /// Leaves in the middle of its body.
    LeavesInBody,
    /// Leaves in the middle of its head.
    LeavesInHead,
    /// Never sends the rest of its body.
    StopsInBody,
    /// Never sends the rest of its head.
    StopsInHead,
    /// Sends its body byte by byte.
    Dawdles,
    /// Asks for all memory that there is; its answer says which way it ended.
    Greedy,
}

/// Requests of each manner a second, in the mean.
pub const MANNERS: [(Manner, f64); 7] = [
    (Manner::HalfCloses, 3.0),
    (Manner::LeavesInBody, 2.0),
    (Manner::LeavesInHead, 1.0),
    (Manner::StopsInBody, 0.7),
    (Manner::StopsInHead, 0.7),
    (Manner::Dawdles, 2.0),
    (Manner::Greedy, 0.5),
];

const ECHO: &str = r#"{"op":"echo","data":"slowly"}"#;

/// Sends one request and sees what becomes of it.
pub fn ask(address: SocketAddr, manner: Manner, silent: SocketAddr) -> Fate {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_nodelay(true).unwrap();
    let left = || Fate::Counted("client-left".to_owned());
    match manner {
        Manner::HalfCloses => {
            let body = format!(r#"{{"op":"block","addr":"{silent}"}}"#);
            send(&mut stream, &request(&body));
            stream.shutdown(Shutdown::Write).expect("the server waits for the guest");
            answer(stream).map_or_else(left, Fate::Counted)
        }
        Manner::LeavesInBody => {
            let request = request(ECHO);
            send(&mut stream, &request[..request.len() - 5]);
            left()
        }
        Manner::LeavesInHead => {
            send(&mut stream, &request(ECHO)[..20]);
            Fate::NotHeard("the client left in its head")
        }
        Manner::StopsInBody => {
            let request = request(ECHO);
            send(&mut stream, &request[..request.len() - 5]);
            Fate::Counted(answer(stream).expect("it is told"))
        }
        Manner::StopsInHead => {
            send(&mut stream, &request(ECHO)[..20]);
            assert_eq!(answer(stream).expect("it is told"), "slow-head");
            Fate::NotHeard("the head did not come in time, and the client was told")
        }
        Manner::Dawdles => {
            let request = request(ECHO);
            let (head, body) = request.split_at(request.len() - ECHO.len());
            send(&mut stream, head);
            for byte in body.chunks(1) {
                std::thread::sleep(Duration::from_millis(2));
                send(&mut stream, byte);
            }
            Fate::Counted(answer(stream).expect("it is told"))
        }
        Manner::Greedy => {
            send(&mut stream, &request(r#"{"op":"oom"}"#));
            Fate::Counted(answer(stream).expect("it is told"))
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

/// The cause that the answer names; `None`: the connection ended without one.
fn answer(mut stream: TcpStream) -> Option<String> {
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
    Some(word(body["error"]["cause"].as_str().expect("it names its cause")).to_owned())
}
