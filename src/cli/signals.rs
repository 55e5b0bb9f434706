//! Ctrl-C and its like: the first one stops the run in good order, the second one at once.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::console::{Console, Failure};
use super::recorder::Recorder;
use crate::run::Interrupt;

/// The exit code of what a signal stopped.
pub(super) const INTERRUPTED: u8 = 130;

/// The signals that end a run.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::new(format!("cannot listen for signals: {error}")));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Does what comes before a run, or stands alone. A signal stops it where it is.
    ///
    /// # Errors
    /// Those of the work, and that it was stopped: `left` says how things are then.
    pub(super) async fn or_stopped<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
        left: &str,
    ) -> Result<T, Failure> {
        tokio::select! {
            done = work => done,
            name = self.next() => {
                Err(Failure { exit: INTERRUPTED, ..Failure::new(format!("stopped by {name}: {left}")) })
            }
        }
    }

    /// Stops the run when one comes. Ends with the run.
    pub(super) async fn watch(mut self, interrupt: Interrupt, recorder: Arc<Recorder>, console: Arc<Console>) {
        let name = self.next().await;
        // Set before the run looks at it; a second signal keeps the first one's name.
        let _ = interrupt.signal.set(name.to_owned());
        recorder.hold();
        console.say(&format!("\n{}\n", stopping(&recorder, name)));
        interrupt.cancel.cancel();
        recorder.go_on();
        self.next().await;
        let (_, in_flight) = recorder.changes();
        let left =
            if in_flight.is_empty() { String::new() } else { format!(", not waiting for: {}", in_flight.join(", ")) };
        console.say(&format!("\nstopped at once{left}\n"));
        interrupt.abort.cancel();
    }

    /// The next one that stops a server; `hung_up` is done at each that does not.
    async fn next_stop(&mut self, hung_up: impl Fn()) -> &'static str {
        loop {
            match self.next().await {
                "SIGHUP" => hung_up(),
                name => return name,
            }
        }
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}

/// A file that grew to the limit of this process (`ulimit -f`) is a fault of the write, as a full disk is, and no end of the
/// process without a word. Called in a runtime, whose handler stays from then on.
pub(super) fn outlive_full_files() -> Result<(), Failure> {
    let grown = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    signal(grown).map(drop).map_err(|error| Failure::new(format!("cannot listen for signals: {error}")))
}

/// What is done, what is in flight and what is not touched any more.
fn stopping(recorder: &Recorder, signal: &str) -> String {
    let (done, in_flight) = recorder.changes();
    let made = format!("changes made so far: {done}");
    if in_flight.is_empty() {
        format!("stopping: {made}, none in flight; nothing more is begun")
    } else {
        let waiting = in_flight.join(", ");
        let again = if signal == "SIGINT" { "Ctrl-C" } else { signal };
        format!(
            "stopping: {made}; waiting for the end of: {waiting}; nothing more is begun. {again} again stops at once"
        )
    }
}

/// Stops a server when a signal comes; a second one ends it at once. SIGHUP has it look at its files, as it does elsewhere.
pub(super) fn stop(
    stop: CancellationToken,
    at_once: CancellationToken,
    look: watch::Sender<()>,
    console: Arc<Console>,
) -> Result<JoinHandle<()>, Failure> {
    let mut signals = Signals::new()?;
    Ok(tokio::spawn(async move {
        let name = signals.next_stop(|| look.send_modify(|()| ())).await;
        console.say(&format!("\n{name}: nothing more is begun; what goes on is brought to its end\n"));
        stop.cancel();
        let name = signals.next_stop(|| ()).await;
        console.say(&format!("\n{name} again: stopped at once\n"));
        at_once.cancel();
    }))
}
