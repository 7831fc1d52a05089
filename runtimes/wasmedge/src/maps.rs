//! Executable mappings of this process, in which compiled guest code lies.

use std::ops::Range;
use std::path::Path;

/// Where the compiled code of a guest lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeHome {
    /// Nowhere, because the guest is interpreted.
    Nowhere,
    /// In the mapping of a shared library.
    Library(std::path::PathBuf),
    /// In memory without a file, which a JIT compiler allocates.
    Anonymous,
}

/// The executable ranges of this process that belong to `home`.
///
/// # Errors
/// When `/proc/self/maps` cannot be read.
pub fn executable(home: &CodeHome) -> std::io::Result<Vec<Range<usize>>> {
    if *home == CodeHome::Nowhere {
        return Ok(Vec::new());
    }
    Ok(select(&std::fs::read_to_string("/proc/self/maps")?, home))
}

fn select(maps: &str, home: &CodeHome) -> Vec<Range<usize>> {
    maps.lines()
        .filter_map(|line| {
            let mapping = Mapping::parse(line)?;
            let wanted = match home {
                CodeHome::Nowhere => false,
                CodeHome::Library(path) => Path::new(mapping.name) == path,
                CodeHome::Anonymous => mapping.name.is_empty(),
            };
            (mapping.executable && wanted).then_some(mapping.range)
        })
        .collect()
}

/// A line of proc_pid_maps(5): `start-end perms offset device inode [name]`.
struct Mapping<'a> {
    range: Range<usize>,
    executable: bool,
    name: &'a str,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.splitn(6, ' ');
        let (start, end) = fields.next()?.split_once('-')?;
        let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        let executable = fields.next()?.as_bytes().get(2) == Some(&b'x');
        let name = fields.nth(3).unwrap_or_default().trim_start();
        let name = name.strip_suffix(" (deleted)").unwrap_or(name);
        Some(Self { range, executable, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
7f00-7f10 r-xp 00000000 00:00 0 
7f10-7f20 rw-p 00000000 00:00 0 
7f20-7f30 r--p 00000000 08:01 77    /tmp/a file.so
7f30-7f40 r-xp 00001000 08:01 77    /tmp/a file.so (deleted)
7ff0-7fff r-xp 00000000 00:00 0     [vdso]
";

    #[track_caller]
    fn assert_selects(home: &CodeHome, expected: &[(usize, usize)]) {
        let found: Vec<_> = select(MAPS, home).iter().map(|code| (code.start, code.end)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn only_executable_mappings_of_the_home_are_selected() {
        assert_selects(&CodeHome::Anonymous, &[(0x7f00, 0x7f10)]);
        assert_selects(&CodeHome::Library("/tmp/a file.so".into()), &[(0x7f30, 0x7f40)]);
        assert_selects(&CodeHome::Nowhere, &[]);
    }

    #[test]
    fn a_library_that_is_not_mapped_has_no_ranges() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(!maps.is_empty());
        assert!(executable(&CodeHome::Library("/none".into())).unwrap().is_empty());
    }
}
