//! The function as an executable.
lumos_function::main!(prime_numbers::PrimeNumbers);
