//! A line of shell as it is put together: its words, and the programs that it starts.

use super::word::{Piece, is_variable, word};

/// A piece of a line on the way to words.
pub(super) enum Bit {
    /// As the built-in has it: shell, with its quotes.
    Raw(String),
    /// A part of a word.
    Word(Vec<Piece>),
    /// Whole words.
    Words(Vec<Vec<Piece>>),
}

/// Programs that take `--` as the end of their options.
const ENDING: &[&str] = &["kubectl", "cat", "zcat", "df", "stat", "ls", "systemctl", "printenv", "getent"];

/// What is on every machine, and is not worth a word.
const EVERYWHERE: &[&str] = &[
    "printf", "grep", "sed", "sort", "uniq", "head", "tail", "cat", "ls", "df", "wc", "stat", "sh", "cd", "date",
    "awk", "env", "zcat", "xargs",
];

/// The words of a line, and the programs that it starts.
pub(super) fn words(bits: &[Bit]) -> (String, Vec<String>) {
    let mut line = Line::default();
    for bit in bits {
        match bit {
            Bit::Raw(text) => text.chars().for_each(|c| line.character(c)),
            Bit::Word(pieces) => line.pieces(pieces),
            Bit::Words(words) => {
                for (index, pieces) in words.iter().enumerate() {
                    if index > 0 {
                        line.end();
                    }
                    line.pieces(pieces);
                }
            }
        }
    }
    line.end();
    (line.done.join(" "), line.programs)
}

#[derive(Default)]
struct Line {
    done: Vec<String>,
    programs: Vec<String>,
    /// The program whose words these are, once it is there.
    program: Option<String>,
    /// What comes now is no option of it, or is written as the program is to have it.
    ended: bool,
    raw: String,
    pieces: Vec<Piece>,
    /// Something was put in.
    filled: bool,
    quote: Option<char>,
    escaped: bool,
}

impl Line {
    fn character(&mut self, c: char) {
        if self.quote.is_none() && c == ' ' {
            self.end();
            return;
        }
        self.raw.push(c);
        if self.escaped {
            self.escaped = false;
        } else if self.quote == Some(c) {
            self.quote = None;
            return;
        } else if self.quote.is_none() && matches!(c, '\'' | '"') {
            self.quote = Some(c);
            return;
        } else if self.quote == Some('"') && c == '\\' {
            self.escaped = true;
            return;
        }
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => self.pieces.push(Piece::Text(c.to_string())),
        }
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        self.filled = true;
        self.pieces.extend(pieces.iter().cloned());
    }

    fn end(&mut self) {
        let (raw, pieces) = (std::mem::take(&mut self.raw), std::mem::take(&mut self.pieces));
        let filled = std::mem::take(&mut self.filled);
        if raw.is_empty() && !filled {
            return;
        }
        let whole = filled && raw.is_empty();
        let written = match raw.split_once('=') {
            // A variable that is set keeps its name outside of quotes.
            Some((name, _)) if filled && self.program.is_none() && is_variable(name) => {
                let value: Vec<Piece> = without(&pieces, name.len() + 1);
                format!("{name}={}", word(&value))
            }
            _ if filled => word(&pieces),
            _ => raw,
        };
        let is_set = matches!(pieces.first(), Some(Piece::Set(_)));
        match (&self.program, written.as_str()) {
            (_, "|" | "||" | "&&" | ";") => self.program = None,
            (Some(_), "--") => self.ended = true,
            (None, text) if !is_set && !is_setting(text) => {
                let name = text.trim_matches(['\'', '"', '(']).replace("$OLDPWD/", "./").replace("././", "./");
                if !EVERYWHERE.contains(&name.as_str()) && !self.programs.contains(&name) {
                    self.programs.push(name.clone());
                }
                self.program = Some(name);
                // What a runbook starts is told what the runbook says, word for word.
                self.ended = filled;
            }
            // A name that begins with a dash would be read as an option.
            (Some(program), _) if whole && !self.ended && ENDING.contains(&program.as_str()) => {
                let after_option = self.done.last().is_some_and(|before| before.starts_with('-'));
                let is_dashed = matches!(pieces.first(), Some(Piece::Text(text)) if text.starts_with('-'));
                if is_dashed && !after_option {
                    self.done.push("--".to_owned());
                }
            }
            _ => {}
        }
        match self.done.last_mut() {
            Some(before) if written == ")" && !filled => before.push(')'),
            _ => self.done.push(written),
        }
    }
}

fn without(pieces: &[Piece], bytes: usize) -> Vec<Piece> {
    let mut pieces = pieces.to_vec();
    if let Some(Piece::Text(first)) = pieces.first_mut() {
        *first = first.get(bytes..).unwrap_or_default().to_owned();
    }
    pieces
}

fn is_setting(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| is_variable(name))
}
