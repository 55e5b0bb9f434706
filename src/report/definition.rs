//! How the changes of a runbook differ from those that a run began with: which are new, gone or different, and in what.

use std::sync::Arc;

use crate::shown::look::clean;
use crate::store::definition::{Defined, Definition};

/// A line for each difference, and below it what was and what is. None where all changes are the same.
#[must_use]
pub fn differences(was: &Definition, is: &Definition) -> Vec<String> {
    let mut gone: Vec<&Defined> = was.changes.iter().collect();
    let mut new: Vec<&Defined> = is.changes.iter().collect();
    pair(&mut gone, &mut new, |one, other| was.says_the_same(one, is, other));
    if gone.is_empty() && new.is_empty() {
        let order = |definition: &Definition| -> Vec<Vec<String>> {
            definition.changes.iter().map(|change| definition.facts(change).map(str::to_owned).collect()).collect()
        };
        let moved = order(was) != order(is);
        return moved.then(|| "  the changes stand in another order".to_owned()).into_iter().collect();
    }
    let mut different = pair(&mut gone, &mut new, |one, other| one.text == other.text);
    different.extend(pair(&mut gone, &mut new, |one, other| {
        one.step == other.step && one.section == other.section && one.position == other.position
    }));
    let mut lines = Vec::new();
    for (one, other) in different {
        lines.push(format!("  different: {}", named(other)));
        let before: Vec<&str> = was.facts(one).collect();
        let after: Vec<&str> = is.facts(other).collect();
        lines
            .extend(before.iter().filter(|fact| !after.contains(fact)).map(|fact| format!("    was  {}", clean(fact))));
        lines
            .extend(after.iter().filter(|fact| !before.contains(fact)).map(|fact| format!("    is   {}", clean(fact))));
    }
    lines.extend(gone.iter().map(|change| format!("  gone: {}", named(change))));
    lines.extend(new.iter().map(|change| format!("  new: {}", named(change))));
    lines
}

/// Takes out of both what belongs together, each with the first that fits.
fn pair<'d>(
    gone: &mut Vec<&'d Defined>,
    new: &mut Vec<&'d Defined>,
    fits: impl Fn(&Defined, &Defined) -> bool,
) -> Vec<(&'d Defined, &'d Defined)> {
    let mut pairs = Vec::new();
    gone.retain(|one| match new.iter().position(|other| fits(one, other)) {
        Some(at) => {
            pairs.push((*one, new.remove(at)));
            false
        }
        None => true,
    });
    pairs
}

fn named(change: &Defined) -> String {
    let mut place: Vec<Arc<str>> = vec![Arc::clone(&change.section)];
    place.extend(change.step.clone());
    let place: Vec<String> = place.iter().filter(|title| !title.is_empty()).map(|title| clean(title)).collect();
    format!("{}   in {}", clean(&change.text), place.join(" › "))
}

#[cfg(test)]
mod tests {
    use super::differences;
    use crate::store::definition::{Defined, Definition};

    fn of(changes: &[(&str, &[&str])]) -> Definition {
        let mut definition = Definition::default();
        for (index, (text, facts)) in changes.iter().enumerate() {
            let from = u32::try_from(definition.facts.len()).unwrap();
            definition.facts.extend(facts.iter().map(|fact| (*fact).into()));
            definition.changes.push(Defined {
                position: (index + 1).to_string().into(),
                section: "S".into(),
                step: Some("T".into()),
                text: (*text).into(),
                facts: (from..from + u32::try_from(facts.len()).unwrap()).collect(),
            });
        }
        definition
    }

    #[test]
    fn says_what_is_new_gone_and_different() {
        let was = of(&[("a()", &["change a()", "within 10s"]), ("b()", &["change b()"]), ("c()", &["change c()"])]);
        assert!(differences(&was, &was.clone()).is_empty());
        let is = of(&[("a()", &["change a()", "within 20s"]), ("c()", &["change c()"]), ("d()", &["change d()"])]);
        assert_eq!(
            differences(&was, &is),
            [
                "  different: a()   in S › T",
                "    was  within 10s",
                "    is   within 20s",
                "  gone: b()   in S › T",
                "  new: d()   in S › T"
            ]
        );
        let moved = of(&[("b()", &["change b()"]), ("a()", &["change a()", "within 10s"]), ("c()", &["change c()"])]);
        assert_eq!(differences(&was, &moved), ["  the changes stand in another order"]);
    }
}
