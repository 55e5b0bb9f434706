//! A page of Markdown on a terminal: headings stand out, code is indented. In a pipe it stays as it is.

use crate::report::look::{Look, Tone};

/// The page as it is shown.
pub(super) fn render(markdown: &str, look: Look) -> String {
    if look.width.is_none() {
        return markdown.to_owned();
    }
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
            line.to_owned()
        };
        shown.push_str(&line);
        shown.push('\n');
    }
    shown
}
