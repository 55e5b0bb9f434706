//! A page of Markdown on a terminal: headings stand out, code is indented. In a pipe it stays as it is.

use crate::shown::look::{Look, Tone, columns};

/// The page as it is shown.
pub(super) fn render(markdown: &str, look: Look) -> String {
    let Some(width) = look.width else { return markdown.to_owned() };
    let mut shown = String::new();
    let mut in_code = false;
    for line in markdown.lines() {
        let line = if line.starts_with("```") {
            in_code = !in_code;
            continue;
        } else if in_code {
            format!("    {line}").trim_end().to_owned()
        } else if line.starts_with('#') {
            look.paint(Tone::Strong, line.trim_start_matches('#').trim_start())
        } else {
            fold(line, width)
        };
        shown.push_str(&line);
        shown.push('\n');
    }
    shown
}

/// Text in lines that fit, broken at blanks, the rest of a line under where its text begins.
pub(super) fn folded(text: &str, look: Look) -> String {
    let Some(width) = look.width else { return text.to_owned() };
    text.lines().map(|line| fold(line, width) + "\n").collect()
}

fn fold(line: &str, width: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    let hang = hanging(line).min(width / 2);
    let indent = line.len() - line.trim_start().len();
    let mut shown = line.get(..indent).unwrap_or("").to_owned();
    let mut at = columns(&shown);
    for (index, word) in line.get(indent..).unwrap_or("").split(' ').enumerate() {
        if index > 0 && at + 1 + columns(word) > width && at > hang {
            shown.truncate(shown.trim_end().len());
            shown.push('\n');
            shown.push_str(&" ".repeat(hang));
            at = hang;
        } else if index > 0 {
            shown.push(' ');
            at += 1;
        }
        shown.push_str(word);
        at += columns(word);
    }
    shown
}

/// The column where a line's text begins: behind a name and two blanks, or behind the dash of a list.
fn hanging(line: &str) -> usize {
    let indent = line.len() - line.trim_start().len();
    let text = line.get(indent..).unwrap_or("");
    match text.find("  ") {
        Some(gap) => {
            let rest = text.get(gap..).unwrap_or("");
            indent + gap + (rest.len() - rest.trim_start().len())
        }
        None if text.starts_with("- ") => indent + 2,
        None => indent,
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn a_long_line_goes_on_under_its_text() {
        assert_eq!(fold("  name  one two three", 18), "  name  one two\n        three");
        assert_eq!(fold("- one two three", 9), "- one two\n  three");
        assert_eq!(fold("short", 9), "short");
        assert_eq!(fold("averyveryverylongword", 9), "averyveryverylongword");
    }
}
