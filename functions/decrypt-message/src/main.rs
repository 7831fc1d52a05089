//! The function as an executable.
lumos_function::main!(decrypt_message::DecryptMessage);
