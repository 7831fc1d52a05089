//! The frames of the host protocol: the length as a little-endian `u32`, then that many bytes
//! of JSON.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest message that a reader accepts, in bytes.
const MAX_MESSAGE: u32 = 1 << 30;

/// Reads one message; `None` at the end of the stream, even inside a message.
///
/// # Errors
/// When the stream fails; `InvalidData` when it holds something other than a message of this
/// type.
pub fn read_message<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_MESSAGE {
        return Err(invalid(format!(
            "the message has {length} bytes, more than the {MAX_MESSAGE} allowed: the peer does not \
             speak the host protocol"
        )));
    }
    let mut bytes = Vec::new();
    from.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Ok(None);
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| invalid(format!("this version does not understand the message: {error}")))
}

/// Writes one message.
///
/// # Errors
/// When the stream fails.
pub fn write_message<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = (bytes.len() - 4) as u32;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    to.write_all(&bytes)?;
    to.flush()
}

fn invalid(message: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ToHost;

    #[test]
    fn reads_back_what_it_writes() {
        let mut stream = Vec::new();
        write_message(&mut stream, &ToHost::Capabilities).unwrap();
        let mut from = &stream[..];
        assert_eq!(read_message(&mut from).unwrap(), Some(ToHost::Capabilities));
        assert_eq!(read_message::<ToHost>(&mut from).unwrap(), None);
    }

    #[test]
    fn rejects_malformed_messages() {
        assert!(read_message::<ToHost>(&mut &b"\xff\xff\xff\xffhello"[..]).is_err());
        assert!(read_message::<ToHost>(&mut &b"\x02\0\0\0{}"[..]).is_err());
        assert_eq!(read_message::<ToHost>(&mut &b"\x09\0\0\0{}"[..]).unwrap(), None);
    }
}
