//! Requests go in whole and answers come out whole, good or bad.

use lumos_model::cell::Start;
use lumos_model::hex::hex;
use lumos_model::row::Outcome;
use lumos_model::wire::Status;
use lumos_runtime::engine::Runtime;
use sha2::{Digest, Sha256};

use super::requests;
use super::subject::{Subject, assert_ended, show};

/// Strings of 0 bytes, 1 byte and 4 MiB come back as they were sent.
pub fn echo<R: Runtime>(subject: &Subject<R>) {
    let mut cell = subject.cell(subject.prepare(), None);
    for bytes in [0, 1, 4 << 20, 1] {
        let data = text(bytes);
        let expected = serde_json::json!({ "data": data }).to_string();
        let mut sample = cell.ask(&requests::echo(&data));
        let output = sample.output.take().unwrap_or_default();
        assert_eq!(sample.outcome, Outcome::Ok, "{bytes} bytes: {}", show(&sample));
        // Not assert_eq: nobody wants to read 4 MiB.
        assert!(output == expected, "{bytes} bytes came back as {} others", output.len());
        assert_eq!(sample.output_bytes, Some(expected.len() as u64));
        assert_eq!(sample.output_sha256, Some(hex(&Sha256::digest(&expected))));
        assert_eq!(sample.start_kind, Start::Warm);
    }
}

/// An error that the function answers with is no end of its instance, and says whether the
/// request is to blame for it.
pub fn errors_leave_the_instance<R: Runtime>(subject: &Subject<R>) {
    let mut cell = subject.cell(subject.prepare(), None);
    let not_understood = ["not JSON", r#"{"op":"dance"}"#, r#"["echo"]"#, r#"{"op":"echo""#, ""];
    for request in not_understood {
        let sample = cell.ask(request);
        assert_ended(&sample, Outcome::Error, &["the request is not understood: "]);
        assert_eq!(sample.start_kind, Start::Warm);
        assert_eq!(cell.0.last_status(), Some(Status::BadRequest), "{request}");
        cell.serves_warm();
    }
    for (request, status) in
        [(requests::fail("¿qué?"), Status::Error), (requests::refuse("¿qué?"), Status::BadRequest)]
    {
        let sample = cell.ask(&request);
        assert_ended(&sample, Outcome::Error, &["¿qué?"]);
        assert_eq!(cell.0.last_status(), Some(status));
        cell.serves_warm();
    }
}

/// ASCII in which no piece is like another, so that a piece in a wrong place is seen.
fn text(bytes: usize) -> String {
    let mut state = 1_u32;
    let letter = |_| {
        // Constants of Numerical Recipes, section 7.1.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + (state >> 24) as u8 % 26)
    };
    (0..bytes).map(letter).collect()
}
