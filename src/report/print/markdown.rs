//! The page as Markdown that also reads well as it is: nothing from the runbook means anything in it.

use std::fmt::Write as _;

use super::page::{Block, Inline, Line, Page};
use crate::shown::look::clean;

/// The page as Markdown.
#[must_use]
pub fn markdown(page: &Page) -> String {
    let mut text = format!("# {}\n", escaped(&page.title));
    for block in &page.blocks {
        text.push('\n');
        match block {
            Block::Heading(level, line) => {
                let _ = writeln!(text, "{} {}", "#".repeat(usize::from(*level)), inline(line));
            }
            Block::Text(line) => {
                let _ = writeln!(text, "{}", begun(&inline(line)));
            }
            Block::Commands(lines) => {
                let fence = fence(lines);
                let _ = writeln!(text, "{fence}sh\n{}\n{fence}", lines.join("\n"));
            }
            Block::Boxes(lines) => {
                for line in lines {
                    let _ = writeln!(text, "- [ ] {}", inline(line));
                }
            }
            Block::Points(lines) => {
                for line in lines {
                    let _ = writeln!(text, "- {}", begun(&inline(line)));
                }
            }
            Block::Table(head, rows) => {
                let _ = writeln!(text, "| {} |\n|{}", head.join(" | "), "-|".repeat(head.len()));
                for row in rows {
                    let cells: Vec<String> = row.iter().map(|cell| inline(cell).replace('|', "\\|")).collect();
                    let _ = writeln!(text, "| {} |", cells.join(" | "));
                }
            }
            Block::Sign(sign, line) => {
                let _ = writeln!(text, "**{}** {}", sign.word(), inline(line));
            }
        }
    }
    text
}

/// A fence that nothing between ends.
fn fence(lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

fn inline(line: &Line) -> String {
    line.iter()
        .map(|part| match part {
            Inline::Text(text) => escaped(text),
            Inline::Strong(text) if text.trim().is_empty() => String::new(),
            Inline::Strong(text) => format!("**{}**", escaped(text.trim())),
            Inline::Code(text) => code(text),
            Inline::Link { text, url } => link(text, url),
        })
        .collect()
}

/// Only to where a browser goes: anything else is shown and leads nowhere.
fn link(text: &str, url: &str) -> String {
    if super::html::is_web(url) && !url.contains(['<', '>', ' ', '\n', '\\']) {
        format!("[{}](<{}>)", escaped(text), clean(url))
    } else {
        code(url)
    }
}

/// Text in which nothing is a mark.
fn escaped(text: &str) -> String {
    let text = clean(text);
    let mut escaped = String::new();
    let mut before = ' ';
    for (index, c) in text.char_indices() {
        // Within a word it is only itself, and a name stays readable.
        let within = c == '_'
            && before.is_alphanumeric()
            && text.get(index + 1..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
        if "\\`*_[]<>#|~&!".contains(c) && !within {
            escaped.push('\\');
        }
        escaped.push(c);
        before = c;
    }
    escaped
}

/// What begins a line must not begin a list or another block.
fn begun(line: &str) -> String {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    if line.starts_with(['-', '+', '=']) || (digits.len() < line.len() && digits.starts_with(['.', ')'])) {
        let at = line.len() - if digits.len() < line.len() { digits.len() } else { line.len() };
        let (number, rest) = line.split_at(at);
        return format!("{number}\\{rest}");
    }
    line.to_owned()
}

/// A code span that its text cannot end.
fn code(text: &str) -> String {
    let text = clean(text);
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let blank = text.starts_with([' ', '`']) || text.ends_with([' ', '`']);
    let pad = if blank { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::{begun, code, escaped, fence, link};

    #[test]
    fn nothing_in_a_text_is_a_mark() {
        assert_eq!(escaped("<b>*a*</b> [x](y) `z` | #1"), r"\<b\>\*a\*\</b\> \[x\](y) \`z\` \| \#1");
        assert_eq!(begun("- a"), "\\- a");
        assert_eq!(begun("12. a"), "12\\. a");
        assert_eq!(begun("12 a"), "12 a");
        assert_eq!(code("a `b`"), "`` a `b` ``");
        assert_eq!(fence(&["a ```` b".to_owned()]), "`````");
        assert_eq!(link("x", "javascript:alert(1)"), "`javascript:alert(1)`");
        assert_eq!(link("x", "https://a.example/b_c"), "[x](<https://a.example/b_c>)");
    }
}
