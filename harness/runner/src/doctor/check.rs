//! One thing that was looked at.

use serde::Serialize;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Numbers are less clean, or less is recorded.
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

/// Whether `lumos` can measure anything without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// It can: other targets, or with coarser numbers.
    Optional,
    /// It cannot.
    Essential,
}

/// A check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub check: String,
    /// How it stands.
    pub state: State,
    /// Whether anything can be measured without it.
    pub need: Need,
    /// What was found and what that means for numbers.
    pub meaning: String,
    /// The command that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
    /// What a report says of it beside its numbers, when it bears on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caution: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(check: impl Into<String>, meaning: impl Into<String>) -> Self {
        let (check, meaning) = (check.into(), meaning.into());
        let (state, need) = (State::Ok, Need::Optional);
        Self { check, state, need, meaning, mend: None, caution: None }
    }

    /// Less clean than it could be.
    pub fn warn(check: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { state: State::Warn, ..Self::ok(check, meaning) }
    }

    /// Not there, and something cannot be measured without it.
    pub fn missing(check: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { state: State::Missing, ..Self::ok(check, meaning) }
    }

    /// Says what mends it.
    pub fn mend(self, command: impl Into<String>) -> Self {
        Self { mend: Some(command.into()), ..self }
    }

    /// Says what a report tells of it.
    pub fn caution(self, line: impl Into<String>) -> Self {
        Self { caution: Some(line.into()), ..self }
    }

    /// Nothing can be measured without it.
    pub fn essential(self) -> Self {
        Self { need: Need::Essential, ..self }
    }

    /// Whether this alone keeps `lumos` from measuring.
    pub fn is_fatal(&self) -> bool {
        self.state == State::Missing && self.need == Need::Essential
    }
}
