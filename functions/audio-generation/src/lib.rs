//! The paper's audio-generation: computes a sine tone, sample by sample, and stores it.
//!
//! The published function writes a temporary file and reads it back. Here the `hound` writer writes
//! to memory instead. The sine comes from crate `libm` on every target, because the C libraries
//! differ in the last bit.

use std::io::Cursor;

use hound::{SampleFormat, WavSpec, WavWriter};
use lumos_function::{Context, Error, Function, Sink, Stored};
use serde::Deserialize;

/// Writes a sine tone.
pub struct AudioGeneration;

/// `{"audio_size": 512, "output": "inline"}`; the size is in KiB.
#[derive(Debug, Deserialize)]
pub struct Request {
    audio_size: u32,
    output: Sink,
}

impl Function for AudioGeneration {
    type Request = Request;
    type Output = Stored;

    fn run(request: Request, cx: &mut Context) -> Result<Stored, Error> {
        let bytes = match request.audio_size {
            1..=MAX_KIB => request.audio_size * 1024,
            size => {
                return Err(Error::bad_request(format!(
                    "audio_size is {size}: it must be between 1 and {MAX_KIB}"
                )));
            }
        };
        cx.put(request.output, tone(bytes)?)
    }
}

lumos_function::export!(AudioGeneration);

/// The largest file, in KiB: 1 GiB.
const MAX_KIB: u32 = 1 << 20;
/// Bytes of the RIFF header, the format chunk and the head of the data chunk.
const HEADER: u32 = 44;

const SAMPLE_RATE: u32 = 44_100;
const FREQUENCY: f32 = 440.0;
const AMPLITUDE: f32 = 32_767.0;

/// A WAV file of `bytes` bytes, with its header: 440 Hz, 44.1 kHz, 16 bit, mono.
///
/// # Errors
/// None: writing to memory does not fail.
pub fn tone(bytes: u32) -> Result<Vec<u8>, Error> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::with_capacity(bytes as usize));
    let mut writer = WavWriter::new(&mut file, spec)?;
    for index in 0..bytes.saturating_sub(HEADER) / 2 {
        writer.write_sample(sample(index))?;
    }
    writer.finalize()?;
    Ok(file.into_inner())
}

/// The multiplications are evaluated from left to right in `f32`, as in the published function.
fn sample(index: u32) -> i16 {
    let time = index as f32 / SAMPLE_RATE as f32;
    let value = libm::sinf(time * FREQUENCY * 2.0 * std::f32::consts::PI);
    (value * AMPLITUDE) as i16
}

#[cfg(test)]
mod tests {
    use lumos_function::{Base64, respond, wire::GuestPhases};
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn files_have_the_published_sizes_and_sample_counts() {
        for (kib, samples) in
            [(1, 490), (50, 25_578), (512, 262_122), (1024, 524_266), (2048, 1_048_554)]
        {
            let file = tone(kib * 1024).unwrap();
            assert_eq!(file.len() as u32, kib * 1024);
            let reader = hound::WavReader::new(&file[..]).unwrap();
            assert_eq!(reader.len(), samples, "{kib} KiB");
        }
    }

    /// An `f32` phase of 1,000 radians has an error of up to 1e-4, which is 4 steps of a sample.
    #[test]
    fn the_tone_is_a_sine_of_440_hz() {
        let file = tone(16 * 1024).unwrap();
        let samples: Vec<i16> =
            hound::WavReader::new(&file[..]).unwrap().into_samples().map(Result::unwrap).collect();
        for (index, &sample) in samples.iter().enumerate() {
            let exact = (index as f64 / 44_100.0 * 440.0 * std::f64::consts::TAU).sin() * 32_767.0;
            assert!((f64::from(sample) - exact).abs() < 8.0, "sample {index}: {sample}, {exact}");
        }
    }

    #[test]
    fn the_bytes_never_change() {
        let hash = format!("{:x}", Sha256::digest(tone(512 * 1024).unwrap()));
        assert_eq!(hash, "45eabc6f0ca983fc4114ab0b2a20ad58e606ee2979b7a8e22a8bac7e0ac2b517");
    }

    #[test]
    fn stores_the_tone_and_rejects_bad_requests() {
        let respond = |request: &str| {
            respond::<AudioGeneration>(request.as_bytes(), &mut GuestPhases::default())
        };
        let body = respond(r#"{"audio_size": 1, "output": "inline"}"#).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let file = Base64::decode(body["inline"].as_str().unwrap()).unwrap().0;
        assert_eq!(file, tone(1024).unwrap());

        for bad in [0, 1 << 21] {
            let error = respond(&format!(r#"{{"audio_size": {bad}, "output": "inline"}}"#));
            let error = error.unwrap_err();
            assert!(error.message().contains("between 1 and") && error.is_bad_request(), "{bad}");
        }
        assert!(respond(r#"{"audio_size": 1}"#).unwrap_err().message().contains("output"));
    }
}
