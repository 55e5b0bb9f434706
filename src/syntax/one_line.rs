//! What was written, on one line: blanks and comments between words are one blank, and the inside of a text stays as it
//! is, for what people agree to is what is sent. A text of several lines becomes a text on one line of the same value.

use super::build::closing_indent;

/// A piece of source on one line.
#[must_use]
pub fn one_line(source: &str) -> String {
    let mut reader = Reader { source, at: 0, line: String::with_capacity(source.len()), gap: false };
    reader.code(false);
    reader.line
}

struct Reader<'s> {
    source: &'s str,
    at: usize,
    line: String,
    /// Something that is nothing but a blank was read since the last word.
    gap: bool,
}

impl<'s> Reader<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Adds what stands next as it is.
    fn keep(&mut self, bytes: usize) {
        self.put(self.rest().get(..bytes).unwrap_or_default());
        self.at += bytes;
    }

    fn put(&mut self, text: &str) {
        if std::mem::take(&mut self.gap) && !self.line.is_empty() {
            self.line.push(' ');
        }
        self.line.push_str(text);
    }

    /// Reads to the end, or to the brace that ends an interpolation.
    fn code(&mut self, in_text: bool) {
        let mut depth = 0_usize;
        while let Some(c) = self.rest().chars().next() {
            match c {
                c if c.is_whitespace() => {
                    self.gap = true;
                    self.at += c.len_utf8();
                }
                '#' => {
                    self.gap = true;
                    self.at += line_end(self.rest());
                }
                '"' | '\'' => self.text(),
                '/' => self.slash(),
                '}' if in_text && depth == 0 => {
                    self.gap = false;
                    return;
                }
                ':' if in_text && depth == 0 && !self.is_in_time() => {
                    // A format: its blanks and signs are what it says.
                    self.keep(self.rest().find(['}', '\n', '\r']).unwrap_or(self.rest().len()));
                }
                c => {
                    match c {
                        '{' | '(' | '[' => depth += 1,
                        '}' | ')' | ']' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    self.keep(c.len_utf8());
                }
            }
        }
    }

    /// Whether the colon that stands next is one of `08:00`.
    fn is_in_time(&self) -> bool {
        let before = self.source.get(..self.at).and_then(|before| before.chars().next_back());
        let behind = self.rest().chars().nth(1);
        before.zip(behind).is_some_and(|(before, behind)| before.is_ascii_digit() && behind.is_ascii_digit())
    }

    /// A pattern, or a division, which has a blank behind its slash.
    fn slash(&mut self) {
        let rest = self.rest();
        let Some(end) = pattern_end(rest) else { return self.keep(1) };
        // A tab that is seen means the same in a pattern.
        self.put(&rest.get(..end).unwrap_or_default().replace('\t', "\\t"));
        self.at += end;
    }

    fn text(&mut self) {
        let rest = self.rest();
        let end = text_end(rest);
        let written = rest.get(..end).unwrap_or_default();
        let block = written.starts_with("\"\"\"") || written.starts_with("'''");
        if written.starts_with('\'') {
            self.raw(written, block);
        } else {
            let indent = if block { closing_indent(written) } else { "" };
            self.parts(self.at + end, block, indent);
        }
    }

    /// A text without interpolations: where it has a line end or a tab, those are written as such.
    fn raw(&mut self, written: &str, block: bool) {
        self.at += written.len();
        if !block && !written.contains('\t') {
            return self.put(written);
        }
        let quotes = if block { 3 } else { 1 };
        let inner = written.get(quotes..written.len().saturating_sub(quotes)).unwrap_or_default();
        let mut text = String::from("\"");
        if block {
            let indent = closing_indent(written);
            for (index, line) in inner.split('\n').skip(1).enumerate() {
                text.push_str(if index > 0 { "\\n" } else { "" });
                escape(without(line.strip_suffix('\r').unwrap_or(line), indent), &mut text);
            }
        } else {
            escape(inner, &mut text);
        }
        text.push('"');
        self.put(&text);
    }

    /// A text with its interpolations, which ends at `end`.
    fn parts(&mut self, end: usize, block: bool, indent: &str) {
        let quotes = if block { 3 } else { 1 };
        self.put("\"");
        self.at += quotes;
        if block {
            self.at = (self.at + line_end(self.rest())).min(end);
            self.line_break(indent);
        }
        let last = end.saturating_sub(quotes);
        while self.at < last
            && let Some(c) = self.rest().chars().next()
        {
            match c {
                '\\' => {
                    let next = self.rest().chars().nth(1).map_or(0, char::len_utf8);
                    self.keep(1 + next);
                }
                '{' => {
                    self.keep(1);
                    self.code(true);
                    if self.at < last {
                        self.keep(1);
                    }
                }
                '\t' => self.instead("\\t", 1),
                '"' => self.instead("\\\"", 1),
                '\r' | '\n' => {
                    self.put("\\n");
                    self.line_break(indent);
                }
                c => self.keep(c.len_utf8()),
            }
        }
        self.at = end;
        self.put("\"");
    }

    fn instead(&mut self, text: &str, bytes: usize) {
        self.put(text);
        self.at += bytes;
    }

    /// Passes the end of a line and the indentation of the next one.
    fn line_break(&mut self, indent: &str) {
        let rest = self.rest();
        self.at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with(['\n', '\r'])) };
        let rest = self.rest();
        self.at += rest.len() - without(rest, indent).len();
    }
}

fn line_end(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}

/// A line without as much of the indentation as it has.
fn without<'t>(line: &'t str, indent: &str) -> &'t str {
    let same = line.bytes().zip(indent.bytes()).take_while(|(found, wanted)| found == wanted).count();
    line.get(same..).unwrap_or_default()
}

/// What stands for itself, as it stands between double quotes.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' | '"' | '{' | '}' => out.extend(['\\', c]),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
}

/// Where a pattern ends that begins here; nothing where none does.
fn pattern_end(text: &str) -> Option<usize> {
    if text.get(1..).is_none_or(|rest| rest.starts_with([' ', '\t', '\r', '\n', '/', '*'])) {
        return None;
    }
    let (mut escaped, mut in_class) = (false, false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' | '\r' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Where a text ends that begins here.
fn text_end(text: &str) -> usize {
    let quote = if text.starts_with('"') { "\"" } else { "'" };
    let block = text.starts_with(&quote.repeat(3));
    let quotes = if block { quote.repeat(3) } else { quote.to_owned() };
    let mut at = quotes.len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(&quotes) {
            return at + quotes.len();
        }
        match rest.chars().next() {
            Some('\n' | '\r') if !block => return at,
            Some('\\') if quote == "\"" => at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            Some('{') if quote == "\"" => at += interpolation_end(rest),
            Some(c) => at += c.len_utf8(),
            None => break,
        }
    }
    text.len()
}

/// Where an interpolation ends that begins here. Texts may stand in it.
fn interpolation_end(text: &str) -> usize {
    let mut at = 1;
    let mut depth = 1_usize;
    while let Some(rest) = text.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        match c {
            '"' | '\'' => at += text_end(rest),
            '/' => at += pattern_end(rest).unwrap_or(1),
            c => {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                at += c.len_utf8();
                if depth == 0 {
                    break;
                }
            }
        }
    }
    at.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn blanks_between_words_are_one() {
        assert_eq!(one_line("a(\n    b, # why\n    c,\n  )  "), "a( b, c, )");
        assert_eq!(one_line("\n a / b"), "a / b");
        assert_eq!(one_line("x ~ /a  \"b #/  or  y"), "x ~ /a  \"b #/ or y");
        assert_eq!(one_line("x ~ /[/\"]\t/ | count"), "x ~ /[/\"]\\t/ | count");
    }

    #[test]
    fn the_inside_of_a_text_stays() {
        assert_eq!(one_line(r#"t("a  b",   'c  "d')"#), r#"t("a  b", 'c  "d')"#);
        assert_eq!(one_line("t(\"a\tb\", 'c\\\td{')"), r#"t("a\tb", "c\\\td\{")"#);
        assert_eq!(one_line(r#""a  {f( "b  }",   c )}  d" +   e"#), r#""a  {f( "b  }", c )}  d" + e"#);
        assert_eq!(one_line(r#""a \"  \{  b"   c"#), r#""a \"  \{  b" c"#);
        assert_eq!(one_line(r##""# no  comment"  # one"##), r##""# no  comment""##);
    }

    #[test]
    fn a_format_stays() {
        assert_eq!(one_line(r#""a {n:#,} b {f(x:  1):#,}"  # why"#), r#""a {n:#,} b {f(x: 1):#,}""#);
        assert_eq!(one_line(r#""{t:%d  %m}  {at ==  08:00}  c"   d"#), r#""{t:%d  %m}  {at == 08:00}  c" d"#);
    }

    #[test]
    fn a_text_of_several_lines_is_one_of_the_same_value() {
        let block = "f(\"\"\"\n    SELECT  'a \"b\"' -- {x}  {g(\n  1)}\n      AND\tc\n    \"\"\",  2)";
        assert_eq!(one_line(block), r#"f("SELECT  'a \"b\"' -- {x}  {g( 1)}\n  AND\tc\n", 2)"#);
        assert_eq!(one_line("f('''\n  {\"a\": 1}\n  b\\\n  ''')"), r#"f("\{\"a\": 1\}\nb\\\n")"#);
        assert_eq!(one_line("\"\"\"\r\n  a\r\n  \"\"\""), r#""a\n""#);
    }

    #[test]
    fn half_of_a_text_is_no_panic() {
        let halves =
            ["\"", "\"\"\"", "'", "'''", "\"{", "\"a {b", "\"\"\"\n{\"x", "/", "/a", "\"\\", "}", "\"{/}\"", "\"é{'é"];
        for text in halves {
            assert!(!one_line(text).contains('\n'), "{text}");
        }
    }
}
