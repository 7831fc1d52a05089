//! What is sent back: the function's output, or an error that names its cause.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use lumos_model::row::Sample;
use serde::Serialize;

use super::cause::ResponseCause;

/// A response whose body is there as a whole.
pub type Reply = Response<Full<Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The function's output.
pub fn output(body: Bytes, sample: &Sample) -> Reply {
    let mut reply = Response::new(Full::new(body));
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(SERVER_TIMING, server_timing(sample));
    reply
}

#[derive(Serialize)]
struct Body<'m> {
    error: Explanation<'m>,
}

#[derive(Serialize)]
struct Explanation<'m> {
    cause: &'static str,
    message: &'m str,
    status: u16,
}

/// Why there is no output; `sample`: what the request took nevertheless.
pub fn error(ending: ResponseCause, message: &str, sample: Option<&Sample>) -> Reply {
    let mut reply = Response::new(Full::new(body(ending, message).into()));
    *reply.status_mut() = ending.status();
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(sample) = sample {
        headers.insert(SERVER_TIMING, server_timing(sample));
    }
    if ending.is_passing() {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

fn body(ending: ResponseCause, message: &str) -> Vec<u8> {
    let status = ending.status().as_u16();
    let error = Explanation { cause: ending.as_str(), message, status };
    serde_json::to_vec(&Body { error }).expect("words and a number are JSON")
}

/// A whole response, for a connection that has no request to answer: its head did not come
/// in time.
pub fn slow_head() -> Vec<u8> {
    let body = body(ResponseCause::SlowHead, "the head of the request did not come in time");
    let mut response = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        ResponseCause::SlowHead.status(),
        body.len()
    )
    .into_bytes();
    response.extend_from_slice(&body);
    response
}

/// Tells the client to send nothing more on this connection.
pub fn closing(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// The phases that occurred, the total, and the start kind (Server Timing, W3C; durations
/// are milliseconds).
fn server_timing(sample: &Sample) -> HeaderValue {
    let mut text = Vec::with_capacity(256);
    for (phase, ns) in sample.phases_ns.iter() {
        duration(&mut text, phase.as_str(), ns);
    }
    duration(&mut text, "total", sample.total_ns);
    text.extend_from_slice(b"start;desc=\"");
    text.extend_from_slice(sample.start_kind.as_str().as_bytes());
    text.push(b'"');
    HeaderValue::from_maybe_shared(Bytes::from(text)).expect("words, digits and points")
}

/// `name;dur=1.234567, `: by integers alone, since this is done for each request.
fn duration(text: &mut Vec<u8>, name: &str, ns: u64) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b";dur=");
    // u64::MAX ns are 14 digits of milliseconds, a point, and 6 digits.
    let mut digits = [b'0'; 21];
    let mut at = digits.len();
    let mut rest = ns;
    loop {
        at -= 1;
        if at == digits.len() - 7 {
            digits[at] = b'.';
            continue;
        }
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 && at < digits.len() - 7 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
    text.extend_from_slice(b", ");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_milliseconds_to_the_nanosecond() {
        for (ns, expected) in [
            (0, "x;dur=0.000000, "),
            (7, "x;dur=0.000007, "),
            (1_234_567, "x;dur=1.234567, "),
            (60_000_000_000, "x;dur=60000.000000, "),
            (u64::MAX, "x;dur=18446744073709.551615, "),
        ] {
            let mut text = Vec::new();
            duration(&mut text, "x", ns);
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
    }
}
