//! The paper's create-mandelbrot-bitmap: `f64` arithmetic, and a store.
//!
//! The published native variant draws its rows on all cores, which the wasm variant cannot do. Here
//! a single thread draws the rows on every target.

use lumos_function::{Context, Error, Function, Sink, Stored};
use serde::Deserialize;

mod draw;

pub use draw::bitmap;

/// Draws the Mandelbrot set.
pub struct MandelbrotBitmap;

/// The widest image, in pixels; its file has 128 MiB.
const MAX_WIDTH: u32 = 32_768;

/// `{"image_size": 512, "output": "inline"}`; the size is in pixels, rounded down to a multiple of
/// 8.
#[derive(Debug, Deserialize)]
pub struct Request {
    image_size: u32,
    output: Sink,
}

impl Function for MandelbrotBitmap {
    type Request = Request;
    type Output = Stored;

    fn run(request: Request, cx: &mut Context) -> Result<Stored, Error> {
        if request.image_size > MAX_WIDTH {
            return Err(Error::bad_request(format!(
                "image_size is {}: it must be at most {MAX_WIDTH}",
                request.image_size
            )));
        }
        cx.put(request.output, bitmap(request.image_size))
    }
}

lumos_function::export!(MandelbrotBitmap);

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    #[test]
    fn stores_the_image_in_the_requested_sink() {
        let respond = |request: &str| {
            respond::<MandelbrotBitmap>(request.as_bytes(), &mut GuestPhases::default())
        };
        let body = respond(r#"{"image_size": 8, "output": "inline"}"#).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let inline = lumos_function::Base64::decode(body["inline"].as_str().unwrap()).unwrap();
        assert_eq!(inline.0, bitmap(8));

        let huge = respond(r#"{"image_size": 4000000000, "output": "inline"}"#).unwrap_err();
        assert!(huge.message().contains("at most 32768") && huge.is_bad_request(), "{huge}");
        assert!(respond(r#"{"image_size": 8}"#).unwrap_err().message().contains("output"));
    }
}
