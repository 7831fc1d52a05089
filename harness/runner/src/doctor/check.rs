//! One check of a machine.

use serde::Serialize;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing is wrong.
    Ok,
    /// Numbers are noisier, or less is recorded.
    Warn,
    /// Something cannot be measured.
    Missing,
}

impl State {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Missing => "missing",
        }
    }
}

/// Whether `lumos` can measure without what a check looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// It can measure other targets, or less precisely.
    Optional,
    /// It cannot measure anything.
    Essential,
}

/// A check and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked.
    pub check: String,
    /// The result.
    pub state: State,
    /// Whether anything can be measured without it.
    pub need: Need,
    /// What was found, and what it means for numbers.
    pub meaning: String,
    /// The command that fixes it.
    #[serde(rename = "mend", skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The warning of a report, when the finding affects its numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
}

impl Check {
    pub(super) fn ok(check: impl Into<String>, meaning: impl Into<String>) -> Self {
        let (check, meaning) = (check.into(), meaning.into());
        let (state, need) = (State::Ok, Need::Optional);
        Self { check, state, need, meaning, fix: None, caution: None }
    }

    pub(super) fn warn(check: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { state: State::Warn, ..Self::ok(check, meaning) }
    }

    pub(super) fn missing(check: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { state: State::Missing, ..Self::ok(check, meaning) }
    }

    pub(super) fn fix(self, command: impl Into<String>) -> Self {
        Self { fix: Some(command.into()), ..self }
    }

    pub(super) fn caution(self, line: impl Into<String>) -> Self {
        Self { caution: Some(line.into()), ..self }
    }

    pub(super) fn essential(self) -> Self {
        Self { need: Need::Essential, ..self }
    }

    /// Whether this alone keeps `lumos` from measuring anything.
    pub fn is_fatal(&self) -> bool {
        self.state == State::Missing && self.need == Need::Essential
    }
}
