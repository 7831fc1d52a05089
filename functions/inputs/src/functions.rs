//! The functions and what a size means for each.

use crate::{InputError, Size};

/// What is known of a function without running it.
#[derive(Debug)]
pub struct FunctionInfo {
    /// The name by which scenarios call it.
    pub name: &'static str,
    /// The crate whose artifacts it is; one crate may be several functions, which their
    /// requests tell apart.
    pub krate: &'static str,
    /// What it does, in a line.
    pub description: &'static str,
    /// Whether it reads an input file.
    pub has_input: bool,
    /// Whether it stores an output file.
    pub has_output: bool,
    /// What the number of a size counts; empty if the size changes nothing.
    pub unit: &'static str,
    amounts: Option<[u32; Size::ALL.len()]>,
    pub(crate) workload: Workload,
}

impl FunctionInfo {
    /// How many [`unit`](Self::unit)s `size` is; `None` if the size changes nothing.
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
    Records(Format),
}

/// How a document of records is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    MessagePack,
}

/// Table 2 of the paper, with a tiny size before each group.
const KIB: Option<[u32; 4]> = Some([16, 512, 1024, 2048]);
const NUMBERS: Option<[u32; 4]> = Some([1_000, 10_000, 100_000, 1_000_000]);
const PIXELS: Option<[u32; 4]> = Some([128, 512, 1024, 2048]);

/// All functions: `noop`, those of the paper, and `records`.
pub fn functions() -> &'static [FunctionInfo] {
    &FUNCTIONS
}

/// The crate whose artifacts `function` is: its own name, unless it is one of several.
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
        description: "finds the lines of a text that hold something like a word",
        has_input: true,
        has_output: false,
        unit: "KiB of text",
        amounts: KIB,
        workload: Workload::FuzzySearch,
    },
    FunctionInfo {
        name: "language-detection",
        krate: "language-detection",
        description: "names the language of a text by its alphabet and trigrams",
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
        description: "decodes records in JSON, adds them up, encodes them again",
        has_input: true,
        has_output: true,
        unit: "KiB of JSON",
        amounts: KIB,
        workload: Workload::Records(Format::Json),
    },
    FunctionInfo {
        name: "records-messagepack",
        krate: "records",
        description: "decodes records in MessagePack, adds them up, encodes them again",
        has_input: true,
        has_output: true,
        unit: "KiB of MessagePack",
        amounts: KIB,
        workload: Workload::Records(Format::MessagePack),
    },
];
