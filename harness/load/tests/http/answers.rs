//! Responses of every form, and the bytes of requests.

use std::io::Write;
use std::sync::atomic::Ordering;

use http::{HeaderValue, Method};
use lumos_load::http::{LoadError, LoadOptions, Outcome, SEQ_HEADER, Target, TargetError};

use super::server::{HELLO, Server, Then, closed, constant, load};

#[test]
fn server_and_generator_count_the_same_requests() {
    let server = Server::saying(HELLO, || Then::KeepOpen);
    let (report, _) =
        load(&server.target(), &constant(2000.0), 400, LoadOptions::default()).unwrap();
    assert_eq!((report.outcome(Outcome::Ok), server.requests()), (400, 400));
    assert!(report.capped && !report.stopped);
    assert_eq!(report.bytes_read, 400 * HELLO.len() as u64);
    assert_eq!(report.send_error.sends, 400);

    let (report, _) = load(&server.target(), &closed(4), 1000, LoadOptions::default()).unwrap();
    assert_eq!((report.outcome(Outcome::Ok), server.requests()), (1000, 1400));
    assert_eq!((report.connections, report.failures()), (4, 0));
}

#[test]
fn requests_have_the_given_method_headers_body_and_number() {
    let server = Server::saying(HELLO, || Then::KeepOpen);
    let mut target = server.target();
    target.method = Method::POST;
    target.headers.insert("x-mine", HeaderValue::from_static("7"));
    // More than a socket accepts at once.
    target.body = (0..8 << 20).map(|i| (i % 251) as u8).collect();
    let options = LoadOptions { numbered: true, ..LoadOptions::default() };
    let (report, _) = load(&target, &closed(2), 12, options).unwrap();
    assert_eq!(report.outcome(Outcome::Ok), 12);
    let got = server.got.lock().unwrap();
    assert!(got.iter().all(|request| request.body == target.body));
    assert!(got.iter().all(|request| request.line == "POST /hello?x=1 HTTP/1.1"));
    assert!(got.iter().all(|request| request.header("x-mine") == Some("7")));
    assert!(got.iter().all(|request| request.header("host") == Some(&server.addr.to_string())));
    let mut numbers: Vec<u64> =
        got.iter().map(|request| request.header(SEQ_HEADER).unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..12).collect::<Vec<_>>());
}

#[test]
fn headers_that_are_set_automatically_are_refused() {
    let server = Server::saying(HELLO, || Then::KeepOpen);
    let mut target = server.target();
    target.headers.insert("content-length", HeaderValue::from_static("7"));
    let error = load(&target, &closed(1), 1, LoadOptions::default()).unwrap_err();
    assert!(matches!(error, LoadError::Target(TargetError::Header { .. })), "{error}");
}

#[test]
fn every_framing_of_a_body_is_understood() {
    let chunked: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;a=b\r\nhel\r\n02\r\nlo\r\n0\r\nx-trailer: 1\r\n\r\n";
    let until_close: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nhello";
    let old: &[u8] = b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    let closing: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
    let interim: &[u8] = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n\
        HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    let keep: fn() -> Then = || Then::KeepOpen;
    let close: fn() -> Then = || Then::Close;
    for (bytes, then, connections) in [
        (HELLO, keep, 1),
        (chunked, keep, 1),
        (interim, keep, 1),
        (until_close, close, 20),
        (old, close, 20),
        (closing, close, 20),
    ] {
        let server = Server::saying(bytes, then);
        let options = LoadOptions { hash_bodies: true, ..LoadOptions::default() };
        let (report, records) = load(&server.target(), &closed(1), 20, options).unwrap();
        let what = String::from_utf8_lossy(bytes);
        assert_eq!(report.outcome(Outcome::Ok), 20, "{what} {:?}", report.errors);
        assert_eq!(server.connections.load(Ordering::SeqCst), connections, "{what}");
        assert!(records.iter().all(|record| record.body_bytes == 5), "{what}");
        assert!(records.iter().all(|record| record.body_sha256 == Some(SHA_HELLO)), "{what}");
    }
}

/// `printf hello | sha256sum`
const SHA_HELLO: [u8; 32] = [
    0x2c, 0xf2, 0x4d, 0xba, 0x5f, 0xb0, 0xa3, 0x0e, 0x26, 0xe8, 0x3b, 0x2a, 0xc5, 0xb9, 0xe2, 0x9e,
    0x1b, 0x16, 0x1e, 0x5c, 0x1f, 0xa7, 0x42, 0x5e, 0x73, 0x04, 0x33, 0x62, 0x93, 0x8b, 0x98, 0x24,
];

#[test]
fn bodiless_responses_have_no_body_whatever_their_headers() {
    let no_content: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
    let server = Server::saying(no_content, || Then::KeepOpen);
    let (report, _) = load(&server.target(), &closed(1), 5, LoadOptions::default()).unwrap();
    assert_eq!((report.statuses[&204], report.connections), (5, 1));

    let head: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n";
    let server = Server::saying(head, || Then::KeepOpen);
    let target = Target { method: Method::HEAD, ..server.target() };
    let (report, _) = load(&target, &closed(1), 5, LoadOptions::default()).unwrap();
    assert_eq!((report.outcome(Outcome::Ok), report.connections), (5, 1));
}

#[test]
fn statuses_are_counted_and_only_2xx_is_ok() {
    let server = Server::start(|got, stream| {
        let status = ["200 OK", "404 Not Found", "503 Busy", "304 Not Modified"];
        let status = status[got.number as usize % 4];
        let length = if status.starts_with("304") { "" } else { "content-length: 0\r\n" };
        write!(stream, "HTTP/1.1 {status}\r\n{length}\r\n").unwrap();
        Then::KeepOpen
    });
    let (report, _) = load(&server.target(), &closed(2), 100, LoadOptions::default()).unwrap();
    assert_eq!((report.outcome(Outcome::Ok), report.outcome(Outcome::Status)), (25, 75));
    let statuses: Vec<(u16, u64)> = report.statuses.into_iter().collect();
    assert_eq!(statuses, [(200, 25), (304, 25), (404, 25), (503, 25)]);
}

#[test]
fn different_bodies_have_different_hashes() {
    let server = Server::start(|got, stream| {
        let body = if got.number % 2 == 0 { "hello" } else { "HELLO" };
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{body}").unwrap();
        Then::KeepOpen
    });
    let options = LoadOptions { hash_bodies: true, ..LoadOptions::default() };
    let (_, records) = load(&server.target(), &closed(1), 6, options).unwrap();
    let is_hello: Vec<bool> =
        records.iter().map(|record| record.body_sha256 == Some(SHA_HELLO)).collect();
    assert_eq!(is_hello, [true, false, true, false, true, false]);
}

#[test]
fn a_large_body_is_read() {
    let body: String = "0123456789".repeat(1 << 20);
    let server = Server::start(move |_, stream| {
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        Then::KeepOpen
    });
    let (report, records) = load(&server.target(), &closed(2), 8, LoadOptions::default()).unwrap();
    assert_eq!((report.outcome(Outcome::Ok), report.connections), (8, 2));
    assert!(records.iter().all(|record| record.body_bytes == 10 << 20));
}

#[test]
fn urls_are_resolved_or_refused() {
    let target = |url| Target::resolve(url).unwrap().remove(0);
    let full = target("http://127.0.0.1:8080/a/b?c=d");
    assert_eq!((full.addr.to_string(), full.path.as_str()), ("127.0.0.1:8080".into(), "/a/b?c=d"));
    assert_eq!(full.host, "127.0.0.1:8080");
    assert_eq!(target("127.0.0.1:9/x").addr.port(), 9);
    assert_eq!(target("http://127.0.0.1").addr.port(), 80);
    assert_eq!(target("http://[::1]:81").addr.to_string(), "[::1]:81");
    for (url, what) in [
        ("https://127.0.0.1/", "TLS"),
        ("ftp://127.0.0.1/", "TLS and other protocols"),
        ("http://", "not a URL"),
        ("", "not a URL"),
        ("http://a b/", "not a URL"),
        ("http://127.0.0.1:99999/", "not a URL"),
        ("http://user@127.0.0.1/", "not a URL"),
        ("http://nowhere.invalid/", "cannot find the address"),
    ] {
        let error = Target::resolve(url).unwrap_err().to_string();
        assert!(error.contains(what), "{url}: {error}");
    }
}
