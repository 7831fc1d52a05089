//! The preview 2 form: a component of the world in `wit/function.wit`.

use lumos_wire::Status;
use lumos_wire::envelope::TRAILER;

use crate::function::Function;
use crate::invoke::invoke_bytes;

pub use lumos_wire::canary::spin as canary;

/// Serves a request. The answer is an envelope, whose status distinguishes an output from a
/// rejected request.
///
/// # Errors
/// The message alone, if the function fails.
pub fn invoke<F: Function>(request: &[u8]) -> Result<Vec<u8>, String> {
    let mut answer = invoke_bytes::<F>(request);
    if answer.last() != Some(&(Status::Error as u8)) {
        return Ok(answer);
    }
    answer.truncate(answer.len() - TRAILER);
    Err(String::from_utf8_lossy(&answer).into_owned())
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_for_target {
    ($function:ty) => {
        const _: () = {
            struct Component;

            impl $crate::bindings::Guest for Component {
                fn invoke(payload: Vec<u8>) -> Result<Vec<u8>, String> {
                    $crate::component::invoke::<$function>(&payload)
                }

                fn canary(iterations: u32) -> u32 {
                    $crate::component::canary(iterations)
                }
            }

    $crate::bindings::__export_component!(Component with_types_in $crate::bindings);
        };
    };
}
