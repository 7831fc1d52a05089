//! From the engine's errors to the outcome of an invocation.

use lumos_runtime::InvokeError;
use wasmtime::{Error, Trap};
use wasmtime_wasi::I32Exit;

use crate::limiter::Denied;

/// The most characters of an error's text that go into a row.
const MAX_CHARACTERS: usize = 1000;

/// Says why a call returned no answer.
pub fn classify(error: &Error, denied: Option<Denied>, stderr: &str) -> InvokeError {
    let said = match stderr {
        "" => String::new(),
        text => format!("; the guest said: {text}"),
    };
    match denied {
        Some(denied) => InvokeError::OutOfMemory(shorten(&format!("{denied}{said}"))),
        None => InvokeError::Trap(shorten(&format!("{}{said}", describe(error)))),
    }
}

fn describe(error: &Error) -> String {
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        // `wasi:cli/exit` of WASI 0.2 carries only success or failure.
        let how = if *code == 0 { "success" } else { "failure" };
        return format!("the guest exited with {how} instead of answering");
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => format!("{error:#}"),
    }
}

/// The beginning of a text, with `..` if it was cut.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} ..", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps_exits_and_lack_of_memory_are_distinguished() {
        let trap = Error::from(Trap::UnreachableCodeReached);
        assert_eq!(
            classify(&trap, None, "panicked at x"),
            InvokeError::Trap(
                "wasm trap: wasm `unreachable` instruction executed; the guest said: \
                 panicked at x"
                    .into()
            )
        );
        let denied = Denied { bytes: 1, desired: 3, limit: Some(2) };
        assert!(matches!(classify(&trap, Some(denied), ""), InvokeError::OutOfMemory(_)));
        let exit = Error::from(I32Exit(3));
        assert_eq!(
            classify(&exit, None, ""),
            InvokeError::Trap("the guest exited with failure instead of answering".into())
        );
        let InvokeError::Trap(long) = classify(&trap, None, &"ä".repeat(5000)) else { panic!() };
        assert!(long.chars().count() <= MAX_CHARACTERS + 3);
    }
}
