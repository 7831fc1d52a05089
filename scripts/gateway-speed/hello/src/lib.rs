//! Responds to every request with the response of the function `noop`.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Hello;

impl Guest for Hello {
    fn handle(_request: IncomingRequest, out: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body().expect("a new response has a body");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("a new body has a stream");
        stream.blocking_write_and_flush(br#"{"message":"Hello, World!"}"#).expect("the client reads");
        drop(stream);
        OutgoingBody::finish(body, None).expect("nothing is missing");
    }
}

wasip2::http::proxy::export!(Hello);
