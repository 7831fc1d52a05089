//! Why a request has the answer that it has, and what HTTP calls that.

use hyper::StatusCode;
use lumos_model::row::Outcome;

use crate::service::Cause;

/// How a request ended: as its pool says, or before a pool saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As the pool says.
    Pool(Cause),
    /// Its body was longer than is accepted.
    BodyTooLong,
    /// Its head was longer than is accepted.
    HeadTooLong,
    /// Its body did not come within the time that a client has.
    SlowBody,
    /// Its head did not come within the time that a client has; what it asked for is not known.
    SlowHead,
    /// It was no POST.
    MethodNotAllowed,
    /// Its path is no function's; it counts for none.
    UnknownFunction,
}

impl Ending {
    /// Those that a request to a function may have. The order is that of [`Ending::index`].
    pub const OF_FUNCTIONS: [Ending; 14] = [
        Ending::Pool(Cause::Answered),
        Ending::Pool(Cause::BadRequest),
        Ending::Pool(Cause::FunctionFailed),
        Ending::Pool(Cause::Trapped),
        Ending::Pool(Cause::OutOfMemory),
        Ending::Pool(Cause::DeadlinePassed),
        Ending::Pool(Cause::QueueFull),
        Ending::Pool(Cause::Draining),
        Ending::Pool(Cause::NoInstance),
        Ending::Pool(Cause::ClientLeft),
        Ending::BodyTooLong,
        Ending::HeadTooLong,
        Ending::SlowBody,
        Ending::MethodNotAllowed,
    ];

    /// Its place in [`Ending::OF_FUNCTIONS`].
    pub fn index(self) -> usize {
        match self {
            Ending::Pool(Cause::Answered) => 0,
            Ending::Pool(Cause::BadRequest) => 1,
            Ending::Pool(Cause::FunctionFailed) => 2,
            Ending::Pool(Cause::Trapped) => 3,
            Ending::Pool(Cause::OutOfMemory) => 4,
            Ending::Pool(Cause::DeadlinePassed) => 5,
            Ending::Pool(Cause::QueueFull) => 6,
            Ending::Pool(Cause::Draining) => 7,
            Ending::Pool(Cause::NoInstance) => 8,
            Ending::Pool(Cause::ClientLeft) => 9,
            Ending::BodyTooLong => 10,
            Ending::HeadTooLong => 11,
            Ending::SlowBody => 12,
            Ending::MethodNotAllowed => 13,
            Ending::UnknownFunction | Ending::SlowHead => unreachable!("it is no function's"),
        }
    }

    /// The word for it in metrics and in the body of an answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Ending::Pool(cause) => cause.as_str(),
            Ending::BodyTooLong => "body-too-long",
            Ending::HeadTooLong => "head-too-long",
            Ending::SlowBody => "slow-body",
            Ending::SlowHead => "slow-head",
            Ending::MethodNotAllowed => "method-not-allowed",
            Ending::UnknownFunction => "unknown-function",
        }
    }

    /// The status of its answer (RFC 9110; 429 and 431: RFC 6585). A client that left sees
    /// none.
    pub const fn status(self) -> StatusCode {
        match self {
            Ending::Pool(Cause::Answered) => StatusCode::OK,
            Ending::Pool(Cause::BadRequest | Cause::ClientLeft) => StatusCode::BAD_REQUEST,
            Ending::Pool(Cause::FunctionFailed) => StatusCode::INTERNAL_SERVER_ERROR,
            Ending::Pool(Cause::Trapped | Cause::OutOfMemory) => StatusCode::BAD_GATEWAY,
            Ending::Pool(Cause::DeadlinePassed) => StatusCode::GATEWAY_TIMEOUT,
            Ending::Pool(Cause::QueueFull) => StatusCode::TOO_MANY_REQUESTS,
            Ending::Pool(Cause::Draining | Cause::NoInstance) => StatusCode::SERVICE_UNAVAILABLE,
            Ending::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Ending::HeadTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Ending::SlowBody | Ending::SlowHead => StatusCode::REQUEST_TIMEOUT,
            Ending::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Ending::UnknownFunction => StatusCode::NOT_FOUND,
        }
    }

    /// What it is in a row.
    pub const fn outcome(self) -> Outcome {
        match self {
            Ending::Pool(cause) => cause.outcome(),
            _ => Outcome::Error,
        }
    }

    /// Whether the client may do better by trying again soon.
    pub const fn is_passing(self) -> bool {
        matches!(self, Ending::Pool(Cause::QueueFull | Cause::Draining | Cause::NoInstance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_place_and_a_word_of_its_own() {
        let all = Ending::OF_FUNCTIONS;
        for (place, ending) in all.into_iter().enumerate() {
            assert_eq!(ending.index(), place, "{ending:?}");
            let same = all.iter().filter(|other| other.as_str() == ending.as_str()).count();
            assert_eq!(same, 1, "{ending:?}");
        }
    }
}
