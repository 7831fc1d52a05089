//! Hashes of outputs.

use bytes::Bytes;
use lumos_model::hex::hex;
use lumos_model::row::Sample;
use sha2::{Digest as _, Sha256};

use crate::service::{Answer, Cause};

/// Hashes outputs and remembers the last one. A function answers equal requests with equal
/// outputs, and comparing bytes is a hundred times faster than hashing them.
#[derive(Default)]
pub(super) struct OutputHasher {
    last: Bytes,
    sha256: Option<String>,
}

impl OutputHasher {
    /// The answer's sample, with the hash of its output.
    pub(super) fn complete(&mut self, answer: Answer) -> Sample {
        let Answer { cause, mut sample, body } = answer;
        if cause == Cause::Answered {
            sample.output_sha256 = Some(self.hash(body));
        }
        sample
    }

    fn hash(&mut self, output: Bytes) -> String {
        if let Some(sha256) = self.sha256.as_ref().filter(|_| self.last == output) {
            return sha256.clone();
        }
        let sha256 = hex(&Sha256::digest(&output));
        self.last = output;
        self.sha256 = Some(sha256.clone());
        sha256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_depends_on_the_output_alone() {
        let mut hasher = OutputHasher::default();
        let hash = |hasher: &mut OutputHasher, text: &'static str| hasher.hash(Bytes::from(text));
        let empty = hash(&mut hasher, "");
        assert_eq!(empty, hex(&Sha256::digest(b"")));
        let body = hash(&mut hasher, "body");
        assert_eq!(body, hex(&Sha256::digest(b"body")));
        assert_eq!(hash(&mut hasher, "body"), body);
        assert_eq!(hash(&mut hasher, ""), empty);
    }
}
