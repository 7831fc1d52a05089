//! Requests and answers pass unchanged, and so do the function's errors.

use lumos_model::cell::Start;
use lumos_model::hex::hex;
use lumos_model::row::Outcome;
use lumos_model::wire::Status;
use sha2::{Digest, Sha256};

use super::requests;
use super::subject::{Subject, assert_ended, show};

/// Strings of 0 bytes, 1 byte and 4 MiB come back unchanged.
pub fn echo(subject: &Subject) {
    let mut cell = subject.cell(subject.prepare(), None);
    for bytes in [0, 1, 4 << 20, 1] {
        let data = text(bytes);
        let expected = serde_json::json!({ "data": data }).to_string();
        let mut sample = cell.ask(&requests::echo(&data));
        let output = sample.output.take().unwrap_or_default();
        assert_eq!(sample.outcome, Outcome::Ok, "{bytes} bytes: {}", show(&sample));
        // Not assert_eq, which would print 4 MiB.
        assert!(output == expected, "{bytes} bytes came back as {} other bytes", output.len());
        assert_eq!(sample.output_bytes, Some(expected.len() as u64));
        assert_eq!(sample.output_sha256, Some(hex(&Sha256::digest(&expected))));
        assert_eq!(sample.start_kind, Start::Warm);
    }
}

/// An error that the function answers with leaves the instance alive. Its status says whether
/// the request was at fault.
pub fn errors_leave_the_instance(subject: &Subject) {
    let mut cell = subject.cell(subject.prepare(), None);
    let not_understood = ["not JSON", r#"{"op":"dance"}"#, r#"["echo"]"#, r#"{"op":"echo""#, ""];
    for request in not_understood {
        let sample = cell.ask(request);
        assert_ended(&sample, Outcome::Error, &["the request is not understood: "]);
        assert_eq!(sample.start_kind, Start::Warm);
        assert_eq!(cell.last_status(), Some(Status::BadRequest), "{request}");
        cell.serves_warm();
    }
    for (request, status) in
        [(requests::fail("¿qué?"), Status::Error), (requests::refuse("¿qué?"), Status::BadRequest)]
    {
        let sample = cell.ask(&request);
        assert_ended(&sample, Outcome::Error, &["¿qué?"]);
        assert_eq!(cell.last_status(), Some(status));
        cell.serves_warm();
    }
}

/// Pseudo-random ASCII, in which a misplaced piece is noticed.
fn text(bytes: usize) -> String {
    let mut state = 1_u32;
    let letter = |_| {
        // Constants of Numerical Recipes, section 7.1.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + (state >> 24) as u8 % 26)
    };
    (0..bytes).map(letter).collect()
}
