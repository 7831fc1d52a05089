//! The order of targets in tables.

use lumos_model::cell::Target;

/// `native` first, then by runtime, interpreters before compilers.
pub(crate) fn target_order(target: &Target) -> (bool, &str, usize, &str) {
    let rank = match target.mode() {
        None => 0,
        Some("interp") => 1,
        Some("jit") => 2,
        Some("aot") => 3,
        Some(_) => 4,
    };
    (!target.is_native(), target.runtime(), rank, target.as_str())
}
