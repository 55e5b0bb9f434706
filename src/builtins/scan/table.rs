//! Tables: how often each text occurs, exactly, in bounded memory. What does not fit is written to an unnamed file, in
//! parts by the hash of the text, so that all of one text comes together again in one part.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use hashbrown::{DefaultHashBuilder, HashTable};

/// How many parts a table is written in. One of them is read at a time.
const PARTS: usize = 128;
/// How many bits of a hash say the part.
const PART_BITS: u32 = PARTS.ilog2();
/// How often parts are taken apart: then the hash has no more bits to go by.
const MOST_LEVELS: u32 = 64 / PART_BITS;

/// How often a text occurred, and where first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) text: Vec<u8>,
    pub(super) count: u64,
    pub(super) first: u64,
}

/// Texts with their counts.
pub(super) struct Table {
    /// Two tables that are put together hash alike.
    hasher: DefaultHashBuilder,
    /// How much it keeps in memory.
    most: usize,
    /// How often what is in it has been taken apart.
    level: u32,
    index: HashTable<u32>,
    entries: Vec<Entry>,
    texts: Vec<u8>,
    file: Option<File>,
    written: u64,
    /// Where the parts begin and end in the file, a row each time that the table was written.
    rows: Vec<Vec<u64>>,
}

struct Entry {
    hash: u64,
    at: usize,
    length: u32,
    count: u64,
    first: u64,
}

impl Table {
    pub(super) fn new(hasher: DefaultHashBuilder, most: usize) -> Self {
        Self::at(hasher, most, 0)
    }

    fn at(hasher: DefaultHashBuilder, most: usize, level: u32) -> Self {
        Self {
            hasher,
            most,
            level,
            index: HashTable::new(),
            entries: Vec::new(),
            texts: Vec::new(),
            file: None,
            written: 0,
            rows: Vec::new(),
        }
    }

    const fn has_written(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn add(&mut self, text: &[u8], count: u64, first: u64) -> io::Result<()> {
        let hash = self.hasher.hash_one(text);
        self.insert(hash, text, count, first)
    }

    fn insert(&mut self, hash: u64, text: &[u8], count: u64, first: u64) -> io::Result<()> {
        let (entries, texts) = (&mut self.entries, &self.texts);
        let of = |entry: &Entry| texts.get(entry.at..entry.at + entry.length as usize);
        let same =
            |place: &u32| entries.get(*place as usize).is_some_and(|own| own.hash == hash && of(own) == Some(text));
        if let Some(place) = self.index.find(hash, same).copied() {
            if let Some(entry) = entries.get_mut(place as usize) {
                entry.count += count;
                entry.first = entry.first.min(first);
            }
            return Ok(());
        }
        if self.taken() + text.len() > self.most && !self.entries.is_empty() && self.level < MOST_LEVELS {
            self.write_out()?;
        }
        let too_many = |_| io::Error::other("a table of more than four billion texts");
        let place = u32::try_from(self.entries.len()).map_err(too_many)?;
        let length = u32::try_from(text.len()).map_err(too_many)?;
        self.entries.push(Entry { hash, at: self.texts.len(), length, count, first });
        self.texts.extend_from_slice(text);
        let entries = &self.entries;
        let hash_of = |place: &u32| entries.get(*place as usize).map_or(0, |entry| entry.hash);
        self.index.insert_unique(hash, place, hash_of);
        Ok(())
    }

    /// About how much memory it takes.
    fn taken(&self) -> usize {
        self.texts.len() + self.entries.len() * (size_of::<Entry>() + 2 * size_of::<u32>())
    }

    fn part(&self, hash: u64) -> usize {
        let shift = u64::BITS - PART_BITS * (self.level + 1);
        usize::try_from((hash >> shift) & (PARTS as u64 - 1)).unwrap_or_default()
    }

    /// Writes all of it and begins anew.
    fn write_out(&mut self) -> io::Result<()> {
        let mut parts: Vec<Vec<u32>> = vec![Vec::new(); PARTS];
        for (place, entry) in (0_u32..).zip(&self.entries) {
            if let Some(part) = parts.get_mut(self.part(entry.hash)) {
                part.push(place);
            }
        }
        let mut out = io::BufWriter::with_capacity(
            128 << 10,
            match self.file.take() {
                Some(file) => file,
                // Unnamed: nothing is left behind, however the process ends.
                None => tempfile::tempfile()?,
            },
        );
        let mut row = vec![self.written];
        for part in parts {
            for entry in part.into_iter().filter_map(|place| self.entries.get(place as usize)) {
                let text = self.texts.get(entry.at..entry.at + entry.length as usize).unwrap_or_default();
                for number in [entry.hash, entry.count, entry.first] {
                    out.write_all(&number.to_le_bytes())?;
                }
                out.write_all(&entry.length.to_le_bytes())?;
                out.write_all(text)?;
                self.written += HEAD as u64 + u64::from(entry.length);
            }
            row.push(self.written);
        }
        self.rows.push(row);
        self.file = Some(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.index.clear();
        self.entries.clear();
        self.texts.clear();
        Ok(())
    }

    /// Hands on what was written of a part.
    fn read_part(&self, part: usize, into: &mut Self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        for row in &self.rows {
            let (Some(start), Some(end)) = (row.get(part), row.get(part + 1)) else { continue };
            let mut bytes = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, *start)?;
            let mut rest = bytes.as_slice();
            while let Some((head, behind)) = rest.split_at_checked(HEAD) {
                let mut number = head.chunks_exact(8).map(|number| number.try_into().map_or(0, u64::from_le_bytes));
                let mut next = || number.next().unwrap_or_default();
                let (hash, count, first) = (next(), next(), next());
                let length = head.last_chunk().map_or(0, |length| u32::from_le_bytes(*length)) as usize;
                let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
                let (text, behind) = behind.split_at_checked(length).ok_or_else(cut)?;
                into.insert(hash, text, count, first)?;
                rest = behind;
            }
        }
        Ok(())
    }

    /// Takes over what is in memory of another one.
    fn take_over(&mut self, other: &Self) -> io::Result<()> {
        other.entries.iter().try_for_each(|entry| {
            let text = other.texts.get(entry.at..entry.at + entry.length as usize).unwrap_or_default();
            self.insert(entry.hash, text, entry.count, entry.first)
        })
    }
}

/// What stands before each text in the file: its hash, its count, where it was first, its length.
const HEAD: usize = 28;

/// The most frequent texts of tables that hash alike, the most frequent first; of equally frequent ones the earlier.
/// `None` where they have more than `at_most` different ones.
pub(super) fn most_frequent(tables: Vec<Table>, most: usize, at_most: usize) -> io::Result<Option<Vec<Counted>>> {
    let mut best = Best { heap: BinaryHeap::new(), most, seen: 0, at_most };
    merge(tables, &mut best)?;
    if best.seen > at_most {
        return Ok(None);
    }
    let sorted = best.heap.into_sorted_vec();
    let counted = |Reverse((count, Reverse(first), text)): Reverse<Placed>| Counted { text, count, first };
    Ok(Some(sorted.into_iter().map(counted).collect()))
}

/// A text in its place: how often it is, and where it was first.
type Placed = (u64, Reverse<u64>, Vec<u8>);

/// The best so far. A heap has its largest on top: turned round, that is the one to let go of.
struct Best {
    heap: BinaryHeap<Reverse<Placed>>,
    most: usize,
    seen: usize,
    at_most: usize,
}

impl Best {
    fn offer(&mut self, table: &Table) {
        self.seen += table.entries.len();
        if self.seen > self.at_most {
            return;
        }
        for entry in &table.entries {
            let place = (entry.count, Reverse(entry.first));
            let full = self.heap.len() >= self.most;
            if full && self.heap.peek().is_none_or(|Reverse((count, first, _))| place <= (*count, *first)) {
                continue;
            }
            let text = table.texts.get(entry.at..entry.at + entry.length as usize).unwrap_or_default().to_vec();
            self.heap.push(Reverse((entry.count, Reverse(entry.first), text)));
            if self.heap.len() > self.most {
                self.heap.pop();
            }
        }
    }
}

fn merge(mut tables: Vec<Table>, best: &mut Best) -> io::Result<()> {
    if tables.iter().any(Table::has_written) {
        // All of them are written, so that a part of all can be put together.
        for table in tables.iter_mut().filter(|table| !table.entries.is_empty()) {
            table.write_out()?;
            table.index = HashTable::new();
            table.entries = Vec::new();
            table.texts = Vec::new();
        }
        let most = tables.iter().map(|table| table.most).sum();
        for part in 0..PARTS {
            let Some(first) = tables.first() else { return Ok(()) };
            let mut whole = Table::at(first.hasher.clone(), most, first.level + 1);
            tables.iter().try_for_each(|table| table.read_part(part, &mut whole))?;
            merge(vec![whole], best)?;
        }
        return Ok(());
    }
    let mut tables = tables.into_iter();
    let Some(mut whole) = tables.next() else { return Ok(()) };
    for table in tables {
        whole.most += table.most;
        whole.take_over(&table)?;
    }
    if whole.has_written() {
        return merge(vec![whole], best);
    }
    best.offer(&whole);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use hashbrown::DefaultHashBuilder;
    use proptest::prelude::*;

    use super::{Table, most_frequent};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// However little memory there is and however many tables it was counted in, the counts are the same.
        #[test]
        fn counts_exactly_in_any_memory(
            texts in prop::collection::vec((0_u16..400, 0_usize..3), 0..3000),
            memory in 100_usize..20_000,
            most in 0_usize..50,
        ) {
            let hasher = DefaultHashBuilder::default();
            let tables = || {
                let mut tables: Vec<Table> = (0..3).map(|_| Table::new(hasher.clone(), memory)).collect();
                for (first, (text, table)) in (0_u64..).zip(&texts) {
                    tables[*table].add(format!("the text {text}").as_bytes(), 1, first).unwrap();
                }
                tables
            };
            let mut counts: HashMap<String, (u64, u64)> = HashMap::new();
            for (first, (text, _)) in (0_u64..).zip(&texts) {
                counts.entry(format!("the text {text}")).or_insert((0, first)).0 += 1;
            }
            let mut wanted: Vec<_> = counts.into_iter().collect();
            wanted.sort_by_key(|(_, (count, first))| (std::cmp::Reverse(*count), *first));
            let different = wanted.len();
            wanted.truncate(most);
            let got = most_frequent(tables(), most, usize::MAX).unwrap().unwrap();
            let got: Vec<_> = got
                .into_iter()
                .map(|counted| (String::from_utf8(counted.text).unwrap(), (counted.count, counted.first)))
                .collect();
            prop_assert_eq!(got, wanted);
            prop_assert_eq!(most_frequent(tables(), most, different).unwrap().unwrap().len(), most.min(different));
            if different > 0 {
                prop_assert_eq!(most_frequent(tables(), most, different - 1).unwrap(), None);
            }
        }
    }
}
