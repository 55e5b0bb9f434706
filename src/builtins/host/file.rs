//! `host.file`

use super::stat::{self, FileFacts};
use super::users::Users;
use crate::builtins::{blocking, files};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed};

const PATH: Param<String> = Param::required("path", "Where it is; a relative path starts at the runbook's folder.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.file",
    summary: "A file of this machine: whether it is there, how large, how old and whose.",
    params: &[PATH.info()],
    returns: Returns::Type(FileFacts::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| blocking::run(move || file(&cx, &args))),
    needs: &[Need::Words("search permission on its folders")],
    by_hand: "stat {path}",
    examples: &[
        Example::call(r#"host.file("/var/backups/db.dump").age < 26h"#),
        Example::call(r#"not host.file("/var/run/maintenance").exists"#),
    ],
};

fn file(cx: &Cx, args: &Args<'_>) -> Result<FileFacts, Fault> {
    stat::look(&files::locate(cx, &args.get(&PATH)?)?, &Users::read(), cx.run.started_at)
}
