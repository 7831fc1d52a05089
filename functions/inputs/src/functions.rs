//! The functions, and the meaning of a size for each.

use crate::error::InputError;
use crate::size::Size;

/// The description of a function.
#[derive(Debug)]
pub struct FunctionInfo {
    /// The name used in scenarios.
    pub name: &'static str,
    /// The crate that it is built from. One crate may provide several functions, which differ in
    /// their requests.
    pub krate: &'static str,
    /// What it does, in one line.
    pub description: &'static str,
    /// Whether it reads an input file.
    pub has_input: bool,
    /// Whether it stores an output file.
    pub has_output: bool,
    /// The unit of [`amount`](Self::amount); empty if the size has no effect.
    pub unit: &'static str,
    amounts: Option<[u32; Size::ALL.len()]>,
    pub(crate) workload: Workload,
}

impl FunctionInfo {
    /// The number of [`unit`](Self::unit)s at `size`; `None` if the size has no effect.
    pub fn amount(&self, size: Size) -> Option<u32> {
        self.amounts.map(|amounts| amounts[size as usize])
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    Noop,
    AudioGeneration,
    FuzzySearch,
    LanguageDetection,
    EncryptMessage,
    DecryptMessage,
    Fibonacci,
    PrimeNumbers,
    MandelbrotBitmap,
    Records(Encoding),
}

/// The encoding of a document of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    MessagePack,
}

// Table 2 of the paper, with a tiny size in front.
const KIB: Option<[u32; 4]> = Some([16, 512, 1024, 2048]);
const NUMBERS: Option<[u32; 4]> = Some([1_000, 10_000, 100_000, 1_000_000]);
const PIXELS: Option<[u32; 4]> = Some([128, 512, 1024, 2048]);

/// All functions: `noop`, the paper's eight, and two of `records`.
pub fn functions() -> &'static [FunctionInfo] {
    &FUNCTIONS
}

/// The crate that `function` is built from; an unknown function has its own name.
pub fn crate_of(function: &str) -> &str {
    FUNCTIONS.iter().find(|info| info.name == function).map_or(function, |info| info.krate)
}

pub(crate) fn find(name: &str) -> Result<&'static FunctionInfo, InputError> {
    FUNCTIONS
        .iter()
        .find(|info| info.name == name)
        .ok_or_else(|| InputError::UnknownFunction(name.to_owned()))
}

static FUNCTIONS: [FunctionInfo; 11] = [
    FunctionInfo {
        name: "noop",
        krate: "noop",
        description: "answers a greeting: the cost of an invocation without work",
        has_input: false,
        has_output: false,
        unit: "",
        amounts: None,
        workload: Workload::Noop,
    },
    FunctionInfo {
        name: "audio-generation",
        krate: "audio-generation",
        description: "writes a sine tone as a WAV file and stores it",
        has_input: false,
        has_output: true,
        unit: "KiB of WAV file",
        amounts: KIB,
        workload: Workload::AudioGeneration,
    },
    FunctionInfo {
        name: "fuzzy-search",
        krate: "fuzzy-search",
        description: "finds the lines of a text that contain a word similar to the search term",
        has_input: true,
        has_output: false,
        unit: "KiB of text",
        amounts: KIB,
        workload: Workload::FuzzySearch,
    },
    FunctionInfo {
        name: "language-detection",
        krate: "language-detection",
        description: "detects the language of a text from its alphabet and trigrams",
        has_input: true,
        has_output: false,
        unit: "KiB of text",
        amounts: KIB,
        workload: Workload::LanguageDetection,
    },
    FunctionInfo {
        name: "encrypt-message",
        krate: "encrypt-message",
        description: "encrypts a text with AES-256-GCM in software",
        has_input: true,
        has_output: false,
        unit: "KiB of text",
        amounts: KIB,
        workload: Workload::EncryptMessage,
    },
    FunctionInfo {
        name: "decrypt-message",
        krate: "decrypt-message",
        description: "decrypts a text with AES-256-GCM in software",
        has_input: true,
        has_output: false,
        unit: "KiB of plaintext",
        amounts: KIB,
        workload: Workload::DecryptMessage,
    },
    FunctionInfo {
        name: "fibonacci",
        krate: "fibonacci",
        description: "adds Fibonacci numbers modulo 2^64",
        has_input: false,
        has_output: false,
        unit: "additions",
        amounts: NUMBERS,
        workload: Workload::Fibonacci,
    },
    FunctionInfo {
        name: "prime-numbers",
        krate: "prime-numbers",
        description: "lists the primes up to a limit by trial division",
        has_input: false,
        has_output: false,
        unit: "as the limit",
        amounts: NUMBERS,
        workload: Workload::PrimeNumbers,
    },
    FunctionInfo {
        name: "mandelbrot-bitmap",
        krate: "mandelbrot-bitmap",
        description: "draws the Mandelbrot set as a bitmap and stores it",
        has_input: false,
        has_output: true,
        unit: "pixels a side",
        amounts: PIXELS,
        workload: Workload::MandelbrotBitmap,
    },
    FunctionInfo {
        name: "records",
        krate: "records",
        description: "decodes records from JSON, sums them up, and encodes them again",
        has_input: true,
        has_output: true,
        unit: "KiB of JSON",
        amounts: KIB,
        workload: Workload::Records(Encoding::Json),
    },
    FunctionInfo {
        name: "records-messagepack",
        krate: "records",
        description: "decodes records from MessagePack, sums them up, and encodes them again",
        has_input: true,
        has_output: true,
        unit: "KiB of MessagePack",
        amounts: KIB,
        workload: Workload::Records(Encoding::MessagePack),
    },
];
