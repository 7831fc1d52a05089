//! The errors of cgroups-rs.

use std::error::Error as _;

use cgroups_rs::fs::error::Error;

/// The error with its cause, which its own message leaves out.
pub(super) fn with_cause(error: &Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
