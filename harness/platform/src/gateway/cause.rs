//! Why a request got its response, and the HTTP status of that.

use hyper::StatusCode;
use lumos_model::row::Outcome;

use crate::service::Cause;

/// Why a request got its response: the function's service decided, or the gateway did before
/// the service saw the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseCause {
    /// The service's own cause.
    Service(Cause),
    /// The body exceeds the limit.
    BodyTooLong,
    /// The head exceeds the limit.
    HeadTooLong,
    /// The body did not arrive in time.
    SlowBody,
    /// The head did not arrive in time; the requested path is unknown.
    SlowHead,
    /// The method is not POST.
    MethodNotAllowed,
    /// The path belongs to no function, so no function counts the request.
    UnknownFunction,
}

impl ResponseCause {
    /// The causes that a function counts, in the order of `index`.
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

    /// The index in [`ResponseCause::OF_FUNCTIONS`].
    ///
    /// # Panics
    /// If no function counts this cause.
    pub(super) fn index(self) -> usize {
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
                unreachable!("no function counts this cause")
            }
        }
    }

    /// The word for it in metrics and in the body of a response.
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

    /// The status of the response (RFC 9110; 429 and 431: RFC 6585). A client that left
    /// receives none.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            ResponseCause::Service(cause) => service_status(cause),
            ResponseCause::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            ResponseCause::HeadTooLong => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ResponseCause::SlowBody | ResponseCause::SlowHead => StatusCode::REQUEST_TIMEOUT,
            ResponseCause::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ResponseCause::UnknownFunction => StatusCode::NOT_FOUND,
        }
    }

    /// The outcome in the request's sample.
    pub(super) const fn outcome(self) -> Outcome {
        match self {
            ResponseCause::Service(cause) => cause.outcome(),
            _ => Outcome::Error,
        }
    }

    /// Whether the client may succeed by retrying soon.
    pub(super) const fn is_transient(self) -> bool {
        matches!(
            self,
            ResponseCause::Service(Cause::QueueFull | Cause::Draining | Cause::NoInstance)
        )
    }
}

const fn service_status(cause: Cause) -> StatusCode {
    match cause {
        Cause::Answered => StatusCode::OK,
        Cause::BadRequest | Cause::ClientLeft => StatusCode::BAD_REQUEST,
        Cause::FunctionFailed => StatusCode::INTERNAL_SERVER_ERROR,
        Cause::Trapped | Cause::OutOfMemory => StatusCode::BAD_GATEWAY,
        Cause::DeadlinePassed => StatusCode::GATEWAY_TIMEOUT,
        Cause::QueueFull => StatusCode::TOO_MANY_REQUESTS,
        Cause::Draining | Cause::NoInstance => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_own_index_and_word() {
        let all = ResponseCause::OF_FUNCTIONS;
        for (index, cause) in all.into_iter().enumerate() {
            assert_eq!(cause.index(), index, "{cause:?}");
            let same = all.iter().filter(|other| other.as_str() == cause.as_str()).count();
            assert_eq!(same, 1, "{cause:?}");
        }
    }
}
