//! What is judged together: a threshold may keep another quiet, and what was sampled at one moment became so at one moment.

use std::collections::{BTreeMap, BTreeSet};

use super::{MetricId, Program, ThresholdId};

impl Program {
    /// All thresholds, those that keep others quiet before these. Of two that keep each other quiet, the first one that is
    /// written comes first.
    #[must_use]
    pub fn thresholds_in_order(&self) -> Vec<ThresholdId> {
        let mut order = Order { program: self, seen: BTreeSet::new(), ids: Vec::new() };
        for index in 0..self.thresholds.len() {
            order.add(index);
        }
        order.ids
    }

    /// Parts metrics that are sampled at one moment: those of one part are judged together, since a threshold of one may
    /// be quiet while a threshold of another is open.
    #[must_use]
    pub fn judged_together(&self, metrics: &[MetricId]) -> Vec<Vec<MetricId>> {
        let mut parts: Vec<Vec<MetricId>> = metrics.iter().map(|id| vec![*id]).collect();
        for threshold in self.thresholds.iter().filter(|threshold| !threshold.quiet_while.is_empty()) {
            let by = threshold.quiet_while.iter().filter_map(|id| self.thresholds.get(id.index()));
            let all: BTreeSet<MetricId> = by.flat_map(|by| &by.metrics).chain(&threshold.metrics).copied().collect();
            let (linked, others): (Vec<_>, Vec<_>) =
                parts.into_iter().partition(|part| part.iter().any(|id| all.contains(id)));
            parts = others;
            let linked: Vec<MetricId> = linked.into_iter().flatten().collect();
            if !linked.is_empty() {
                parts.push(linked);
            }
        }
        // In the order in which they are written.
        let place: BTreeMap<MetricId, usize> = metrics.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        for part in &mut parts {
            part.sort_by_key(|id| place.get(id));
        }
        parts.sort_by_key(|part| part.first().and_then(|id| place.get(id)));
        parts
    }
}

struct Order<'p> {
    program: &'p Program,
    seen: BTreeSet<usize>,
    ids: Vec<ThresholdId>,
}

impl Order<'_> {
    fn add(&mut self, index: usize) {
        let (Some(threshold), Ok(id)) = (self.program.thresholds.get(index), u32::try_from(index)) else { return };
        if self.seen.insert(index) {
            for by in &threshold.quiet_while {
                self.add(by.index());
            }
            self.ids.push(ThresholdId(id));
        }
    }
}
