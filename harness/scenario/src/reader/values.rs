//! From TOML values with their places to checked values; mistakes are collected.

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Problem;
use crate::words::closest;

/// Words that are known when this is compiled.
type Words = &'static [&'static str];

/// A value with its place in the file.
pub(super) type Node<'t> = &'t Spanned<DeValue<'t>>;

/// The mistakes found so far.
#[derive(Default)]
pub(super) struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes a mistake; `None`, so that a reader can end with it.
    pub fn push<T>(&mut self, problem: Problem) -> Option<T> {
        self.0.push(problem);
        None
    }
}

/// A table whose keys are known.
pub(super) struct Table<'t> {
    table: &'t DeTable<'t>,
    /// Where a missing key is reported: the table's header.
    pub span: Range<usize>,
    /// For messages, such as `[matrix]`.
    name: &'static str,
    known: Words,
}

impl<'t> Table<'t> {
    /// The whole file.
    pub fn root(table: &'t Spanned<DeTable<'t>>, known: Words, problems: &mut Problems) -> Self {
        Self::checked(table.get_ref(), 0..0, "a scenario", known, problems)
    }

    /// A table inside of the file.
    pub fn of(
        node: Node<'t>,
        name: &'static str,
        known: Words,
        problems: &mut Problems,
    ) -> Option<Self> {
        match node.get_ref() {
            DeValue::Table(table) => Some(Self::checked(table, node.span(), name, known, problems)),
            other => problems.push(wrong_type(node, "a table", other)),
        }
    }

    fn checked(
        table: &'t DeTable<'t>,
        span: Range<usize>,
        name: &'static str,
        known: Words,
        problems: &mut Problems,
    ) -> Self {
        for (key, _) in table.iter() {
            let word: &str = key.get_ref();
            if !known.contains(&word) {
                let problem = Problem::new(key.span(), format!("{name} has no key `{word}`"));
                problems.0.push(problem.hint(did_you_mean(word, known)));
            }
        }
        Self { table, span, name, known }
    }

    /// The keys that are there and known, each with its place.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let keys = self.table.iter().map(|(key, _)| -> (&str, _) { (key.get_ref(), key.span()) });
        keys.filter(|(key, _)| self.known.contains(key))
    }

    /// The value of `key`, when it is there.
    pub fn get(&self, key: &str) -> Option<Node<'t>> {
        self.table.get(key)
    }

    /// The value of `key`; its absence is a mistake.
    pub fn require(&self, key: &str, example: &str, problems: &mut Problems) -> Option<Node<'t>> {
        if let Some(node) = self.get(key) {
            return Some(node);
        }
        let slips = self.table.iter().map(|(slip, _)| -> &str { slip.get_ref() });
        if closest(key, slips.filter(|slip| !self.known.contains(slip))).is_some() {
            return None; // The slip was reported already.
        }
        let problem =
            Problem::new(self.span.clone(), format!("{} needs the key `{key}`", self.name));
        problems.push(problem.hint(format!("write for example {key} = {example}")))
    }
}

/// `did you mean ..?` or the list of what is known.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> String {
    match closest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.join(", ")),
    }
}

fn wrong_type(node: Node<'_>, wanted: &str, found: &DeValue<'_>) -> Problem {
    let found = match found {
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
    };
    Problem::new(node.span(), format!("{wanted} is wanted here, not {found}"))
}

/// A text that is not empty.
pub(super) fn text<'t>(node: Node<'t>, problems: &mut Problems) -> Option<&'t str> {
    match node.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => {
            problems.push(Problem::new(node.span(), "a text is wanted here, and this one is empty"))
        }
        DeValue::String(text) => Some(text),
        other => problems.push(wrong_type(node, "a text", other)),
    }
}

/// A whole number of at least `least`.
pub(super) fn number<N>(node: Node<'_>, least: N, problems: &mut Problems) -> Option<N>
where
    N: TryFrom<u64> + PartialOrd + Display,
{
    let DeValue::Integer(integer) = node.get_ref() else {
        return problems.push(wrong_type(node, "a whole number", node.get_ref()));
    };
    let value = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
    match value.and_then(|value| N::try_from(value).ok()).filter(|value| *value >= least) {
        Some(value) => Some(value),
        None => problems.push(Problem::new(
            node.span(),
            format!(
                "`{integer}` is out of range: a whole number of at least {least} is wanted here"
            ),
        )),
    }
}

/// A number above zero, whole or not.
pub(super) fn positive(node: Node<'_>, problems: &mut Problems) -> Option<f64> {
    decimal(node, "a number above 0 is wanted here", |value| value > 0.0, problems)
}

/// A number that is not negative, whole or not.
pub(super) fn not_negative(node: Node<'_>, problems: &mut Problems) -> Option<f64> {
    decimal(node, "a number of at least 0 is wanted here", |value| value >= 0.0, problems)
}

/// A finite number that is `right`.
pub(super) fn decimal(
    node: Node<'_>,
    wanted: &str,
    right: impl Fn(f64) -> bool,
    problems: &mut Problems,
) -> Option<f64> {
    let value = match node.get_ref() {
        DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
        DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
        other => return problems.push(wrong_type(node, "a number", other)),
    };
    match value.filter(|value| value.is_finite() && right(*value)) {
        Some(value) => Some(value),
        None => problems.push(Problem::new(node.span(), wanted)),
    }
}

/// A quantity with a unit, such as `100ms`.
pub(super) fn quantity<Q>(node: Node<'_>, problems: &mut Problems) -> Option<Q>
where
    Q: FromStr,
    Q::Err: Display,
{
    if let DeValue::Integer(_) | DeValue::Float(_) = node.get_ref() {
        let message = "a number with a unit is wanted here, in quotes";
        let hint = "write for example \"100ms\" or \"512MiB\"";
        return problems.push(Problem::new(node.span(), message).hint(hint));
    }
    let text = text(node, problems)?;
    text.parse().map_or_else(
        |error: Q::Err| problems.push(Problem::new(node.span(), error.to_string())),
        Some,
    )
}

/// One of the `known` words.
pub(super) fn word<W: FromStr>(
    node: Node<'_>,
    what: &str,
    known: &[&str],
    problems: &mut Problems,
) -> Option<W> {
    let text = text(node, problems)?;
    if let (true, Ok(word)) = (known.contains(&text), text.parse()) {
        return Some(word);
    }
    let problem = Problem::new(node.span(), format!("unknown {what} `{text}`"));
    problems.push(problem.hint(did_you_mean(text, known)))
}

/// The elements of a list that is not empty.
pub(super) fn list<'t>(node: Node<'t>, problems: &mut Problems) -> Option<Vec<Node<'t>>> {
    match node.get_ref() {
        DeValue::Array(array) if array.is_empty() => problems.push(
            Problem::new(node.span(), "the list is empty, so there would be nothing to measure")
                .hint("name at least one, or leave the key out if it has a default"),
        ),
        DeValue::Array(array) => Some(array.iter().collect()),
        DeValue::String(text) => problems.push(
            Problem::new(node.span(), "a list is wanted here, not a text")
                .hint(format!("write [\"{text}\"]")),
        ),
        other => problems.push(wrong_type(node, "a list", other)),
    }
}

/// A list of different values, each read by `read`.
pub(super) fn distinct<'t, T: PartialEq>(
    node: Node<'t>,
    problems: &mut Problems,
    mut read: impl FnMut(Node<'t>, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let mut values = Vec::new();
    for element in list(node, problems).unwrap_or_default() {
        match read(element, problems) {
            Some(value) if values.contains(&value) => {
                let problem = Problem::new(element.span(), "this is in the list already");
                problems.0.push(problem.hint("a cell is measured once; use repetitions for more"));
            }
            Some(value) => values.push(value),
            None => {}
        }
    }
    values
}

/// One value, or a list of different ones, each read by `read`.
pub(super) fn one_or_more<'t, T: PartialEq>(
    node: Node<'t>,
    problems: &mut Problems,
    mut read: impl FnMut(Node<'t>, &mut Problems) -> Option<T>,
) -> Vec<T> {
    match node.get_ref() {
        DeValue::Array(_) => distinct(node, problems, read),
        _ => read(node, problems).into_iter().collect(),
    }
}
