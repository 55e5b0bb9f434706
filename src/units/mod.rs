//! Dimensions and units: what `10GiB`, `1h30m` and `3/min` say.
