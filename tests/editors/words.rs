//! The files are well-formed, and their words are the language's.

use std::collections::BTreeSet;
use std::path::Path;

use runbook::source::Sources;
use runbook::syntax::parse;
use runbook::syntax::words::KEYWORDS;
use serde_json::Value;

const TEXTMATE: &str = include_str!("../../editors/vscode/syntaxes/runbook.tmLanguage.json");
const VIM: &str = include_str!("../../editors/vim/syntax/runbook.vim");

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

/// Every regular expression of a grammar of `TextMate`.
fn expressions(grammar: &Value, found: &mut Vec<String>) {
    match grammar {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if matches!(name.as_str(), "match" | "begin" | "end" | "while") => {
                        found.push(text.clone());
                    }
                    other => expressions(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

fn textmate() -> Vec<String> {
    let mut found = Vec::new();
    expressions(&json(TEXTMATE), &mut found);
    assert!(found.len() > 50, "{} expressions are too few to be the whole grammar", found.len());
    found
}

/// The patterns of a Vim syntax file: what stands between the delimiters of `match` and `region`.
fn vim() -> Vec<String> {
    let lines = VIM.lines().filter(|line| line.starts_with("syn match") || line.starts_with("syn region"));
    let patterns: Vec<String> = lines
        .flat_map(|line| {
            let delimiter = line.chars().find(|c| matches!(c, ';' | '"')).expect("a pattern has its delimiters");
            line.split(delimiter).skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert!(patterns.len() > 50, "{} patterns are too few to be the whole file", patterns.len());
    patterns
}

/// The words that an expression spells out, classes and escapes left aside.
fn words(expression: &str) -> Vec<String> {
    let mut bare = String::new();
    let mut letters = expression.chars();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                // Vim's `\zs` and `\ze` have a second letter.
                if letters.next() == Some('z') {
                    letters.next();
                }
                bare.push(' ');
            }
            '[' => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            other => bare.push(other),
        }
    }
    bare.split(|c: char| !c.is_ascii_lowercase()).filter(|word| word.len() > 1).map(str::to_owned).collect()
}

fn differences(expressions: &[String]) -> (Vec<String>, Vec<String>) {
    let written: BTreeSet<String> = expressions.iter().flat_map(|expression| words(expression)).collect();
    let known: BTreeSet<String> = KEYWORDS.iter().map(|word| (*word).to_owned()).collect();
    (known.difference(&written).cloned().collect(), written.difference(&known).cloned().collect())
}

#[test]
fn visual_studio_code_knows_the_language_s_words_and_no_other() {
    assert_eq!(differences(&textmate()), (vec![], vec![]), "(missing, unknown)");
}

#[test]
fn vim_knows_the_language_s_words_and_no_other() {
    assert_eq!(differences(&vim()), (vec![], vec![]), "(missing, unknown)");
}

#[test]
fn words_are_read_out_of_an_expression() {
    assert_eq!(words(r"(?<![.\w])(at\s+most)(?=\s+[a-z])"), ["at", "most"]);
    assert_eq!(words(r"\v<daily\s+at>\ze\s+\d"), ["daily", "at"]);
}

#[test]
fn every_expression_of_visual_studio_code_compiles() {
    let other = include_str!("../../editors/vscode/syntaxes/markdown-runbook.tmLanguage.json");
    let mut expressions_of_fences = Vec::new();
    expressions(&json(other), &mut expressions_of_fences);
    for expression in textmate().into_iter().chain(expressions_of_fences) {
        // The end of a region may refer to groups of its beginning; a regex of its own it is not.
        if !expression.contains(r"\2") {
            fancy_regex::Regex::new(&expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        }
    }
}

#[test]
fn every_include_of_the_grammar_exists_and_every_entry_is_used() {
    let grammar = json(TEXTMATE);
    let entries: BTreeSet<&str> = grammar["repository"].as_object().unwrap().keys().map(String::as_str).collect();
    let included: BTreeSet<&str> =
        TEXTMATE.split("\"include\": \"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(entries, included);
}

#[test]
fn the_extension_s_files_are_json_and_there() {
    let root = Path::new("editors/vscode");
    let package = json(&std::fs::read_to_string(root.join("package.json")).unwrap());
    let contributes = &package["contributes"];
    let mut paths = vec![contributes["languages"][0]["configuration"].as_str().unwrap()];
    for kind in ["grammars", "snippets"] {
        paths.extend(contributes[kind].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()));
    }
    assert_eq!(paths.len(), 4);
    for path in paths {
        json(&std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}")));
    }
    assert_eq!(contributes["grammars"][0]["scopeName"], json(TEXTMATE)["scopeName"]);
}

#[test]
fn every_snippet_is_a_piece_of_the_language() {
    let snippets = json(include_str!("../../editors/vscode/snippets/runbook.json"));
    for (name, snippet) in snippets.as_object().unwrap() {
        let body: Vec<&str> = snippet["body"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let text = filled(&body.join("\n"));
        let source = match name.as_str() {
            "Check" | "Require" | "Change" => format!("section \"s\" {{\n{text}\n}}\n"),
            _ => format!("{text}\n"),
        };
        let file = Sources::new().add("snippet.runbook", source.as_str());
        let diagnostics = parse(file, &source).diagnostics;
        assert!(diagnostics.is_empty(), "{name}: {diagnostics:#?}\n{source}");
    }
}

/// A snippet as it is when every placeholder keeps what it proposes: `${1:this}` is `this`.
fn filled(body: &str) -> String {
    let placeholder = fancy_regex::Regex::new(r"\$\{\d+:([^}]*)\}").expect("it is a regex");
    placeholder.replace_all(body, "$1").into_owned()
}
