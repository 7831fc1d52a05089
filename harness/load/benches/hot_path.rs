//! The generator's cost of a request, without system calls.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use lumos_load::arrivals::Arrivals;
use lumos_load::http::{Bodies, ResponseReader};
use lumos_load::pacer::{Lateness, LoopPacer};
use lumos_model::arrival::{Arrival, Rate, Traffic};
use lumos_os::clock::monotonic_ns;

fn pacing(c: &mut Criterion) {
    let mut pacer = LoopPacer::new().expect("a timer");
    c.bench_function("pacer/decide", |b| {
        b.iter(|| {
            let now = monotonic_ns();
            pacer.poll_for(now, black_box(Some(now + 10_000)))
        });
    });
    let mut lateness = Lateness::new();
    c.bench_function("pacer/record", |b| b.iter(|| lateness.record(black_box(1234))));
    let rate = Rate::new(1e6).expect("a rate");
    let traffic = Traffic { arrival: Arrival::Poisson { rate }, delayed: None };
    let arrivals = || match Arrivals::new(&traffic, 1, Duration::MAX) {
        Ok(Arrivals::Open(times)) => times,
        other => panic!("expected times, got {other:?}"),
    };
    let mut times = arrivals();
    c.bench_function("arrivals/poisson", |b| b.iter(|| times.next()));
}

fn responses(c: &mut Criterion) {
    let plain: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\
        date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\r\nhello";
    let chunked: &[u8] =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (name, bytes) in [("response/length", plain), ("response/chunked", chunked)] {
        let mut reader = ResponseReader::new(&http::Method::GET, Bodies::Count);
        c.bench_function(name, |b| {
            b.iter(|| {
                reader.reset();
                reader.feed(black_box(bytes))
            });
        });
    }
}

criterion_group!(benches, pacing, responses);
criterion_main!(benches);
