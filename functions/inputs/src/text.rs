//! Random texts, the same on every machine.

use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, aead::AeadInPlace};

use crate::draw::Draw;

/// The key of the published functions.
pub(crate) const KEY: &str = "sWXKbbmxgkqmWVsJYNgt9dApYfQpwVDK";

/// The search term of the published function.
pub(crate) const SEARCH_TERM: &str = "apple";

const WORDS_A_LINE: usize = 20;
const LINES_WITH_TERM: usize = 10;

const SPANISH: [&str; 19] = [
    "amigo",
    "amistad",
    "ayer",
    "casa",
    "ciudad",
    "comida",
    "corazón",
    "estudiante",
    "familia",
    "felicidad",
    "fiesta",
    "gracias",
    "hermoso",
    "hola",
    "mañana",
    "mundo",
    "naturaleza",
    "rápido",
    "trabajo",
];

/// Random Spanish words, 20 per line, `bytes` bytes of UTF-8 in total.
pub(crate) fn spanish_text(bytes: usize, seed: u64) -> String {
    let mut draw = Draw::new("spanish", bytes, seed);
    let mut text = String::with_capacity(bytes + 16);
    for position in 0.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(SPANISH[draw.below(SPANISH.len())]);
        text.push(separator(position));
    }
    // A cut inside an accented letter would leave half of it.
    text.truncate((0..=bytes).rfind(|&end| text.is_char_boundary(end)).unwrap_or(0));
    text.extend(std::iter::repeat_n(' ', bytes - text.len()));
    text
}

/// Random words of five letters, 20 per line, `bytes` bytes in total. Ten lines, spread over the
/// text, contain the search term.
pub(crate) fn search_text(bytes: usize, seed: u64) -> String {
    let mut draw = Draw::new("search", bytes, seed);
    let word_bytes = SEARCH_TERM.len() + 1;
    let words = bytes.div_ceil(word_bytes);
    let stretch = (words / LINES_WITH_TERM).max(1);
    let terms: Vec<usize> = (0..LINES_WITH_TERM)
        .map(|part| part * stretch + draw.below(stretch.saturating_sub(WORDS_A_LINE).max(1)))
        .collect();

    let mut text = String::with_capacity(words * word_bytes);
    for position in 0..words {
        if terms.contains(&position) {
            text.push_str(SEARCH_TERM);
        } else {
            text.extend((0..SEARCH_TERM.len()).map(|_| char::from(b'a' + draw.below(26) as u8)));
        }
        text.push(separator(position));
    }
    text.truncate(bytes);
    text
}

fn separator(position: usize) -> char {
    if position % WORDS_A_LINE == WORDS_A_LINE - 1 { '\n' } else { ' ' }
}

/// `nonce || ciphertext || tag` of `text`: the message format of the published functions.
pub(crate) fn encrypt(text: String, seed: u64, bytes: usize) -> Vec<u8> {
    let nonce = nonce(seed, bytes);
    let mut message = nonce.to_vec();
    message.extend_from_slice(text.as_bytes());
    let tag = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(KEY.as_bytes()))
        .encrypt_in_place_detached(Nonce::from_slice(&nonce), b"", &mut message[nonce.len()..])
        .expect("texts are shorter than the 64 GiB that AES-GCM allows");
    message.extend_from_slice(&tag);
    message
}

/// The nonce for a text of `bytes` bytes.
pub(crate) fn nonce(seed: u64, bytes: usize) -> [u8; 12] {
    let mut nonce = [0; 12];
    Draw::new("nonce", bytes, seed).fill(&mut nonce);
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spanish_texts_have_exactly_the_stated_size() {
        for bytes in 0..200 {
            assert_eq!(spanish_text(bytes, 1).len(), bytes);
        }
    }

    #[test]
    fn search_texts_are_words_of_five_letters() {
        for (bytes, seed) in [(16 << 10, 1), (512 << 10, 2), (2048 << 10, 3)] {
            let text = search_text(bytes, seed);
            let lines: Vec<&str> = text.lines().collect();
            for line in &lines[..lines.len() - 1] {
                assert_eq!(line.len(), WORDS_A_LINE * 6 - 1);
                assert!(line.split(' ').all(|word| word.len() == 5));
            }
            let with_term = lines.iter().filter(|line| line.contains(SEARCH_TERM)).count();
            assert!((10..=12).contains(&with_term), "{with_term} lines of {bytes} bytes");
        }
    }
}
