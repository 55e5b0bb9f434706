//! What belongs together on the two sides.

/// Something on both sides, or on one.
pub(super) enum Pair<'b, 'a, B, A> {
    Both(&'b B, &'a A),
    Gone(&'b B),
    New(&'a A),
}

/// Pairs by key, in the order of the new side, what is gone at the end. What has no partner by its key is paired by
/// `alike`, which a renaming leaves as it was. Of several with one key the first belong together.
pub(super) fn pairs<'b, 'a, T, K: PartialEq>(
    before: &'b [T],
    after: &'a [T],
    key: impl Fn(&T) -> K,
    alike: impl Fn(&'b T, &'a T) -> bool,
) -> Vec<Pair<'b, 'a, T, T>> {
    let mut left: Vec<Option<&T>> = before.iter().map(Some).collect();
    let mut take = |fits: &dyn Fn(&'b T) -> bool| {
        let place = left.iter().position(|one| one.is_some_and(fits))?;
        left.get_mut(place)?.take()
    };
    let by_key: Vec<Option<&T>> = after.iter().map(|new| take(&|old| key(old) == key(new))).collect();
    let mut found = Vec::new();
    for (new, old) in after.iter().zip(by_key) {
        let old = old.or_else(|| take(&|old| alike(old, new)));
        found.push(old.map_or(Pair::New(new), |old| Pair::Both(old, new)));
    }
    found.extend(left.into_iter().flatten().map(Pair::Gone));
    found
}

#[cfg(test)]
mod tests {
    use super::{Pair, pairs};

    #[test]
    fn names_first_then_what_is_alike() {
        let (before, after) = ([("a", 1), ("b", 2), ("c", 3)], [("b", 9), ("d", 1), ("e", 7)]);
        let found = pairs(&before, &after, |one| one.0, |old, new| old.1 == new.1);
        let shown: Vec<String> = found
            .iter()
            .map(|pair| match pair {
                Pair::Both(old, new) => format!("{}={}", old.0, new.0),
                Pair::Gone(old) => format!("-{}", old.0),
                Pair::New(new) => format!("+{}", new.0),
            })
            .collect();
        assert_eq!(shown, ["b=b", "a=d", "+e", "-c"]);
    }
}
