//! Programs that run what they are told: where in their words it stands.

/// What a program does with its words.
#[derive(Clone, Copy)]
enum Takes {
    /// A text of its own language.
    Script(Script),
    /// Another program, behind its flags and so many words. The letters are of flags that take a word.
    Program { valued: &'static str, operands: usize },
    /// Another program, somewhere behind.
    Somewhere,
    /// Words behind its flags and so many others, which a shell reads as one line.
    Line { valued: &'static str, operands: usize },
}

/// Where the script stands.
#[derive(Clone, Copy)]
struct Script {
    language: Language,
    /// Behind a flag of one of these letters, also in a cluster: `-lc`.
    behind: &'static str,
    long: &'static [&'static str],
    /// Flags that take a word, the rest of their own or the next.
    valued: &'static str,
    /// Flags that take the rest of their word, and no other.
    attached: &'static str,
    /// The script is the first word that is no flag: of a shell where a flag says so, of awk unless one says otherwise.
    first: First,
    /// Flags stand behind other words as well.
    anywhere: bool,
    /// It is read from standard input where there is none, and no file either.
    stdin: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    No,
    BehindFlag,
    Unless(char),
}

/// What a script is written in, by how a value comes into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Language {
    /// By `"$1"` and a word behind the script.
    Shell,
    /// By the environment, in these words.
    Environment(&'static str),
    Awk,
    /// By nothing: what stands in it is a part of a pattern or a command.
    Sed,
    /// By a connection, which binds it.
    Sql,
    /// Of another machine: only by standard input.
    Remote,
}

/// A text that a program runs.
pub(super) struct Found<'w, W> {
    pub(super) program: String,
    pub(super) language: Language,
    pub(super) words: Vec<&'w W>,
}

/// A word, as far as it is written.
pub(super) trait Word {
    /// All of it, if it is.
    fn text(&self) -> Option<&str>;
    /// What stands before its first value.
    fn head(&self) -> &str;
}

const SHELL: Script = Script {
    language: Language::Shell,
    behind: "c",
    long: &[],
    valued: "oO",
    attached: "",
    first: First::BehindFlag,
    anywhere: false,
    stdin: true,
};
const INTERPRETER: Script = Script { valued: "", first: First::No, ..SHELL };
const AS_SOMEBODY: Script = Script {
    language: Language::Environment("\"$X\""),
    long: &["--command"],
    valued: "sgGw",
    first: First::No,
    anywhere: true,
    stdin: false,
    ..SHELL
};

const fn environment(written: &'static str, behind: &'static str, valued: &'static str) -> Takes {
    Takes::Script(Script { language: Language::Environment(written), behind, valued, ..INTERPRETER })
}

const fn program(valued: &'static str, operands: usize) -> Takes {
    Takes::Program { valued, operands }
}

/// By their names without a folder and a version.
const PROGRAMS: &[(&[&str], Takes)] = &[
    (&["sh", "bash", "dash", "ash", "ksh", "mksh", "rbash", "zsh", "fish"], Takes::Script(SHELL)),
    (
        &["perl"],
        Takes::Script(Script {
            language: Language::Environment("$ENV{X}"),
            behind: "eE",
            valued: "I",
            attached: "iMmFDCdVx0",
            ..INTERPRETER
        }),
    ),
    (&["python", "pypy"], environment("os.environ[\"X\"]", "c", "WXm")),
    (&["ruby"], environment("ENV[\"X\"]", "e", "IrCEF")),
    (
        &["node", "nodejs", "bun"],
        Takes::Script(Script {
            language: Language::Environment("process.env.X"),
            behind: "ep",
            long: &["--eval", "--print"],
            valued: "r",
            ..INTERPRETER
        }),
    ),
    (&["php"], environment("getenv(\"X\")", "rBRE", "dczf")),
    (&["lua", "luajit"], environment("os.getenv(\"X\")", "e", "l")),
    (&["Rscript"], environment("Sys.getenv(\"X\")", "e", "")),
    (&["osascript"], environment("(system attribute \"X\")", "e", "l")),
    (
        &["awk", "gawk", "mawk", "nawk"],
        Takes::Script(Script {
            language: Language::Awk,
            behind: "e",
            valued: "Fvf",
            first: First::Unless('f'),
            stdin: false,
            ..SHELL
        }),
    ),
    (
        &["sed", "gsed"],
        Takes::Script(Script {
            language: Language::Sed,
            behind: "e",
            long: &["--expression"],
            valued: "fl",
            attached: "i",
            first: First::Unless('f'),
            stdin: false,
            ..SHELL
        }),
    ),
    (
        &["psql"],
        Takes::Script(Script {
            language: Language::Sql,
            long: &["--command"],
            valued: "dfFhLopPRTUv",
            first: First::No,
            anywhere: true,
            ..SHELL
        }),
    ),
    (
        &["mysql", "mariadb"],
        Takes::Script(Script {
            language: Language::Sql,
            behind: "e",
            long: &["--execute"],
            valued: "DhPSu",
            attached: "p",
            first: First::No,
            anywhere: true,
            ..SHELL
        }),
    ),
    (
        &["env"],
        Takes::Script(Script {
            behind: "S",
            long: &["--split-string"],
            valued: "uC",
            first: First::No,
            stdin: false,
            ..SHELL
        }),
    ),
    (&["su", "runuser", "script", "flock"], Takes::Script(AS_SOMEBODY)),
    (&["ssh", "autossh"], Takes::Line { valued: "BbcDEeFIiJLlmMOoPpQRSWw", operands: 1 }),
    (&["watch"], Takes::Line { valued: "nq", operands: 0 }),
    (&["busybox", "toybox", "nohup", "setsid", "tini", "dumb-init", "unbuffer", "chronic"], program("", 0)),
    (&["env"], program("uC", 0)),
    (&["timeout"], program("sk", 1)),
    (&["nice"], program("n", 0)),
    (&["ionice"], program("cnpPu", 0)),
    (&["chrt", "taskset"], program("TPD", 1)),
    (&["stdbuf"], program("ioe", 0)),
    (&["sudo"], program("ugpCrtTDhRU", 0)),
    (&["doas"], program("uC", 0)),
    (&["sshpass"], program("pfdP", 0)),
    (&["xargs"], program("nPIdLsEa", 0)),
    (&["time"], program("fo", 0)),
    (&["strace", "ltrace"], program("peoEsSuaIOP", 0)),
    (&["systemd-cat"], program("tp", 0)),
    (&["chroot", "gosu", "su-exec", "setuser"], program("", 1)),
    (&["flock"], program("wE", 1)),
    (
        &[
            "find",
            "docker",
            "podman",
            "nerdctl",
            "kubectl",
            "oc",
            "crictl",
            "ctr",
            "lxc",
            "incus",
            "lxc-attach",
            "machinectl",
            "nsenter",
            "unshare",
            "setpriv",
            "systemd-run",
            "ip",
            "parallel",
            "bwrap",
            "screen",
        ],
        Takes::Somewhere,
    ),
];

/// What of these words, and of what is written to standard input, a program runs.
pub(super) fn scripts<'w, W: Word>(words: &'w [W], stdin: Option<&'w W>) -> Vec<Found<'w, W>> {
    let Some((name, rest)) = words.split_first() else { return Vec::new() };
    let Some(name) = name.text().map(plain_name) else { return Vec::new() };
    let known = PROGRAMS.iter().filter(|(names, _)| names.contains(&name.as_str())).map(|(_, takes)| takes);
    known
        .flat_map(|takes| match takes {
            Takes::Script(script) => script.of(&name, rest, stdin),
            Takes::Program { valued, operands } => scripts(behind(rest, valued, *operands, true), stdin),
            Takes::Somewhere => (0..rest.len())
                .filter_map(|from| rest.get(from..))
                .filter(|rest| rest.first().and_then(Word::text).is_some_and(may_stand_anywhere))
                .flat_map(|rest| scripts(rest, stdin))
                .collect(),
            Takes::Line { valued, operands } => {
                let line = behind(rest, valued, *operands, false);
                let language = if *operands == 0 { Language::Shell } else { Language::Remote };
                let own = Found { program: name.clone(), language, words: line.iter().collect() };
                let read = if reads_stdin(line) { of_stdin(&name, language, stdin) } else { Vec::new() };
                [own].into_iter().chain(read).collect()
            }
        })
        .collect()
}

/// `/usr/bin/python3.12` is `python`.
fn plain_name(word: &str) -> String {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-')).to_owned()
}

/// Whether a word names a program that is told by a flag what it runs: any other word may be called as a program is.
fn may_stand_anywhere(word: &str) -> bool {
    let name = plain_name(word);
    PROGRAMS.iter().filter(|(names, _)| names.contains(&name.as_str())).any(|(_, takes)| match takes {
        Takes::Script(script) => !matches!(script.first, First::Unless(_)),
        Takes::Program { .. } => true,
        Takes::Somewhere | Takes::Line { .. } => false,
    })
}

fn of_stdin<'w, W: Word>(name: &str, language: Language, stdin: Option<&'w W>) -> Vec<Found<'w, W>> {
    stdin.map(|stdin| Found { program: name.to_owned(), language, words: vec![stdin] }).into_iter().collect()
}

/// Whether a line for a shell has the shell, or what it starts, run what is written to it: `ssh host bash -s`.
fn reads_stdin<W: Word>(line: &[W]) -> bool {
    let text: Option<Vec<&str>> = line.iter().map(Word::text).collect();
    text.is_some_and(|words| {
        let words: Vec<String> = words.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect();
        let own = String::new();
        words.is_empty()
            || scripts(&words, Some(&own)).iter().any(|found| found.words.iter().any(|word| word.is_empty()))
    })
}

impl Word for String {
    fn text(&self) -> Option<&str> {
        Some(self)
    }

    fn head(&self) -> &str {
        self
    }
}

/// What stands behind the flags of a program and so many words that are none.
fn behind<'w, W: Word>(words: &'w [W], valued: &str, operands: usize, assigns: bool) -> &'w [W] {
    let (mut at, mut left, mut after_long) = (0, operands, false);
    while let Some(word) = words.get(at) {
        let head = word.head();
        let is_assignment = assigns && head.contains('=');
        if head == "--" && word.text().is_some() {
            at += 1 + left;
            break;
        } else if head.starts_with('-') && (head.len() > 1 || assigns) {
            let takes_next = word.text().is_some_and(|text| {
                let flags = text.strip_prefix('-').unwrap_or_default();
                let takes = flags.find(|c| valued.contains(c)).and_then(|at| flags.get(at..));
                !text.starts_with("--") && takes.is_some_and(|rest| rest.chars().count() == 1)
            });
            after_long = head.starts_with("--") && !head.contains('=');
            at += if takes_next { 2 } else { 1 };
            continue;
        } else if after_long && word.text().is_none_or(|text| !is_known(text)) {
            // The word of a long flag, for all that can be seen.
        } else if is_assignment {
        } else if left == 0 {
            break;
        } else {
            left -= 1;
        }
        after_long = false;
        at += 1;
    }
    words.get(at..).unwrap_or_default()
}

fn is_known(word: &str) -> bool {
    let name = plain_name(word);
    PROGRAMS.iter().any(|(names, _)| names.contains(&name.as_str()))
}

impl Script {
    fn of<'w, W: Word>(&self, name: &str, words: &'w [W], stdin: Option<&'w W>) -> Vec<Found<'w, W>> {
        let mut found = Vec::new();
        let mut say = |word: &'w W| {
            found.push(Found { program: name.to_owned(), language: self.language, words: vec![word] });
        };
        let (mut at, mut is_said, mut has_file, mut reads) = (0, false, false, self.stdin);
        while let Some(word) = words.get(at) {
            let head = word.head();
            let is_flag = head.len() > 1 && head.starts_with(['-', '+']) && head != "--";
            if !is_flag && self.anywhere {
                at += 1;
                continue;
            }
            if !is_flag {
                break;
            }
            at += 1;
            if head.starts_with("--") {
                let (long, is_whole) = head.split_once('=').map_or((head, false), |(long, _)| (long, true));
                if self.long.contains(&long) {
                    say(if is_whole { word } else { words.get(at).unwrap_or(word) });
                    at += usize::from(!is_whole);
                    reads = false;
                }
                continue;
            }
            let mut letters = head.chars().skip(1).peekable();
            while let Some(letter) = letters.next() {
                has_file |= self.first == First::Unless(letter);
                let is_last = letters.peek().is_none() && word.text().is_some();
                if self.behind.contains(letter) && self.first == First::BehindFlag {
                    is_said = true;
                } else if self.behind.contains(letter) {
                    say(if is_last { words.get(at).unwrap_or(word) } else { word });
                    at += usize::from(is_last);
                    (reads, has_file) = (false, true);
                    break;
                } else if self.valued.contains(letter) {
                    at += usize::from(is_last);
                    break;
                } else if self.attached.contains(letter) {
                    break;
                }
            }
        }
        if words.get(at).is_some_and(|word| word.text() == Some("--")) {
            at += 1;
        }
        let first = words.get(at).filter(|_| !self.anywhere);
        match (self.first, first) {
            (First::BehindFlag, Some(first)) if is_said => say(first),
            (First::Unless(_), Some(first)) if !has_file => say(first),
            (_, first) if reads && first.is_none_or(|first| first.text() == Some("-")) => {
                return of_stdin(name, self.language, stdin).into_iter().chain(found).collect();
            }
            _ => {}
        }
        found
    }
}
