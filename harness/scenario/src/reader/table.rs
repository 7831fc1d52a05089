//! A table whose known keys are those that are read.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problems::{Problems, did_you_mean};
use super::values::{Node, wrong_type};
use crate::error::Problem;
use crate::words::closest;

/// A table of the file. It remembers which keys are read: when all have been, `finish` reports
/// the other keys of the file as unknown. So no list of keys has to match the code.
pub(crate) struct Table<'t> {
    table: &'t DeTable<'t>,
    /// The table's header, where a missing key is reported.
    span: Range<usize>,
    /// The name in messages, such as `[matrix]`.
    name: String,
    read: Vec<&'static str>,
    missing: Vec<Missing>,
}

/// A required key that is not in the file.
struct Missing {
    key: &'static str,
    example: &'static str,
}

impl<'t> Table<'t> {
    /// The whole file.
    pub(crate) fn root(table: &'t Spanned<DeTable<'t>>) -> Self {
        Self::new(table.get_ref(), 0..0, "a scenario")
    }

    /// A table inside the file.
    pub(crate) fn of(node: Node<'t>, name: &str, problems: &mut Problems) -> Option<Self> {
        match node.get_ref() {
            DeValue::Table(table) => Some(Self::new(table, node.span(), name)),
            other => problems.push(wrong_type(node, "a table", other)),
        }
    }

    fn new(table: &'t DeTable<'t>, span: Range<usize>, name: &str) -> Self {
        Self { table, span, name: name.to_owned(), read: Vec::new(), missing: Vec::new() }
    }

    /// Sets the name in messages.
    pub(crate) fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// The place of the header.
    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value of `key`, if it is there.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Node<'t>> {
        if !self.read.contains(&key) {
            self.read.push(key);
        }
        self.table.get(key)
    }

    /// The value of `key`. If it is missing, `finish` reports that with the example.
    pub(crate) fn require(&mut self, key: &'static str, example: &'static str) -> Option<Node<'t>> {
        let node = self.get(key);
        if node.is_none() {
            self.missing.push(Missing { key, example });
        }
        node
    }

    /// Reports missing and unknown keys. Every known key must have been read.
    pub(crate) fn finish(self, problems: &mut Problems) {
        let unknown: Vec<_> = self.unread().collect();
        for (key, span) in &unknown {
            problems.push::<()>(self.unknown(key, span));
        }
        for missing in &self.missing {
            // A mistyped key is missing and unknown: one message is enough.
            if closest(missing.key, unknown.iter().map(|(key, _)| *key)).is_none() {
                problems.push::<()>(self.missing(missing));
            }
        }
    }

    /// Reports missing keys, when a mistake leaves the other known keys undetermined.
    pub(crate) fn finish_incomplete(self, problems: &mut Problems) {
        for missing in &self.missing {
            let mistyped = closest(missing.key, self.unread().map(|(key, _)| key));
            let problem = match self.unread().find(|(key, _)| Some(*key) == mistyped) {
                Some((key, span)) => self.unknown(key, &span),
                None => self.missing(missing),
            };
            problems.push::<()>(problem);
        }
    }

    /// The keys of the file that have not been read.
    fn unread(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let keys = self.table.iter().map(|(key, _)| -> (&str, _) { (key.get_ref(), key.span()) });
        keys.filter(|(key, _)| !self.read.contains(key))
    }

    fn unknown(&self, key: &str, span: &Range<usize>) -> Problem {
        let message = format!("{} has no key `{key}`", self.name);
        Problem::new(span.clone(), message).hint(did_you_mean(key, &self.read))
    }

    fn missing(&self, Missing { key, example }: &Missing) -> Problem {
        let message = format!("{} needs the key `{key}`", self.name);
        Problem::new(self.span(), message).hint(format!("write for example {key} = {example}"))
    }
}
