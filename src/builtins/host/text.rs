//! `host.text`

use std::fs::File;
use std::io::Read as _;

use crate::builtins::{blocking, files};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Size, Type, Value};
use crate::units;

const PATH: Param<String> = Param::required("path", "Where it is; a relative path starts at the runbook's folder.");
const AT_MOST: Param<Size> =
    Param::or("at_most", "The most that is read; a larger file is a fault.", || Value::Size(1 << 20));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.text",
    summary: "The text of a small file of this machine.",
    params: &[PATH.info(), AT_MOST.info()],
    returns: Returns::Type(|| Type::String),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| blocking::run(move || text(&cx, &args))),
    needs: &[Need::Words("read permission on the file")],
    by_hand: "cat {path}",
    examples: &[Example::call(r#"host.text("/etc/debian_version") | trim"#)],
};

fn text(cx: &Cx, args: &Args<'_>) -> Result<String, Fault> {
    let path = files::locate(cx, &args.get(&PATH)?)?;
    let failed = |error: std::io::Error| files::fault("read", &path, &error);
    // Asked before it is opened: opening a pipe waits for somebody to write.
    let kind = std::fs::metadata(&path).map_err(failed)?.file_type();
    if kind.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    if !kind.is_file() {
        return Err(Fault::new(FaultKind::Setup, format!("`{}` is no regular file", path.display())));
    }
    let most = args.get(&AT_MOST)?.0;
    let limit = u64::try_from(most).map_err(|_| Fault::no_value("`at_most` is less than nothing"))?;
    let mut bytes = Vec::new();
    // One byte more tells whether there is more; sizes of files under `/proc` say nothing.
    File::open(&path).map_err(failed)?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        let message = format!("`{}` is larger than the {} that are taken", path.display(), units::size(most));
        return Err(
            Fault::new(FaultKind::TooLarge, message).help("write `at_most: 10MiB`, or read it with `logs(file: …)`")
        );
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Fault::conversion(format!("`{}` is not UTF-8 text, from byte {at} on", path.display()))
            .help("`logs(file: …)` takes any bytes")
    })
}
