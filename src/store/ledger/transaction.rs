//! A transaction as the rest of the ledger sees it, whichever database it is in: one text of SQL, with parameters `?1`,
//! `?2`, and rows of four kinds of cells.

use jiff::{SignedDuration, Timestamp};

use crate::types::Fault;

/// A value to keep or to compare with. What is not there has a type all the same, which a database may ask for.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
}

/// What stands in a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'r> {
    Nothing,
    Int(i64),
    Real(f64),
    Text(&'r str),
}

/// The columns of a row.
pub(super) trait Columns {
    fn seen(&self, column: usize) -> Result<Seen<'_>, Error>;
}

/// A row.
pub(super) struct Row<'r>(pub(super) &'r dyn Columns);

/// Takes a row, and says whether it wants another one.
pub(super) type EachRow<'w> = dyn FnMut(&Row<'_>) -> Result<bool, Error> + 'w;

/// What a database can do within a transaction.
pub(super) trait Session {
    fn select(&self, sql: &str, cells: &[Cell], row: &mut EachRow<'_>) -> Result<(), Error>;

    /// The same for more rows than are to be in memory.
    fn stream(&self, sql: &str, row: &mut EachRow<'_>) -> Result<(), Error>;

    /// Gives how many rows it has touched.
    fn execute(&self, sql: &str, cells: &[Cell]) -> Result<u64, Error>;

    /// One statement for each of several sets of parameters, in their order.
    fn execute_all(&self, sql: &str, all: &[&[Cell]]) -> Result<Vec<u64>, Error>;

    /// How far the database's clock is ahead of this machine's.
    fn ahead(&self) -> SignedDuration;
}

/// Why something could not be done.
#[derive(Debug)]
pub(super) enum Error {
    File(rusqlite::Error),
    Server(tokio_postgres::Error),
    /// What stands in a column is not what it can hold.
    Stored(String),
    /// What is to be kept cannot be.
    Given(String),
    /// All is said.
    Told(Fault),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::File(error)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Told(fault)
    }
}

/// A transaction.
#[derive(Clone, Copy)]
pub(super) struct Tx<'t>(pub(super) &'t dyn Session);

impl Tx<'_> {
    /// All rows.
    pub(super) fn rows<T>(
        self,
        sql: &str,
        cells: &[Cell],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        self.0.select(sql, cells, &mut |row| {
            found.push(read(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The first row, if there is one.
    pub(super) fn row<T>(
        self,
        sql: &str,
        cells: &[Cell],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut found = None;
        self.0.select(sql, cells, &mut |row| {
            found = Some(read(row)?);
            Ok(false)
        })?;
        Ok(found)
    }

    /// The first column of the first row, if there is one.
    pub(super) fn value<T: FromCell>(self, sql: &str, cells: &[Cell]) -> Result<Option<T>, Error> {
        self.row(sql, cells, |row| row.get(0))
    }

    /// Hands on one row after the other, until one is not taken.
    pub(super) fn each(self, sql: &str, row: &mut EachRow<'_>) -> Result<(), Error> {
        self.0.stream(sql, row)
    }

    pub(super) fn execute(self, sql: &str, cells: &[Cell]) -> Result<u64, Error> {
        self.0.execute(sql, cells)
    }

    /// One statement for each of several sets of parameters, in their order.
    pub(super) fn execute_all<const N: usize>(self, sql: &str, all: &[[Cell; N]]) -> Result<Vec<u64>, Error> {
        let all: Vec<&[Cell]> = all.iter().map(<[Cell; N]>::as_slice).collect();
        self.0.execute_all(sql, &all)
    }

    /// A time of this machine's clock as the database's clock has it.
    ///
    /// Several hosts may share a database, and their clocks differ. So whatever one host writes for another one to wait for
    /// (the end of a lease or of a claim, when a message is due) is in the time of the one clock that they share.
    pub(super) fn shared(self, time: Timestamp) -> Timestamp {
        time.saturating_add(self.0.ahead()).unwrap_or(Timestamp::MAX)
    }

    /// The other way round.
    pub(super) fn own(self, time: Timestamp) -> Timestamp {
        time.saturating_sub(self.0.ahead()).unwrap_or(Timestamp::MAX)
    }
}

impl Row<'_> {
    pub(super) fn get<T: FromCell>(&self, column: usize) -> Result<T, Error> {
        T::from_cell(self.seen(column)?).map_err(Error::Stored)
    }

    pub(super) fn seen(&self, column: usize) -> Result<Seen<'_>, Error> {
        self.0.seen(column)
    }
}

/// What can stand in a column.
pub(super) trait FromCell: Sized {
    /// # Errors
    /// Why it cannot be what it should be.
    fn from_cell(seen: Seen<'_>) -> Result<Self, String>;
}

fn other(wanted: &str, seen: Seen<'_>) -> String {
    let found = match seen {
        Seen::Nothing => "nothing",
        Seen::Int(_) => "a whole number",
        Seen::Real(_) => "a number",
        Seen::Text(_) => "text",
    };
    format!("there is {found} in the place of {wanted}")
}

impl FromCell for i64 {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        if let Seen::Int(value) = seen { Ok(value) } else { Err(other("a whole number", seen)) }
    }
}

impl FromCell for u64 {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        let value = i64::from_cell(seen)?;
        Self::try_from(value).map_err(|_| format!("the count {value} is below 0"))
    }
}

impl FromCell for u32 {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        let value = i64::from_cell(seen)?;
        Self::try_from(value).map_err(|_| format!("{value} is no count"))
    }
}

impl FromCell for f64 {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        if let Seen::Real(value) = seen { Ok(value) } else { Err(other("a number", seen)) }
    }
}

impl FromCell for String {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        if let Seen::Text(text) = seen { Ok(text.to_owned()) } else { Err(other("text", seen)) }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        if let Seen::Nothing = seen { Ok(None) } else { T::from_cell(seen).map(Some) }
    }
}

macro_rules! into_cell {
    ($($from:ty => $cell:ident, $value:ident, $into:expr;)*) => {$(
        impl From<$from> for Cell {
            fn from($value: $from) -> Self {
                Self::$cell($into)
            }
        }
    )*};
}

into_cell! {
    i64 => Int, value, Some(value);
    Option<i64> => Int, value, value;
    Option<f64> => Real, value, value;
    &str => Text, value, Some(value.to_owned());
    &String => Text, value, Some(value.clone());
    String => Text, value, Some(value);
    Option<&str> => Text, value, value.map(str::to_owned);
}

/// Parameters, in their order.
macro_rules! cells {
    ($($value:expr),* $(,)?) => { [$($crate::store::ledger::transaction::Cell::from($value)),*] };
}
pub(super) use cells;
