//! Every page of `runbook explain` is true: its example raises its own code and no other, its mended form nothing.

mod pages;
#[path = "support/program.rs"]
mod program;

use pages::{fences, formatted, look};
use program::Folder;
use runbook::diagnostics::Code;
use runbook::source::MAX_BYTES;

/// A code that the text of a page cannot raise, and the files with which the command on its page does.
struct Elsewhere {
    code: Code,
    reason: &'static str,
    files: fn() -> Vec<(&'static str, Vec<u8>)>,
}

const ELSEWHERE: &[Elsewhere] = &[
    Elsewhere { code: Code::FileUnreadable, reason: "a page cannot be a file that is not there", files: Vec::new },
    Elsewhere {
        code: Code::FileTooLarge,
        reason: "a page cannot have more than 4 MiB",
        files: || vec![("backup.runbook", vec![b' '; MAX_BYTES + 1])],
    },
    Elsewhere {
        code: Code::NotUtf8,
        reason: "a page is UTF-8 text",
        files: || vec![("old.runbook", b"section \"Caf\xe9\" {}\n".to_vec())],
    },
    Elsewhere {
        code: Code::HiddenCharacter,
        reason: "a page must not hide a character from its reader either",
        files: || vec![("care.runbook", "section \"Care\" {} # \u{202E}\n".into())],
    },
    Elsewhere {
        code: Code::ModuleCycle,
        reason: "it takes two files",
        files: || {
            let library =
                |other: &str| format!("library \"l\" {{ edition 1 }}\nuse \"./{other}\" as {other}\n").into_bytes();
            vec![("care.runbook", library("disks")), ("disks.runbook", library("care"))]
        },
    },
    Elsewhere {
        code: Code::ModuleMissing,
        reason: "it takes two files, of which one is not there",
        files: || vec![("daily.runbook", b"use \"./cair\" as _care\n".to_vec())],
    },
    Elsewhere {
        code: Code::FileMissing,
        reason: "it takes a file that is not there",
        files: || vec![("daily.runbook", channel("mail.html"))],
    },
    Elsewhere {
        code: Code::RolesMistake,
        reason: "it takes a file beside the runbook",
        files: || {
            let escalation = "channel mail = email(to: [\"ops@example.com\"])\n\
                escalation ops {\n  level 1 \"Engineer\" {\n    notify mail\n  }\n  roles \"on-call.toml\"\n}\n";
            vec![
                ("daily.runbook", escalation.into()),
                ("on-call.toml", b"[roles.Engineer]\npeople = [\"ann\"]\n".to_vec()),
            ]
        },
    },
    Elsewhere {
        code: Code::PolicyMistake,
        reason: "it takes a policy",
        files: || policy("forbid = [\"shel\"]\n", "section \"Care\" {\n  check 1 < 2 as \"sane\"\n}\n"),
    },
    Elsewhere {
        code: Code::PolicyForbids,
        reason: "it takes a policy",
        files: || policy("forbid = [\"shell\"]\n", "section \"Care\" {\n  change shell(\"rm -r /var/tmp/old\")\n}\n"),
    },
    Elsewhere {
        code: Code::PolicyRequires,
        reason: "it takes a policy",
        files: || {
            let runbook = "connect db = postgres(host: \"db.example.org\", database: \"shop\")\n\n\
                section \"Care\" {\n  change db.execute(\"VACUUM ANALYZE\")\n}\n";
            policy("[require.postgres]\nlimit = true\nverify = true\napprove_by = \"dba\"\n", runbook)
        },
    },
    Elsewhere {
        code: Code::PolicyHost,
        reason: "it takes a policy",
        files: || {
            let runbook = "connect a = http(\"https://example.com\")\n\n\
                section \"Look\" {\n  check a.answers(\"/\") as \"it answers\"\n}\n";
            policy("[hosts]\nallowed = [\"*.example.org\", \"10.0.0.0/8\"]\n", runbook)
        },
    },
    Elsewhere {
        code: Code::TemplateMistake,
        reason: "it takes a file beside the runbook",
        files: || vec![("daily.runbook", channel("mail.html")), ("mail.html", b"<h1>{{ titel }}</h1>\n".to_vec())],
    },
];

/// A runbook, and the policy of its repository.
fn policy(policy: &str, runbook: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![("runbook.policy.toml", policy.into()), ("daily.runbook", runbook.into())]
}

/// A runbook with a channel of that template.
fn channel(template: &str) -> Vec<u8> {
    format!("channel mail = email(to: [\"ops@example.com\"], template: \"{template}\")\n").into_bytes()
}

fn elsewhere(code: Code) -> Option<&'static Elsewhere> {
    ELSEWHERE.iter().find(|other| other.code == code)
}

#[test]
fn every_example_raises_its_own_code_and_no_other() {
    let catalog = runbook::builtins::catalog();
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().copied().filter(|code| elsewhere(*code).is_none()) {
        let fences = fences(code.page());
        let Some(example) = fences.first().filter(|fence| fence.info == ["runbook"]) else {
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
fn every_mended_example_is_clean_and_formatted() {
    let catalog = runbook::builtins::catalog();
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().copied().filter(|code| elsewhere(*code).is_none()) {
        let fixed: Vec<_> =
            fences(code.page()).into_iter().filter(|fence| fence.info == ["runbook", "fixed"]).collect();
        if fixed.is_empty() {
            wrong.push(format!("{}: nothing says what to write instead", code.name()));
        }
        for fence in fixed {
            let lines = look(&catalog, &fence.text, &[]).lines();
            if !lines.is_empty() {
                wrong.push(format!("{}: {lines:#?}", code.name()));
            }
            if formatted(&fence.text) != fence.text {
                wrong.push(format!("{}: the formatter writes\n{}", code.name(), formatted(&fence.text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} pages: {}", wrong.len(), wrong.join("\n"));
}

/// The page shows a command and what it answers: both are tried.
#[test]
fn what_a_page_cannot_raise_is_answered_as_it_says() {
    for other in ELSEWHERE {
        let (name, reason) = (other.code.name(), other.reason);
        let fences = fences(other.code.page());
        let shown = fences.first().filter(|fence| fence.info == ["text"]).unwrap_or_else(|| panic!("{name}: {reason}"));
        let command = shown.text.lines().next().and_then(|line| line.strip_prefix("$ runbook ")).expect("a command");
        let folder = Folder::new();
        for (file, bytes) in (other.files)() {
            folder.write(file, bytes);
        }
        let output = folder.run(&command.split(' ').collect::<Vec<_>>());
        let said = format!("{}{}", output.stdout, output.stderr);
        let answer = shown.text.lines().nth(1).expect("an answer");
        assert!(answer.ends_with(&format!("[{name}]")), "{name}: {answer}");
        assert!(said.lines().any(|line| line == answer), "{name} ({reason}): wanted `{answer}`, got\n{said}");
        // What a policy does not allow is valid all the same.
        let of_policy = [Code::PolicyForbids, Code::PolicyRequires, Code::PolicyHost].contains(&other.code);
        assert_eq!(output.code, if of_policy { 6 } else { 2 }, "{name}");
    }
}

#[test]
fn every_page_has_its_name_and_says_why_in_short_lines() {
    for code in Code::ALL {
        let page = code.page();
        assert_eq!(page.lines().next(), Some(format!("# {}", code.name()).as_str()));
        let words = page.split("```").next().unwrap_or_default().split_whitespace().count();
        assert!((15..120).contains(&words), "{}: {words} words before the example", code.name());
        let long = page.lines().find(|line| line.chars().count() > 140);
        assert!(long.is_none(), "{}: {long:?}", code.name());
        for fence in fences(page) {
            let known = fence.info == ["runbook"] || fence.info == ["runbook", "fixed"] || fence.info == ["text"];
            assert!(known, "{}:{}: {:?}", code.name(), fence.line, fence.info);
        }
    }
}
