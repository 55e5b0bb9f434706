//! Whether a change that failed may have been made all the same.

use crate::builtins::kubernetes::faults;
use crate::types::Fault;

/// The fault of a change that the API did not answer well. What it refused was not made; of what it did not answer, or
/// answered with trouble of its own, nobody knows.
pub(super) fn fault(error: &kube::Error, what: &str) -> Fault {
    let fault = faults::fault(error, what);
    if refused(error) { fault } else { fault.sent() }
}

/// Whether it can't have been made.
fn refused(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code < 500,
        kube::Error::HyperError(_) | kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => false,
        kube::Error::Service(error) => never_connected(error.as_ref()),
        // All others are of before it goes out.
        _ => true,
    }
}

/// Whether no connection was made, so that nothing can have gone out.
fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(client) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return client.is_connect();
        }
        next = error.source();
    }
    false
}
