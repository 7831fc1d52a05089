//! The paper's hello-world: the cost of an invocation without work.

use lumos_function::{Context, Error, Function};
use serde::{Deserialize, Serialize};

/// Answers a greeting.
pub struct Noop;

/// `{}`
#[derive(Debug, Deserialize)]
pub struct Request {}

/// `{"message": "Hello, World!"}`
#[derive(Debug, Serialize)]
pub struct Output {
    message: &'static str,
}

impl Function for Noop {
    type Request = Request;
    type Output = Output;

    fn run(_request: Request, _cx: &mut Context) -> Result<Output, Error> {
        Ok(Output { message: "Hello, World!" })
    }
}

lumos_function::export!(Noop);

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    #[test]
    fn answers_a_greeting() {
        let body = respond::<Noop>(b"{}", &mut GuestPhases::default()).unwrap();
        assert_eq!(body, br#"{"message":"Hello, World!"}"#);
    }

    #[test]
    fn rejects_malformed_requests() {
        let error = respond::<Noop>(b"{", &mut GuestPhases::default()).unwrap_err();
        assert!(error.message().contains("line 1 column 1"), "{error}");
    }
}
