//! The `Server-Timing` header of a response (Server Timing, W3C).

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use lumos_model::row::Sample;

pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The phases that occurred, the total, and the start kind. Durations are milliseconds.
pub(super) fn server_timing(sample: &Sample) -> HeaderValue {
    let mut text = Vec::with_capacity(256);
    for (phase, ns) in sample.phases_ns.iter() {
        duration(&mut text, phase.as_str(), ns);
    }
    duration(&mut text, "total", sample.total_ns);
    text.extend_from_slice(b"start;desc=\"");
    text.extend_from_slice(sample.start_kind.as_str().as_bytes());
    text.push(b'"');
    HeaderValue::from_maybe_shared(Bytes::from(text))
        .expect("words, digits and points are valid in a header")
}

/// Appends `name;dur=1.234567, `. Integer arithmetic only, because each request does this.
fn duration(text: &mut Vec<u8>, name: &str, ns: u64) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b";dur=");
    // u64::MAX ns need 14 digits of milliseconds, a point, and 6 digits.
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
    fn durations_are_milliseconds_with_nanosecond_digits() {
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
