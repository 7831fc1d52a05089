//! The chunked transfer coding (RFC 9112, section 7.1). Framing is read byte by byte, data in
//! one piece.

use super::malformed::Malformed;

/// What the decoder expects next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunked {
    /// Digits of a chunk's size: how many have been read, and their value.
    Size(u8, u64),
    /// The rest of a size's line, which is ignored.
    Extension(u64),
    /// This many bytes of data.
    Data(u64),
    /// The line end after the data.
    DataEnd,
    /// The beginning of a trailer line, or of the empty line that ends the body; whether a
    /// carriage return has been read.
    Trailer(bool),
    /// The rest of a trailer line.
    TrailerLine,
    /// Nothing: the body is complete.
    Done,
}

/// The most digits that a size may have: 2^60 bytes.
const DIGITS: u8 = 15;

impl Chunked {
    /// The beginning of a body.
    pub(super) const START: Self = Self::Size(0, 0);

    /// Reads `bytes` up to the end of the body, passes the body's data to `data`, and returns
    /// the number of bytes read: fewer than all only if the body is complete.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        mut data: impl FnMut(&[u8]),
    ) -> Result<usize, Malformed> {
        let mut at = 0;
        while at < bytes.len() && *self != Self::Done {
            if let Self::Data(left) = *self {
                let length = bytes.len().min(at.saturating_add(left as usize)) - at;
                data(&bytes[at..at + length]);
                at += length;
                let left = left - length as u64;
                *self = if left == 0 { Self::DataEnd } else { Self::Data(left) };
            } else {
                *self = self.structure(bytes[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn structure(self, byte: u8) -> Result<Self, Malformed> {
        let after_size = |size| if size == 0 { Self::Trailer(false) } else { Self::Data(size) };
        Ok(match (self, byte) {
            (Self::Size(1.., size), b'\n') => after_size(size),
            (Self::Size(1.., size), b'\r' | b';' | b' ' | b'\t') => Self::Extension(size),
            (Self::Size(digits, size), byte) => {
                let digit = char::from(byte).to_digit(16).filter(|_| digits < DIGITS);
                let digit = digit.ok_or(Malformed("the size of a chunk is not a number"))?;
                Self::Size(digits + 1, size << 4 | u64::from(digit))
            }
            (Self::Extension(size), b'\n') => after_size(size),
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::DataEnd, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::START,
            (Self::DataEnd, _) => return Err(Malformed("a chunk is longer than its size")),
            (Self::Trailer(_), b'\n') => Self::Done,
            (Self::Trailer(false), b'\r') => Self::Trailer(true),
            (Self::Trailer(_), _) => Self::TrailerLine,
            (Self::TrailerLine, b'\n') => Self::Trailer(false),
            (Self::TrailerLine, _) => Self::TrailerLine,
            (Self::Data(_) | Self::Done, _) => self,
        })
    }
}
