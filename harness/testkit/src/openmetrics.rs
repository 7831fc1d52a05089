//! A strict parser of OpenMetrics 1.0 text, for the metric types that the gateway exposes.

use std::collections::{BTreeMap, HashSet};

type Labels = BTreeMap<String, String>;

/// The samples of one exposition.
#[derive(Debug)]
pub struct Metrics(BTreeMap<(String, Labels), f64>);

#[derive(Default)]
struct Family {
    name: String,
    kind: String,
    unit: Option<String>,
    help: bool,
    samples: Vec<(String, Labels, f64)>,
}

impl Metrics {
    /// Parses `text`.
    ///
    /// # Panics
    /// When it violates the format.
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let body =
            text.strip_suffix("# EOF\n").expect("the text ends with `# EOF` and a line feed");
        let mut families: Vec<Family> = Vec::new();
        for line in body.lines() {
            assert!(!line.is_empty() && line.trim() == line, "blank: {line:?}");
            match line.strip_prefix("# ") {
                Some(rest) => read_descriptor(rest, &mut families),
                None => read_sample(line, families.last_mut().expect("a TYPE precedes samples")),
            }
        }
        let mut names = HashSet::new();
        let mut all = BTreeMap::new();
        for family in families {
            assert!(names.insert(family.name.clone()), "{} is declared twice", family.name);
            family.check();
            for (name, labels, value) in family.samples {
                let before = all.insert((name.clone(), labels.clone()), value);
                assert!(before.is_none(), "two samples of {name} {labels:?}");
            }
        }
        Self(all)
    }

    /// The value of one sample.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        self.0.get(&(name.to_owned(), labels)).copied()
    }

    /// The sum over all samples of a name.
    pub fn sum(&self, name: &str) -> f64 {
        self.0.iter().filter(|((known, _), _)| known == name).map(|(_, value)| value).sum()
    }
}

fn read_descriptor(rest: &str, families: &mut Vec<Family>) {
    let (word, rest) = rest.split_once(' ').expect("a word and a name");
    let (name, value) = rest.split_once(' ').expect("a name and a value");
    assert!(is_name(name), "{name}");
    if families.last().is_none_or(|family| family.name != name) {
        families.push(Family { name: name.to_owned(), ..Family::default() });
    }
    let family = families.last_mut().expect("one was just pushed");
    assert!(family.samples.is_empty(), "{word} after samples of {name}");
    match word {
        "HELP" => {
            assert!(!std::mem::replace(&mut family.help, true), "HELP twice: {name}");
        }
        "TYPE" => {
            assert!(family.kind.is_empty(), "TYPE twice: {name}");
            assert!(["counter", "gauge", "histogram"].contains(&value), "{value}");
            family.kind = value.to_owned();
        }
        "UNIT" => {
            assert!(name.ends_with(&format!("_{value}")), "{name} does not end with {value}");
            assert!(family.unit.replace(value.to_owned()).is_none(), "UNIT twice: {name}");
        }
        other => panic!("unknown descriptor {other}"),
    }
}

fn read_sample(line: &str, family: &mut Family) {
    let end = line.find(['{', ' ']).expect("a name ends");
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = read_labels(inner, &mut labels);
    }
    let value = rest.strip_prefix(' ').expect("one space before the value");
    let value: f64 = if value == "+Inf" { f64::INFINITY } else { value.parse().expect(line) };
    let suffix = name.strip_prefix(&family.name).expect("samples follow their TYPE");
    let allowed: &[&str] = match family.kind.as_str() {
        "counter" => &["_total", "_created"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count", "_created"],
        _ => panic!("{name} has no TYPE"),
    };
    assert!(allowed.contains(&suffix), "{name} is not a sample of a {}", family.kind);
    family.samples.push((name.to_owned(), labels, value));
}

/// Parses `k="v",..}`; returns the rest of the line.
fn read_labels<'t>(mut rest: &'t str, labels: &mut Labels) -> &'t str {
    loop {
        let (key, after) = rest.split_once("=\"").expect("a label");
        assert!(is_name(key) && !key.contains(':'), "{key}");
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().expect("a quote ends the value") {
                (at, '"') => break at,
                (_, '\\') => match characters.next().expect("an escape").1 {
                    'n' => value.push('\n'),
                    other @ ('"' | '\\') => value.push(other),
                    other => panic!("unknown escape {other}"),
                },
                (_, other) => value.push(other),
            }
        };
        assert!(labels.insert(key.to_owned(), value).is_none(), "label {key} twice");
        rest = &after[end + 1..];
        if let Some(after) = rest.strip_prefix('}') {
            return after;
        }
        rest = rest.strip_prefix(',').expect("a comma between labels");
    }
}

fn is_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    name.chars().all(legal) && name.starts_with(|c: char| !c.is_ascii_digit())
}

impl Family {
    fn check(&self) {
        let name = &self.name;
        assert!(!self.kind.is_empty() && self.help, "{name} lacks its TYPE or HELP");
        assert!(!name.ends_with("_total"), "{name}: the suffix belongs to the sample");
        match self.kind.as_str() {
            "counter" => {
                let natural = |value: f64| value >= 0.0 && value.is_finite();
                assert!(self.samples.iter().all(|(_, _, value)| natural(*value)), "{name}");
            }
            "histogram" => self.check_histogram(),
            _ => {}
        }
    }

    /// Bounds ascend, counts do not decrease, and the last bucket counts all.
    fn check_histogram(&self) {
        let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for (name, labels, value) in &self.samples {
            let mut labels = labels.clone();
            if name.ends_with("_bucket") {
                let bound = labels.remove("le").expect("a bucket has a bound");
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() };
                buckets.entry(labels).or_default().push((bound, *value));
            } else if name.ends_with("_count") {
                counts.insert(labels, *value);
            }
        }
        assert_eq!(buckets.len(), counts.len(), "{}", self.name);
        for (labels, buckets) in buckets {
            let ascends = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
            assert!(buckets.windows(2).all(ascends), "{} {labels:?}: {buckets:?}", self.name);
            let last = buckets.last().expect("an entry has a bucket");
            assert_eq!(*last, (f64::INFINITY, counts[&labels]), "{} {labels:?}", self.name);
        }
    }
}

#[test]
fn text_that_violates_the_format_is_refused() {
    let good = "# HELP a A.\n# TYPE a counter\na_total{x=\"1\"} 2\n# EOF\n";
    assert_eq!(Metrics::parse(good).value("a_total", &[("x", "1")]), Some(2.0));
    for (from, to) in [
        ("# EOF\n", ""),
        ("a_total", "a"),
        ("# TYPE a counter\n", ""),
        ("# HELP a A.\n", ""),
        (" 2\n", " two\n"),
        (" 2\n", " -2\n"),
        ("a_total{x=\"1\"} 2\n", "a_total{x=\"1\"} 2\na_total{x=\"1\"} 2\n"),
        ("# TYPE", "# UNIT a seconds\n# TYPE"),
        ("counter", "histogram"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(std::panic::catch_unwind(|| Metrics::parse(&bad)).is_err(), "{bad}");
    }
}
