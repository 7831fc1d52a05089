//! The functions accept the requests that this crate makes for them.

use lumos_function::{Function, respond, wire::GuestPhases};
use lumos_inputs::{Placement, Size, functions, input, output_key, request};

const SEED: u64 = 42;

fn placements() -> [Placement; 4] {
    [Placement::Inline, Placement::Redis, Placement::Local("/data".into()), Placement::Host]
}

fn decodes<F: Function>(request: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<F::Request>(request).map(drop)
}

fn decodes_for(function: &str, request: &[u8]) -> Result<(), serde_json::Error> {
    match function {
        "noop" => decodes::<noop::Noop>(request),
        "audio-generation" => decodes::<audio_generation::AudioGeneration>(request),
        "fuzzy-search" => decodes::<fuzzy_search::FuzzySearch>(request),
        "language-detection" => decodes::<language_detection::LanguageDetection>(request),
        "encrypt-message" => decodes::<encrypt_message::EncryptMessage>(request),
        "decrypt-message" => decodes::<decrypt_message::DecryptMessage>(request),
        "fibonacci" => decodes::<fibonacci::Fibonacci>(request),
        "prime-numbers" => decodes::<prime_numbers::PrimeNumbers>(request),
        "records" | "records-messagepack" => decodes::<records::Records>(request),
        "mandelbrot-bitmap" => decodes::<mandelbrot_bitmap::MandelbrotBitmap>(request),
        other => panic!("this test lacks {other}"),
    }
}

#[test]
fn every_request_decodes() {
    for info in functions() {
        for size in Size::ALL {
            for placement in placements() {
                let request = request(info.name, size, SEED, &placement).unwrap();
                decodes_for(info.name, &request)
                    .unwrap_or_else(|error| panic!("{} {size} {placement:?}: {error}", info.name));
            }
        }
    }
}

fn answer<F: Function>(function: &str) -> serde_json::Value {
    let request = request(function, Size::Tiny, SEED, &Placement::Inline).unwrap();
    let body = respond::<F>(&request, &mut GuestPhases::default()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn text(function: &str) -> String {
    String::from_utf8(input(function, Size::Tiny, SEED).unwrap().unwrap().bytes).unwrap()
}

#[test]
fn the_functions_find_what_the_texts_contain() {
    let found = answer::<fuzzy_search::FuzzySearch>("fuzzy-search");
    let lines: Vec<usize> =
        found["lines"].as_str().unwrap().split(',').map(|line| line.parse().unwrap()).collect();
    assert!(lines.is_sorted());
    for (number, line) in text("fuzzy-search").lines().enumerate() {
        assert!(!line.contains("apple") || lines.contains(&number), "line {number}");
    }
    let detected = answer::<language_detection::LanguageDetection>("language-detection");
    assert_eq!(detected["language"], "spa");
}

#[test]
fn encryption_and_decryption_are_inverse() {
    let decrypted = answer::<decrypt_message::DecryptMessage>("decrypt-message");
    assert_eq!(decrypted["data"], text("encrypt-message"));
    let encrypted = answer::<encrypt_message::EncryptMessage>("encrypt-message");
    assert_eq!(encrypted["encrypted_data"], text("decrypt-message"));
}

#[test]
fn records_survive_decoding_and_encoding() {
    for function in ["records", "records-messagepack"] {
        let answer = answer::<records::Records>(function);
        assert!(answer["records"].as_u64().unwrap() > 40, "{function}: {answer}");
        assert!(answer["active"].as_u64().unwrap() > 20, "{function}: {answer}");
        let document = answer["document"]["inline"].as_str().unwrap();
        let document = lumos_function::Base64::decode(document).unwrap().0;
        let input = input(function, Size::Tiny, SEED).unwrap().unwrap().bytes;
        assert!(document == input, "{function}: the document differs");
    }
}

#[test]
fn functions_with_output_have_an_output_key() {
    for info in functions() {
        assert_eq!(output_key(info.name, Size::Small).is_some(), info.has_output, "{}", info.name);
    }
    let request = |placement| {
        String::from_utf8(request("mandelbrot-bitmap", Size::Tiny, SEED, &placement).unwrap())
    };
    assert_eq!(
        request(Placement::Local("/data".into())).unwrap(),
        r#"{"image_size":128,"output":{"local":"/data/mandelbrot-128px.pbm"}}"#
    );
    assert_eq!(
        request(Placement::Redis).unwrap(),
        r#"{"image_size":128,"output":{"redis":"mandelbrot-128px.pbm"}}"#
    );
}
