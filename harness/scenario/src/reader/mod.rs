//! From TOML nodes with their places in the file to checked values. Mistakes are collected, so
//! that one pass reports all of them.
//!
//! | module | contents |
//! |---|---|
//! | `table` | a table whose known keys are those that are read |
//! | `values` | words, numbers, quantities, lists |
//! | `problems` | the mistakes found so far |

mod problems;
mod table;
mod values;

pub(crate) use self::problems::{Problems, did_you_mean};
pub(crate) use self::table::Table;
pub(crate) use self::values::{
    Node, decimal, distinct, list, not_negative, number, one_of, one_or_more, positive, quantity,
    strings, text, word,
};
