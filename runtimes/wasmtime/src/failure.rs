//! What the engine's errors mean for an invocation.

use lumos_runtime::InvokeError;
use wasmtime::{Error, Trap};
use wasmtime_wasi::I32Exit;

use crate::limiter::Denied;

/// Characters of an error's text that are worth a row.
const READABLE: usize = 1000;

/// Says why a call brought no answer.
pub fn classify(error: &Error, denied: Option<Denied>, last_words: &str) -> InvokeError {
    let said = match last_words {
        "" => String::new(),
        words => format!("; the guest said: {words}"),
    };
    match denied {
        Some(denied) => InvokeError::OutOfMemory(shorten(&format!("{denied}{said}"))),
        None => InvokeError::Trap(shorten(&format!("{}{said}", describe(error)))),
    }
}

fn describe(error: &Error) -> String {
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        // All that `wasi:cli/exit` of WASI 0.2 carries is success or failure.
        let how = if *code == 0 { "success" } else { "failure" };
        return format!("the guest exited with {how} instead of answering");
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => format!("{error:#}"),
    }
}

/// The beginning, and a mark where something was left out.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(READABLE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} ..", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traps_exits_and_memory_are_told_apart() {
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
        assert!(long.chars().count() <= READABLE + 3);
    }
}
