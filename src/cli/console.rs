//! Standard output and standard error: what they can show, and how to write to them.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnostics::render::terminal;
use crate::shown::look::{Look, Tone};
use crate::source::visible;
use crate::system;
use crate::types::{Fault, FaultKind};

/// Why a command ended without its answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: u8,
    pub(super) message: String,
    /// What to type.
    pub(super) help: Option<String>,
}

impl Failure {
    /// Bad usage, or something that the tool itself could not do.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { exit: 1, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let exit = if fault.kind == FaultKind::Forbidden { 6 } else { 1 };
        Self { exit, message: fault.message.to_string(), help: fault.help.map(|help| help.to_string()) }
    }
}

/// The two outputs.
#[derive(Debug)]
pub(super) struct Console {
    /// Standard output is a terminal.
    pub(super) out_is_terminal: bool,
    /// Standard error is a terminal.
    pub(super) err_is_terminal: bool,
    /// Lines can be drawn over: a terminal that is not dumb.
    pub(super) can_move: bool,
    colour: Colour,
    width: Option<usize>,
    /// The reader of standard output went away.
    closed: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Never,
    OnTerminals,
    Always,
}

impl Console {
    pub(super) fn new() -> Self {
        let dumb = system::env("TERM").is_some_and(|term| term == "dumb");
        let colour = if system::env("NO_COLOR").is_some() {
            Colour::Never
        } else if system::env("CLICOLOR_FORCE").is_some_and(|force| force != "0") {
            Colour::Always
        } else if dumb {
            Colour::Never
        } else {
            Colour::OnTerminals
        };
        Self {
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            can_move: !dumb,
            colour,
            width: width(),
            closed: Arc::default(),
        }
    }

    /// What standard output can show.
    pub(super) fn look(&self) -> Look {
        Look { colour: self.colours(self.out_is_terminal), width: self.width.filter(|_| self.out_is_terminal) }
    }

    /// What standard error can show.
    pub(super) fn look_err(&self) -> Look {
        Look { colour: self.err_has_colour(), width: self.width.filter(|_| self.err_is_terminal) }
    }

    pub(super) fn err_has_colour(&self) -> bool {
        self.colours(self.err_is_terminal)
    }

    /// Whether somebody reads questions and can answer them.
    pub(super) fn can_ask(&self) -> bool {
        self.err_is_terminal && io::stdin().is_terminal()
    }

    /// What standard output can show of diagnostics.
    pub(super) fn diagnostics_look(&self) -> terminal::Look {
        self.look_of(self.out_is_terminal)
    }

    /// What standard error can show of diagnostics.
    pub(super) fn diagnostics_look_err(&self) -> terminal::Look {
        self.look_of(self.err_is_terminal)
    }

    fn look_of(&self, is_terminal: bool) -> terminal::Look {
        terminal::Look {
            colour: self.colours(is_terminal),
            boxes: is_terminal && self.can_move,
            width: self.width.filter(|_| is_terminal),
        }
    }

    fn colours(&self, is_terminal: bool) -> bool {
        self.colour == Colour::Always || (self.colour == Colour::OnTerminals && is_terminal)
    }

    /// Writes to standard output. Once its reader went away, nothing more is written, and that is no failure.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        self.writer().write_all(text.as_bytes()).map_err(|error| Failure::new(format!("cannot write: {error}")))
    }

    /// Lines to standard output.
    pub(super) fn print_lines(&self, lines: &[String]) -> Result<(), Failure> {
        if lines.is_empty() { Ok(()) } else { self.print(&(lines.join("\n") + "\n")) }
    }

    /// Standard output for what writes by itself.
    pub(super) fn writer(&self) -> Out {
        Out(Arc::clone(&self.closed))
    }

    /// Writes to standard error. Where even that is closed there is nobody to tell.
    #[expect(clippy::unused_self, reason = "who writes goes through the console")]
    pub(super) fn say(&self, text: &str) {
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// `error: message`, and what to type.
    pub(super) fn complain(&self, failure: &Failure) {
        self.tell("error", Tone::Bad, &failure.message, failure.help.as_deref());
    }

    pub(super) fn warn(&self, message: &str, help: Option<&str>) {
        self.tell("warning", Tone::Doubtful, message, help);
    }

    fn tell(&self, word: &str, tone: Tone, message: &str, help: Option<&str>) {
        let look = self.look_err();
        let lines = |text: &str| text.lines().map(visible).collect::<Vec<_>>().join("\n");
        let mut text = format!("{}: {}\n", look.paint(tone, word), lines(message));
        if let Some(help) = help {
            text.push_str("  help: ");
            text.push_str(&lines(help));
            text.push('\n');
        }
        self.say(&text);
    }
}

/// Standard output. A closed pipe is no error: whoever read it had enough.
#[derive(Clone, Debug)]
pub(super) struct Out(Arc<AtomicBool>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.load(Ordering::Relaxed) {
            return Ok(bytes.len());
        }
        match io::stdout().write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.0.store(true, Ordering::Relaxed);
                Ok(bytes.len())
            }
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.0.store(true, Ordering::Relaxed);
                Ok(())
            }
            other => other,
        }
    }
}

/// Columns of the terminal, whichever output is one.
fn width() -> Option<usize> {
    let columns = system::env("COLUMNS").and_then(|columns| columns.parse().ok());
    let asked = || {
        [rustix::termios::tcgetwinsize(io::stdout()), rustix::termios::tcgetwinsize(io::stderr())]
            .into_iter()
            .find_map(|size| size.ok().map(|size| usize::from(size.ws_col)))
    };
    columns.or_else(asked).filter(|columns| *columns >= 20)
}
