//! The paper's decrypt-message: AES-256-GCM in software on every target.
//!
//! The base64 decoding of the stored text counts as `deserialize`. The UTF-8 validation of the
//! plaintext, which follows decryption, counts as `compute`.

use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, Tag, aead::AeadInPlace};
use lumos_function::{Base64, Context, Error, Function, Source};
use serde::{Deserialize, Serialize};

/// Decrypts a text.
pub struct DecryptMessage;

/// `{"key": "<32 characters>", "input": {"inline": "<base64 of nonce, ciphertext and tag>"}}`
#[derive(Debug, Deserialize)]
pub struct Request {
    key: String,
    input: Source,
}

/// `{"data": "<plaintext>"}`
#[derive(Debug, Serialize)]
pub struct Output {
    data: String,
}

impl Function for DecryptMessage {
    type Request = Request;
    type Output = Output;

    fn run(request: Request, cx: &mut Context) -> Result<Output, Error> {
        let key = request.key.as_bytes().try_into().map_err(|_| {
            Error::bad_request(format!("key has {} bytes: expected 32", request.key.len()))
        })?;
        let text = cx.get(request.input)?;
        let message = cx.deserialize(|| Base64::decode(text))?.0;
        let data = String::from_utf8(decrypt(key, message)?).map_err(Error::bad_request)?;
        Ok(Output { data })
    }
}

lumos_function::export!(DecryptMessage);

const NONCE: usize = 12;
const TAG: usize = 16;

/// The plaintext of `nonce || ciphertext || tag`, decrypted in the memory of the message.
///
/// # Errors
/// When the message is too short, was changed, or was encrypted with another key.
pub fn decrypt(key: &[u8; 32], mut message: Vec<u8>) -> Result<Vec<u8>, Error> {
    let too_short = || Error::bad_request("the message is too short for a nonce and a tag");
    let text_end = message.len().checked_sub(TAG).filter(|end| *end >= NONCE);
    let text_end = text_end.ok_or_else(too_short)?;
    let tag = *Tag::from_slice(&message[text_end..]);
    let nonce = *Nonce::from_slice(&message[..NONCE]);

    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
        .decrypt_in_place_detached(&nonce, b"", &mut message[NONCE..text_end], &tag)
        .map_err(|_| {
            Error::bad_request("the message was changed, or encrypted with another key")
        })?;
    message.truncate(text_end);
    message.drain(..NONCE);
    Ok(message)
}

#[cfg(test)]
mod tests {
    use encrypt_message::encrypt;
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    const KEY: &[u8; 32] = b"sWXKbbmxgkqmWVsJYNgt9dApYfQpwVDK";

    #[test]
    fn decrypts_what_was_encrypted() {
        for text in ["", "x", "mañana", &"corazón ".repeat(1000)] {
            let message = encrypt(KEY, &[7; 12], text.as_bytes()).unwrap();
            assert_eq!(decrypt(KEY, message).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn rejects_changed_messages() {
        let message = encrypt(KEY, &[7; 12], b"hola").unwrap();
        for at in 0..message.len() {
            let mut changed = message.clone();
            changed[at] ^= 1;
            let error = decrypt(KEY, changed).unwrap_err();
            assert!(error.message().contains("changed") && error.is_bad_request(), "at {at}");
        }
        assert!(decrypt(KEY, vec![0; 27]).unwrap_err().message().contains("too short"));
    }

    #[test]
    fn answers_with_the_plaintext_and_rejects_bad_requests() {
        let respond = |input: &str| {
            let key = std::str::from_utf8(KEY).unwrap();
            let request = format!(r#"{{"key":"{key}","input":{{"inline":{input}}}}}"#);
            respond::<DecryptMessage>(request.as_bytes(), &mut GuestPhases::default())
        };
        let message = Base64(encrypt(KEY, &[7; 12], "mañana".as_bytes()).unwrap());
        let input = serde_json::to_string(&message).unwrap();
        assert_eq!(respond(&input).unwrap(), r#"{"data":"mañana"}"#.as_bytes());
        assert!(respond(r#""?""#).unwrap_err().message().contains("not base64"));
        let binary = Base64(encrypt(KEY, &[7; 12], b"\xff").unwrap());
        let input = serde_json::to_string(&binary).unwrap();
        let error = respond(&input).unwrap_err();
        assert!(error.message().contains("utf-8") && error.is_bad_request());
    }
}
