//! Seeded inputs and requests of the functions, for the harness.
//!
//! The name of a function, a size and a seed go in; an input file or a request comes out. The same
//! seed gives the same bytes on every machine. The texts are drawn with ChaCha, keyed by a hash of
//! the seed and the kind of file. So every file has different content, and each has exactly the
//! stated size.
//!
//! | file | content |
//! |---|---|
//! | `functions` | the functions, and the meaning of a size for each |
//! | `size` | the size groups |
//! | `input` | the file that a function reads |
//! | `request` | the JSON that a function is called with |
//! | `text`, `records` | the content of the files |
//! | `draw` | seeded random numbers |
//! | `error` | names that do not exist, and unusable paths |
#![forbid(unsafe_code)]

mod draw;
mod error;
mod functions;
mod input;
mod records;
mod request;
mod size;
mod text;

pub use error::InputError;
pub use functions::{FunctionInfo, crate_of, functions};
pub use input::{InputFile, input};
pub use request::{Placement, output_key, request};
pub use size::{Size, UnknownSize};
