//! What is going on right now, on a terminal: a line for each step that runs, gone when it is done.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::shown::look::{clean, cut};
use crate::store::event::{Event, Path};

/// More lines than this would push the report off the screen.
const LINES: usize = 6;

#[derive(Debug)]
pub(super) struct Progress {
    bars: MultiProgress,
    steps: BTreeMap<Path, (String, Option<ProgressBar>)>,
    width: usize,
}

impl Progress {
    /// Draws on standard error.
    pub(super) fn new(width: usize) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { bars, steps: BTreeMap::new(), width }
    }

    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::StepStarted { path, title, label, .. } => {
                let label = label.as_ref().map_or_else(String::new, |label| format!(" [{}]", clean(label)));
                let text = cut(&format!("{}{label}", clean(title)), self.width.saturating_sub(16));
                self.steps.insert(path.clone(), (text, None));
                self.fill();
            }
            Event::StepFinished { path, .. } => {
                if let Some((_, Some(bar))) = self.steps.remove(path) {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                self.fill();
            }
            Event::RunFinished(_) => self.clear(),
            _ => {}
        }
    }

    /// Runs something that prints, with the lines out of its way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bars.suspend(print)
    }

    /// Takes all lines away, for a question or the end.
    pub(super) fn clear(&mut self) {
        for (_, bar) in self.steps.values_mut() {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        }
    }

    /// Gives free lines to the steps that run and have none.
    fn fill(&mut self) {
        let shown = self.steps.values().filter(|(_, bar)| bar.is_some()).count();
        let waiting = self.steps.values_mut().filter(|(_, bar)| bar.is_none());
        for (text, bar) in waiting.take(LINES.saturating_sub(shown)) {
            let line = self.bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
                line.set_style(style);
            }
            line.set_message(text.clone());
            line.enable_steady_tick(Duration::from_millis(120));
            *bar = Some(line);
        }
    }
}
