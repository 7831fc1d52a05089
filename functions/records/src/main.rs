//! The function as an executable.
lumos_function::main!(records::Records);
