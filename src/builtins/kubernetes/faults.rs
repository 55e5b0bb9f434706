//! stand-in
use crate::builtins::dial::Trouble;
use crate::types::*;
pub(super) fn fault(error: &kube::Error, what: &str) -> Fault {
    let kind = match error {
        kube::Error::Api(s) => match s.code {
            404 => FaultKind::NotFound,
            401 | 403 => FaultKind::Denied,
            400..500 => FaultKind::Failed,
            _ => FaultKind::BadAnswer,
        },
        _ => FaultKind::Unreachable,
    };
    Fault::new(kind, format!("{what}: {error}"))
}
pub(super) fn trouble(error: &kube::Error, what: &str) -> Trouble {
    Trouble { fault: fault(error, what), ours: true }
}
