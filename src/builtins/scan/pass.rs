//! The pass: threads take blocks in turn, and each keeps for each query what its blocks give.

use std::borrow::Cow;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use hashbrown::DefaultHashBuilder;

use super::finder::{Finder, Span, View};
use super::kept::{self, Found, Kept};
use super::sweep::Sweeps;
use super::{Block, Blocks, Lines, NotPlain, Stretch};
use crate::builtins::line_time::Times;
use crate::types::{Answer, Condition, Query};

/// The most threads: more of them wait for the bytes.
const MOST_THREADS: usize = 4;
/// A log that is smaller is not worth a second thread.
const SMALL: u64 = 2 << 20;
/// How much the tables of all queries keep in memory before they are written to a file.
const TABLES: usize = 24 << 20;
/// The least that a table keeps.
const SMALLEST_TABLE: usize = 512 << 10;

/// What is searched in each block, once for all queries that ask it.
struct Plan<'q> {
    queries: Vec<Asked<'q>>,
    searches: Vec<Finder>,
    sweeps: Sweeps,
    numbers: bool,
}

/// A query, with the places of its searches: what is left by its filters, and what of that is as its end asks.
struct Asked<'q> {
    query: &'q Query,
    left: Option<usize>,
    holding: Option<usize>,
}

/// Where the blocks come from.
struct Feed<B> {
    blocks: B,
    next: u32,
    not_plain: bool,
}

/// What one thread takes in its turn, and reads block by block.
#[derive(Default)]
struct Turn {
    rest: Option<Stretch>,
    /// Which block is the next one.
    number: u32,
}

/// What one thread has kept.
struct Share {
    /// Nothing where the query gave up.
    kept: Vec<Option<Kept>>,
    /// How many lines each block has, and which part it is of.
    lines: Vec<(u32, usize, u64)>,
    /// What the lines of each part say of their times, where only those of some times are asked for.
    times: Vec<Times>,
}

/// Whether blocks have to be cut between entries.
pub(in crate::builtins) fn by_entry(queries: &[Query]) -> bool {
    queries.iter().any(|query| kept::has_entries(&query.end))
}

/// Reads all blocks once and answers all queries.
pub(in crate::builtins) fn scan(
    blocks: impl Blocks,
    lines: &dyn Lines,
    queries: &[Query],
    unwanted: &AtomicBool,
) -> Vec<Answer> {
    let plan = Plan::new(queries);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = if lines.size() < SMALL { 1 } else { cores.clamp(1, MOST_THREADS) };
    let pass = Pass {
        seen: queries.iter().map(|_| AtomicU64::new(0)).collect(),
        hasher: DefaultHashBuilder::default(),
        memory: plan.memory(threads),
        feed: Mutex::new(Feed { blocks, next: 0, not_plain: false }),
        plan: &plan,
        lines,
        unwanted,
    };
    let mut shares = Vec::with_capacity(threads);
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| pass.work())).collect();
        shares.push(Ok(pass.work()));
        shares.extend(others.into_iter().map(thread::ScopedJoinHandle::join));
    });
    let feed = pass.feed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let shares: Result<Vec<Share>, _> = shares.into_iter().collect();
    match shares {
        Ok(shares) if !feed.not_plain && !are_lost(&shares) => plan.answers(shares),
        _ => queries.iter().map(|_| Answer::ItemByItem).collect(),
    }
}

/// Whether some part cannot say which of its lines were asked for.
fn are_lost(shares: &[Share]) -> bool {
    let mut all: Vec<Times> = Vec::new();
    for share in shares {
        all.resize(all.len().max(share.times.len()), Times::default());
        all.iter_mut().zip(&share.times).for_each(|(all, own)| all.add(*own));
    }
    all.iter().any(|times| times.lost().is_some())
}

impl<'q> Plan<'q> {
    fn new(queries: &'q [Query]) -> Self {
        let (mut searches, mut wanted) = (Vec::new(), Vec::new());
        let mut written: Vec<String> = Vec::new();
        let mut search = |conditions: Vec<Condition>| {
            if conditions.is_empty() {
                return None;
            }
            // Two conditions that are written alike are one.
            let text = format!("{conditions:?}");
            Some(written.iter().position(|known| *known == text).unwrap_or_else(|| {
                written.push(text);
                let mut finder = Finder::new(&Condition::All(conditions));
                finder.sweeps(&mut wanted);
                searches.push(finder);
                searches.len() - 1
            }))
        };
        let queries: Vec<Asked<'q>> = queries
            .iter()
            .map(|query| {
                let left = search(query.filters.clone());
                let holding = kept::asks(&query.end)
                    .and_then(|condition| search(query.filters.iter().chain([condition]).cloned().collect()));
                Asked { query, left, holding }
            })
            .collect();
        let sweeps = Sweeps::of(&wanted);
        let numbers = queries.iter().any(|asked| kept::has_rows(&asked.query.end));
        Self { queries, searches, sweeps, numbers }
    }

    /// How much each table of each thread may keep.
    fn memory(&self, threads: usize) -> usize {
        let tables = self.queries.iter().filter(|asked| kept::has_table(&asked.query.end)).count();
        (TABLES / (threads * tables.max(1))).max(SMALLEST_TABLE)
    }

    fn answers(&self, shares: Vec<Share>) -> Vec<Answer> {
        let mut counts: Vec<(u32, usize, u64)> = shares.iter().flat_map(|share| share.lines.iter().copied()).collect();
        counts.sort_unstable();
        let mut before = Vec::with_capacity(counts.len());
        let (mut part, mut lines) = (0, 0);
        for (_, own, count) in counts {
            if own != part {
                (part, lines) = (own, 0);
            }
            before.push(lines);
            lines += i64::try_from(count).unwrap_or(i64::MAX);
        }
        let mut kept: Vec<Vec<Option<Kept>>> = self.queries.iter().map(|_| Vec::new()).collect();
        for share in shares {
            kept.iter_mut().zip(share.kept).for_each(|(all, own)| all.push(own));
        }
        self.queries
            .iter()
            .zip(kept)
            .map(|(asked, kept)| {
                let kept: Option<Vec<Kept>> = kept.into_iter().collect();
                let before = |block: u32| before.get(block as usize).copied().unwrap_or_default();
                kept.map_or(Answer::ItemByItem, |kept| kept::answer(&asked.query.end, kept, before))
            })
            .collect()
    }
}

/// What the threads share.
struct Pass<'p, 'q, B> {
    plan: &'p Plan<'q>,
    lines: &'p dyn Lines,
    unwanted: &'p AtomicBool,
    feed: Mutex<Feed<B>>,
    /// How many lines that count for it each query has seen.
    seen: Vec<AtomicU64>,
    hasher: DefaultHashBuilder,
    memory: usize,
}

impl<B: Blocks> Pass<'_, '_, B> {
    fn work(&self) -> Share {
        let new = |asked: &Asked<'_>| Some(Kept::new(&asked.query.end, &self.hasher, self.memory));
        let mut share =
            Share { kept: self.plan.queries.iter().map(new).collect(), lines: Vec::new(), times: Vec::new() };
        let (mut block, mut lowered) = (Block::default(), Vec::new());
        let mut turn = Turn::default();
        while let Some(number) = self.next(&mut block, &mut turn) {
            if self.search(&block, &mut lowered, number, &mut share).is_err() {
                self.is_not_plain();
                break;
            }
            if share.kept.iter().all(Option::is_none) {
                break;
            }
        }
        share
    }

    /// The next block, and which it is.
    fn next(&self, block: &mut Block, turn: &mut Turn) -> Option<u32> {
        if self.unwanted.load(Ordering::Relaxed) {
            return None;
        }
        let stretch = loop {
            if let Some(stretch) = turn.rest.as_mut().and_then(Stretch::next) {
                break stretch;
            }
            let number = self.claimed(block)?;
            let Some(stretch) = block.unread.take() else { return Some(number) };
            *turn = Turn { rest: Some(stretch), number };
        };
        let part = block.part;
        if stretch.read(block, |into, offset| self.lines.read_at(part, into, offset)).is_err() {
            self.is_not_plain();
            return None;
        }
        turn.number += 1;
        Some(turn.number - 1)
    }

    fn is_not_plain(&self) {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner).not_plain = true;
    }

    /// The number of the first block of what is taken next, which always follows what was taken before.
    fn claimed(&self, block: &mut Block) -> Option<u32> {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        if feed.not_plain || self.has_enough() {
            return None;
        }
        match feed.blocks.fill(block) {
            Ok(true) => {
                let number = feed.next;
                feed.next += block.unread.as_ref().map_or(1, Stretch::blocks);
                Some(number)
            }
            Ok(false) => None,
            Err(NotPlain) => {
                feed.not_plain = true;
                None
            }
        }
    }

    /// Whether nothing that is still to come can change an answer.
    fn has_enough(&self) -> bool {
        let enough = |(asked, seen): (&Asked<'_>, &AtomicU64)| {
            kept::enough(&asked.query.end).is_some_and(|enough| seen.load(Ordering::Relaxed) >= enough)
        };
        self.plan.queries.iter().zip(&self.seen).all(enough)
    }

    fn search(&self, block: &Block, lowered: &mut Vec<u8>, number: u32, share: &mut Share) -> Result<(), NotPlain> {
        let lines = block.lines();
        let lowers = self.plan.sweeps.lowers();
        let is_ascii = if lowers { lower(lines, lowered) } else { lines.is_ascii() };
        // Replaced line by line or all at once is the same: no character has a line's end in it.
        let replaced = if is_ascii { None } else { Some(String::from_utf8_lossy(lines)) };
        let bytes = replaced.as_ref().map_or(lines, |text| text.as_bytes());
        if lowers && matches!(replaced, Some(Cow::Owned(_))) {
            lower(bytes, lowered);
        }
        let view = View { bytes, lowered, is_ascii };
        if self.plan.numbers {
            // Lines that say their own number need none of what is before them.
            let count = if block.known.is_empty() { view.count() } else { 0 };
            share.lines.push((number, block.part, count));
        }
        let inside = if self.lines.has_window() { self.inside(&view, block, &mut share.times)? } else { None };
        let swept = self.plan.sweeps.find(&view);
        let found: Vec<Vec<Span>> = self
            .plan
            .searches
            .iter()
            .map(|search| {
                let mut found = search.select(&view, &swept);
                if let Some(inside) = &inside {
                    retain(&mut found, inside);
                }
                found
            })
            .collect();
        let found = |search: Option<usize>| search.and_then(|search| found.get(search)).map(Vec::as_slice);
        let mut all: Option<Vec<Span>> = None;
        let mut total: Option<u64> = None;
        for ((asked, kept), seen) in self.plan.queries.iter().zip(&mut share.kept).zip(&self.seen) {
            let end = &asked.query.end;
            let left = found(asked.left).or(inside.as_deref());
            let (spans, total) = match left {
                Some(spans) => (spans, spans.len() as u64),
                None if kept::only_counts(end) => (&[][..], *total.get_or_insert_with(|| view.count())),
                None => {
                    let all = all.get_or_insert_with(|| view.lines().collect());
                    (all.as_slice(), all.len() as u64)
                }
            };
            let holding = found(asked.holding).map_or(0, |spans| spans.len() as u64);
            let found = Found {
                lines: self.lines,
                view: &view,
                part: block.part,
                known: &block.known,
                number,
                total,
                spans,
                holding,
                filtered: asked.left.is_some(),
                continues: block.continues,
            };
            if kept.as_mut().is_some_and(|kept| kept.add(&found).is_err()) {
                *kept = None;
            }
            if kept::enough(end).is_some() {
                seen.fetch_add(kept::counts_for(end, total, holding), Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// The lines that are in the window; nothing where all are.
    fn inside(&self, view: &View<'_>, block: &Block, times: &mut Vec<Times>) -> Result<Option<Vec<Span>>, NotPlain> {
        let mut all = true;
        let mut inside = block.inside;
        let mut spans = Vec::new();
        let mut own = Times::default();
        for span in view.lines() {
            match self.lines.time(block.part, view.text(span)) {
                Some(moment) => {
                    inside = moment.is_held(|at| self.lines.holds(at)).ok_or(NotPlain)?;
                    own.read();
                }
                None => _ = own.unread(view.text(span)),
            }
            all &= inside;
            if inside {
                spans.push(span);
            }
        }
        times.resize(times.len().max(block.part + 1), Times::default());
        times.get_mut(block.part).into_iter().for_each(|times| times.add(own));
        Ok((!all).then_some(spans))
    }
}

/// Writes down bytes in small letters, and says whether all of them are ASCII.
fn lower(bytes: &[u8], into: &mut Vec<u8>) -> bool {
    into.resize(bytes.len(), 0);
    let mut bits = 0;
    for (small, byte) in into.iter_mut().zip(bytes) {
        *small = byte.to_ascii_lowercase();
        bits |= *byte;
    }
    bits.is_ascii()
}

/// Leaves those spans that are among others; both are in order.
fn retain(spans: &mut Vec<Span>, among: &[Span]) {
    let mut among = among.iter().peekable();
    spans.retain(|span| {
        while among.next_if(|other| other.start < span.start).is_some() {}
        among.next_if(|other| *other == span).is_some()
    });
}
