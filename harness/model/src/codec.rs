//! The framing of the host protocol: a little-endian `u32` with the length, then JSON.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest message that is accepted, in bytes.
const MAX_MESSAGE: u32 = 1 << 30;

/// Reads one message; `None` at the end of the stream.
///
/// # Errors
/// When the stream fails, or `InvalidData` when it holds no message of this type.
pub fn read_message<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_MESSAGE {
        return Err(invalid(format!("a message of {length} bytes is too long")));
    }
    let mut bytes = Vec::new();
    from.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Ok(None);
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| invalid(format!("a message that this version does not know: {error}")))
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
    fn messages_pass_a_stream() {
        let mut stream = Vec::new();
        write_message(&mut stream, &ToHost::Capabilities).unwrap();
        let mut from = &stream[..];
        assert_eq!(read_message(&mut from).unwrap(), Some(ToHost::Capabilities));
        assert_eq!(read_message::<ToHost>(&mut from).unwrap(), None);
    }

    #[test]
    fn a_stranger_is_refused() {
        assert!(read_message::<ToHost>(&mut &b"\xff\xff\xff\xffhello"[..]).is_err());
        assert!(read_message::<ToHost>(&mut &b"\x02\0\0\0{}"[..]).is_err());
        assert_eq!(read_message::<ToHost>(&mut &b"\x09\0\0\0{}"[..]).unwrap(), None);
    }
}
