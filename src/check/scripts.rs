//! Values in what a shell or an interpreter runs: there a value is no word any more, but a part of a program.

use std::fmt::Write as _;

use super::checker::Checker;
use super::interpreters::{self, Found, Language, Word};
use super::program::{Expr, ExprKind, TextPart};
use crate::catalog::Effect;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::one_line;
use crate::types::{Type, Value};

/// The longest script that a help repeats.
const MAX_SHOWN: usize = 80;

/// A word of a program, as far as it is known.
#[derive(Default)]
pub(super) struct Known<'e> {
    /// All that is written, with something harmless for each harmless value.
    text: String,
    /// How much of the text stands before the first value.
    head: Option<usize>,
    /// Whether something harmless stands in it for a value.
    stands_in: bool,
    /// The values that may hold anything, and where in the text they stand.
    values: Vec<(usize, &'e Expr)>,
    /// Whether a part of it stands in quotes, where a command is one text.
    quoted: bool,
}

impl Word for Known<'_> {
    fn text(&self) -> Option<&str> {
        self.values.is_empty().then_some(&*self.text)
    }

    fn head(&self) -> &str {
        self.head.and_then(|end| self.text.get(..end)).unwrap_or(&self.text)
    }
}

impl<'e> Known<'e> {
    /// The words of a list of them; a list inside of it is as many as it has items.
    fn list(exprs: &'e [Expr]) -> Vec<Self> {
        let mut words = Vec::new();
        for expr in exprs {
            match &expr.uncovered().kind {
                ExprKind::List(items) => words.extend(Self::list(items)),
                _ => words.push(Self::one(expr)),
            }
        }
        words
    }

    fn one(expr: &'e Expr) -> Self {
        let mut word = Self::default();
        match &expr.uncovered().kind {
            ExprKind::Text(parts) | ExprKind::Template(parts) => parts.iter().for_each(|part| match part {
                TextPart::Text(text) => word.text.push_str(text),
                TextPart::Value { value, .. } => word.value(value),
            }),
            _ => word.value(expr),
        }
        word
    }

    /// The words of a command that is written as one text: blanks part them, quotes hold them together.
    fn command(parts: &'e [TextPart]) -> Vec<Self> {
        let (mut words, mut word, mut quote) = (Vec::new(), None::<Self>, None);
        for part in parts {
            match part {
                TextPart::Value { value, .. } => word.get_or_insert_default().value(value),
                TextPart::Text(text) => {
                    for c in text.chars() {
                        match quote {
                            Some(own) if own == c => quote = None,
                            None if matches!(c, '"' | '\'') => {
                                quote = Some(c);
                                word.get_or_insert_default().quoted = true;
                            }
                            None if c.is_whitespace() => words.extend(word.take()),
                            _ => word.get_or_insert_default().text.push(c),
                        }
                    }
                }
            }
        }
        words.extend(word);
        words
    }

    fn value(&mut self, value: &'e Expr) {
        match &value.uncovered().kind {
            ExprKind::Literal(Value::String(text)) => self.text.push_str(text),
            ExprKind::Broken => self.text.push('0'),
            _ if is_harmless(&value.ty) => {
                self.stands_in = true;
                self.text.push('0');
            }
            _ => {
                self.head.get_or_insert(self.text.len());
                self.values.push((self.text.len(), value));
            }
        }
    }
}

/// Whether a value is written without a character that means something to a shell.
fn is_harmless(ty: &Type) -> bool {
    match ty {
        Type::Optional(inner) => is_harmless(inner),
        ty => ty.is_number() || matches!(ty, Type::Bool | Type::Date | Type::Time | Type::Clock),
    }
}

/// How a value is given to a program.
#[derive(Clone, Copy)]
pub(super) enum Given<'e> {
    /// As words of their own: `argv`.
    Words { words: &'e [Expr], stdin: Option<&'e Expr> },
    /// In one text, which is parted at its blanks.
    Command(&'e [TextPart]),
}

impl Checker<'_> {
    /// Refuses values in what an interpreter runs. Where nothing is said of changes, a shell may make some all the same.
    pub(super) fn check_scripts(&mut self, given: Given<'_>, place: Span, effect: Effect) {
        let (words, stdin) = match given {
            Given::Words { words, stdin } => (Known::list(words), stdin.map(Known::one)),
            Given::Command(parts) => (Known::command(parts), None),
        };
        let is_command = matches!(given, Given::Command(_));
        let mut is_shell = false;
        let scripts = interpreters::scripts(&words, stdin.as_ref());
        // What a shell reads behind its script, or the one of another machine, is its own affair.
        if is_command || !scripts.iter().any(|found| matches!(found.language, Language::Shell | Language::Remote)) {
            self.check_shell_words(&words, is_command, place);
        }
        for found in scripts {
            let value = found.words.iter().flat_map(|word| &word.values).next();
            match value {
                Some((_, value)) => {
                    let is_first =
                        words.first().and_then(Word::text).is_some_and(|text| text.ends_with(&found.program));
                    return self.report_script(&found, value, is_command, if is_first { "" } else { "…, " });
                }
                None => is_shell |= found.language == Language::Shell,
            }
        }
        if is_shell && effect != Effect::Changes && !is_command {
            let message = "a shell runs here, so nobody can say what it does, and it is declared to change nothing";
            let help = "start the program itself, or a script of the runbook's folder: `argv(\"./name.sh\", value)`; \
                        one that changes something says `changes`";
            self.report(Diagnostic::new(Code::ShellUsed, place, message).help(help));
        }
    }

    /// Warns of words that mean something to a shell, where there is none.
    fn check_shell_words(&mut self, words: &[Known<'_>], is_command: bool, place: Span) {
        let Some(program) = words.first().and_then(Word::text) else { return };
        let found = words.iter().enumerate().skip(1).find_map(|(index, word)| {
            let before = words.get(index - 1).and_then(Word::text).unwrap_or_default();
            let ends_exec =
                || words.iter().take(index).any(|word| word.head().starts_with("-exec") || word.head() == "-ok");
            let is_one = if is_command {
                is_shell_word(word) && !(word.text == ";" && ends_exec())
            } else {
                // A word of its own may be what the program wants: `sort -t '|'`, `expr 1 '>' 2`.
                PARTS.contains(&&*word.text) && !before.starts_with('-') && index + 1 < words.len()
            };
            (is_one && word.values.is_empty()).then_some(&word.text)
        });
        let Some(word) = found else { return };
        let message = format!("`{program}` gets `{word}` as a word: no shell stands between that would understand it");
        let help = if is_command {
            "take what is wanted of the output: `.stdout | lines | last`; a shell is `sh -c '…'`, and a change; \
             in quotes it is a word: `'|'`"
        } else {
            "take what is wanted of the output: `-> list<line>`, and `| last` where it is used; what needs a shell is a \
             script in the runbook's folder: `argv(\"./name.sh\")`"
        };
        self.report(Diagnostic::new(Code::NoShell, place, message).help(help));
    }

    fn report_script(&mut self, found: &Found<'_, Known<'_>>, value: &Expr, is_command: bool, before: &str) {
        let (program, text) = (&found.program, self.quoted(value.span));
        let message = format!("{text} would be a part of the program that `{program}` runs: what it holds is run");
        let name = match one_line(self.text(value.span)) {
            name if name.chars().all(|c| c.is_alphanumeric() || c == '_') => name,
            _ => "value".to_owned(),
        };
        let help = match found.language {
            Language::Shell if is_command => {
                format!(
                    "`$1` stands for it, and it is a word behind the script: `\"{program} -c 'ls \\\"$1\\\"' sh {{{name}}}\"`"
                )
            }
            Language::Shell => {
                let script = numbered(found).unwrap_or_else(|| "ls \"$1\"".to_owned());
                let names = self.names_of(found, &name);
                format!(
                    "`\"$1\"` stands for it, and it is a word behind the script: \
                     `argv({before}\"{program}\", \"-c\", '{script}', \"sh\", {names})`"
                )
            }
            Language::Awk => format!("name it: `argv(\"awk\", \"-v\", \"x={{{name}}}\", '$1 == x', …)`"),
            Language::Sql => format!(
                "a connection binds it, so that it cannot be a part of the statement: `connect db = postgres(…)`, \
                 `db.query(\"… = {{{name}}}\")`"
            ),
            Language::Sed => format!(
                "sed can run programs and write files. awk takes a value by its name: \
                 `argv(\"awk\", \"-v\", \"x={{{name}}}\", 'index($0, x)', …)`"
            ),
            Language::Environment(written) => {
                format!("`{written}` stands for it in the program, and behind that stands `env: {{ X: {name} }}`")
            }
            Language::Remote => format!(
                "the shell of the other machine reads it from standard input: \
                 `argv(\"ssh\", host, 'IFS= read -r x; ls \"$x\"', stdin: {name})`"
            ),
        };
        self.report(Diagnostic::new(Code::NotALiteral, value.span, message).help(help));
    }

    /// The values as words behind the script.
    fn names_of(&self, found: &Found<'_, Known<'_>>, first: &str) -> String {
        let values = found.words.iter().flat_map(|word| &word.values);
        let names: Vec<String> = values.map(|(_, value)| one_line(self.text(value.span))).collect();
        if numbered(found).is_some() { names.join(", ") } else { first.to_owned() }
    }
}

/// What parts the commands of a shell, and says where their output goes.
const PARTS: &[&str] = &["|", "||", "&&", "|&", ">>", "2>", "2>&1", "2>/dev/null", "&>", ">/dev/null"];

/// Whether a word that stands in no quotes means something to a shell.
fn is_shell_word(word: &Known<'_>) -> bool {
    let text = &*word.text;
    let is_expanded = text.match_indices('$').any(|(at, _)| {
        text.get(at + 1..)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '(')))
    });
    !word.quoted
        && (PARTS.contains(&text)
            || matches!(text, ">" | "<" | "&")
            || text.ends_with(';')
            || is_expanded
            || [">", ">>", "2>", "<"]
                .iter()
                .any(|sign| text.strip_prefix(sign).is_some_and(|rest| rest.starts_with(['/', '.', '&']))))
}

/// The script with `"$1"` where a value stood, if that is all it takes: where nothing is quoted in it.
fn numbered(found: &Found<'_, Known<'_>>) -> Option<String> {
    let [word] = found.words.as_slice() else { return None };
    let plain =
        !word.stands_in && !word.text.contains(['"', '\'', '\n', '\\', '{', '`']) && word.text.len() <= MAX_SHOWN;
    // What is nothing but a value is a script from elsewhere: its right form is not known.
    if !plain || word.text.is_empty() {
        return None;
    }
    let (mut script, mut from) = (String::new(), 0);
    for (index, (at, _)) in word.values.iter().enumerate() {
        script.push_str(word.text.get(from..*at)?);
        let _ = write!(script, "\"${}\"", index + 1);
        from = *at;
    }
    script.push_str(word.text.get(from..)?);
    Some(script)
}
