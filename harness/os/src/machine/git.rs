//! The state of the git checkout that `lumos` runs in.

use std::process::Command;
use std::time::Duration;

use lumos_model::fingerprint::GitState;

use crate::command::answer_within;

/// How long `git` may take. With a cold page cache, a Pi's SD card needs about 100 ms.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The state of the checkout around the working directory; `None` if there is no checkout or no
/// `git`.
pub(super) fn read() -> Option<GitState> {
    // The optional lock would block a `git` that the user runs at the same time.
    let args = ["--no-optional-locks", "status", "--porcelain=v2", "--branch"];
    let mut git = Command::new("git");
    git.args(args).arg("--untracked-files=no");
    parse(&String::from_utf8(answer_within(&mut git, TIMEOUT).ok()?).ok()?)
}

/// Parses `git status --porcelain=v2 --branch` (git-status(1), "Porcelain Format Version
/// 2"): header lines begin with `#`, and every other line is a changed file.
fn parse(status: &str) -> Option<GitState> {
    let commit = status.lines().find_map(|line| line.strip_prefix("# branch.oid "))?;
    if commit == "(initial)" {
        return None;
    }
    let dirty = status.lines().any(|line| !line.is_empty() && !line.starts_with('#'));
    Some(GitState { commit: commit.to_owned(), dirty })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_a_status() {
        let clean = "# branch.oid 0123abc\n# branch.head main\n";
        let state = GitState { commit: "0123abc".to_owned(), dirty: false };
        assert_eq!(parse(clean), Some(state.clone()));
        let changed = format!("{clean}1 .M N... 100644 100644 100644 1 2 src/main.rs\n");
        assert_eq!(parse(&changed), Some(GitState { dirty: true, ..state }));
        assert_eq!(parse("# branch.oid (initial)\n# branch.head main\n"), None);
        assert_eq!(parse(""), None);
    }
}
