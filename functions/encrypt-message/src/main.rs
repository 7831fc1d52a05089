//! The function as an executable.
lumos_function::main!(encrypt_message::EncryptMessage);
