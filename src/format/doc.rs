//! A text with places where a line may end, and the choice of the ones where it does.

/// How long a line may get, if it can be broken at all.
const WIDTH: usize = 120;
const INDENT: usize = 2;

#[derive(Clone, Debug)]
pub(super) enum Doc {
    /// As it is. It may have line ends of its own: a block of text.
    Text(String),
    /// A blank, or the end of the line where its group is broken.
    Line,
    /// Nothing, or the end of the line where its group is broken.
    Soft,
    /// The end of the line; with an empty line behind it.
    Hard {
        blank: bool,
    },
    /// Only where the group is broken.
    IfBroken(&'static str),
    /// Broken everywhere or nowhere.
    Group {
        docs: Vec<Doc>,
        broken: bool,
    },
    Nest(Vec<Doc>),
    /// A comment at the end of the line that is being written.
    Trailing(String),
    /// The same, where no line has to end because of it.
    Floating(String),
    /// A comment on a line of its own.
    Own(String),
}

impl Doc {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// On one line if it fits and nothing in it asks for more.
    pub(super) fn group(docs: Vec<Self>) -> Self {
        let broken = docs.iter().any(Self::breaks);
        Self::Group { docs, broken }
    }

    pub(super) fn broken(docs: Vec<Self>) -> Self {
        Self::Group { docs, broken: true }
    }

    /// Whether the group around it cannot stand on one line.
    fn breaks(&self) -> bool {
        match self {
            Self::Hard { .. } | Self::Trailing(_) | Self::Own(_) => true,
            Self::Group { broken, .. } => *broken,
            Self::Nest(docs) => docs.iter().any(Self::breaks),
            Self::Text(_) | Self::Line | Self::Soft | Self::IfBroken(_) | Self::Floating(_) => false,
        }
    }
}

pub(super) fn render(docs: &[Doc]) -> String {
    render_within(docs, WIDTH)
}

/// Without any line end but those that must be.
pub(super) fn render_flat(docs: &[Doc]) -> String {
    render_within(docs, usize::MAX)
}

fn render_within(docs: &[Doc], width: usize) -> String {
    let mut renderer = Renderer { width, out: String::new(), column: 0, comments: Vec::new(), ended: false };
    let mut work: Vec<Work<'_>> = docs.iter().rev().map(|doc| Work { indent: 0, broken: true, doc }).collect();
    while let Some(next) = work.pop() {
        renderer.step(next, &mut work);
    }
    renderer.flush_comments();
    renderer.out
}

#[derive(Clone, Copy)]
struct Work<'d> {
    indent: usize,
    /// Its group is broken.
    broken: bool,
    doc: &'d Doc,
}

struct Renderer {
    width: usize,
    out: String,
    column: usize,
    /// What waits for the end of the line.
    comments: Vec<String>,
    /// Nothing more may be written on this line.
    ended: bool,
}

impl Renderer {
    fn step<'d>(&mut self, next: Work<'d>, work: &mut Vec<Work<'d>>) {
        let Work { indent, broken, doc } = next;
        match doc {
            Doc::Text(text) => self.text(text, indent),
            Doc::IfBroken(text) if broken => self.text(text, indent),
            Doc::Hard { blank } => self.newline(indent, *blank),
            Doc::Line | Doc::Soft if broken => self.newline(indent, false),
            Doc::Line => self.text(" ", indent),
            Doc::Soft | Doc::IfBroken(_) => {}
            Doc::Nest(docs) => push(work, docs, indent + INDENT, broken),
            Doc::Group { docs, broken } => {
                let broken = *broken || !self.fits(docs, work);
                push(work, docs, indent, broken);
            }
            Doc::Trailing(comment) | Doc::Floating(comment) => self.comments.push(comment.clone()),
            Doc::Own(comment) => {
                if !self.at_line_start() {
                    self.newline(indent, false);
                }
                self.text(comment, indent);
                self.ended = true;
            }
        }
    }

    fn at_line_start(&self) -> bool {
        // The closing quotes of a block of text may stand further left than the line is indented.
        let blank = self.out.bytes().rev().take_while(|byte| *byte != b'\n').all(|byte| byte == b' ');
        blank && self.comments.is_empty() && !self.ended
    }

    fn text(&mut self, text: &str, indent: usize) {
        if text.is_empty() {
            return;
        }
        if self.ended {
            self.newline(indent, false);
        }
        if text == " " && self.at_line_start() {
            return;
        }
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    fn newline(&mut self, indent: usize, blank: bool) {
        self.flush_comments();
        self.out.push_str(if blank { "\n\n" } else { "\n" });
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
        self.ended = false;
    }

    fn flush_comments(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        for comment in std::mem::take(&mut self.comments) {
            if !self.out.is_empty() && !self.out.ends_with('\n') {
                self.out.push(' ');
            }
            self.out.push_str(&comment);
        }
    }

    /// Whether a group fits on the rest of the line, with what follows it up to the next place where a line may end.
    fn fits(&self, docs: &[Doc], rest: &[Work<'_>]) -> bool {
        let Some(mut room) = self.width.checked_sub(self.column) else { return false };
        let mut work: Vec<Work<'_>> = Vec::new();
        push(&mut work, docs, 0, false);
        let mut rest = rest.iter().rev();
        loop {
            let Some(next) = work.pop().or_else(|| rest.next().copied()) else { return true };
            let text = match next.doc {
                Doc::Text(text) => text.as_str(),
                Doc::Line if !next.broken => " ",
                Doc::Line | Doc::Soft if next.broken => return true,
                Doc::Hard { .. } | Doc::Own(_) => return true,
                Doc::IfBroken(text) if next.broken => text,
                Doc::Nest(docs) => {
                    push(&mut work, docs, 0, next.broken);
                    continue;
                }
                Doc::Group { docs, broken } => {
                    push(&mut work, docs, 0, *broken);
                    continue;
                }
                _ => continue,
            };
            let line = text.split('\n').next().unwrap_or("");
            let Some(left) = room.checked_sub(line.chars().count()) else { return false };
            if line.len() < text.len() {
                return true;
            }
            room = left;
        }
    }
}

fn push<'d>(work: &mut Vec<Work<'d>>, docs: &'d [Doc], indent: usize, broken: bool) {
    work.extend(docs.iter().rev().map(|doc| Work { indent, broken, doc }));
}
