//! What a built-in of ours looks at by a command of the container.

use jiff::SignedDuration;

use super::call::{CONTAINER, failed, limits, text};
use super::session::{Place, Purpose};
use crate::builtins::kubernetes::of_pod;
use crate::catalog::{Args, Param};
use crate::types::{Fault, FaultKind, Size, Value};

pub(super) const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long it may take.", || Value::Duration(SignedDuration::from_secs(10)));
const AT_MOST: Size = Size(1 << 20);

/// The container of a call on a pod.
pub(super) fn place(args: &Args<'static>) -> Result<Place, Fault> {
    let pod = of_pod::place(args)?;
    Ok(Place { container: args.get(&CONTAINER)?, ..pod })
}

/// What a command prints, which has to succeed.
pub(super) async fn printed(place: &Place, words: &[&str], within: SignedDuration) -> Result<String, Fault> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    // It only looks, so that it had begun is no matter.
    let read = |fault: Fault| Fault { sent: false, ..fault };
    let output = place.run(&words, Purpose::Look, limits(within, AT_MOST)?).await.map_err(read)?;
    let name = place.shown(&words);
    if output.exit_code != 0 {
        let fault = failed(&name, &output);
        return Err(match words.first() {
            Some(program) if matches!(output.exit_code, 126 | 127) => {
                Fault::new(FaultKind::NotFound, format!("the container of pod {} has no `{program}`", place.pod))
                    .help("name another `container:`")
            }
            _ => fault,
        });
    }
    text(&name, &output.stdout).map(|text| text.to_string())
}
