//! Documents of records: the input of the function `records`.

use serde::Serialize;

use crate::draw::Draw;
use crate::functions::Encoding;

#[derive(Serialize)]
struct Document {
    records: Vec<Record>,
    padding: String,
}

#[derive(Serialize)]
struct Record {
    id: u64,
    name: String,
    active: bool,
    tags: Vec<&'static str>,
    address: Address,
    metrics: Metrics,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
}

#[derive(Serialize)]
struct Address {
    street: String,
    city: &'static str,
    latitude: f64,
    longitude: f64,
}

#[derive(Serialize)]
struct Metrics {
    score: f64,
    balance: f64,
    visits: u32,
}

const TAGS: [&str; 12] = [
    "archive", "blue", "draft", "edge", "fragile", "gold", "heavy", "internal", "late", "new",
    "night", "paid",
];
const CITIES: [&str; 10] =
    ["Córdoba", "Graz", "Kraków", "Linz", "Lyon", "Malmö", "Porto", "Split", "Wien", "Zürich"];
const SYLLABLES: [&str; 16] = [
    "an", "be", "cor", "do", "el", "fin", "gra", "ho", "in", "ka", "lo", "mar", "no", "ri", "sé",
    "tu",
];

/// The shortest padding. From here up to 64 KiB, MessagePack writes a string's length in two bytes,
/// so that one byte more of padding makes the document one byte longer.
const PADDING: usize = 256;

/// A document of exactly `bytes` bytes.
pub(crate) fn document(encoding: Encoding, bytes: usize, seed: u64) -> Vec<u8> {
    let kind = match encoding {
        Encoding::Json => "records-json",
        Encoding::MessagePack => "records-messagepack",
    };
    let mut draw = Draw::new(kind, bytes, seed);
    let mut document = Document { records: Vec::new(), padding: String::new() };
    let mut left = bytes - write(encoding, &document).len() - PADDING;
    let mut id = 0;
    loop {
        id += 1 + draw.below(9) as u64;
        let record = record(&mut draw, id);
        let comma = 1;
        let more = write(encoding, &record).len() + comma;
        // MessagePack needs a few bytes more for the length of a long list.
        if more + 8 > left {
            break;
        }
        left -= more;
        document.records.push(record);
    }
    document.padding = "x".repeat(PADDING);
    let missing = bytes - write(encoding, &document).len();
    document.padding.extend(std::iter::repeat_n('x', missing));
    write(encoding, &document)
}

fn write(encoding: Encoding, value: &impl Serialize) -> Vec<u8> {
    match encoding {
        Encoding::Json => serde_json::to_vec(value).expect("plain data"),
        Encoding::MessagePack => rmp_serde::to_vec_named(value).expect("plain data"),
    }
}

/// A record. Half of all records are active, a quarter have a note, most have a parent.
fn record(draw: &mut Draw, id: u64) -> Record {
    let parent = draw.below(id as usize) as u64;
    Record {
        id,
        name: format!("{} {}", word(draw), word(draw)),
        active: draw.below(2) == 0,
        tags: (0..draw.below(5)).map(|_| TAGS[draw.below(TAGS.len())]).collect(),
        address: Address {
            street: format!("{} {}", word(draw), 1 + draw.below(200)),
            city: CITIES[draw.below(CITIES.len())],
            latitude: thousandths(draw, -90_000, 90_000),
            longitude: thousandths(draw, -180_000, 180_000),
        },
        metrics: Metrics {
            score: thousandths(draw, 0, 100_000),
            balance: thousandths(draw, -10_000_000, 10_000_000),
            visits: draw.below(100_000) as u32,
        },
        note: (draw.below(4) == 0).then(|| note(draw)),
        parent: (parent > 0).then_some(parent),
    }
}

/// A number with at most three decimals, which every decoder reproduces exactly.
fn thousandths(draw: &mut Draw, from: i32, to: i32) -> f64 {
    let drawn = draw.below((to - from) as usize + 1) as i32;
    f64::from(from + drawn) / 1000.0
}

fn word(draw: &mut Draw) -> String {
    (0..2 + draw.below(3)).map(|_| SYLLABLES[draw.below(SYLLABLES.len())]).collect()
}

fn note(draw: &mut Draw) -> String {
    let words: Vec<String> = (0..4 + draw.below(12)).map(|_| word(draw)).collect();
    // The line break and the quotes must be escaped in JSON.
    format!("{}:\n\"{}\"", words[0], words[1..].join(" "))
}
