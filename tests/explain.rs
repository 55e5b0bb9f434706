//! Every page of `runbook explain` is true: its example raises its own code and no other, its mended form nothing.

mod pages;

use pages::{fences, look};
use runbook::diagnostics::Code;

/// The codes that no text in a page can raise, with what raises them: the file, and what lies beside it.
struct Elsewhere {
    code: Code,
    reason: &'static str,
    text: &'static str,
    others: &'static [(&'static str, &'static [u8])],
}

const ELSEWHERE: &[Elsewhere] = &[
    Elsewhere {
        code: Code::FileUnreadable,
        reason: "a page cannot be a file that is not there; tests/cli.rs names one",
        text: "",
        others: &[],
    },
    Elsewhere { code: Code::FileTooLarge, reason: "a page cannot have 4 MiB", text: "", others: &[] },
    Elsewhere { code: Code::NotUtf8, reason: "a page is UTF-8 text", text: "", others: &[] },
    Elsewhere {
        code: Code::HiddenCharacter,
        reason: "a page must not hide a character from its reader either",
        text: "",
        others: &[],
    },
    Elsewhere {
        code: Code::ModuleCycle,
        reason: "it takes two files",
        text: "library \"page\" { edition 1 }\nuse \"./other\" as other\n",
        others: &[
            ("other.runbook", b"library \"o\" { edition 1 }\nuse \"./page\" as page\n"),
            ("page.runbook", b"library \"page\" { edition 1 }\nuse \"./other\" as other\n"),
        ],
    },
    Elsewhere {
        code: Code::ModuleMissing,
        reason: "it takes two files, of which one is not there",
        text: "use \"./other\" as other\n",
        others: &[],
    },
];

fn elsewhere(code: Code) -> Option<&'static Elsewhere> {
    ELSEWHERE.iter().find(|other| other.code == code)
}

#[test]
fn every_example_raises_its_own_code_and_no_other() {
    let catalog = runbook::builtins::catalog();
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().copied().filter(|code| elsewhere(*code).is_none()) {
        let fences = fences(code.page());
        let Some(example) = fences.first().filter(|fence| fence.is(&["runbook"])) else {
            wrong.push(format!("{}: the page does not begin with an example", code.name()));
            continue;
        };
        let seen = look(&catalog, &example.text, &[]);
        if seen.diagnostics.is_empty() || seen.diagnostics.iter().any(|found| found.code != code) {
            wrong.push(format!("{}: {:#?}", code.name(), seen.lines()));
        }
    }
    assert!(wrong.is_empty(), "{} pages: {}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_mended_example_is_clean() {
    let catalog = runbook::builtins::catalog();
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().copied().filter(|code| elsewhere(*code).is_none()) {
        let fixed: Vec<_> = fences(code.page()).into_iter().filter(|fence| fence.is(&["runbook", "fixed"])).collect();
        if fixed.is_empty() {
            wrong.push(format!("{}: nothing says what to write instead", code.name()));
        }
        for fence in fixed {
            let lines = look(&catalog, &fence.text, &[]).lines();
            if !lines.is_empty() {
                wrong.push(format!("{}: {lines:#?}", code.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} pages: {}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_a_page_cannot_show_is_raised_here() {
    let catalog = runbook::builtins::catalog();
    for other in ELSEWHERE {
        assert!(!other.reason.is_empty());
        let page = fences(other.code.page());
        assert!(page.first().is_some_and(|fence| fence.is(&["text"])), "{} shows what happened", other.code.name());
        if !other.text.is_empty() {
            let seen = look(&catalog, other.text, other.others);
            let codes: Vec<Code> = seen.diagnostics.iter().map(|found| found.code).collect();
            assert!(codes.contains(&other.code), "{}: {:#?}", other.code.name(), seen.lines());
        }
    }
}

#[test]
fn every_page_has_its_name_and_says_why_in_short_lines() {
    for code in Code::ALL {
        let page = code.page();
        assert_eq!(page.lines().next(), Some(format!("# {}", code.name()).as_str()));
        let words = page.split("```").next().unwrap_or_default().split_whitespace().count();
        assert!((20..120).contains(&words), "{}: {words} words before the example", code.name());
        let long = page.lines().find(|line| line.chars().count() > 140);
        assert!(long.is_none(), "{}: {long:?}", code.name());
        for fence in fences(page) {
            let known = fence.is(&["runbook"]) || fence.is(&["runbook", "fixed"]) || fence.is(&["text"]);
            assert!(known, "{}:{}: {:?}", code.name(), fence.line, fence.info);
        }
    }
}
