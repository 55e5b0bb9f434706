//! The lines that a diagnostic speaks of, cut to what fits on a screen, as miette reads them.
//!
//! Nothing here walks a whole line: a file may be one line of a megabyte.

use std::collections::BTreeMap;
use std::ops::Range;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::diagnostics::{Diagnostic, Label};
use crate::source::{FileId, SourceFile, Sources, push_visible};

/// A line up to this many bytes is shown whole.
const WHOLE: usize = 160;
/// Of a longer one, this much is shown before a label and behind it.
const BEFORE: usize = 60;
const BEHIND: usize = 40;
/// More places than this make no reader wiser.
const MAX_LABELS: usize = 12;

/// The lines of one diagnostic, one behind the other, as if they were a file.
#[derive(Debug)]
pub(super) struct Excerpt {
    text: String,
    lines: Vec<Line>,
    labels: Vec<(Range<usize>, String)>,
}

#[derive(Debug)]
struct Line {
    /// `None` for the file that the headline names.
    name: Option<String>,
    /// From 1.
    number: u32,
    /// In the excerpt's text, with its line end.
    range: Range<usize>,
}

impl Excerpt {
    /// `None` where there is nothing to show: a file that could not be read, or an empty one.
    pub(super) fn new(diagnostic: &Diagnostic, sources: &Sources) -> Option<Self> {
        let main = diagnostic.span().file;
        let mut excerpt = Self { text: String::new(), lines: Vec::new(), labels: Vec::new() };
        for ((is_other, file, line), labels) in by_line(&diagnostic.labels, main, sources) {
            let source = sources.file(file);
            excerpt.push_line(source, is_other.then(|| source.name.clone()), line, &labels);
        }
        (!excerpt.lines.is_empty()).then_some(excerpt)
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> + '_ {
        self.labels.iter().map(|(range, text)| {
            let text = (!text.is_empty()).then(|| text.clone());
            LabeledSpan::new(text, range.start, range.len())
        })
    }

    fn push_line(&mut self, source: &SourceFile, name: Option<String>, number: u32, labels: &[&Label]) {
        let line = source.line(number).unwrap_or("");
        let line_start = source.line_start(number) as usize;
        // A label that goes on over more lines is shown on its first.
        let places: Vec<(Range<usize>, &str)> = labels
            .iter()
            .map(|label| {
                let start = (label.span.start as usize).saturating_sub(line_start).min(line.len());
                let end = (label.span.end as usize).saturating_sub(line_start).clamp(start, line.len());
                (start..end, label.text.as_str())
            })
            .collect();
        let windows = windows(line, places.iter().map(|(place, _)| place));
        let begin = self.text.len();
        let map = self.push_windows(line, &windows);
        for (place, text) in places {
            let start = map.shown(place.start);
            let end = map.shown(place.end).max(start);
            self.labels.push((start..end, one_line(text)));
        }
        self.text.push('\n');
        self.lines.push(Line { name, number, range: begin..self.text.len() });
    }

    fn push_windows(&mut self, line: &str, windows: &[Range<usize>]) -> Map {
        let mut map = Map(Vec::new());
        let mut shown_to = 0;
        for window in windows {
            if window.start > shown_to {
                self.text.push('…');
            }
            for (offset, character) in line.get(window.clone()).unwrap_or("").char_indices() {
                map.0.push((window.start + offset, self.text.len()));
                push_visible(&mut self.text, character);
            }
            map.0.push((window.end, self.text.len()));
            shown_to = window.end;
        }
        if shown_to < line.len() {
            self.text.push('…');
        }
        map
    }

    fn line_at(&self, offset: usize) -> Option<usize> {
        self.lines.iter().position(|line| line.range.contains(&offset))
    }
}

/// From a byte of the source line to a byte of the excerpt.
struct Map(Vec<(usize, usize)>);

impl Map {
    /// A byte that was cut out is where its gap is.
    fn shown(&self, offset: usize) -> usize {
        let index = self.0.partition_point(|(from, _)| *from <= offset).saturating_sub(1);
        self.0.get(index).map_or(0, |(_, to)| *to)
    }
}

type Place = (bool, FileId, u32);

/// Labels by the line they begin on, those of the headline's file first.
fn by_line<'a>(labels: &'a [Label], main: FileId, sources: &Sources) -> BTreeMap<Place, Vec<&'a Label>> {
    let mut lines: BTreeMap<Place, Vec<&Label>> = BTreeMap::new();
    for label in labels.iter().take(MAX_LABELS) {
        let file = label.span.file;
        if !sources.file(file).text.is_empty() {
            lines.entry((file != main, file, sources.position(label.span).line)).or_default().push(label);
        }
    }
    lines
}

/// Which parts of a line are shown, in order, without overlaps.
fn windows<'a>(line: &str, places: impl Iterator<Item = &'a Range<usize>>) -> Vec<Range<usize>> {
    if line.len() <= WHOLE {
        return std::iter::once(0..line.len()).collect();
    }
    let mut wanted: Vec<Range<usize>> = places
        .map(|place| {
            let start = place.start.saturating_sub(BEFORE);
            let end = place.end.min(place.start + WHOLE).saturating_add(BEHIND);
            line.floor_char_boundary(start)..line.ceil_char_boundary(end)
        })
        .collect();
    wanted.sort_by_key(|window| window.start);
    let mut windows: Vec<Range<usize>> = Vec::new();
    for window in wanted {
        match windows.last_mut() {
            Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
            _ => windows.push(window),
        }
    }
    windows
}

/// A text of the tool that may quote the source: on one line, and harmless.
pub(super) fn one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars().take(MAX_TEXT) {
        match character {
            '\n' | '\t' => shown.push(' '),
            _ => push_visible(&mut shown, character),
        }
    }
    if text.chars().nth(MAX_TEXT).is_some() {
        shown.push('…');
    }
    shown
}

/// A message that quotes a name of a megabyte is cut as well.
const MAX_TEXT: usize = 600;

impl SourceCode for Excerpt {
    /// The lines from the first of the span to its last: only where they follow each other in one file.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let first = self.line_at(span.offset()).ok_or(MietteError::OutOfBounds)?;
        let last = self.line_at(span.offset() + span.len().saturating_sub(1)).ok_or(MietteError::OutOfBounds)?;
        let lines = self.lines.get(first..=last).ok_or(MietteError::OutOfBounds)?;
        let follow = lines
            .iter()
            .zip(lines.iter().skip(1))
            .all(|(one, next)| one.name == next.name && one.number + 1 == next.number);
        let (Some(from), Some(to), true) = (lines.first(), lines.last(), follow) else {
            return Err(MietteError::OutOfBounds);
        };
        let range = from.range.start..to.range.end;
        let data = self.text.as_bytes().get(range.clone()).ok_or(MietteError::OutOfBounds)?;
        let span = SourceSpan::from((range.start, range.len()));
        let line = (from.number as usize).saturating_sub(1);
        Ok(Box::new(match &from.name {
            Some(name) => MietteSpanContents::new_named(one_line(name), data, span, line, 0, lines.len()),
            None => MietteSpanContents::new(data, span, line, 0, lines.len()),
        }))
    }
}
