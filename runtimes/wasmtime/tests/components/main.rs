//! The runtime with hand-written components. `lumos_testkit::conformance` tests it with the
//! functions of this project.

mod common;
mod invoke;
mod load;
