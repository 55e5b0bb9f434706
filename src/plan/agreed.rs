//! Consent to a plan as it is typed: its hash, and behind an `@` the hash of the places to which it led when somebody looked at
//! it. Without that, it holds wherever the connections lead.

use std::fmt;

use super::fingerprint::hash_of;

/// How many characters of a hash say which one is meant.
const SHORTEST: usize = 8;

/// What a person typed behind `--approve` or `--plan`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    plan: String,
    places: Option<String>,
}

impl Agreed {
    /// # Errors
    /// Where it is too short to say what is meant.
    pub fn read(typed: &str) -> Result<Self, String> {
        let typed = typed.trim();
        let (plan, places) = typed.split_once('@').map_or((typed, None), |(plan, places)| (plan, Some(places)));
        for (part, means) in [(Some(plan), "plan is meant"), (places, "systems are meant")] {
            if let Some(part) = part.filter(|part| part.len() < SHORTEST) {
                return Err(format!(
                    "`{part}` is too short to say which {means}: write all that `runbook plan` prints"
                ));
            }
        }
        Ok(Self { plan: plan.to_ascii_lowercase(), places: places.map(str::to_ascii_lowercase) })
    }

    /// Whether it is of the plan with this hash, wherever that leads.
    #[must_use]
    pub fn is_of(&self, hash: &str) -> bool {
        hash.starts_with(&self.plan)
    }

    /// Whether it holds for certain systems only.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.places.is_some()
    }

    /// Whether it holds where the connections lead to these, by their names.
    #[must_use]
    pub fn holds_at<'p>(&self, places: impl IntoIterator<Item = (&'p str, &'p str)>) -> bool {
        self.places.as_ref().is_none_or(|typed| of_places(places).starts_with(typed.as_str()))
    }
}

/// A command with a consent in it, bound to these places.
#[must_use]
pub fn bound_to<'p>(command: &str, places: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    const FLAG: &str = "--approve ";
    let Some((before, behind)) = command.split_once(FLAG) else { return command.to_owned() };
    let (hash, rest) = behind.split_at(behind.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(behind.len()));
    let places = of_places(places);
    format!("{before}{FLAG}{hash}@{}{rest}", places.get(..hash.len()).unwrap_or(&places))
}

/// As it is typed.
impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plan)?;
        self.places.as_ref().map_or(Ok(()), |places| write!(f, "@{places}"))
    }
}

/// What stands for the places of connections, given in the order of their names, in hex.
pub fn of_places<'p>(places: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    hash_of(places.into_iter().flat_map(|(name, place)| [name, place]))
}

#[cfg(test)]
mod tests {
    use super::{Agreed, bound_to, of_places};

    #[test]
    fn it_is_of_a_plan_and_may_be_for_some_places_only() {
        let agreed = Agreed::read("1A2B3C4D").unwrap();
        assert!(agreed.is_of("1a2b3c4d5e6f") && !agreed.is_of("1a2b3c4e5e6f") && !agreed.is_bound());
        assert!(agreed.holds_at([("db", "db-1")]) && agreed.holds_at([]));
        let here = of_places([("db", "db-1")]);
        let agreed = Agreed::read(&format!("1a2b3c4d@{}", &here[..12])).unwrap();
        assert!(agreed.is_bound() && agreed.holds_at([("db", "db-1")]));
        assert!(!agreed.holds_at([("db", "db-2")]) && !agreed.holds_at([]) && !agreed.holds_at([("d", "bdb-1")]));
        let bound = bound_to("approve: runbook run a --approve 1a2b3c4d5e6f\nthen", [("db", "db-1")]);
        assert_eq!(bound, format!("approve: runbook run a --approve 1a2b3c4d5e6f@{}\nthen", &here[..12]));
        assert_eq!(bound_to("then run it", []), "then run it");
        assert!(Agreed::read("1a2b3c").is_err() && Agreed::read("1a2b3c4d@").is_err() && Agreed::read("").is_err());
    }
}
