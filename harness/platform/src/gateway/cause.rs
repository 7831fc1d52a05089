//! Why a request has the answer that it has, and what HTTP calls that.

use hyper::StatusCode;
use lumos_model::row::Outcome;

use crate::service::Cause;

/// How a request ended: as its pool says, or before a pool saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseCause {
    /// As the pool says.
    Service(Cause),
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

impl ResponseCause {
    /// Those that a request to a function may have. The order is that of [`ResponseCause::index`].
    pub const OF_FUNCTIONS: [ResponseCause; 14] = [
        ResponseCause::Service(Cause::Answered),
        ResponseCause::Service(Cause::BadRequest),
        ResponseCause::Service(Cause::FunctionFailed),
        ResponseCause::Service(Cause::Trapped),
        ResponseCause::Service(Cause::OutOfMemory),
        ResponseCause::Service(Cause::DeadlinePassed),
        ResponseCause::Service(Cause::QueueFull),
        ResponseCause::Service(Cause::Draining),
        ResponseCause::Service(Cause::NoInstance),
        ResponseCause::Service(Cause::ClientLeft),
        ResponseCause::BodyTooLong,
        ResponseCause::HeadTooLong,
        ResponseCause::SlowBody,
        ResponseCause::MethodNotAllowed,
    ];

    /// Its place in [`ResponseCause::OF_FUNCTIONS`].
    pub fn index(self) -> usize {
        match self {
            ResponseCause::Service(Cause::Answered) => 0,
            ResponseCause::Service(Cause::BadRequest) => 1,
            ResponseCause::Service(Cause::FunctionFailed) => 2,
            ResponseCause::Service(Cause::Trapped) => 3,
            ResponseCause::Service(Cause::OutOfMemory) => 4,
            ResponseCause::Service(Cause::DeadlinePassed) => 5,
            ResponseCause::Service(Cause::QueueFull) => 6,
            ResponseCause::Service(Cause::Draining) => 7,
            ResponseCause::Service(Cause::NoInstance) => 8,
            ResponseCause::Service(Cause::ClientLeft) => 9,
            ResponseCause::BodyTooLong => 10,
            ResponseCause::HeadTooLong => 11,
            ResponseCause::SlowBody => 12,
            ResponseCause::MethodNotAllowed => 13,
            ResponseCause::UnknownFunction | ResponseCause::SlowHead => {
                unreachable!("it is no function's")
            }
        }
    }

    /// The word for it in metrics and in the body of an answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            ResponseCause::Service(cause) => cause.as_str(),
            ResponseCause::BodyTooLong => "body-too-long",
            ResponseCause::HeadTooLong => "head-too-long",
            ResponseCause::SlowBody => "slow-body",
            ResponseCause::SlowHead => "slow-head",
            ResponseCause::MethodNotAllowed => "method-not-allowed",
            ResponseCause::UnknownFunction => "unknown-function",
        }
    }

    /// The status of its answer (RFC 9110; 429 and 431: RFC 6585). A client that left sees
    /// none.
    pub const fn status(self) -> StatusCode {
        match self {
            ResponseCause::Service(Cause::Answered) => StatusCode::OK,
            ResponseCause::Service(Cause::BadRequest | Cause::ClientLeft) => {
                StatusCode::BAD_REQUEST
            }
            ResponseCause::Service(Cause::FunctionFailed) => StatusCode::INTERNAL_SERVER_ERROR,
            ResponseCause::Service(Cause::Trapped | Cause::OutOfMemory) => StatusCode::BAD_GATEWAY,
            ResponseCause::Service(Cause::DeadlinePassed) => StatusCode::GATEWAY_TIMEOUT,
            ResponseCause::Service(Cause::QueueFull) => StatusCode::TOO_MANY_REQUESTS,
            ResponseCause::Service(Cause::Draining | Cause::NoInstance) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ResponseCause::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            ResponseCause::HeadTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ResponseCause::SlowBody | ResponseCause::SlowHead => StatusCode::REQUEST_TIMEOUT,
            ResponseCause::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ResponseCause::UnknownFunction => StatusCode::NOT_FOUND,
        }
    }

    /// What it is in a row.
    pub const fn outcome(self) -> Outcome {
        match self {
            ResponseCause::Service(cause) => cause.outcome(),
            _ => Outcome::Error,
        }
    }

    /// Whether the client may do better by trying again soon.
    pub const fn is_passing(self) -> bool {
        matches!(
            self,
            ResponseCause::Service(Cause::QueueFull | Cause::Draining | Cause::NoInstance)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_place_and_a_word_of_its_own() {
        let all = ResponseCause::OF_FUNCTIONS;
        for (place, ending) in all.into_iter().enumerate() {
            assert_eq!(ending.index(), place, "{ending:?}");
            let same = all.iter().filter(|other| other.as_str() == ending.as_str()).count();
            assert_eq!(same, 1, "{ending:?}");
        }
    }
}
