//! Words, numbers, quantities and lists.

use std::fmt::Display;
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use super::problems::{Problems, did_you_mean};
use crate::error::Problem;

/// A value with its place in the file.
pub(crate) type Node<'t> = &'t Spanned<DeValue<'t>>;

pub(super) fn wrong_type(node: Node<'_>, expected: &str, found: &DeValue<'_>) -> Problem {
    let found = match found {
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
    };
    Problem::new(node.span(), format!("expected {expected}, found {found}"))
}

/// A string that is not empty.
pub(crate) fn text<'t>(node: Node<'t>, problems: &mut Problems) -> Option<&'t str> {
    match node.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => {
            problems.push(Problem::new(node.span(), "expected a string that is not empty"))
        }
        DeValue::String(text) => Some(text),
        other => problems.push(wrong_type(node, "a string", other)),
    }
}

/// A whole number of at least `least`.
pub(crate) fn number<N>(node: Node<'_>, least: N, problems: &mut Problems) -> Option<N>
where
    N: TryFrom<u64> + PartialOrd + Display,
{
    let DeValue::Integer(integer) = node.get_ref() else {
        return problems.push(wrong_type(node, "a whole number", node.get_ref()));
    };
    let value = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
    match value.and_then(|value| N::try_from(value).ok()).filter(|value| *value >= least) {
        Some(value) => Some(value),
        None => {
            let message =
                format!("`{integer}` is out of range: expected a whole number of at least {least}");
            problems.push(Problem::new(node.span(), message))
        }
    }
}

/// A number above zero, whole or not.
pub(crate) fn positive(node: Node<'_>, problems: &mut Problems) -> Option<f64> {
    decimal(node, "a number above 0", |value| value > 0.0, problems)
}

/// A number of at least zero, whole or not.
pub(crate) fn not_negative(node: Node<'_>, problems: &mut Problems) -> Option<f64> {
    decimal(node, "a number of at least 0", |value| value >= 0.0, problems)
}

/// A finite number that is `valid`.
pub(crate) fn decimal(
    node: Node<'_>,
    expected: &str,
    valid: impl Fn(f64) -> bool,
    problems: &mut Problems,
) -> Option<f64> {
    let value = match node.get_ref() {
        DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
        DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
        other => return problems.push(wrong_type(node, "a number", other)),
    };
    match value.filter(|value| value.is_finite() && valid(*value)) {
        Some(value) => Some(value),
        None => problems.push(Problem::new(node.span(), format!("expected {expected}"))),
    }
}

/// A quantity with a unit, such as `100ms`.
pub(crate) fn quantity<Q>(node: Node<'_>, problems: &mut Problems) -> Option<Q>
where
    Q: FromStr,
    Q::Err: Display,
{
    if let DeValue::Integer(_) | DeValue::Float(_) = node.get_ref() {
        let message = "expected a number with a unit, in quotes";
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
pub(crate) fn word<'t>(
    node: Node<'t>,
    what: &str,
    known: &[&str],
    problems: &mut Problems,
) -> Option<&'t str> {
    let text = text(node, problems)?;
    if known.contains(&text) {
        return Some(text);
    }
    let problem = Problem::new(node.span(), format!("unknown {what} `{text}`"));
    problems.push(problem.hint(did_you_mean(text, known)))
}

/// One of the words of a closed set.
pub(crate) fn one_of<W: Copy + Into<&'static str>>(
    node: Node<'_>,
    what: &str,
    all: &[W],
    problems: &mut Problems,
) -> Option<W> {
    let known = strings(all);
    let text = word(node, what, &known, problems)?;
    all.iter().copied().find(|word| (*word).into() == text)
}

/// The words of a closed set as strings.
pub(crate) fn strings<W: Copy + Into<&'static str>>(all: &[W]) -> Vec<&'static str> {
    all.iter().map(|word| (*word).into()).collect()
}

/// The elements of a list that is not empty.
pub(crate) fn list<'t>(node: Node<'t>, problems: &mut Problems) -> Option<Vec<Node<'t>>> {
    match node.get_ref() {
        DeValue::Array(array) if array.is_empty() => problems.push(
            Problem::new(node.span(), "the list is empty: there would be nothing to measure")
                .hint("name at least one, or leave the key out if it has a default"),
        ),
        DeValue::Array(array) => Some(array.iter().collect()),
        DeValue::String(text) => problems.push(
            Problem::new(node.span(), "expected a list, found a string")
                .hint(format!("write [\"{text}\"]")),
        ),
        other => problems.push(wrong_type(node, "a list", other)),
    }
}

/// A list of distinct values, each read by `read`.
pub(crate) fn distinct<'t, T: PartialEq>(
    node: Node<'t>,
    problems: &mut Problems,
    mut read: impl FnMut(Node<'t>, &mut Problems) -> Option<T>,
) -> Vec<T> {
    let mut values = Vec::new();
    for element in list(node, problems).unwrap_or_default() {
        match read(element, problems) {
            Some(value) if values.contains(&value) => {
                let problem = Problem::new(element.span(), "this value is already in the list");
                let hint = "each cell is measured once; use `repetitions` for more samples";
                problems.push::<()>(problem.hint(hint));
            }
            Some(value) => values.push(value),
            None => {}
        }
    }
    values
}

/// One value, or a list of distinct ones, each read by `read`.
pub(crate) fn one_or_more<'t, T: PartialEq>(
    node: Node<'t>,
    problems: &mut Problems,
    mut read: impl FnMut(Node<'t>, &mut Problems) -> Option<T>,
) -> Vec<T> {
    match node.get_ref() {
        DeValue::Array(_) => distinct(node, problems, read),
        _ => read(node, problems).into_iter().collect(),
    }
}
