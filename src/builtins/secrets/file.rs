//! `secret key = file("./key")`

use std::path::Path;

use crate::catalog::{Args, ByHand, Cx, Driver, DriverKind, Example, Open, Opened, Param};
use crate::types::Fault;

const PATH: Param<String> = Param::required(
    "path",
    "The file, from the runbook's own folder. One newline at its end is not part of the secret.",
);

pub(super) static DRIVER: Driver = Driver {
    name: "file",
    kind: DriverKind::Secret,
    summary: "A secret from a file, such as one that an orchestrator mounts.",
    params: &[PATH.info()],
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args) })),
    needs: &[],
    reaches: |_| Vec::new(),
    by_hand: ByHand::NONE,
    examples: &[Example::call(r#"secret key = file("/run/secrets/api-key")"#)],
};

fn open(cx: &Cx, args: &Args<'static>) -> Result<Opened, Fault> {
    let path = args.get(&PATH)?;
    let text = cx.world.file(Path::new(&path))?;
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    super::opened(format!("the file `{path}`"), text.to_owned())
}
