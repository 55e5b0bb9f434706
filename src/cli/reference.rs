//! The reference as Markdown: a page for each built-in, driver and type.

use std::fmt::Write as _;

use crate::catalog::{
    Accepts, Builtin, Catalog, Driver, DriverKind, EffectRule, Example, Landing, ParamInfo, Presence, Returns, Yields,
    by_hand,
};
use crate::plan::text::literal;
use crate::types::{FaultKind, Type};
use crate::units::UNITS;

/// Built-ins that are called on a value or with no family in front.
const STAGES: &str = "stages";

/// Every name that has a page.
pub(super) fn names(catalog: &Catalog) -> Vec<String> {
    let mut names: Vec<String> = catalog.builtins().map(|builtin| builtin.name.to_owned()).collect();
    names.extend(families(catalog));
    names.extend(catalog.drivers().map(|driver| driver.name.to_owned()));
    names.extend(catalog.named_types().map(|(name, _)| name.to_owned()));
    names.extend(["types", "drivers", "units", "errors"].map(str::to_owned));
    names
}

/// One line for each of them.
pub(super) fn overview(catalog: &Catalog) -> String {
    let mut text = String::new();
    for family in families(catalog) {
        let _ = writeln!(text, "{family}");
        text.push_str(&list(
            catalog.builtins().filter(|one| self::family(one) == family).map(|one| (one.name, one.summary)),
        ));
    }
    let _ = writeln!(text, "drivers");
    text.push_str(&list(catalog.drivers().map(|driver| (driver.name, driver.summary))));
    let types: Vec<&str> = catalog.named_types().map(|(name, _)| name).collect();
    let _ = writeln!(text, "types\n  {}\n\nrunbook doc NAME says more, also of `units` and `errors`", types.join(", "));
    text
}

/// Everything, as one document.
pub(super) fn whole(catalog: &Catalog) -> String {
    let mut text = String::from("# Reference\n");
    for family in families(catalog) {
        let _ = write!(text, "\n## {family}\n");
        for one in catalog.builtins().filter(|one| self::family(one) == family) {
            let _ = write!(text, "\n{}", builtin(catalog, one, "###"));
        }
    }
    text.push_str("\n## drivers\n");
    for one in catalog.drivers() {
        let _ = write!(text, "\n{}", driver(one, "###"));
    }
    text.push_str("\n## types\n");
    for (name, ty) in catalog.named_types() {
        let _ = write!(text, "\n{}", named_type(name, ty, "###"));
    }
    let _ = write!(text, "\n{}\n{}", units("##"), errors("##"));
    text
}

/// The page of a name; of all that have it.
pub(super) fn page(catalog: &Catalog, name: &str) -> Option<String> {
    let mut pages = Vec::new();
    pages.extend(catalog.builtin(name).map(|one| builtin(catalog, one, "#")));
    pages.extend(catalog.driver(name).map(|one| driver(one, "#")));
    pages.extend(catalog.named_type(name).map(|ty| named_type(name, ty, "#")));
    match name {
        "units" => pages.push(units("#")),
        "errors" => pages.push(errors("#")),
        "drivers" => pages.extend(catalog.drivers().map(|one| driver(one, "#"))),
        "types" => pages.extend(catalog.named_types().map(|(name, ty)| named_type(name, ty, "#"))),
        _ if families(catalog).iter().any(|family| family == name) => {
            let members = catalog.builtins().filter(|one| self::family(one) == name);
            pages.push(format!("# {name}\n\n{}", list(members.map(|one| (one.name, one.summary)))));
        }
        _ => {}
    }
    (!pages.is_empty()).then(|| pages.join("\n"))
}

fn family(builtin: &Builtin) -> &str {
    builtin.name.split_once('.').map_or(STAGES, |(family, _)| family)
}

/// In the order of the catalogue.
fn families(catalog: &Catalog) -> Vec<String> {
    let mut families: Vec<String> = Vec::new();
    for builtin in catalog.builtins() {
        let family = family(builtin);
        if families.iter().all(|known| known != family) {
            families.push(family.to_owned());
        }
    }
    families
}

fn list<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let entries: Vec<(&str, &str)> = entries.collect();
    let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, summary) in entries {
        let _ = writeln!(text, "  {name:width$}  {summary}");
    }
    text.push('\n');
    text
}

fn builtin(catalog: &Catalog, one: &Builtin, level: &str) -> String {
    let mut text = format!("{level} {}\n\n```text\n{}\n```\n\n{}\n", one.name, signature(one), one.summary);
    let _ = write!(text, "\n- effect: {}\n", effect(one.effect));
    if let Some(instead) = catalog.instead_of(one) {
        let _ = writeln!(text, "- deprecated: {instead}");
    }
    for need in one.needs {
        let _ = writeln!(text, "- needs: {need}");
    }
    if !one.by_hand.is_empty() {
        let _ = writeln!(text, "- by hand: `{}`", by_hand::shown(one.by_hand));
    }
    text.push_str(&params(one.params));
    if let Returns::Type(ty) | Returns::Judged { ty, .. } = one.returns {
        text.push_str(&fields(&ty()));
    }
    text.push_str(&examples(one.examples));
    text
}

/// `host.disk(path: string) -> disk`
fn signature(one: &Builtin) -> String {
    let returns = match one.returns {
        Returns::Type(ty) | Returns::Judged { ty, .. } => ty().to_string(),
        Returns::Computed { shape, .. } => shape.to_owned(),
    };
    format!("{}({}) -> {returns}", one.name, arguments(one.params))
}

fn arguments(params: &[ParamInfo]) -> String {
    // A connection is what stands before the dot.
    let params = params.iter().filter(|param| !matches!(param.accepts, Accepts::Connection(_)));
    let shown: Vec<String> = params
        .map(|param| {
            let (name, accepts) = (param.name, accepts(param.accepts));
            match param.presence {
                Presence::Required => format!("{name}: {accepts}"),
                Presence::Optional => format!("{name}?: {accepts}"),
                Presence::Default(default) => format!("{name}: {accepts} = {}", literal(&default())),
            }
        })
        .collect();
    shown.join(", ")
}

fn accepts(accepts: Accepts) -> String {
    match accepts {
        Accepts::Type(ty) => ty().to_string(),
        Accepts::Word(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | "),
        Accepts::Items => "list | log".to_owned(),
        Accepts::Anything => "any".to_owned(),
        Accepts::Number => "number".to_owned(),
        Accepts::PerItem(yields) => match yields {
            Yields::Bool => "item => bool",
            Yields::Ordered => "item => ordered",
            Yields::Number => "item => number",
            Yields::Anything => "item => any",
        }
        .to_owned(),
        Accepts::Literal(landing) => match landing {
            Landing::Url => "literal URL",
            Landing::Sql => "literal SQL",
            Landing::Words => "literal words",
            Landing::Quoted(quoting) => return format!("literal {}", quoting.language),
        }
        .to_owned(),
        Accepts::Connection(driver) => format!("{driver} connection"),
        Accepts::Fields { secrets: false, .. } => "{…}".to_owned(),
        Accepts::Fields { secrets: true, .. } => "{…}, secrets too".to_owned(),
        Accepts::TextOrSecret => "string | secret".to_owned(),
        Accepts::File(_) => "path of a file".to_owned(),
        Accepts::Metric => "metric".to_owned(),
        Accepts::Way => "pod | service".to_owned(),
    }
}

const fn effect(effect: EffectRule) -> &'static str {
    match effect {
        EffectRule::Pure => "only computes",
        EffectRule::Reads => "reads",
        EffectRule::Changes { idempotent: true } => {
            "changes, and twice is the same as once: stands in a `change` statement"
        }
        EffectRule::Changes { idempotent: false } => "changes: stands in a `change` statement",
        EffectRule::ByCall(_) => "reads or changes, as the call and its connection say",
    }
}

fn params(params: &[ParamInfo]) -> String {
    let mut text = String::new();
    for param in params {
        if text.is_empty() {
            text.push_str("\nParameters:\n\n");
        }
        let name = if matches!(param.accepts, Accepts::Connection(_)) { "before the dot" } else { param.name };
        let _ = writeln!(text, "- `{name}`: {} ({})", param.doc, accepts(param.accepts));
    }
    text
}

/// The fields of a record, also where it is in a list.
fn fields(ty: &Type) -> String {
    match ty {
        Type::List(inner) | Type::Optional(inner) => fields(inner),
        Type::Record(record) => {
            let mut text = format!("\nFields of {record}:\n\n");
            for (name, field) in &record.fields {
                let doc = if field.doc.is_empty() { String::new() } else { format!(": {}", field.doc) };
                let _ = writeln!(text, "- `.{name}` ({}){doc}", field.ty);
            }
            text
        }
        Type::Enum(words) => {
            let values: Vec<String> = words.values.iter().map(|value| format!("\"{value}\"")).collect();
            let more = if words.open { ", and others" } else { "" };
            format!("\nValues: {}{more}\n", values.join(", "))
        }
        _ => String::new(),
    }
}

fn examples(examples: &[Example]) -> String {
    let mut text = String::new();
    for example in examples {
        let gives = example.gives.map_or_else(String::new, |gives| format!("   # gives {gives}"));
        let _ = write!(text, "\n```runbook\n{}{gives}\n```\n", example.source);
    }
    text
}

fn driver(one: &Driver, level: &str) -> String {
    let (word, what) = match one.kind {
        DriverKind::Connection => ("connect", "a connection"),
        DriverKind::Channel { person: true, .. } => ("channel", "a channel that reaches a person"),
        DriverKind::Channel { person: false, .. } => ("channel", "a channel"),
        DriverKind::Secret => ("secret", "a secret"),
    };
    let declared = format!("{word} name = {}({})", one.name, arguments(one.params));
    let mut text =
        format!("{level} {}\n\n```text\n{declared}\n```\n\n{}\n\n- declares {what}\n", one.name, one.summary);
    text.push_str(&params(one.params));
    text.push_str(&examples(one.examples));
    text
}

fn named_type(name: &str, ty: &Type, level: &str) -> String {
    format!("{level} {name}\n{}", fields(ty))
}

fn units(level: &str) -> String {
    let mut text = format!("{level} units\n\nA unit touches its number: `10GiB`, `1h30m`, `5%`, `3/min`.\n\n");
    for (unit, measures) in UNITS {
        let _ = writeln!(text, "- `{unit}`: {measures}");
    }
    text
}

fn errors(level: &str) -> String {
    let mut text = format!("{level} errors\n\nWhat `try … on NAME otherwise …` forgives.\n\n");
    for kind in FaultKind::ALL {
        let _ = writeln!(text, "- `{}`: {}", kind.name(), kind.summary());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::builtins;
    use crate::catalog::Deprecated;

    #[test]
    fn a_built_in_that_is_deprecated_says_so_on_its_page() {
        let marks = [Deprecated { name: "count", instead: "write `is_empty`" }];
        let catalog = builtins::catalog().deprecating(&marks);
        assert!(page(&catalog, "count").is_some_and(|page| page.contains("- deprecated: write `is_empty`\n")));
        assert!(page(&catalog, "sum").is_some_and(|page| !page.contains("deprecated")));
    }
}
