//! The native form over byte streams.

use lumos_function::wire::{
    GuestPhases, Reply, ReplyOutcome, RequestKind, Status, envelope, frame,
};
use lumos_function::{Context, Error, Function, invoke_bytes, serve};

struct Length;

impl Function for Length {
    type Request = String;
    type Output = usize;

    fn run(text: String, _cx: &mut Context) -> Result<usize, Error> {
        match text.as_str() {
            "" => Err(Error::new("no text")),
            "?" => Err(Error::bad_request("a mark").context("refused")),
            text => Ok(text.len()),
        }
    }
}

fn request(kind: RequestKind, request: &[u8]) -> Vec<u8> {
    let head = frame::request_head(kind, request.len() as u32);
    [&head[..], request].concat()
}

fn replies(mut stream: &[u8]) -> Vec<(Reply, Vec<u8>)> {
    let mut replies = Vec::new();
    while let Some((length, rest)) = stream.split_first_chunk::<4>() {
        let (frame, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        let (head, answer) = Reply::decode(frame).unwrap();
        replies.push((head, answer.to_vec()));
        stream = rest;
    }
    replies
}

#[test]
fn answers_requests_in_order() {
    let stream = [
        request(RequestKind::Invoke, br#""four""#),
        request(RequestKind::Invoke, br#""""#),
        request(RequestKind::Invoke, b"\"open"),
        request(RequestKind::NewInstance, br#""x""#),
        request(RequestKind::NewModule, b""),
        request(RequestKind::Invoke, br#""again""#),
        request(RequestKind::Ready, b""),
        request(RequestKind::Invoke, br#""?""#),
    ]
    .concat();
    let mut out = Vec::new();
    serve(&stream[..], &mut out, 1, invoke_bytes::<Length>).unwrap();

    let replies = replies(&out);
    let answers: Vec<_> = replies
        .iter()
        .map(|(head, answer)| match head.outcome {
            ReplyOutcome::Answered if !answer.is_empty() => {
                let envelope = envelope::open(answer).unwrap();
                (Some(envelope.status), String::from_utf8_lossy(envelope.body))
            }
            _ => (None, String::from_utf8_lossy(answer)),
        })
        .collect();
    assert_eq!(answers[0], (Some(Status::Ok), "4".into()));
    assert_eq!(answers[1], (Some(Status::Error), "no text".into()));
    assert_eq!(answers[2].0, Some(Status::BadRequest));
    assert!(answers[2].1.contains("line 1 column 5"), "{}", answers[2].1);
    for (status, message) in &answers[3..5] {
        assert_eq!(*status, None);
        assert!(message.contains("a native instance is a process"), "{message}");
    }
    assert_eq!(replies[3].0.outcome, ReplyOutcome::Failed);
    assert_eq!(answers[5], (Some(Status::Ok), "5".into()));
    assert_eq!((replies[6].0.outcome, &replies[6].1[..]), (ReplyOutcome::Answered, &b""[..]));
    assert_eq!(answers[7], (Some(Status::BadRequest), "refused: a mark".into()));
}

#[test]
fn time_stamps_ascend_and_unused_fields_are_zero() {
    let stream = request(RequestKind::Invoke, br#""x""#).repeat(3);
    let mut out = Vec::new();
    serve(&stream[..], &mut out, 1, invoke_bytes::<Length>).unwrap();
    let (mut last, mut started) = (1, false);
    for (head, _) in replies(&out) {
        assert_eq!(head.entered_ns, 1);
        // Only the first reply reports the start.
        let start_ns = if started { 0 } else { head.ready_ns - head.entered_ns };
        started = true;
        assert_eq!(head.instantiate_ns, start_ns);
        assert!(head.ready_ns > head.entered_ns);
        assert!(head.received_ns >= last && head.replied_ns >= head.received_ns);
        last = head.replied_ns;
        let unused =
            [head.load_ns, head.compile_ns, head.request_ns, head.response_ns, head.memory_bytes];
        assert_eq!(unused, [0; 5]);
    }
}

#[test]
fn accepts_an_empty_stream_but_not_half_a_frame() {
    let serve = |stream: &[u8]| serve(stream, Vec::new(), 1, invoke_bytes::<Length>);
    serve(b"").unwrap();
    serve(&request(RequestKind::Invoke, b"{}")[..6]).unwrap_err();
    serve(b"\x01\0\0\0\x09").unwrap_err();
}

#[test]
fn phases_fit_into_the_invocation() {
    let started = std::time::Instant::now();
    let answer = invoke_bytes::<Length>(br#""four""#);
    let all = started.elapsed().as_nanos() as u64;
    let phases: GuestPhases = envelope::open(&answer).unwrap().phases;
    assert!(phases.total() > 0 && phases.total() <= all, "{phases:?} of {all} ns");
}
