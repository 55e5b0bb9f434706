//! `secret key = env("KEY")`

use crate::catalog::{Args, ByHand, Cx, Driver, DriverKind, Example, Open, Opened, Param};
use crate::types::{Fault, FaultKind};

const NAME: Param<String> = Param::required("name", "The environment variable.");

pub(super) static DRIVER: Driver = Driver {
    name: "env",
    kind: DriverKind::Secret,
    summary: "A secret from an environment variable.",
    params: &[NAME.info()],
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args) })),
    needs: &[],
    reaches: |_| Vec::new(),
    by_hand: ByHand::NONE,
    examples: &[Example::call(r#"secret key = env("API_KEY")"#)],
};

fn open(cx: &Cx, args: &Args<'static>) -> Result<Opened, Fault> {
    let name = args.get(&NAME)?;
    let text = cx.world.env(&name)?.ok_or_else(|| {
        Fault::new(FaultKind::Setup, format!("the environment variable `{name}` is not set"))
            .help(format!("set it: export {name}=…"))
    })?;
    super::opened(format!("the environment variable `{name}`"), text)
}
