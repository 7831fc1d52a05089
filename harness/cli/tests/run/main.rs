//! `lumos run` with the real hosts and artifacts, which scripts/build.sh makes.

mod bad_input;
mod complete;
mod failures;
mod full_disk;
mod gate;
mod killed;
mod load;
mod signals;
mod stale;
