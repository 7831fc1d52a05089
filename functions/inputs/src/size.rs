//! The size groups.

use serde::{Deserialize, Serialize};

/// A size group; `FunctionInfo` states its meaning for each function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// For quick runs; not in the paper.
    Tiny,
    /// The first group of the paper's Table 2.
    Small,
    /// The second group.
    Medium,
    /// The third group.
    Large,
}

impl Size {
    /// All sizes, in ascending order.
    pub const ALL: [Size; 4] = [Size::Tiny, Size::Small, Size::Medium, Size::Large];

    /// The name used in scenarios.
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

/// The name is not a size.
#[derive(Debug, thiserror::Error)]
#[error("unknown size `{0}`: expected one of tiny, small, medium, large")]
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
    fn names_parse_as_they_are_written() {
        for size in Size::ALL {
            assert_eq!(size.to_string().parse::<Size>().unwrap(), size);
            assert_eq!(serde_json::to_string(&size).unwrap(), format!("\"{size}\""));
        }
        assert!("huge".parse::<Size>().unwrap_err().to_string().contains("`huge`"));
    }
}
