//! The size groups.

use serde::{Deserialize, Serialize};

/// A size group; what it means for a function is in its `FunctionInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// For a quick look; not in the paper.
    Tiny,
    /// The first group of the paper's Table 2.
    Small,
    /// The second group.
    Medium,
    /// The third group.
    Large,
}

impl Size {
    /// All sizes, ascending.
    pub const ALL: [Size; 4] = [Size::Tiny, Size::Small, Size::Medium, Size::Large];

    /// The name that scenarios use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no size.
#[derive(Debug, thiserror::Error)]
#[error("there is no size `{0}`: tiny, small, medium or large is needed")]
pub struct UnknownSize(String);

impl std::str::FromStr for Size {
    type Err = UnknownSize;

    fn from_str(name: &str) -> Result<Self, UnknownSize> {
        Self::ALL
            .into_iter()
            .find(|size| size.name() == name)
            .ok_or_else(|| UnknownSize(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for size in Size::ALL {
            assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
            assert_eq!(serde_json::to_string(&size).unwrap(), format!("\"{size}\""));
        }
        assert!("huge".parse::<Size>().unwrap_err().to_string().contains("`huge`"));
    }
}
