//! What is to be done now, from what was done last and what the clock says.

use jiff::{SignedDuration, Timestamp};

use super::{Due, Timetable};

/// How late a missed run is still made where `late` does not say it: a night's run in the morning, and not a night's run in
/// the next night's load. It never competes with the next time, which takes its place when it comes.
const LATE: SignedDuration = SignedDuration::from_hours(12);

/// A last time that lies further ahead than this was written by a clock that was wrong.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// So many missed times are named; of more only their number is kept.
const NAMED: usize = 100;

/// So many missed times are counted.
const COUNTED: usize = 100_000;

/// What is known of a section before now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// [`Decision::last`] of the decision before this one. `None` where the schedule is seen for the first time: then nothing
    /// was missed.
    pub last: Option<Timestamp>,
    /// The last run of this section, whoever started it.
    pub run: Option<OwnRun>,
}

/// A run of the section itself, which another would overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnRun {
    pub began: Timestamp,
    /// `None` while it is going on.
    pub ended: Option<Timestamp>,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// To be started now.
    pub run: Option<Due>,
    /// To be started as soon as the run that is going on has ended: ask again then. `overlap: "queue"` alone has it.
    pub waiting: Option<Due>,
    /// To be recorded as not made, oldest first: the newest hundred.
    pub missed: Vec<Missed>,
    /// How many were missed before those that are named.
    pub missed_before: usize,
    /// Whether there were more before those than were counted.
    pub more_before: bool,
    /// When to ask again, if no run ends before. `None` where the calendar ends.
    pub next: Option<Due>,
    /// To be kept, and given as [`Past::last`] the next time.
    pub last: Timestamp,
    /// The last time lay more than a day ahead, so a clock was wrong: it was forgotten, and counting begins now.
    pub clock_was_wrong: bool,
}

/// A time at which nothing ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    pub due: Due,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Nothing was up to start it, and a later one took its place.
    NotUp,
    /// Nothing was up to start it, and by now it is later than `late`.
    TooLate,
    /// The run before it was still going on.
    Overlap,
}

impl OwnRun {
    /// Whether it was going on at a moment.
    fn covers(self, at: Timestamp) -> bool {
        self.began <= at && self.ended.is_none_or(|ended| at < ended)
    }
}

impl Timetable<'_> {
    /// What is to be done at a moment. It is the same whether nothing was up, the machine was suspended or the clock jumped
    /// ahead. What was once made or recorded is never made again, also where the clock goes back.
    #[must_use]
    pub fn decide(&self, past: Past, now: Timestamp) -> Decision {
        let wrong = past.last.is_some_and(|last| last.duration_since(now) > AHEAD);
        let last = past.last.filter(|_| !wrong).unwrap_or(now);
        let open = self.open(last, now);
        let mut decision = Decision {
            run: None,
            waiting: None,
            missed: Vec::new(),
            missed_before: open.before,
            more_before: open.more,
            next: self.next_scheduled(last.max(now), last),
            last,
            clock_was_wrong: wrong,
        };
        let queues = &*self.schedule.overlap == "queue";
        let going_on = past.run.is_some_and(|run| run.ended.is_none());
        let overlapped = |due: &Due| past.run.is_some_and(|run| run.covers(due.at));
        let mut open = open.newest;
        let newest = open.pop();
        decision.missed = open
            .into_iter()
            .map(|due| Missed { why: if overlapped(&due) { Why::Overlap } else { Why::NotUp }, due })
            .collect();
        let Some(newest) = newest else { return decision };
        // What waited for a run is late since that run ended, and not since its own time.
        let owed = past.run.filter(|_| queues && overlapped(&newest)).and_then(|run| run.ended).unwrap_or(newest.at);
        let too_late = now.duration_since(owed) > self.schedule.late.unwrap_or(LATE);
        if going_on && queues {
            // It is not recorded yet: the next decision finds it again.
            decision.last = decision.missed.last().map_or(last, |missed| missed.due.scheduled);
            decision.waiting = Some(newest);
            return decision;
        }
        decision.last = newest.scheduled;
        if going_on || (overlapped(&newest) && !queues) {
            decision.missed.push(Missed { due: newest, why: Why::Overlap });
        } else if too_late {
            decision.missed.push(Missed { due: newest, why: Why::TooLate });
        } else {
            decision.run = Some(newest);
        }
        decision
    }

    /// The first time after a moment that is scheduled after another one.
    fn next_scheduled(&self, after: Timestamp, last: Timestamp) -> Option<Due> {
        self.after(after).find(|due| due.scheduled > last)
    }

    /// What was scheduled after the last one and should have been made by now. Searched from now backwards, so that a year
    /// of seconds costs no more than an hour of them.
    fn open(&self, last: Timestamp, now: Timestamp) -> Open {
        if last >= now {
            return Open::default();
        }
        let due = |from: Timestamp| self.after(from).take_while(|due| due.at <= now).filter(|due| due.scheduled > last);
        let mut back = SignedDuration::from_secs(60);
        loop {
            let from = now.checked_sub(back).unwrap_or(last).max(last);
            let mut newest: Vec<Due> = due(from).collect();
            let all = from == last;
            if all || newest.len() > NAMED {
                let here = newest.len();
                // One more than are named as missed: the newest itself may be made.
                newest.drain(..here.saturating_sub(NAMED + 1));
                let counted = if all { here } else { due(last).take(COUNTED).count() };
                let before = counted.saturating_sub(newest.len());
                return Open { newest, before, more: !all && counted == COUNTED };
            }
            back = back.saturating_mul(2);
        }
    }
}

/// Times that nobody has answered for.
#[derive(Default)]
struct Open {
    /// Oldest first.
    newest: Vec<Due>,
    before: usize,
    more: bool,
}
