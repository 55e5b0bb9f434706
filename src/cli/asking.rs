//! The person at the terminal: asked for consent, and to do what `manual` says.

use std::io::BufRead;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::console::Console;
use super::recorder::Recorder;
use crate::report::terminal::{proposed, short};
use crate::run::{Answer, AskConsent, ManualTask, Person, Proposal};
use crate::shown::look::clean;
use crate::store::event::ManualAnswer;

/// Somebody who reads standard error and types into standard input.
#[derive(Clone)]
pub(super) struct Terminal {
    console: Arc<Console>,
    recorder: Arc<Recorder>,
    /// Lines as they are typed. One thread reads them for the whole run: a question that is given up must not swallow
    /// the answer to the next.
    lines: Arc<Mutex<UnboundedReceiver<String>>>,
    who: Arc<str>,
}

impl Terminal {
    pub(super) fn new(console: Arc<Console>, recorder: Arc<Recorder>, who: &str) -> Self {
        let (sender, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                // The end of the input and an end of the run end the thread.
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { console, recorder, lines: Arc::new(Mutex::new(lines)), who: who.into() }
    }

    /// `None` where nobody will answer: the input is at its end.
    async fn ask(&self, question: &str) -> Option<String> {
        let mut lines = self.lines.lock().await;
        // What was typed before the question is no answer to it.
        while lines.try_recv().is_ok() {}
        self.console.say(question);
        lines.recv().await.map(|line| line.trim().to_owned())
    }
}

/// Lets the output go on, also where the question is given up.
struct Held(Arc<Recorder>);

impl Held {
    fn new(recorder: &Arc<Recorder>) -> Self {
        recorder.hold();
        Self(Arc::clone(recorder))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.go_on();
    }
}

impl AskConsent for Terminal {
    fn ask(&self, proposal: Proposal) -> BoxFuture<'static, Option<String>> {
        let own = self.clone();
        Box::pin(async move {
            let _held = Held::new(&own.recorder);
            let list = proposed(&proposal.changes, own.console.look_err()).join("\n");
            let question = format!(
                "\nThis run wants to make these changes (plan {}):\n{list}\nType yes to allow them, anything else to stop: ",
                short(&proposal.hash)
            );
            let answer = Self::ask(&own, &question).await?;
            (answer.eq_ignore_ascii_case("yes")).then(|| format!("{} typed yes at the terminal", own.who))
        })
    }
}

impl Person for Terminal {
    fn ask(&self, task: ManualTask) -> BoxFuture<'static, Answer> {
        let own = self.clone();
        Box::pin(async move {
            let _held = Held::new(&own.recorder);
            let link = task.link.map_or_else(String::new, |link| format!("\n  {}", clean(&link)));
            let within = task.within.map_or_else(String::new, |within| {
                format!(" (within {})", crate::shown::look::seconds(within.as_secs_f64()))
            });
            let mut question = format!(
                "\nPlease do: {}{link}\nAnswer done, problem or skip, and a note if you like{within}: ",
                clean(&task.text)
            );
            loop {
                let Some(line) = Self::ask(&own, &question).await else {
                    return Answer { answer: ManualAnswer::NotAnswered, note: None };
                };
                if let Some(answer) = understood(&line) {
                    return answer;
                }
                "Write done, problem or skip first: ".clone_into(&mut question);
            }
        })
    }
}

/// `problem the disk is full`
fn understood(line: &str) -> Option<Answer> {
    let (word, note) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let answer = match word.trim_end_matches([':', ',', '.']).to_ascii_lowercase().as_str() {
        "done" | "d" => ManualAnswer::Done,
        "problem" | "p" => ManualAnswer::Problem,
        "skip" | "skipped" | "s" => ManualAnswer::Skipped,
        _ => return None,
    };
    let note = note.trim();
    Some(Answer { answer, note: (!note.is_empty()).then(|| note.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::understood;
    use crate::store::event::ManualAnswer;

    #[test]
    fn an_answer_is_a_word_and_perhaps_a_note() {
        let answer = understood("Problem: the disk is full").unwrap();
        assert_eq!(answer.answer, ManualAnswer::Problem);
        assert_eq!(answer.note.as_deref(), Some("the disk is full"));
        assert_eq!(understood("d").unwrap().answer, ManualAnswer::Done);
        assert!(understood("").is_none());
        assert!(understood("yes").is_none());
    }
}
