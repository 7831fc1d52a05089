//! Bytes in hexadecimal: the form of every hash in lumos' files.

/// The lower-case hexadecimal form of `bytes`. It uses a table, because it runs after each sample.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn writes_both_halves_of_each_byte() {
        assert_eq!(super::hex(&[0x00, 0x1f, 0xa0]), "001fa0");
    }
}
