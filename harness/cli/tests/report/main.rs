//! `lumos report`: from rows to a summary, from a summary to what people read.

mod command;
mod load;
mod render;
mod samples;
mod summary;
