//! The page as one file of HTML that is made to be printed: no script, nothing from elsewhere, all text escaped.

use std::fmt::Write as _;

use super::page::{Block, Inline, Line, Page, Sign};
use crate::shown::look::{clean, markup};

const STYLE: &str = "
body { font: 11pt/1.4 Georgia, serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #000; background: #fff }
h1, h2, h3 { font-family: Helvetica, Arial, sans-serif; line-height: 1.2; break-after: avoid }
h2 { border-top: 2px solid #000; padding-top: .5rem; margin-top: 2rem }
code, pre { font: 9.5pt/1.35 Menlo, Consolas, monospace; white-space: pre-wrap }
pre { background: #f3f3f3; border-left: 3px solid #888; padding: .5rem .7rem; white-space: pre-wrap; overflow-wrap: anywhere; break-inside: avoid }
table { border-collapse: collapse; width: 100%; font-size: 10pt }
th, td { border: 1px solid #999; padding: .2rem .4rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
ul.boxes { list-style: none; padding-left: 0 }
ul.boxes li { padding-left: 1.6rem; text-indent: -1.6rem; margin: .2rem 0 }
ul.boxes li::before { content: \"\\2610\\00a0\\00a0\" }
p.sign { border: 2px solid #000; padding: .3rem .5rem; break-inside: avoid; break-after: avoid }
p.begin, p.end { border-width: 0; padding: 0; color: #333 }
p.change { background: #fbe3c8 }
p.stop { background: #f8d0d0 }
p.person { background: #dfe9f7 }
@media print { body { margin: 0; max-width: none } a { color: inherit } h2 { break-before: auto } }
@page { margin: 1.5cm }
";

/// The page as HTML.
#[must_use]
pub fn html(page: &Page) -> String {
    let title = escaped(&page.title);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    for block in &page.blocks {
        self::block(block, &mut text);
    }
    text.push_str("</body>\n</html>\n");
    text
}

fn block(block: &Block, text: &mut String) {
    let _ = match block {
        Block::Heading(level, line) => writeln!(text, "<h{level}>{}</h{level}>", inline(line)),
        Block::Text(line) => writeln!(text, "<p>{}</p>", inline(line)),
        Block::Commands(lines) => writeln!(text, "<pre>{}</pre>", markup(&lines.join("\n"))),
        Block::Boxes(lines) => writeln!(text, "<ul class=\"boxes\">\n{}</ul>", items(lines)),
        Block::Points(lines) => writeln!(text, "<ul>\n{}</ul>", items(lines)),
        Block::Table(head, rows) => {
            let mut rows_text = String::new();
            for row in rows {
                rows_text.push_str("<tr>");
                for cell in row {
                    let _ = write!(rows_text, "<td>{}</td>", inline(cell));
                }
                rows_text.push_str("</tr>\n");
            }
            let head = head.join("</th><th>");
            writeln!(text, "<table>\n<tr><th>{head}</th></tr>\n{rows_text}</table>")
        }
        Block::Sign(sign, line) => {
            let class = match sign {
                Sign::Change => "change",
                Sign::Stop => "stop",
                Sign::Person => "person",
                Sign::Begin => "begin",
                Sign::End => "end",
            };
            writeln!(text, "<p class=\"sign {class}\"><strong>{}</strong> {}</p>", sign.word(), inline(line))
        }
    };
}

fn items(lines: &[Line]) -> String {
    let mut items = String::new();
    for line in lines {
        let _ = writeln!(items, "<li>{}</li>", inline(line));
    }
    items
}

fn inline(line: &Line) -> String {
    line.iter()
        .map(|part| match part {
            Inline::Text(text) => escaped(text),
            Inline::Strong(text) => format!("<strong>{}</strong>", escaped(text)),
            Inline::Code(text) => format!("<code>{}</code>", escaped(text)),
            Inline::Link { text, url } if is_web(url) => {
                format!("<a href=\"{}\" rel=\"noreferrer\">{}</a>", escaped(url), escaped(text))
            }
            Inline::Link { url, .. } => format!("<code>{}</code>", escaped(url)),
        })
        .collect()
}

/// Whether an address leads to a page, and starts nothing.
pub(super) fn is_web(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    lower.starts_with("https://") || lower.starts_with("http://")
}

fn escaped(text: &str) -> String {
    markup(&clean(text))
}

#[cfg(test)]
mod tests {
    use super::{html, inline};
    use crate::report::print::page::{Block, Inline, Page, text};

    #[test]
    fn nothing_in_a_text_is_a_tag() {
        let hostile = "</title></pre><script>alert(1)</script>\" onload='x'";
        let page = Page {
            title: hostile.to_owned(),
            blocks: vec![Block::Text(vec![text(hostile)]), Block::Commands(vec![hostile.to_owned()])],
        };
        let written = html(&page);
        assert!(!written.contains("<script") && !written.contains("onload='"), "{written}");
        let link = |url: &str| inline(&vec![Inline::Link { text: "x".to_owned(), url: url.to_owned() }]);
        assert_eq!(link("javascript:alert(1)"), "<code>javascript:alert(1)</code>");
        assert_eq!(link("https://a/?b=\"c"), "<a href=\"https://a/?b=&quot;c\" rel=\"noreferrer\">x</a>");
    }
}
