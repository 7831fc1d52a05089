//! The paper's encrypt-message: AES-256-GCM in software on every target.
//!
//! The published function draws a random nonce. Here the nonce comes from the request, so that the
//! outputs of all targets can be compared. The UTF-8 validation of the text counts as
//! `deserialize`, and the base64 encoding of the result as `serialize`.

use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, aead::AeadInPlace};
use lumos_function::{Base64, Context, Error, Function, Source};
use serde::{Deserialize, Serialize};

/// Encrypts a text.
pub struct EncryptMessage;

/// `{"key": "<32 characters>", "nonce": "<24 hexadecimal digits>", "input": {"inline": "..."}}`
#[derive(Debug, Deserialize)]
pub struct Request {
    key: String,
    nonce: String,
    input: Source,
}

/// `{"encrypted_data": "<base64 of nonce, ciphertext and tag>"}`
#[derive(Debug, Serialize)]
pub struct Output {
    encrypted_data: Base64,
}

impl Function for EncryptMessage {
    type Request = Request;
    type Output = Output;

    fn run(request: Request, cx: &mut Context) -> Result<Output, Error> {
        let key = request.key.as_bytes().try_into().map_err(|_| {
            Error::bad_request(format!("key has {} bytes: expected 32", request.key.len()))
        })?;
        let nonce = parse_nonce(&request.nonce)?;
        let bytes = cx.get(request.input)?;
        let text = cx.deserialize(|| String::from_utf8(bytes)).map_err(Error::bad_request)?;
        Ok(Output { encrypted_data: Base64(encrypt(key, &nonce, text.as_bytes())?) })
    }
}

lumos_function::export!(EncryptMessage);

/// `nonce || ciphertext || tag` of `text`.
///
/// # Errors
/// When `text` is longer than AES-GCM allows (64 GiB).
pub fn encrypt(key: &[u8; 32], nonce: &[u8; 12], text: &[u8]) -> Result<Vec<u8>, Error> {
    let cipher = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key));
    let mut message = Vec::with_capacity(nonce.len() + text.len() + 16);
    message.extend_from_slice(nonce);
    message.extend_from_slice(text);
    let tag = cipher
        .encrypt_in_place_detached(Nonce::from_slice(nonce), b"", &mut message[nonce.len()..])
        .map_err(|_| Error::bad_request("the text is too long for AES-GCM"))?;
    message.extend_from_slice(&tag);
    Ok(message)
}

fn parse_nonce(text: &str) -> Result<[u8; 12], Error> {
    let bad = || Error::bad_request(format!("nonce is `{text}`: expected 24 hexadecimal digits"));
    if text.len() != 24 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let mut nonce = [0; 12];
    for (byte, digits) in nonce.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
    }
    Ok(nonce)
}

#[cfg(test)]
mod tests {
    use lumos_function::{respond, wire::GuestPhases};

    use super::*;

    const KEY: &str = "sWXKbbmxgkqmWVsJYNgt9dApYfQpwVDK";

    /// Test cases 13 and 14 of "The Galois/Counter Mode of Operation" (McGrew, Viega).
    #[test]
    fn agrees_with_published_test_vectors() {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let empty = encrypt(&[0; 32], &[0; 12], b"").unwrap();
        assert_eq!(hex(&empty[12..]), "530f8afbc74536b9a963b4f1c4cb738b");
        let block = encrypt(&[0; 32], &[0; 12], &[0; 16]).unwrap();
        assert_eq!(
            hex(&block[12..]),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        );
    }

    #[test]
    fn answers_with_the_message_and_rejects_bad_requests() {
        let respond = |key: &str, nonce: &str| {
            let request =
                format!(r#"{{"key":"{key}","nonce":"{nonce}","input":{{"inline":"hola"}}}}"#);
            respond::<EncryptMessage>(request.as_bytes(), &mut GuestPhases::default())
        };
        let body = respond(KEY, "000102030405060708090aFF").unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let message = Base64::decode(body["encrypted_data"].as_str().unwrap()).unwrap().0;
        assert_eq!(message[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
        assert_eq!(message.len(), 12 + 4 + 16);

        let short = respond("short", "000102030405060708090a0b").unwrap_err();
        assert!(short.message().contains("key has 5 bytes"), "{short}");
        assert!(short.is_bad_request());
        for nonce in ["", "0001", "zz0102030405060708090a0b", "+10102030405060708090a0b"] {
            let error = respond(KEY, nonce).unwrap_err();
            assert!(error.message().contains("24 hexadecimal") && error.is_bad_request());
        }
    }
}
