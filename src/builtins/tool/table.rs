//! The rows below a header line, as programs print them for people.
//!
//! Which cell belongs to which name is told by tabs, by a line of dashes, by places or by words. Where they do not tell it for
//! certain there are no rows: a cell under another name is worse than none.

/// The columns by their names, and the cells of each row.
#[derive(Debug)]
pub(super) struct Table {
    pub names: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Why a text is no table.
#[derive(Debug)]
pub(super) struct Unsure {
    pub what: String,
    pub help: &'static str,
}

const APART: &str = "separate the columns with tabs, or align them and use two spaces; or let it print JSON";
const ONE_TABLE: &str = "ask for one table alone, without what stands around it; or let it print JSON";
const PLAIN: &str = "let it print tabs, or JSON with `output: \"json\"`";
/// As far as a terminal goes with a tab.
const TAB: usize = 8;

fn unsure(what: impl Into<String>, help: &'static str) -> Unsure {
    Unsure { what: what.into(), help }
}

/// A line with its number.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    text: &'a str,
}

impl Line<'_> {
    fn shown(self) -> String {
        const SHOWN: usize = 60;
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = text.chars().take(SHOWN).collect();
        let more = if short.len() < text.len() { "…" } else { "" };
        format!("line {} (`{short}{more}`)", self.number)
    }

    fn is_blank(self) -> bool {
        self.text.trim().is_empty()
    }

    /// A line that is drawn: `---- ---`, `=====`.
    fn is_drawn(self) -> bool {
        let drawn = |c: char| matches!(c, '-' | '=' | '+' | '|' | '\u{2500}'..='\u{257f}');
        self.text.split_whitespace().all(|word| word.chars().all(drawn))
            && self.text.split_whitespace().any(|word| word.chars().count() > 1)
    }

    fn legend(self, block: &Block<'_>) -> Legend {
        let mut words = self.text.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if second == "=" && block.header.text.split_whitespace().any(|name| name == first) {
            Legend::Goes
        } else if first == block.rows.len().to_string() && self.text.contains(" listed.") {
            Legend::Ends
        } else {
            Legend::None
        }
    }

    fn says_the_same(self, other: Self) -> bool {
        self.text.split_whitespace().eq(other.text.split_whitespace())
    }
}

/// What systemctl prints below its table.
enum Legend {
    None,
    /// `LOAD = …`
    Goes,
    /// `3 loaded units listed.`, and how to see others.
    Ends,
}

/// A header and what stands below it, as far as the next one.
struct Block<'a> {
    header: Line<'a>,
    dashes: Option<Line<'a>>,
    rows: Vec<Line<'a>>,
}

pub(super) fn read(text: &str) -> Result<Table, Unsure> {
    let lines: Vec<Line<'_>> = text.lines().zip(1..).map(|(text, number)| Line { number, text }).collect();
    if let Some(line) = lines.iter().find(|line| line.text.chars().any(|c| c.is_control() && c != '\t')) {
        return Err(unsure(format!("has a control character in line {}", line.number), PLAIN));
    }
    let mut table: Option<Table> = None;
    for block in blocks(&lines)? {
        let read = block.read()?;
        match &mut table {
            None => table = Some(read),
            Some(table) if table.names == read.names => table.rows.extend(read.rows),
            Some(_) => {
                let what = format!("has other columns below {}", block.header.shown());
                return Err(unsure(what, ONE_TABLE));
            }
        }
    }
    table.ok_or_else(|| unsure("is empty, and was to begin with a line of column names", PLAIN))
}

/// The parts of a table whose header is printed again. What is not of the table is not read as a row of it.
fn blocks<'a>(lines: &[Line<'a>]) -> Result<Vec<Block<'a>>, Unsure> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    // What has ended the rows, if something has.
    let mut ended: Option<&str> = None;
    for line in lines {
        let Some(block) = blocks.last_mut() else {
            if !line.is_blank() {
                blocks.push(Block { header: *line, dashes: None, rows: Vec::new() });
            }
            continue;
        };
        if line.is_blank() {
            ended = ended.or(Some("a blank line"));
        } else if line.says_the_same(block.header) {
            let header = *line;
            blocks.push(Block { header, dashes: None, rows: Vec::new() });
            ended = None;
        } else if let Some(by) = ended {
            match line.legend(block) {
                Legend::Goes => continue,
                Legend::Ends => break,
                Legend::None => {}
            }
            let what = format!("has {} below {by}, and that is no row of the table above", line.shown());
            return Err(unsure(what, ONE_TABLE));
        } else if !line.is_drawn() {
            block.rows.push(*line);
        } else if block.rows.is_empty() && block.dashes.is_none() {
            block.dashes = Some(*line);
        } else {
            ended = Some("a line of dashes");
        }
    }
    Ok(blocks)
}

impl Block<'_> {
    fn read(&self) -> Result<Table, Unsure> {
        let header = self.header.text;
        let has_bars = |text: &str| text.split_whitespace().any(|word| matches!(word, "|" | "│" | "┃"));
        if has_bars(header) || self.header.is_drawn() {
            return Err(unsure("has columns that stand apart by bars, not by tabs or blanks", PLAIN));
        }
        if header.contains('\t') {
            let cells = |line: &str| line.split('\t').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
            let names = field_names(&cells(header))?;
            let row = |line: &Line<'_>| {
                let row = cells(line.text);
                if row.len() == names.len() { Ok(row) } else { Err(uneven(names.len(), row.len(), *line)) }
            };
            let rows = self.rows.iter().map(row).collect::<Result<_, _>>()?;
            return Ok(Table { names, rows });
        }
        let grid = Grid {
            header: Cells::of(header),
            rows: self.rows.iter().map(|line| (*line, Cells::of(line.text))).collect(),
        };
        if let Some(table) = self.dashes.and_then(|dashes| grid.by_dashes(dashes)) {
            return table;
        }
        grid.read()
    }
}

fn uneven(columns: usize, cells: usize, line: Line<'_>) -> Unsure {
    unsure(format!("has {columns} columns in its header and {cells} in {}", line.shown()), APART)
}

/// From where to where something stands in a line, in characters.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Reach {
    start: usize,
    end: usize,
}

impl Reach {
    const fn meets(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// A line on a screen.
struct Cells {
    chars: Vec<char>,
}

impl Cells {
    fn of(line: &str) -> Self {
        let mut chars = Vec::new();
        for c in line.chars() {
            if c == '\t' {
                chars.resize((chars.len() / TAB + 1) * TAB, ' ');
            } else {
                chars.push(c);
            }
        }
        Self { chars }
    }

    fn text(&self, reach: Reach) -> String {
        let part: String = self.chars.iter().skip(reach.start).take(reach.end.saturating_sub(reach.start)).collect();
        part.trim().to_owned()
    }

    fn is_blank_at(&self, place: usize) -> bool {
        self.chars.get(place).is_none_or(|c| *c == ' ')
    }

    /// What stands apart by so many blanks, within a part of the line.
    fn pieces(&self, within: Reach, blanks: usize) -> Vec<Reach> {
        let mut pieces: Vec<Reach> = Vec::new();
        for place in within.start..within.end.min(self.chars.len()) {
            if self.is_blank_at(place) {
                continue;
            }
            match pieces.last_mut() {
                Some(last) if place - last.end < blanks => last.end = place + 1,
                _ => pieces.push(Reach { start: place, end: place + 1 }),
            }
        }
        pieces
    }

    const fn whole(&self) -> Reach {
        Reach { start: 0, end: self.chars.len() }
    }

    fn words(&self) -> Vec<Reach> {
        self.pieces(self.whole(), 1)
    }

    /// Whether blanks move something below something else.
    fn is_padded(&self) -> bool {
        self.chars.first() == Some(&' ') || self.chunks().len() > 1
    }

    fn chunks(&self) -> Vec<Reach> {
        self.pieces(self.whole(), 2)
    }
}

/// Lines that are one below another.
struct Grid<'a> {
    header: Cells,
    rows: Vec<(Line<'a>, Cells)>,
}

impl Grid<'_> {
    fn read(&self) -> Result<Table, Unsure> {
        let names = self.header.chunks();
        let places = (names.len() > 1 && self.is_aligned(&names)).then(|| self.by_places(&names));
        match places {
            // A name with a blank, and cells with wide ones below it: those are several columns, if their words tell them.
            Some(Ok((table, true))) => Ok(self.by_words().unwrap_or(table)),
            Some(Ok((table, false))) => Ok(table),
            Some(Err(unsure)) => self.by_words().map_err(|_| unsure),
            None => self.by_words(),
        }
    }

    /// Whether each cell begins below its name or to the right of it.
    fn is_aligned(&self, names: &[Reach]) -> bool {
        let begins = |row: &Cells| names.iter().all(|name| name.start == 0 || row.is_blank_at(name.start - 1));
        self.rows.iter().all(|(_, row)| begins(row))
    }

    /// The columns as the line of dashes below the header shows them, if it shows more than one and all keep to them.
    fn by_dashes(&self, dashes: Line<'_>) -> Option<Result<Table, Unsure>> {
        let columns = Cells::of(dashes.text).words();
        let last = columns.last()?.start;
        let within = |line: &Cells| {
            let is_column = |place: usize| columns.iter().any(|column| (column.start..column.end).contains(&place));
            (0..last).all(|place| is_column(place) || line.is_blank_at(place))
        };
        if columns.len() < 2 || !within(&self.header) || !self.rows.iter().all(|(_, row)| within(row)) {
            return None;
        }
        let cells = |line: &Cells| {
            let open =
                |column: &Reach| Reach { end: if column.start == last { usize::MAX } else { column.end }, ..*column };
            columns.iter().map(|column| line.text(open(column))).collect::<Vec<_>>()
        };
        let names = field_names(&cells(&self.header));
        Some(names.map(|names| Table { names, rows: self.rows.iter().map(|(_, row)| cells(row)).collect() }))
    }

    /// What `kubectl`, `docker` and `systemctl` print: each cell begins below its name, and may be empty. Also says whether a
    /// name that has a blank seems to be the names of several columns.
    fn by_places(&self, names: &[Reach]) -> Result<(Table, bool), Unsure> {
        let ends = names.iter().skip(1).map(|name| name.start).chain([usize::MAX]);
        let columns: Vec<Reach> = names.iter().zip(ends).map(|(name, end)| Reach { start: name.start, end }).collect();
        let cells = |line: &Cells| columns.iter().map(|column| line.text(*column)).collect::<Vec<_>>();
        let mut several = false;
        for (line, row) in &self.rows {
            before_the_first(names, *line, row)?;
            let mut next = None;
            for (index, (name, column)) in names.iter().zip(&columns).enumerate().rev() {
                let pieces = row.pieces(*column, 2);
                let shared = self.header.text(*name).contains(' ');
                several |= shared && pieces.len() > 1;
                let gap = pieces.len() > 1 && !shared && index + 1 < names.len();
                // One blank before the next cell, and not below its own name: the end of that cell as well as one of its own.
                let stray = pieces.last().is_some_and(|piece| !piece.meets(*name) && next == Some(piece.end + 1));
                if gap || stray {
                    let name = self.header.text(*name);
                    let what = format!("does not tell what stands under `{name}` in {}", line.shown());
                    return Err(unsure(what, APART));
                }
                next = pieces.first().map(|piece| piece.start);
            }
        }
        self.no_remark(&columns)?;
        let names = field_names(&cells(&self.header))?;
        Ok((Table { names, rows: self.rows.iter().map(|(_, row)| cells(row)).collect() }, several))
    }

    /// A last line that is one run of words over several columns, where all others stand wide apart, is a remark.
    fn no_remark(&self, columns: &[Reach]) -> Result<(), Unsure> {
        let Some(((line, row), others)) = self.rows.split_last() else { return Ok(()) };
        let tight = |row: &Cells| {
            let is_text = |place: usize| !row.is_blank_at(place);
            columns.iter().skip(1).any(|column| is_text(column.start) && is_text(column.start.saturating_sub(2)))
        };
        let is_wide = !others.is_empty() && !others.iter().any(|(_, row)| tight(row));
        let last_is_empty = columns.last().is_some_and(|column| row.pieces(*column, 1).is_empty());
        if is_wide && last_is_empty && tight(row) && row.chunks().len() == 1 {
            let what = format!("ends with {}, which is one run of words over several columns", line.shown());
            return Err(unsure(what, ONE_TABLE));
        }
        Ok(())
    }

    /// What `ps`, `df` and `zpool` print: a word a column, wherever it stands below its name, and the last one may have several
    /// or none.
    fn by_words(&self) -> Result<Table, Unsure> {
        let names = self.names();
        let cells: Vec<String> = names.iter().map(|name| self.header.text(*name)).collect();
        if let [only] = cells.as_slice()
            && only.contains([',', ';', '|'])
        {
            return Err(unsure(format!("has one column, `{only}`: columns stand apart by tabs or blanks"), PLAIN));
        }
        let fields = field_names(&cells)?;
        let rows = self.rows.iter().map(|(line, row)| {
            let is_padded = self.header.is_padded() || row.is_padded();
            let words = row_words(&names, *line, row, is_padded)?;
            Ok(words.iter().map(|word| row.text(*word)).collect())
        });
        let rows = rows.collect::<Result<_, _>>()?;
        Ok(Table { names: fields, rows })
    }

    /// The names, a word each: but the last one may be as `Mounted on`.
    fn names(&self) -> Vec<Reach> {
        let is = |name: Reach, test: fn(&char) -> bool| self.header.chars.get(name.start).is_some_and(test);
        let mut names = self.header.words();
        if let [.., before, last] = names.as_mut_slice()
            && last.start == before.end + 1
            && is(*last, |c| c.is_lowercase())
            && is(*before, |c| c.is_uppercase())
        {
            before.end = last.end;
            names.pop();
        }
        names
    }
}

/// A mark such as the `●` of systemctl stands before the first column, a word does not.
fn before_the_first(names: &[Reach], line: Line<'_>, row: &Cells) -> Result<(), Unsure> {
    let Some(first) = names.first() else { return Ok(()) };
    let before = row.text(Reach { start: 0, end: first.start });
    if before.chars().count() > 1 || before.contains(char::is_alphanumeric) {
        return Err(unsure(format!("has `{before}` before its first column in {}", line.shown()), APART));
    }
    Ok(())
}

/// The words of a row, one for each name.
fn row_words(names: &[Reach], line: Line<'_>, row: &Cells, is_padded: bool) -> Result<Vec<Reach>, Unsure> {
    let mut words = row.words();
    let below = |index: usize| names.get(index).zip(words.get(index)).is_some_and(|(name, word)| name.meets(*word));
    let last = names.len().saturating_sub(1);
    if words.len() == names.len() {
        // Either an empty cell is made up for by a cell of two words, or none is.
        let wide = row.chunks().len() == names.len();
        let astray = words.iter().enumerate().any(|(index, word)| {
            !below(index) && names.iter().enumerate().any(|(other, name)| other != index && name.meets(*word))
        });
        if wide || !astray {
            return Ok(words);
        }
        return Err(unsure(format!("has a cell that does not stand under its name in {}", line.shown()), APART));
    }
    let before = (0..last).all(below);
    if words.len() > names.len() && is_padded && last > 0 && before {
        let begins = names.get(last).zip(words.get(last)).filter(|(name, word)| name.start == word.start);
        if let (Some((_, begins)), Some(ends)) = (begins, words.last()) {
            let rest = Reach { start: begins.start, end: ends.end };
            words.truncate(last);
            words.push(rest);
            return Ok(words);
        }
    }
    if words.len() == last && last > 1 && before {
        words.push(Reach { start: usize::MAX, end: usize::MAX });
        return Ok(words);
    }
    Err(uneven(names.len(), words.len(), line))
}

/// `Use%` is the field `use`, `Mounted on` is `mounted_on`.
fn field_names(cells: &[String]) -> Result<Vec<String>, Unsure> {
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    for cell in cells {
        let word: String = cell.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let name = word.trim_matches('_').to_lowercase();
        if name.is_empty() || names.contains(&name) {
            return Err(unsure(format!("has no name of its own for each column: `{}`", cells.join("`, `")), PLAIN));
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
