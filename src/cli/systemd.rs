//! What systemd is told of a server: `sd_notify(3)`.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::system;

/// Tells it, where it asked to be told. A service that says nothing is killed by it, so a failure is noted.
pub(super) fn say(state: &str) {
    let Some(socket) = system::env("NOTIFY_SOCKET") else { return };
    let told = UnixDatagram::unbound().and_then(|datagram| datagram.send_to(state.as_bytes(), &socket));
    if let Err(error) = told {
        tracing::warn!(%error, socket, state, "systemd could not be told");
    }
}

/// How often it wants a sign of life, or else starts the service anew; `None` where it does not.
pub(super) fn watchdog() -> Option<Duration> {
    let micros: u64 = system::env("WATCHDOG_USEC")?.parse().ok()?;
    // It may be meant for the program that started this one.
    let ours = system::env("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
    (ours && micros > 0).then(|| Duration::from_micros(micros))
}
