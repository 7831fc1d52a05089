//! Errors of inputs and requests.

use std::path::PathBuf;

/// An input or request that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// No function has this name.
    #[error("there is no function `{0}`: `lumos list functions` shows the functions that exist")]
    UnknownFunction(String),
    /// The path of the folder cannot be part of a JSON request.
    #[error("the path of the folder `{}` is not UTF-8: use another folder", .0.display())]
    Folder(PathBuf),
}
