//! Alerting without a clock, a store or anybody to tell: nights made up by seeds, and the laws that hold in each of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

#[path = "alerting/cases.rs"]
mod cases;
#[path = "alerting/groups.rs"]
mod groups;
#[path = "alerting/kept.rs"]
mod kept;
#[path = "alerting/laws.rs"]
mod laws;
#[path = "alerting/many.rs"]
mod many;
#[path = "alerting/names.rs"]
mod names;
#[path = "alerting/night.rs"]
mod night;
#[path = "alerting/people.rs"]
mod people;
#[path = "alerting/random.rs"]
mod random;

use std::time::Instant;

use night::Night;

/// Nights in which a law was broken once, further on than every test looks.
const BROKEN_ONCE: [u64; 1] = [3942];

#[test]
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test is told by its environment, and tells"
)]
fn the_laws_hold_in_every_night() {
    let seeds: u64 = std::env::var("RUNBOOK_SEEDS").map_or(500, |seeds| seeds.parse().unwrap());
    let first: u64 = std::env::var("RUNBOOK_SEED").map_or(0, |seed| seed.parse().unwrap());
    let begun = Instant::now();
    for seed in (first..first + seeds).chain(BROKEN_ONCE) {
        if Night::of(seed, false).pass().is_err() {
            let mut night = Night::of(seed, true);
            let broken = night.pass().unwrap_err();
            panic!("{}\nseed {seed} (RUNBOOK_SEED={seed} RUNBOOK_SEEDS=1): {broken}", night.story());
        }
    }
    let took = begun.elapsed();
    println!(
        "RUNBOOK_SEEDS: {seeds} nights from seed {first} in {took:.1?}, {:.0} a second",
        f64::from(u32::try_from(seeds).unwrap()) / took.as_secs_f64()
    );
}
