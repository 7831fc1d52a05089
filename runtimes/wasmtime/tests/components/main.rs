//! The runtime against hand-written components. What every runtime must do, with the
//! functions of this project, is in `lumos_testkit::conformance`.

mod common;
mod invoke;
mod load;
