//! The function as an executable.
lumos_function::main!(fuzzy_search::FuzzySearch);
