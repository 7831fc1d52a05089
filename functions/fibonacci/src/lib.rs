//! The paper's fibonacci: additions only.
//!
//! The published function adds `usize` numbers, so its native and wasm variants do different work
//! and return different results. Here the numbers have 64 bits on every target, and the results are
//! those of the published native variant: F(n) mod 2^64.

use lumos_function::{Context, Error, Function};
use serde::{Deserialize, Serialize};

/// Adds Fibonacci numbers.
pub struct Fibonacci;

/// `{"number": 10000}`
#[derive(Debug, Deserialize)]
pub struct Request {
    number: u32,
}

/// `{"input": 10000, "output": 15574651946073070043}`
#[derive(Debug, Serialize)]
pub struct Output {
    input: u32,
    output: u64,
}

impl Function for Fibonacci {
    type Request = Request;
    type Output = Output;

    fn run(request: Request, _cx: &mut Context) -> Result<Output, Error> {
        Ok(Output { input: request.number, output: fibonacci(request.number) })
    }
}

lumos_function::export!(Fibonacci);

/// F(`number`) mod 2^64, in `number` additions.
pub fn fibonacci(number: u32) -> u64 {
    let (mut this, mut next) = (0_u64, 1_u64);
    for _ in 0..number {
        (this, next) = (next, this.wrapping_add(next));
    }
    this
}

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    #[test]
    fn the_first_numbers_are_correct() {
        let first: Vec<u64> = (0..10).map(fibonacci).collect();
        assert_eq!(first, [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]);
    }

    #[test]
    fn results_are_the_published_native_ones() {
        for (number, value) in [
            (10_000, 15574651946073070043),
            (100_000, 2754320626097736315),
            (1_000_000, 14197223477820724411),
            (2_500_000, 3314201736242647163),
        ] {
            assert_eq!(fibonacci(number), value, "F({number})");
        }
    }

    #[test]
    fn answers_with_the_number_and_rejects_bad_requests() {
        let respond = |request: &str| {
            respond::<Fibonacci>(request.as_bytes(), &mut GuestPhases::default())
                .map(|body| String::from_utf8(body).unwrap())
        };
        assert_eq!(respond(r#"{"number": 7}"#).unwrap(), r#"{"input":7,"output":13}"#);
        for bad in [r#"{"number": -1}"#, r#"{"number": 4294967296}"#, "{}"] {
            assert!(respond(bad).unwrap_err().message().contains("line 1"), "{bad}");
        }
    }
}
