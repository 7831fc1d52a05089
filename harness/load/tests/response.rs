//! Responses are read from bytes in any pieces.

use http::Method;
use lumos_load::http::{Bodies, Malformed, Progress, ResponseReader};
use proptest::prelude::*;

/// A response with a body in one of the framings, and the body itself.
fn any_response() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let chunks = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..5);
    (chunks, any::<bool>(), any::<bool>()).prop_map(|(chunks, chunked, interim)| {
        let mut bytes = Vec::new();
        if interim {
            bytes.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\nserver: test\r\n");
        let body = chunks.concat();
        if chunked {
            bytes.extend_from_slice(b"transfer-encoding: gzip, Chunked\r\n\r\n");
            for chunk in &chunks {
                bytes.extend_from_slice(format!("{:X} ;x=\"y\"\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\nx-a: b\r\nx-c: d\r\n\r\n");
        } else {
            bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(&body);
        }
        (bytes, body)
    })
}

proptest! {
    #[test]
    fn responses_are_read_whatever_the_pieces(
        (bytes, body) in any_response(), cuts in prop::collection::vec(0..2000usize, 0..8),
    ) {
        let mut reader = ResponseReader::new(&Method::GET, Bodies::Keep);
        for _ in 0..2 {
            reader.reset();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            for piece in cuts.windows(2) {
                let progress = reader.feed(&bytes[piece[0]..piece[1]]).unwrap();
                let complete = Progress::Complete { surplus: false };
                let expected = if piece[1] == bytes.len() { complete } else { Progress::More };
                prop_assert_eq!(progress, expected);
            }
            prop_assert_eq!(reader.body(), &body[..]);
            prop_assert_eq!(reader.body_bytes(), body.len() as u64);
            prop_assert_eq!((reader.status(), reader.keep_alive()), (200, true));
        }
    }

    #[test]
    fn unrequested_bytes_are_reported((mut bytes, _) in any_response()) {
        bytes.push(b'H');
        let mut reader = ResponseReader::new(&Method::GET, Bodies::Count);
        prop_assert_eq!(reader.feed(&bytes), Ok(Progress::Complete { surplus: true }));
        prop_assert_eq!(reader.body(), b"");
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>) {
        let mut reader = ResponseReader::new(&Method::GET, Bodies::Keep);
        let _ = reader.feed(&bytes);
        reader.reset();
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let _ = reader.feed(&[&head[..], &bytes].concat());
    }
}

fn feed(bytes: &[u8]) -> Result<Progress, Malformed> {
    ResponseReader::new(&Method::GET, Bodies::Count).feed(bytes)
}

#[test]
fn malformed_responses_are_refused() {
    for wrong in [
        &b"HTTP/2 200 OK\r\n\r\n"[..],
        b"hello\r\n\r\n",
        b"HTTP/1.1 20x OK\r\n\r\n",
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551616\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcd",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    ] {
        let what = String::from_utf8_lossy(wrong).into_owned();
        assert!(feed(wrong).is_err(), "{what:?} was read as {:?}", feed(wrong));
    }
}

#[test]
fn the_length_of_a_head_is_limited() {
    let mut reader = ResponseReader::new(&Method::GET, Bodies::Count);
    assert_eq!(reader.feed(b"HTTP/1.1 200 OK\r\nx: "), Ok(Progress::More));
    let long = vec![b'x'; 16 << 10];
    let refused = (0..8).find_map(|_| reader.feed(&long).err());
    assert_eq!(refused, Some(Malformed("the head is longer than 64 KiB")));
}

#[test]
fn keep_alive_follows_version_and_header() {
    for (head, keep_alive) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\n\r\n", false),
    ] {
        let mut reader = ResponseReader::new(&Method::GET, Bodies::Count);
        reader.feed(head.as_bytes()).unwrap();
        assert_eq!(reader.keep_alive(), keep_alive, "{head}");
    }
}
