//! `host.files`

use super::stat::{self, FileFacts};
use super::users::Users;
use crate::builtins::{blocking, files};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Typed};

const PATTERN: Param<String> = Param::required(
    "pattern",
    "The files by their paths: `*` is any part of a name, `?` one character, `[ab]` one of some, `**` any folders, and at the end all that is below. As in a shell, they mean names that begin with a dot only where the dot is written, and `**` no folder that a symbolic link leads to. A value in a text that is written for it stands for itself: it has no wildcards.",
)
.pattern()
.judged(files::PATH);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.files",
    summary: "The files of this machine that a pattern means, by name; none where nothing is like it, and a fault where the folder in front of the first wildcard is not there.",
    params: &[PATTERN.info()],
    returns: Returns::Type(|| Type::list(FileFacts::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| blocking::run(move || list(&cx, &args))),
    needs: &[Need::Words("read permission on the folders")],
    by_hand: "ls -ld {pattern:glob}",
    examples: &[
        Example::call(r#"host.files("/var/backups/*.dump") | any(.age < 26h and .size > 1MiB)"#),
        Example::call(r#"host.files("/var/crash/*") | is_empty"#),
    ],
};

fn list(cx: &Cx, args: &Args<'_>) -> Result<Vec<FileFacts>, Fault> {
    let paths = files::matching(&files::locate(cx, &args.get(&PATTERN)?)?)?;
    let users = Users::read();
    let mut found = Vec::new();
    for path in paths {
        let file = stat::look(&path, &users, cx.run.started_at)?;
        // One that was removed meanwhile is none.
        if file.exists {
            found.push(file);
        }
    }
    Ok(found)
}
