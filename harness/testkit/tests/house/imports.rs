//! Which file of a crate uses which other one, and the circles among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// The files of a crate, by the path of the module that each of them is.
type Files = BTreeMap<Vec<String>, PathBuf>;

/// All Rust files below `folder`, without build results.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("target") => {}
            true => found.extend(rust_files(&path)),
            false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// The circles among the files below `source`, the folder of a crate's source: each a list of
/// paths below it. A file uses another one by naming something in it: `crate::`, `self::` and
/// `super::` paths, and paths that begin with a child module. To declare or re-export a child is
/// not to use it. What only tests use does not count.
pub fn circles(source: &Path) -> Vec<Vec<String>> {
    let files = files(source);
    let uses: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        files.iter().map(|(module, file)| (file, used(module, file, &files))).collect();
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        uses.keys().map(|file| (*file, reached_from(file, &uses))).collect();
    let mut circles = BTreeSet::new();
    for (file, reached_files) in &reached {
        let mut circle: Vec<String> = reached_files
            .iter()
            .filter(|other| reached[**other].contains(*file))
            .map(|other| other.strip_prefix(source).unwrap().display().to_string())
            .collect();
        circle.sort();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

fn reached_from<'f>(
    file: &'f PathBuf,
    uses: &BTreeMap<&'f PathBuf, BTreeSet<&'f PathBuf>>,
) -> BTreeSet<&'f PathBuf> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(next) = open.pop() {
        for used in &uses[next] {
            if reached.insert(*used) {
                open.push(used);
            }
        }
    }
    reached
}

fn files(source: &Path) -> Files {
    let mut files = Files::new();
    for file in rust_files(source) {
        let below = file.strip_prefix(source).unwrap().with_extension("");
        let mut module: Vec<String> =
            below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if module.iter().any(|part| part == "tests") {
            continue;
        }
        if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            module.pop();
        }
        // A binary beside a library is a crate of its own.
        files.entry(module).or_insert(file);
    }
    files
}

/// The other files that `file`, which is `module`, uses.
fn used<'f>(module: &[String], file: &Path, files: &'f Files) -> BTreeSet<&'f PathBuf> {
    let text = fs::read_to_string(file).unwrap();
    let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut paths = Paths { module: module.to_vec(), files, found: BTreeSet::new() };
    paths.visit_file(&syntax);
    paths.found.into_iter().filter(|used| *used != file).collect()
}

struct Paths<'f> {
    module: Vec<String>,
    files: &'f Files,
    found: BTreeSet<&'f PathBuf>,
}

impl Paths<'_> {
    /// Takes a path as it is written.
    fn add(&mut self, path: &[String]) {
        let mut base = Vec::new();
        let mut rest = path;
        match path.first().map(String::as_str) {
            Some("crate") => rest = &path[1..],
            Some("self") => (base, rest) = (self.module.clone(), &path[1..]),
            Some("super") => {
                base = self.module.clone();
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            Some(first) => {
                let child = [self.module.clone(), vec![first.to_owned()]].concat();
                if !self.files.contains_key(&child) {
                    return;
                }
                base = self.module.clone();
            }
            None => return,
        }
        base.extend(rest.iter().cloned());
        while !self.files.contains_key(&base) {
            base.pop();
        }
        self.found.insert(&self.files[&base]);
    }

    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                let before = [before, &[path.ident.to_string()]].concat();
                self.add_tree(&before, &path.tree);
            }
            syn::UseTree::Name(name) if name.ident == "self" => self.add(before),
            syn::UseTree::Name(name) => self.add(&[before, &[name.ident.to_string()]].concat()),
            syn::UseTree::Rename(name) => self.add(&[before, &[name.ident.to_string()]].concat()),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(before, tree));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_for_tests(&item.attrs) {
            return;
        }
        let is_private = matches!(item.vis, syn::Visibility::Inherited);
        let starts_above = |tree: &syn::UseTree| {
            matches!(tree, syn::UseTree::Path(path)
                if ["crate", "super", "self"].iter().any(|word| path.ident == word))
        };
        if is_private || starts_above(&item.tree) {
            self.add_tree(&[], &item.tree);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let parts: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.add(&parts);
        }
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}
