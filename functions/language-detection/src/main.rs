//! The function as an executable.
lumos_function::main!(language_detection::LanguageDetection);
