//! Values, records, tables and lines as text: no frames, so that every row can be searched for and cut into fields.

use super::look::{Look, Tone, clean, columns, counted, cut, pad};
use super::{Cell, Shown, ShownBody};

/// How much is printed.
#[derive(Clone, Copy, Debug)]
pub struct Extent<'a> {
    /// Rows of a table or lines; the rest is counted.
    pub rows: usize,
    /// What to type to see the rest.
    pub rest: &'a str,
}

impl Extent<'_> {
    pub const WHOLE: Self = Self { rows: usize::MAX, rest: "" };

    const fn is_whole(self) -> bool {
        self.rows == usize::MAX
    }
}

/// Characters of a text that are printed where it stands alone, and in a cell of a table: a body of a page or the
/// arguments of a program would push everything else off the screen. `runbook show RUN LINE` prints all of it, and a
/// pipe gets it.
const TEXT: usize = 400;
const CELL: usize = 100;

fn excerpt(text: &str, most: usize, look: Look, extent: Extent<'_>) -> String {
    let text = clean(text);
    if extent.is_whole() || look.width.is_none() { text } else { cut(&text, most) }
}

/// The lines of a shown value under its title, without indentation.
#[must_use]
pub fn lines(title: &str, shown: &Shown, look: Look, indent: usize, extent: Extent<'_>) -> Vec<String> {
    // A title that nobody gave is the source.
    let title = cut(&clean(title), CELL);
    let own = shown.title.as_deref().map(clean).filter(|own| *own != title);
    let title = match (title.is_empty(), own) {
        (true, own) => own.unwrap_or_default(),
        (false, Some(own)) => format!("{title}: {own}"),
        (false, None) => title,
    };
    let width = look.width.map(|width| width.saturating_sub(indent).max(20));
    let mut lines = Vec::new();
    match &shown.body {
        ShownBody::Value { cell } if title.is_empty() => lines.push(excerpt(&cell.text, TEXT, look, extent)),
        ShownBody::Value { cell } => lines.push(format!("{title}  {}", excerpt(&cell.text, TEXT, look, extent))),
        body => {
            if !title.is_empty() {
                lines.push(look.paint(Tone::Strong, &title));
            }
            lines.extend(rows(body, look, width, extent));
        }
    }
    if let Some(reason) = &shown.partial {
        lines.push(look.paint(Tone::Doubtful, &format!("not whole: {}", clean(reason))));
    }
    lines
}

fn rows(body: &ShownBody, look: Look, width: Option<usize>, extent: Extent<'_>) -> Vec<String> {
    match body {
        ShownBody::Value { cell } => vec![excerpt(&cell.text, TEXT, look, extent)],
        ShownBody::Record { fields } => {
            let names = fields.iter().map(|(name, _)| columns(&clean(name))).max().unwrap_or(0);
            fields
                .iter()
                .map(|(name, cell)| {
                    format!("{}  {}", pad(&clean(name), names), excerpt(&cell.text, TEXT, look, extent))
                })
                .collect()
        }
        ShownBody::Table { columns, rows, total } => table(columns, rows, *total, look, width, extent),
        ShownBody::Lines { lines, .. } if lines.is_empty() => vec![look.paint(Tone::Faint, "(none)")],
        ShownBody::Lines { lines, total } => {
            let mut shown: Vec<String> = lines.iter().take(extent.rows).map(|line| fit(&clean(line), width)).collect();
            shown.extend(rest(shown.len(), lines.len(), *total, extent, look));
            shown
        }
    }
}

fn table(
    names: &[String],
    rows: &[Vec<Cell>],
    total: u64,
    look: Look,
    width: Option<usize>,
    extent: Extent<'_>,
) -> Vec<String> {
    if rows.is_empty() {
        return vec![look.paint(Tone::Faint, "(none)")];
    }
    let kept = rows.len();
    let rows: Vec<Vec<(String, bool)>> = rows
        .iter()
        .take(extent.rows)
        .map(|row| row.iter().map(|cell| (excerpt(&cell.text, CELL, look, extent), cell.number)).collect())
        .collect();
    let mut names: Vec<String> = names.iter().map(|name| clean(name)).collect();
    let mut widths = fitting(natural(&names, &rows), width);
    // Columns for which there is no room at all are named, not squeezed in behind the edge.
    let room = if extent.is_whole() { widths.len() } else { columns_within(&widths, width) };
    widths.truncate(room);
    let hidden = names.split_off(room);
    // A column of numbers is aligned by its end, so is its name.
    let numbers: Vec<bool> =
        (0..names.len()).map(|column| rows.iter().all(|row| row.get(column).is_some_and(|cell| cell.1))).collect();
    let head: Vec<(String, bool)> = names.into_iter().zip(numbers).collect();
    let whole = extent.is_whole() || width.is_none();
    let mut lines = vec![look.paint(Tone::Faint, &row(&head, &widths, whole))];
    lines.extend(rows.iter().map(|cells| row(cells, &widths, whole)));
    if !hidden.is_empty() {
        let more = counted(hidden.len() as u64, "more column");
        lines.push(look.paint(Tone::Faint, &format!("… {more}: {}", hidden.join(", "))));
    }
    lines.extend(rest(rows.len(), kept, total, extent, look));
    lines
}

/// How many of the columns fit, at least one.
fn columns_within(widths: &[usize], width: Option<usize>) -> usize {
    let Some(width) = width else { return widths.len() };
    let mut taken = 0;
    let fit = widths.iter().take_while(|column| {
        taken += **column + GAP;
        taken <= width + GAP
    });
    fit.count().max(1)
}

/// What is not printed: kept in the journal, or too much even for it.
fn rest(shown: usize, kept: usize, total: u64, extent: Extent<'_>, look: Look) -> Option<String> {
    let left = total.saturating_sub(shown as u64);
    let hint = match extent.rest {
        "" => " (not kept)".to_owned(),
        _ if kept <= shown => " (not kept)".to_owned(),
        rest if (kept as u64) < total => format!(", of which {} are kept: {rest}", kept.saturating_sub(shown)),
        rest => format!(": {rest}"),
    };
    (left > 0).then(|| look.paint(Tone::Faint, &format!("… {left} more{hint}")))
}

fn natural(names: &[String], rows: &[Vec<(String, bool)>]) -> Vec<usize> {
    let mut widths: Vec<usize> = names.iter().map(|name| columns(name)).collect();
    for row in rows {
        for (width, (text, _)) in widths.iter_mut().zip(row) {
            // In a pipe nothing is cut: there a long cell sticks out, and the others are not filled up for its sake.
            *width = (*width).max(columns(text).min(CELL));
        }
    }
    widths
}

const GAP: usize = 2;
/// A column is never narrower than this: half a name is no name.
const NARROWEST: usize = 8;

/// The widest columns give way until the row fits.
fn fitting(mut widths: Vec<usize>, width: Option<usize>) -> Vec<usize> {
    let Some(width) = width else { return widths };
    let available = width.saturating_sub(GAP * widths.len().saturating_sub(1));
    while widths.iter().sum::<usize>() > available {
        let second = second_widest(&widths);
        let over = widths.iter().sum::<usize>() - available;
        let Some(widest) = widths.iter_mut().max() else { break };
        if *widest <= NARROWEST {
            break;
        }
        *widest = widest.saturating_sub(over).max(second.min(*widest - 1)).max(NARROWEST);
    }
    widths
}

fn second_widest(widths: &[usize]) -> usize {
    let mut sorted = widths.to_vec();
    sorted.sort_unstable();
    sorted.iter().rev().nth(1).copied().unwrap_or(0)
}

fn row(cells: &[(String, bool)], widths: &[usize], whole: bool) -> String {
    let mut line = String::new();
    for (index, ((text, number), width)) in cells.iter().zip(widths).enumerate() {
        if index > 0 {
            line.push_str(&" ".repeat(GAP));
        }
        let text = if whole { text.clone() } else { cut(text, *width) };
        let blanks = " ".repeat(width.saturating_sub(columns(&text)));
        let (before, behind) = if *number { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
        line.push_str(before);
        line.push_str(&text);
        line.push_str(behind);
    }
    line.trim_end().to_owned()
}

fn fit(text: &str, width: Option<usize>) -> String {
    width.map_or_else(|| text.to_owned(), |width| cut(text, width))
}
