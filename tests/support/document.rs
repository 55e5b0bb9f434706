//! A page of the specification: prose, and under every heading the fences of one test.

use std::fs;
use std::path::{Path, PathBuf};

/// One heading with its fences.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) title: String,
    /// Where the heading is, from 1.
    pub(crate) line: usize,
    pub(crate) fences: Vec<Fence>,
}

/// What stands between two lines of backticks.
#[derive(Debug)]
pub(crate) struct Fence {
    /// `runbook`, `diagnostics`, `world`, …
    pub(crate) kind: String,
    /// What follows on the same line: a file's name.
    pub(crate) info: String,
    pub(crate) text: String,
    /// The lines of the text in the page, from 0, end excluded.
    lines: std::ops::Range<usize>,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    lines: Vec<String>,
    pub(crate) cases: Vec<Case>,
}

impl Page {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut cases: Vec<Case> = Vec::new();
        let mut index = 0;
        while let Some(line) = lines.get(index) {
            if let Some(info) = line.strip_prefix("```") {
                let start = index + 1;
                let length = lines[start..].iter().position(|line| line == "```");
                let end =
                    start + length.unwrap_or_else(|| panic!("{}:{start}: the fence is not closed", path.display()));
                let (kind, info) = info.split_once(' ').unwrap_or((info, ""));
                let text = lines[start..end].iter().flat_map(|line| [line.as_str(), "\n"]).collect();
                let fence = Fence { kind: kind.to_owned(), info: info.to_owned(), text, lines: start..end };
                cases
                    .last_mut()
                    .unwrap_or_else(|| panic!("{}:{start}: a fence before the first heading", path.display()))
                    .fences
                    .push(fence);
                index = end;
            } else if line.starts_with('#') {
                let title = line.trim_start_matches('#').trim().to_owned();
                cases.push(Case { title, line: index + 1, fences: Vec::new() });
            }
            index += 1;
        }
        cases.retain(|case| !case.fences.is_empty());
        Self { path: path.to_owned(), lines, cases }
    }

    /// Writes the page with the text of some fences replaced.
    pub(crate) fn rewrite(&self, replaced: &[(&Fence, String)]) {
        let mut lines = self.lines.clone();
        // From the last to the first, so that the numbers of the earlier ones stay right.
        let mut replaced: Vec<_> = replaced.iter().collect();
        replaced.sort_by_key(|(fence, _)| std::cmp::Reverse(fence.lines.start));
        for (fence, text) in replaced {
            lines.splice(fence.lines.clone(), text.lines().map(str::to_owned));
        }
        fs::write(&self.path, lines.join("\n") + "\n").unwrap();
    }
}

impl Case {
    pub(crate) fn fence(&self, kind: &str) -> Option<&Fence> {
        self.fences.iter().find(|fence| fence.kind == kind)
    }

    pub(crate) fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Fence> {
        self.fences.iter().filter(move |fence| fence.kind == kind)
    }
}

/// All pages below a folder.
pub(crate) fn pages(folder: &Path) -> Vec<Page> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found.iter().map(|path| Page::read(path)).collect()
}
