//! Both editors read `colours.runbook` with their own engines and colour it as it is meant.
//!
//! An engine that this machine does not have is said by name on the standard error, so that a run without it does not
//! look like one with it; with `RUNBOOK_TESTS=all` its absence is a failure.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const SOURCE: &str = include_str!("colours.runbook");
const FILE: &str = "tests/editors/colours.runbook";

/// A word of a line (told by a piece of it), and what each editor calls its colour.
struct Case {
    line: &'static str,
    word: &'static str,
    code: &'static str,
    vim: &'static str,
}

macro_rules! cases {
    ($($line:literal $word:literal $code:literal $vim:literal)*) => {
        &[$(Case { line: $line, word: $word, code: $code, vim: $vim },)*]
    };
}

const CASES: &[Case] = cases! {
    "## What" "What" "comment.line.documentation" "runbookDocComment"
    "runbook \"Colours\"" "runbook" "storage.type" "runbookDeclaration"
    "edition" "edition" "variable.other.property.header" ""
    "use \"./care\"" "use" "keyword.control.import" "runbookInclude"
    "use \"./care\"" "as" "keyword.control.import" "runbookInclude"
    "param limit" "param" "storage.type" "runbookDeclaration"
    "param limit" "limit" "entity.name.variable" "runbookTypedName"
    "param limit" "percent" "support.type" "runbookType"
    "param limit" "85%" "constant.numeric.percent" "runbookQuantity"
    "param level" "level" "entity.name.variable" "runbookTypedName"
    "connect site" "http" "support.function" "runbookFunction"
    "connect site" "if" "variable.parameter" "runbookKey"
    "connect site" "level" "source.runbook" ""
    "tool purge" "tool" "storage.type" "runbookDeclaration"
    "tool purge" "changes" "keyword.control.change" "runbookChange"
    "tool purge" "idempotent" "storage.modifier" "runbookClause"
    "type backup" "type" "storage.type" "runbookDeclaration"
    "command full" "command" "storage.type" "runbookDeclaration"
    "command full" "deprecated" "keyword.other.clause" "runbookClause"
    "return host" "return" "keyword.control" "runbookStatement"
    "return host" "host" "support.class.family" "runbookFamily"
    "return host" "disks" "support.function" "runbookMethod"
    "return host" "where" "support.function.stage" "runbookStage"
    "return host" "used_share" "variable.language.own-field" "runbookOwnField"
    "metric disk_used" "metric" "storage.type" "runbookDeclaration"
    "metric disk_used" "every" "keyword.other.clause" "runbookClause"
    "metric disk_used" "for" "keyword.control" "runbookStatement"
    "threshold \"Disk" "threshold" "storage.type" "runbookDeclaration"
    "threshold \"Disk" "Disk full" "entity.name.section" "runbookTitle"
    "threshold \"Disk" "critical" "constant.language.severity" "runbookSeverity"
    "when disk_used" "when" "keyword.other.clause" "runbookClause"
    "when disk_used" "15m" "constant.numeric.quantity" "runbookQuantity"
    "until disk_used" "until" "keyword.other.clause" "runbookClause"
    "escalate to level 2 after" "escalate" "keyword.control" "runbookStatement"
    "escalate to level 2 after" "to level" "keyword.other.clause" "runbookClause"
    "escalate to level 2 after" "after" "keyword.other.clause" "runbookClause"
    "quiet while" "quiet while" "keyword.other.clause" "runbookClause"
    "group by" "group by" "keyword.other.clause" "runbookClause"
    "link \"https://example.com/wiki" "link" "keyword.other.clause" "runbookClause"
    "from alertmanager" "from" "keyword.other.clause" "runbookClause"
    "from alertmanager" "alertmanager" "constant.other.outcome" "runbookWord"
    "section \"Answer\"" "on alert" "keyword.other.schedule" "runbookSchedule"
    "section \"Care\"" "section" "storage.type" "runbookDeclaration"
    "section \"Care\"" "daily at" "keyword.other.schedule" "runbookSchedule"
    "section \"Care\"" "08:00" "constant.numeric.clock" "runbookTime"
    "section \"Care\"" "late" "variable.parameter" "runbookKey"
    "section \"Care\"" "within" "keyword.other.clause" "runbookClause"
    "section \"Care\"" "quiet" "keyword.other.clause" "runbookClause"
    "step \"Look\"" "step" "storage.type" "runbookDeclaration"
    "# A note" "note" "comment.line.number-sign" "runbookComment"
    "let within" "within" "variable.other.definition" "runbookTypedName"
    "let within" "try" "keyword.control" "runbookStatement"
    "let within" "on" "keyword.control" "runbookClause"
    "let within" "denied" "constant.other.fault" "runbookWord"
    "let within" "otherwise" "keyword.control" "runbookStatement"
    "let within" "null" "constant.language" "runbookConstant"
    "show within" "within" "source.runbook" ""
    "show within" "share" "meta.embedded.runbook" "runbookInterpolation"
    "show within" ":.1" "constant.other.format" "runbookFormat"
    "show within" "run" "variable.language.run" "runbookSpecial"
    "show within" ":%Y/%m/%d" "constant.other.format" "runbookFormat"
    "show within" "\\n" "constant.character.escape" "runbookEscape"
    "show within" "\\q" "invalid.illegal.escape" "runbookBadEscape"
    "check disk.check" "check" "keyword.control.check" "runbookCheck"
    "check disk.check" ".check" "variable.other.property" "runbookField"
    "check disk.check" "and" "keyword.operator.word" "runbookWordOperator"
    "check disk.check" "it" "variable.language.it" "runbookSpecial"
    "check disk.check" "retry" "variable.other.property" "runbookField"
    "check disk.check" "else" "keyword.control" "runbookStatement"
    "check disk.check" "warning" "constant.language.severity" "runbookSeverity"
    "check line.text" "err" "string.regexp" "runbookRegex"
    "check line.text" "/i" "string.regexp" "runbookRegex"
    "require share" "require" "keyword.control.check" "runbookCheck"
    "require share" "10MiB/s" "constant.numeric.rate" "runbookQuantity"
    "require share" "{share}" "string.quoted.single.raw" "runbookRawString"
    "| sort" "sort" "support.function.stage" "runbookStage"
    "| sort" "descending" "variable.parameter" "runbookKey"
    "| sort" "true" "constant.language" "runbookConstant"
    "any(d" "d " "variable.parameter" "runbookParameter"
    "any(d" "1h30m" "constant.numeric.quantity" "runbookQuantity"
    "show 2026" "2026-11-23" "constant.numeric.date" "runbookTime"
    "block {share}" "block" "string.quoted.triple.block" "runbookString"
    "block {share}" "share" "meta.embedded.runbook" "runbookInterpolation"
    "block {share}" "# not" "string.quoted.triple.block" "runbookString"
    "change answer" "change" "keyword.control.change" "runbookChange"
    "change answer" "change: " "variable.parameter" "runbookKey"
    "within 5m" "within" "keyword.other.clause" "runbookClause"
    "approve by" "approve by" "keyword.other.clause" "runbookClause"
    "verify answer" "verify" "keyword.other.clause" "runbookClause"
    "undo site" "undo" "keyword.other.clause" "runbookClause"
    "wait until" "wait" "keyword.control" "runbookStatement"
    "wait until" "until" "keyword.other.clause" "runbookClause"
    "for disk in disks" "at most" "keyword.other.clause" "runbookClause"
    "for disk in disks" "do" "keyword.control" "runbookStatement"
    "retry 3" "measure" "keyword.control" "runbookStatement"
    "manual \"look\"" "manual" "keyword.control" "runbookStatement"
    "if true" "raise" "keyword.control" "runbookStatement"
    "on failure" "on failure" "keyword.control" "runbookStatement"
    "always {" "always" "keyword.control" "runbookStatement"
    "\"Weekly\"" "weekly on" "keyword.other.schedule" "runbookSchedule"
    "\"Weekly\"" "monday" "constant.other.weekday" "runbookWord"
    "\"Monthly\"" "monthly on day" "keyword.other.schedule" "runbookSchedule"
    "\"Cron\"" "cron" "keyword.other.clause" "runbookClause"
    "escalation operations" "escalation" "storage.type" "runbookDeclaration"
    "level 1" "level" "storage.type" "runbookDeclaration"
    "respond within" "respond within" "keyword.other.clause" "runbookClause"
    "unless resolved" "unless" "keyword.other.clause" "runbookClause"
    "unless resolved" "resolved" "constant.other.outcome" "runbookWord"
    "by hand" "by hand" "keyword.other.clause" "runbookClause"
    "roles on_call" "roles" "keyword.other.clause" "runbookClause"
    "repeat 3" "repeat" "keyword.other.clause" "runbookClause"
    "report \"Health\"" "report" "storage.type" "runbookDeclaration"
    "show if level" "level" "source.runbook" ""
    "send to" "send to" "keyword.control" "runbookStatement"
    "test \"a full" "test" "storage.type" "runbookDeclaration"
    "given site" "given" "keyword.control.test" "runbookTest"
    "given site" "is unreachable" "keyword.other.test" "runbookClause"
    "takes 12s" "takes" "keyword.other.clause" "runbookClause"
    "fails \"no" "fails" "keyword.other.clause" "runbookClause"
    "\"DBA\" approves" "approves" "keyword.other.test" "runbookTest"
    "answers \"done\"" "answers" "keyword.other.test" "runbookTest"
    "alert \"InstanceDown" "alert" "keyword.control.test" "runbookTest"
    "alert \"InstanceDown" "fires" "keyword.other.test" "runbookTest"
    "alert \"TargetDown" "ends" "keyword.other.test" "runbookTest"
    "run \"Care\"" "run" "keyword.control.test" "runbookTest"
    "expect no alert" "expect" "keyword.control.test" "runbookTest"
    "expect no alert" "alert" "keyword.other.test" "runbookFact"
    "expect notified" "notified" "keyword.other.test" "runbookFact"
    "not measured" "measured" "constant.other.outcome" "runbookOutcome"
    "expect run failed" "failed" "constant.other.outcome" "runbookOutcome"
    "expect change" "change" "keyword.control.change" "runbookChange"
};

#[test]
fn visual_studio_code_colours_a_runbook() {
    let modules = Path::new("editors/vscode/node_modules/vscode-textmate");
    if !modules.is_dir() {
        return not_run("visual_studio_code_colours_a_runbook", "`npm ci` in editors/vscode");
    }
    let node = Command::new("node").args(["tests/editors/tokens.cjs", "editors/vscode", FILE]).output();
    let Ok(output) = node else {
        return not_run("visual_studio_code_colours_a_runbook", "node");
    };
    let tokens = tokens(&text(&output));
    compare(&tokens, |case| case.code);
}

#[test]
fn vim_colours_and_indents_a_runbook() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("tokens.json");
    let vim = Command::new("vim")
        .args(["-es", "-u", "NONE", "-i", "NONE", "-N", "-S", "tests/editors/tokens.vim"])
        .env("RUNTIME", "editors/vim")
        .env("FILE", FILE)
        .env("OUT", &out)
        .stdin(std::process::Stdio::null())
        .output();
    if vim.is_err() || !has_syntax() {
        return not_run("vim_colours_and_indents_a_runbook", "vim with its syntax engine");
    }
    let written = std::fs::read_to_string(&out).unwrap_or_else(|error| panic!("vim wrote nothing: {error}, {vim:?}"));
    let tokens = tokens(&written);
    let complaints: Vec<&Value> = tokens.iter().filter(|token| token.get("line").is_none()).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    compare(&tokens, |case| case.vim);
}

/// Distributions ship a `vim` without syntax highlighting as well.
fn has_syntax() -> bool {
    Command::new("vim")
        .arg("--version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("+syntax"))
}

#[expect(clippy::disallowed_methods, reason = "a test asks its own environment how strict it is to be")]
fn not_run(test: &str, needs: &str) {
    assert!(std::env::var_os("RUNBOOK_TESTS").is_none_or(|wanted| wanted != "all"), "{test} needs {needs}");
    // Past the harness, which keeps the output of tests that pass to itself.
    let line = format!("not run: {test}: needs {needs}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("the standard error takes a line");
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn tokens(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON a token")).collect()
}

fn compare(tokens: &[Value], wanted: fn(&Case) -> &'static str) {
    assert!(tokens.len() > 300, "{} tokens are too few to be the whole file", tokens.len());
    let wrong: Vec<String> = CASES
        .iter()
        .filter_map(|case| {
            let got = colour(tokens, case);
            let wanted = wanted(case);
            // No colour of its own is the name of the language, or nothing at all.
            let plain = wanted.is_empty() || wanted == "source.runbook";
            let right = if plain { got == wanted } else { got.contains(wanted) };
            (!right).then(|| format!("`{}` in `{}`: wanted {wanted:?}, got {got:?}", case.word, case.line))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The colour of the last letter of a case's word: its first may be a point, which has its own.
fn colour(tokens: &[Value], case: &Case) -> String {
    let number =
        |token: &Value, field: &str| token.get(field).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let (index, line) = SOURCE
        .lines()
        .enumerate()
        .find(|(_, line)| line.contains(case.line))
        .unwrap_or_else(|| panic!("no line has `{}`", case.line));
    let from = line.find(case.line).unwrap_or_default();
    let column = whole_word(line, case.word, from)
        .or_else(|| whole_word(line, case.word, 0))
        .unwrap_or_else(|| panic!("`{line}` has no `{}`", case.word));
    let last = column + case.word.trim_end_matches([' ', ':', '}']).len() - 1;
    tokens
        .iter()
        .find(|token| {
            number(token, "line") == Some(index)
                && number(token, "start").is_some_and(|start| start <= last)
                && number(token, "end").is_some_and(|end| end > last)
        })
        .and_then(|token| token.get("colour")?.as_str())
        .unwrap_or_default()
        .to_owned()
}

/// Where a word stands that is not a part of another one.
fn whole_word(line: &str, word: &str, from: usize) -> Option<usize> {
    let is_part = |letter: Option<char>| letter.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let bounded = |letter: Option<char>| letter.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    line.get(from..)?.match_indices(word).map(|(offset, _)| from + offset).find(|start| {
        let before = line.get(..*start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        !(bounded(word.chars().next()) && is_part(before) || bounded(word.chars().last()) && is_part(after))
    })
}
