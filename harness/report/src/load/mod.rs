//! Cells under load, as tables.
//!
//! | file | what it shows |
//! |---|---|
//! | `mod` | all tables |
//! | `latency` | throughput and latency of each function |
//! | `platform` | what HTTP and the gateway add |
//! | `cold_shares` | cold starts by keep-alive |
//! | `notes` | what a reader must know of them |
//! | `columns` | columns and entries that several tables have |
//! | `cell` | a cell under load with its numbers |

mod cell;
mod cold_shares;
mod columns;
mod latency;
mod notes;
mod platform;

pub(crate) use notes::{cautions, notes};

use lumos_analysis::summary::Summary;

use self::cell::LoadCell;
use crate::table::Table;

/// A table with a title.
pub(crate) struct Titled {
    pub title: String,
    pub table: Table,
}

/// All tables of a summary.
pub(crate) fn tables(summary: &Summary) -> Vec<Titled> {
    let cells = LoadCell::all(summary);
    let titled = |(title, table)| Titled { title, table };
    let tables = latency::tables(&cells).into_iter();
    tables.chain(platform::table(&cells)).chain(cold_shares::table(&cells)).map(titled).collect()
}
