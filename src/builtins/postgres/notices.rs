//! What a server says beside its answers: warnings, notices, and what a verbose statement tells.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::{AsyncMessage, Connection, Error};

use super::refusal::describe;
use crate::shown::look::counted;

/// So many warnings are kept, and so many of all else.
const MOST: usize = 50;
/// As much of one as is kept, in characters.
const LINE: usize = 500;

/// What was said in a session.
#[derive(Clone, Default)]
pub(super) struct Notices(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    kept: Vec<DbError>,
    warnings: usize,
    more: u64,
}

impl Notices {
    /// Drives a connection and hears what is said on it, until it ends; gives why it did.
    pub(super) async fn hear<S, T>(self, mut connection: Connection<S, T>) -> Option<Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
        T: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            match poll_fn(|cx| connection.poll_message(cx)).await {
                Some(Ok(AsyncMessage::Notice(notice))) => self.keep(notice),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Some(error),
                None => return None,
            }
        }
    }

    fn keep(&self, notice: DbError) {
        let mut heard = self.heard();
        let others = heard.kept.len() - heard.warnings;
        let warns = is_warning(&notice);
        if (if warns { heard.warnings } else { others }) >= MOST {
            heard.more += 1;
            return;
        }
        heard.warnings += usize::from(warns);
        heard.kept.push(notice);
    }

    pub(super) fn warnings(&self) -> Vec<DbError> {
        self.heard().kept.iter().filter(|notice| is_warning(notice)).cloned().collect()
    }

    /// All of it, a line each: `WARNING: skipping "sessions" --- only table or database owner can vacuum it`
    pub(super) fn lines(&self) -> Vec<String> {
        let heard = self.heard();
        let mut lines: Vec<String> = heard.kept.iter().map(line).collect();
        if heard.more > 0 {
            lines.push(format!("and {} more", counted(heard.more, "line")));
        }
        lines
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_warning(notice: &DbError) -> bool {
    notice.parsed_severity() == Some(Severity::Warning)
}

fn line(notice: &DbError) -> String {
    // What a server says in the language of the house begins with the word that is looked for, too.
    let severity =
        notice.parsed_severity().map_or_else(|| notice.severity().to_owned(), |severity| severity.to_string());
    let text = describe(notice);
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(LINE) {
        words.truncate(end);
        words.push('…');
    }
    format!("{severity}: {words}")
}
