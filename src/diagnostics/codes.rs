//! The table of codes: a line a finding, a page a line.

use super::Level;

macro_rules! codes {
    ($($variant:ident $name:literal $level:ident $summary:literal)*) => {
        /// What kind of finding it is: the name in `--format json`, in the editor and in `runbook explain`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $summary] $variant,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// One sentence: what is wrong.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// The page that `runbook explain` prints, in Markdown.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("explain/", $name, ".md")),)* }
            }
        }
    };
}

codes! {
    // Text
    FileUnreadable       "file-unreadable"        Error   "a file that was named cannot be read"
    FileTooLarge         "file-too-large"         Error   "a source file is larger than a page that people review"
    NotUtf8              "not-utf8"               Error   "a source file is not UTF-8 text"
    HiddenCharacter      "hidden-character"       Error   "the text has a character that a reader cannot see"
    // Form
    Syntax               "syntax"                 Error   "the text is not what the language has at this place"
    UnknownStatement     "unknown-statement"      Error   "a statement or declaration begins with a word that the language does not have"
    ReservedName         "reserved-name"          Error   "a word of the language is used as a name"
    Unclosed             "unclosed"               Error   "a bracket, a string or a block is not closed"
    NestedTooDeeply      "nested-too-deeply"      Error   "brackets are nested deeper than the language allows"
    ChainedComparison    "chained-comparison"     Error   "comparisons are chained"
    DetachedBracket      "detached-bracket"       Error   "a call's or an index's bracket does not touch what it belongs to"
    UnknownEscape        "unknown-escape"         Error   "a string has an escape that the language does not have"
    // Literals and units
    UnknownUnit          "unknown-unit"           Error   "a number carries a unit that the language does not have"
    NumberOverflow       "number-overflow"        Error   "a number is larger than its type can hold"
    InvalidAddress       "invalid-address"        Error   "the address of a server or a page is none, or has a password in it"
    InvalidLiteral       "invalid-literal"        Error   "a date, a time, a regex, a query or another value that is written is not valid where it stands"
    DivisionByZero       "division-by-zero"       Error   "a constant expression divides by zero"
    // Names
    UnknownName          "unknown-name"           Error   "a name is not declared"
    UnknownField         "unknown-field"          Error   "a record has no field of this name"
    UnknownType          "unknown-type"           Error   "a type is not declared"
    UnknownBuiltin       "unknown-builtin"        Error   "there is no built-in, stage, driver or command of this name"
    DuplicateName        "duplicate-name"         Error   "a name is declared twice"
    UnusedName           "unused-name"            Warning "a name is declared and never used"
    Deprecated           "deprecated"             Warning "a built-in or a command is called that is to be replaced"
    NoItem               "no-item"                Error   "`it` or an own field is used where there is no item"
    NameBeforeValue      "name-before-value"      Error   "a value needs itself, directly or through others"
    // Types
    TypeMismatch         "type-mismatch"          Error   "a value has another type than its place takes"
    UnitMismatch         "unit-mismatch"          Error   "two values of different units meet"
    UnitMissing          "unit-missing"           Error   "a bare number meets a value that has a unit"
    UnknownValue         "unknown-value"          Error   "text is compared with a value that its type never has"
    UnlikelyValue        "unlikely-value"         Warning "text is compared with a value that looks like a misspelled known one"
    UnlikelyNumber       "unlikely-number"        Warning "a number is another one than its place looks like it means"
    MissingValue         "missing-value"          Error   "a value that may be missing is used as if it were there"
    NotALiteral          "not-a-literal"          Error   "a place that takes a literal text gets one from elsewhere"
    DollarKept           "dollar-kept"            Warning "a `$` stands before a value in a text, and stays there"
    UnknownFormat        "unknown-format"         Error   "an interpolation has a format that its type does not have"
    // Arguments
    MissingArgument      "missing-argument"       Error   "a call leaves out an argument that is needed"
    UnknownArgument      "unknown-argument"       Error   "a call names an argument that does not exist"
    DuplicateArgument    "duplicate-argument"     Error   "a call gives the same argument twice"
    // Effects
    UnguardedChange      "unguarded-change"       Error   "a call that changes something stands outside a `change` statement"
    NothingChanges       "nothing-changes"        Error   "a `change` statement holds a call that only reads"
    GuardOfNothing       "guard-of-nothing"       Warning "a `require` stands above no change that it could hold back"
    AlwaysHolds          "always-holds"           Warning "a guard or a `verify` holds whatever is found"
    EffectMismatch       "effect-mismatch"        Error   "a command's declared effect is not what its body does"
    UnboundedChange      "unbounded-change"       Error   "a loop over a list from outside changes something without `at most`"
    NotIdempotent        "not-idempotent"         Error   "`retry` repeats a change that is not declared idempotent"
    NotInACommand        "not-in-a-command"       Error   "a statement stands in a block that cannot hold it"
    SecretExposed        "secret-exposed"         Error   "a secret goes where it could be seen"
    ShellUsed            "shell-used"             Warning "a step runs a shell, so nobody can say what it does"
    NoShell              "no-shell"               Warning "a word that only a shell understands goes to a program"
    // Modules
    ModuleCycle          "module-cycle"           Error   "files use each other in a circle"
    ModuleMissing        "module-missing"         Error   "a used file is not there or is no library"
    NotALibrary          "not-a-library"          Error   "a library has a declaration that only a runbook can have"
    // Files beside a runbook
    FileMissing          "file-missing"           Error   "a file that a declaration names is not there, or not in the runbook's folder"
    RolesMistake         "roles-mistake"          Error   "what says who is behind a level of an escalation has a mistake in it"
    TemplateMistake      "template-mistake"       Error   "the template of a message has a mistake in it"
    // The policy of a repository
    PolicyMistake        "policy-mistake"         Error   "the policy of the repository has a mistake in it, or cannot be read"
    PolicyForbids        "policy-forbids"         Error   "the policy of the repository forbids what is used"
    PolicyRequires       "policy-requires"        Error   "a change lacks what the policy of the repository requires"
    PolicyHost           "policy-host"            Error   "a connection leads to a host that the policy of the repository does not allow"
    // Alerting
    ThresholdUnmeasured  "threshold-unmeasured"   Error   "nothing measures or raises a threshold"
    ThresholdBoth        "threshold-both"         Error   "a threshold has a `when` and is raised by a check as well"
    NobodyTold           "nobody-told"            Error   "a critical threshold reaches no person"
    UnreachableLevel     "unreachable-level"      Error   "an escalation level cannot be reached"
    UnknownLevel         "unknown-level"          Error   "an escalation level does not exist"
    NobodyNew            "nobody-new"             Warning "a level tells only channels that page nobody anew"
    HeldOpen             "held-open"              Warning "a section raises the alert that alone begins it, and nobody looks again"
    UntilWhileWhen       "until-while-when"       Error   "an `until` holds where the `when` of its threshold does"
    HeldTooBriefly       "held-too-briefly"       Error   "`for` is shorter than the interval of the samples"
    RespondTooLate       "respond-too-late"       Error   "`respond within` is longer than the time to the next level"
    // Schedules and headers
    InvalidSchedule      "invalid-schedule"       Error   "a schedule is not valid"
    TimeLeftOut          "time-left-out"          Error   "a schedule has a time that the clock leaves out, and does not say what happens then"
    MissingDay           "missing-day"            Warning "a monthly schedule names a day that not every month has"
    InvalidHeader        "invalid-header"         Error   "a header's field is not known or not valid"
    // Tests
    ImpossibleTest       "impossible-test"        Error   "a test speaks of something that the runbook does not have"
    ProvesNothing        "proves-nothing"         Warning "a test expects nothing"
}

impl std::str::FromStr for Code {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|code| code.name() == name).ok_or(())
    }
}
