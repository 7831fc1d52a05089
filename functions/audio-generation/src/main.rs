//! The function as an executable.
lumos_function::main!(audio_generation::AudioGeneration);
