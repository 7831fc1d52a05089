//! The JSON that a function is called with.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::error::InputError;
use crate::functions::{Encoding, FunctionInfo, Workload, find};
use crate::input::{content, input_key};
use crate::size::Size;
use crate::text;

/// Where a function reads its input and writes its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// In the request and in the response.
    Inline,
    /// In Redis, under the file's key.
    Redis,
    /// In this folder, as the function sees it; an empty path means its data folder.
    Local(PathBuf),
    /// In the host's storage, under the file's key.
    Host,
}

/// The request that makes `function` do its work at `size`.
///
/// # Errors
/// When the function does not exist, or the folder's path is not UTF-8.
pub fn request(
    function: &str,
    size: Size,
    seed: u64,
    placement: &Placement,
) -> Result<Vec<u8>, InputError> {
    let info = find(function)?;
    let amount = info.amount(size);
    let request = match info.workload {
        Workload::Noop => json!({}),
        Workload::Fibonacci => json!({ "number": amount }),
        Workload::PrimeNumbers => json!({ "limit": amount }),
        Workload::AudioGeneration => {
            json!({ "audio_size": amount, "output": sink(info, size, placement)? })
        }
        Workload::MandelbrotBitmap => {
            json!({ "image_size": amount, "output": sink(info, size, placement)? })
        }
        Workload::FuzzySearch => json!({
            "search_term": text::SEARCH_TERM,
            "input": source(info, size, seed, placement)?,
        }),
        Workload::LanguageDetection => json!({ "input": source(info, size, seed, placement)? }),
        Workload::EncryptMessage => json!({
            "key": text::KEY,
            "nonce": hexadecimal(&text::nonce(seed, amount.unwrap_or(0) as usize * 1024)),
            "input": source(info, size, seed, placement)?,
        }),
        Workload::DecryptMessage => json!({
            "key": text::KEY,
            "input": source(info, size, seed, placement)?,
        }),
        Workload::Records(encoding) => json!({
            "format": match encoding {
                Encoding::Json => "json",
                Encoding::MessagePack => "messagepack",
            },
            "input": source(info, size, seed, placement)?,
            "output": sink(info, size, placement)?,
        }),
    };
    Ok(request.to_string().into_bytes())
}

/// The key under which `function` stores its output at `size`; `None` if the function stores none
/// or does not exist.
pub fn output_key(function: &str, size: Size) -> Option<String> {
    let info = find(function).ok()?;
    let amount = info.amount(size)?;
    match info.workload {
        Workload::AudioGeneration => Some(format!("tone-{amount}kib.wav")),
        Workload::MandelbrotBitmap => Some(format!("mandelbrot-{amount}px.pbm")),
        Workload::Records(Encoding::Json) => Some(format!("records-{amount}kib-again.json")),
        Workload::Records(Encoding::MessagePack) => {
            Some(format!("records-{amount}kib-again.msgpack"))
        }
        _ => None,
    }
}

fn source(
    info: &FunctionInfo,
    size: Size,
    seed: u64,
    placement: &Placement,
) -> Result<Value, InputError> {
    if let Placement::Inline = placement {
        // Binary content is sent as base64.
        let text = String::from_utf8(content(info, size, seed))
            .unwrap_or_else(|error| STANDARD.encode(error.as_bytes()));
        return Ok(json!({ "inline": text }));
    }
    reference(input_key(info, size, seed).unwrap_or_default(), placement)
}

fn sink(info: &FunctionInfo, size: Size, placement: &Placement) -> Result<Value, InputError> {
    reference(output_key(info.name, size).unwrap_or_default(), placement)
}

fn reference(key: String, placement: &Placement) -> Result<Value, InputError> {
    Ok(match placement {
        Placement::Inline => json!("inline"),
        Placement::Redis => json!({ "redis": key }),
        Placement::Host => json!({ "host": key }),
        Placement::Local(folder) => {
            let path = folder.join(key).into_os_string().into_string();
            json!({ "local": path.map_err(|_| InputError::Folder(folder.clone()))? })
        }
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
