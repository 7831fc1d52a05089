//! The file that a function reads.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::error::InputError;
use crate::functions::{Encoding, FunctionInfo, Workload, find};
use crate::size::Size;
use crate::{records, text};

/// A file that a function reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its key in Redis, and its file name in a folder.
    pub key: String,
    /// The content.
    pub bytes: Vec<u8>,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
}

/// The file that `function` reads at `size`; `None` if the function reads none.
///
/// # Errors
/// When the function does not exist.
pub fn input(function: &str, size: Size, seed: u64) -> Result<Option<InputFile>, InputError> {
    let info = find(function)?;
    Ok(input_key(info, size, seed).map(|key| {
        let bytes = content(info, size, seed);
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        InputFile { key, bytes, sha256 }
    }))
}

/// The key of the file that a function reads.
pub(crate) fn input_key(info: &FunctionInfo, size: Size, seed: u64) -> Option<String> {
    let (kind, extension) = match info.workload {
        Workload::FuzzySearch => ("search-text", "txt"),
        Workload::LanguageDetection | Workload::EncryptMessage => ("spanish-text", "txt"),
        Workload::DecryptMessage => ("encrypted-text", "txt"),
        Workload::Records(Encoding::Json) => ("records", "json"),
        Workload::Records(Encoding::MessagePack) => ("records", "msgpack"),
        _ => return None,
    };
    let kib = info.amount(size)?;
    Some(format!("{kind}-{kib}kib-seed{seed}.{extension}"))
}

/// The bytes of the file that a function reads; empty if it reads none.
pub(crate) fn content(info: &FunctionInfo, size: Size, seed: u64) -> Vec<u8> {
    let kib = info.amount(size).unwrap_or_default();
    let bytes = kib as usize * 1024;
    match info.workload {
        Workload::FuzzySearch => text::search_text(bytes, seed).into_bytes(),
        Workload::LanguageDetection | Workload::EncryptMessage => {
            text::spanish_text(bytes, seed).into_bytes()
        }
        Workload::DecryptMessage => {
            let plaintext = text::spanish_text(bytes, seed);
            STANDARD.encode(text::encrypt(plaintext, seed, bytes)).into_bytes()
        }
        Workload::Records(encoding) => records::document(encoding, bytes, seed),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::functions::functions;

    fn files(seed: u64) -> impl Iterator<Item = (&'static FunctionInfo, Size, InputFile)> {
        functions().iter().flat_map(move |info| {
            Size::ALL
                .into_iter()
                .filter_map(move |size| Some((info, size, input(info.name, size, seed).unwrap()?)))
        })
    }

    #[test]
    fn inputs_have_exactly_the_stated_size() {
        for (info, size, file) in files(42) {
            let stated = info.amount(size).unwrap() as usize * 1024;
            let expected = match info.workload {
                Workload::DecryptMessage => (stated + 12 + 16).div_ceil(3) * 4,
                _ => stated,
            };
            assert_eq!(file.bytes.len(), expected, "{} {size}", info.name);
            let is_text = info.workload != Workload::Records(Encoding::MessagePack);
            assert_eq!(std::str::from_utf8(&file.bytes).is_ok(), is_text, "{} {size}", info.name);
        }
    }

    #[test]
    fn no_two_inputs_begin_alike() {
        let mut beginnings = HashSet::new();
        let mut keys = HashSet::new();
        for (info, size, file) in files(42).chain(files(43)) {
            if keys.insert(file.key) {
                assert!(beginnings.insert(file.bytes[..96].to_vec()), "{} {size}", info.name);
            }
        }
        assert_eq!(keys.len(), 5 * Size::ALL.len() * 2, "five kinds of file, two seeds");
    }

    #[test]
    fn inputs_never_change() {
        let hashes = [
            ("fuzzy-search", Size::Tiny),
            ("fuzzy-search", Size::Small),
            ("language-detection", Size::Small),
            ("decrypt-message", Size::Tiny),
            ("records", Size::Tiny),
            ("records-messagepack", Size::Tiny),
        ]
        .map(|(function, size)| input(function, size, 42).unwrap().unwrap().sha256);
        assert_eq!(
            hashes,
            [
                "c504ed09bfbfe58b6f1f808e8bb961969a97858efb7510a48760c715d36017aa",
                "460904f1e8374354ccd9058cbf6b7a95e8b47be72b774fc6db2e8f3de9cc86fb",
                "d5b02db7b166c7607bfad9e5b6717845a340ddb4c7cf63bc8d6fd4ccd0f4542d",
                "a6cdadfda6cd453232d197f8f9ee522b1efcceb455793360ec868754132b3445",
                "8c66293778aa6c9b9715f903a0ce7342a4242e2a6f10f2de4cdaa1c1a3f18361",
                "6122d40ee78e8c051b1f76d4950812bde7356895e17e43eab95b99f57d9d0bbd",
            ]
        );
    }

    #[test]
    fn only_some_functions_read_an_input() {
        for info in functions() {
            let file = input(info.name, Size::Tiny, 1).unwrap();
            assert_eq!(file.is_some(), info.has_input, "{}", info.name);
        }
        assert!(matches!(input("dance", Size::Tiny, 1), Err(InputError::UnknownFunction(_))));
    }
}
