//! The mistakes found so far.

use crate::error::Problem;
use crate::words::closest;

/// Collects mistakes.
#[derive(Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a mistake. Returns `None`, for a reader to return.
    pub(crate) fn push<T>(&mut self, problem: Problem) -> Option<T> {
        self.0.push(problem);
        None
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The mistakes after the first `count`.
    pub(crate) fn since(&mut self, count: usize) -> &mut [Problem] {
        &mut self.0[count..]
    }

    /// All mistakes in the order of the file.
    pub(crate) fn sorted(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| problem.span.start);
        self.0
    }
}

/// A suggestion, or the list of known words.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    match closest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("expected one of {}", known.join(", ")),
    }
}
