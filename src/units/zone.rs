//! Time zones by their names.

use std::fs;
use std::path::{Component, Path};

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Where the zones of a system are.
const SYSTEM: &str = "/usr/share/zoneinfo";

/// The zone of the IANA list with this name, as this system has it, else as it was when this tool was built. `TZDIR` is not
/// asked: whoever sets that would move the hours in which a policy lets changes be made.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    // It is the same everywhere, and each message that is tried has one.
    if name == "UTC" {
        return Some(TimeZone::UTC);
    }
    of_system(name).or_else(|| TimeZoneDatabase::bundled().get(name).ok())
}

/// The names of all zones.
pub fn zones() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// Read by itself. The list of all zones, in which names are found however they are written, is made by looking through all of
/// its folders, and that takes longer than to check most runbooks.
fn of_system(name: &str) -> Option<TimeZone> {
    let is_path = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_path {
        return None;
    }
    let bytes = fs::read(Path::new(SYSTEM).join(name)).ok()?;
    TimeZone::tzif(name, &bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::zone;

    #[test]
    fn a_zone_is_found_by_its_name_and_nothing_else_is_read() {
        let at: jiff::Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
        for name in ["Europe/Berlin", "europe/berlin", "UTC", "America/Argentina/Buenos_Aires"] {
            let known = jiff::tz::TimeZoneDatabase::bundled().get(name).unwrap();
            assert_eq!(zone(name).unwrap().to_offset(at), known.to_offset(at), "{name}");
        }
        for name in ["Europe/Berln", "", "/etc/localtime", "../zoneinfo/UTC", "zone.tab", "Europe"] {
            assert!(zone(name).is_none(), "{name}");
        }
    }
}
