//! From a summary to what people read.

mod load;
mod render;
