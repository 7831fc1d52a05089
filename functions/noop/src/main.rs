//! The function as an executable.
lumos_function::main!(noop::Noop);
