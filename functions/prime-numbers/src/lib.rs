//! The paper's get-prime-numbers: integer remainders, a growing list, and integers written as text.
//!
//! The published function uses `usize`; here the numbers have 32 bits on every target. On some
//! processors a 32-bit division is faster than a 64-bit one, so native times cannot be compared
//! with the published ones.

use lumos_function::{Context, Error, Function};
use serde::{Deserialize, Serialize};

/// Lists primes.
pub struct PrimeNumbers;

/// `{"limit": 10000}`
#[derive(Debug, Deserialize)]
pub struct Request {
    limit: u32,
}

/// `{"primes": [2, 3, ...]}`
#[derive(Debug, Serialize)]
pub struct Output {
    primes: Vec<u32>,
}

impl Function for PrimeNumbers {
    type Request = Request;
    type Output = Output;

    fn run(request: Request, _cx: &mut Context) -> Result<Output, Error> {
        Ok(Output { primes: primes(request.limit) })
    }
}

lumos_function::export!(PrimeNumbers);

/// The primes up to and including `limit`, by trial division. 2 is always included, as in the
/// published function.
pub fn primes(limit: u32) -> Vec<u32> {
    let mut primes = vec![2];
    primes.extend((3..=limit).step_by(2).filter(|&odd| is_prime(odd)));
    primes
}

fn is_prime(odd: u32) -> bool {
    let root = f64::from(odd).sqrt() as u32;
    let mut divisor = 3;
    while divisor <= root {
        if odd.is_multiple_of(divisor) {
            return false;
        }
        divisor += 2;
    }
    true
}

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    #[test]
    fn the_first_primes_are_correct() {
        assert_eq!(primes(30), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert_eq!(primes(0), [2]);
    }

    /// The published sizes (6.0, 56.2, 538.5 KB) include about 70 bytes of the published reply
    /// around the list.
    #[test]
    fn lists_have_the_published_counts_and_sizes() {
        for (limit, count, bytes) in
            [(10_000, 1229, 5_949), (100_000, 9592, 56_127), (1_000_000, 78498, 538_469)]
        {
            let primes = primes(limit);
            assert_eq!(primes.len(), count, "primes up to {limit}");
            assert_eq!(serde_json::to_vec(&primes).unwrap().len(), bytes, "list to {limit}");
        }
    }

    #[test]
    fn answers_with_primes_and_rejects_bad_requests() {
        let respond =
            |request: &[u8]| respond::<PrimeNumbers>(request, &mut GuestPhases::default());
        assert_eq!(respond(br#"{"limit": 7}"#).unwrap(), br#"{"primes":[2,3,5,7]}"#);
        for bad in [&br#"{"limit": 1.5}"#[..], br#"{"limit": -1}"#, b"[]", b"\xff"] {
            assert!(respond(bad).unwrap_err().message().contains("line 1"));
        }
    }
}
