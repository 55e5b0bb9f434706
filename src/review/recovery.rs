//! Changes that put right what was begun: those of `on failure` and `always`, which are made by themselves.

use super::bounds::Moved;
use crate::check::program::{Member, Program};
use crate::plan::{Around, PlannedChange};

/// When it is made, of all ends of its step or section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    OnFailure,
    Always,
}

fn ends(change: &PlannedChange) -> Option<Ends> {
    change.around.iter().find_map(|around| match around {
        Around::OnFailure => Some(Ends::OnFailure),
        Around::Always => Some(Ends::Always),
        _ => None,
    })
}

/// Whether it puts right what others begin.
pub(super) fn is_one(change: &PlannedChange) -> bool {
    ends(change).is_some()
}

/// What it means that it is gone, where what it put right is still done. `kept`: the changes that are made as before.
pub(super) fn missed(gone: &PlannedChange, kept: &[&PlannedChange], now: &Program) -> Option<&'static str> {
    let ends = ends(gone)?;
    let begun = kept
        .iter()
        .any(|one| !is_one(one) && one.section == gone.section && (gone.step.is_none() || one.step == gone.step));
    let mut sections = now.sections.iter().filter(|section| section.title == gone.section);
    let stands = sections.any(|section| {
        let mut members = section.members.iter();
        gone.step.as_ref().is_none_or(|step| members.any(|one| matches!(one, Member::Step(own) if own.title == *step)))
    });
    (begun || stands).then_some(match ends {
        Ends::OnFailure => "gone: what fails is no longer put right",
        Ends::Always => "gone: it is no longer made whatever became of the rest",
    })
}

/// What it means that it is made at another end, or at none.
pub(super) fn moved(old: &PlannedChange, new: &PlannedChange) -> Option<Moved> {
    match (ends(old), ends(new)) {
        (a, b) if a == b => None,
        (Some(Ends::OnFailure) | None, Some(Ends::Always)) => Some(Moved::More),
        // Among the others it is held back as they are.
        (Some(Ends::Always), _) => Some(Moved::Less),
        _ => Some(Moved::Otherwise),
    }
}
