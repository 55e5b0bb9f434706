//! What is asked of a line, in the words of grep.

use super::arguments::Filled;
use super::known::{Knowledge, Known};
use super::word::Piece;
use crate::check::program::{BinaryOp, CallArg, Expr, ExprKind, Lambda, UnaryOp};
use crate::types::{Regex, Value};

/// What an expression about a line of text is to grep: `-iE error`. Nothing where grep cannot say it.
pub(super) fn pattern<'p>(knowledge: &mut Knowledge<'p>, lambda: &'p Lambda) -> Option<Filled> {
    let text = |text: &str| vec![Piece::Text(text.to_owned())];
    let is_line = |expr: &Expr| {
        matches!(&expr.uncovered().kind, ExprKind::Field { base, name, .. }
        if **name == *"text" && matches!(&base.uncovered().kind, ExprKind::Local(local) if *local == lambda.param))
    };
    let mut body = lambda.body.uncovered();
    let mut negated = false;
    while let ExprKind::Unary { op: UnaryOp::Not, operand } = &body.kind {
        negated = !negated;
        body = operand.uncovered();
    }
    let searched = |options: &str, pattern| {
        let options = if negated { options.replacen('-', "-v", 1) } else { options.to_owned() };
        searched(&options, pattern)
    };
    match &body.kind {
        ExprKind::Binary { op: BinaryOp::Matches, left, right } if is_line(left) => {
            let Known::Value(Value::Regex(regex)) = knowledge.of(right) else { return None };
            let (options, pattern) = grep(&regex)?;
            Some(Filled::Words(searched(&options, text(&pattern))))
        }
        ExprKind::Binary { op: BinaryOp::In, left, right } if is_line(right) => {
            let known = knowledge.of(left);
            Some(Filled::Words(searched("-F", knowledge.plain(&known))))
        }
        ExprKind::Call(call) if call.builtin.name == "contains" => {
            let [Some(CallArg::Value(own)), Some(CallArg::Value(part)), ..] = call.args.as_slice() else { return None };
            let known = is_line(own).then(|| knowledge.of(part))?;
            Some(Filled::Words(searched("-F", knowledge.plain(&known))))
        }
        _ => None,
    }
}

/// What grep looks for: a pattern that begins with a dash is none of its options.
fn searched(options: &str, pattern: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut words = vec![vec![Piece::Text(options.to_owned())]];
    if matches!(pattern.first(), Some(Piece::Text(text)) if text.starts_with('-')) {
        words.push(vec![Piece::Text("-e".to_owned())]);
    }
    words.push(pattern);
    words
}

/// The options and the pattern: what only newer patterns know needs another grep. Nothing where no grep knows it.
fn grep(regex: &Regex) -> Option<(String, String)> {
    let shown = regex.to_string();
    let (pattern, flags) = shown.strip_prefix('/')?.rsplit_once('/')?;
    if flags.contains(['x', 's', 'm']) {
        return None;
    }
    let case = if flags.contains('i') { "i" } else { "" };
    let marks = ["\\", "(?", "*?", "+?", "[:"];
    if !marks.iter().any(|mark| pattern.contains(mark)) {
        return (!has_odd_set(pattern)).then(|| (format!("-{case}E"), pattern.to_owned()));
    }
    Some((format!("-{case}P"), perl(pattern)?))
}

/// Whether a set has another one in it, or one taken away from it, which is said otherwise for grep.
fn has_odd_set(pattern: &str) -> bool {
    let (mut inside, mut rest) = (false, pattern);
    while let Some(first) = rest.chars().next() {
        let odd = [("[", "[:"), ("&&", ""), ("--", ""), ("~~", "")];
        if inside && odd.iter().any(|(mark, but)| rest.starts_with(mark) && (but.is_empty() || !rest.starts_with(but)))
        {
            return true;
        }
        let mut taken = first.len_utf8();
        match first {
            '\\' => taken += rest.chars().nth(1).map_or(0, char::len_utf8),
            '[' if inside => taken = rest.find(":]").map_or(taken, |end| end + 2),
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    false
}

/// A pattern in the words of Perl: `\\<` and `\\u00e9` are written otherwise there, and `\\w` is ASCII unless it is said.
fn perl(pattern: &str) -> Option<String> {
    if has_odd_set(pattern) || ["(?u", "(?-u", "(?x", "(?R"].iter().any(|mark| pattern.contains(mark)) {
        return None;
    }
    let (mut written, mut unicode) = (String::new(), false);
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        written.push_str(before);
        let c = escaped.chars().nth(1)?;
        rest = escaped.get(1 + c.len_utf8()..)?;
        match c {
            '<' => written.push_str("\\b(?=\\w)"),
            '>' => written.push_str("\\b(?<=\\w)"),
            'u' | 'U' => {
                let braced = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
                let length = if c == 'u' { 4 } else { 8 };
                let (digits, behind) = braced.or_else(|| rest.split_at_checked(length))?;
                written.extend(["\\x{", digits, "}"]);
                rest = behind;
            }
            'b' | 'B' if rest.starts_with('{') => return None,
            _ => {
                written.push('\\');
                written.push(c);
            }
        }
        unicode |= matches!(c, '<' | '>' | 'w' | 'W' | 'd' | 'D' | 's' | 'S' | 'b' | 'B');
    }
    written.push_str(rest);
    // `[[:alpha:]]` is ASCII for a run, and only one of both can be said.
    if unicode && pattern.contains("[:") {
        return None;
    }
    Some(if unicode { format!("(*UCP){written}") } else { written })
}

#[cfg(test)]
mod tests {
    use super::{has_odd_set, perl};

    #[test]
    fn patterns_are_written_in_the_words_of_perl() {
        let cases = [
            (r"caf\w", Some(r"(*UCP)caf\w")),
            (r"\<a\>", Some(r"(*UCP)\b(?=\w)a\b(?<=\w)")),
            (r"\u00e9\.", Some(r"\x{00e9}\.")),
            (r"\u{e9}", Some(r"\x{e9}")),
            (r"a\\<b", Some(r"a\\<b")),
            ("[[:upper:]]+?", Some("[[:upper:]]+?")),
            (r"[[:upper:]]\d", None),
            (r"[\w&&[^a]]", None),
            (r"\b{start}a", None),
            ("(?-u:a)", None),
        ];
        for (pattern, wanted) in cases {
            assert_eq!(perl(pattern).as_deref(), wanted, "{pattern}");
        }
        for (pattern, odd) in [
            ("[a-z&&[^b]]", true),
            ("[a[b]]", true),
            ("a--b", false),
            ("[[:alpha:]_]", false),
            (r"[\[&]", false),
            ("[^]a]", false),
        ] {
            assert_eq!(has_odd_set(pattern), odd, "{pattern}");
        }
    }
}
