//! The function as an executable.
lumos_function::main!(conformance::Conformance);
