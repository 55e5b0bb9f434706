//! Records as values: the names once for all records that are made alike, the values in a row.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexSet;

use super::Value;

/// How many shapes a thread remembers. A pipeline makes records of one or two of them at a time.
const REMEMBERED: usize = 8;

/// The names of the fields of a record, in the order in which they are shown. Lists hold thousands of records, and all of
/// one list share their names.
#[derive(Clone, Debug)]
pub struct Shape(Arc<IndexSet<Arc<str>>>);

/// The fields of a record, in the order in which they are shown.
#[derive(Clone)]
pub struct Record {
    shape: Shape,
    /// As many as the shape has names.
    values: Box<[Value]>,
}

thread_local! {
    /// The shapes that were asked for last, the newest first.
    static SHAPES: RefCell<Vec<Shape>> = const { RefCell::new(Vec::new()) };
}

impl Shape {
    /// The shape of these names, of which none is there twice: one that was made before, where it is among the last ones.
    fn shared(names: &[Arc<str>]) -> Self {
        SHAPES.with_borrow_mut(|shapes| {
            if let Some(place) = shapes.iter().position(|shape| shape.has(names)) {
                shapes.get_mut(..=place).into_iter().for_each(|upto| upto.rotate_right(1));
            } else {
                shapes.truncate(REMEMBERED - 1);
                shapes.insert(0, names.iter().cloned().collect());
            }
            shapes.first().cloned().unwrap_or_else(|| names.iter().cloned().collect())
        })
    }

    fn has(&self, names: &[Arc<str>]) -> bool {
        self.0.len() == names.len()
            && self.0.iter().zip(names).all(|(own, other)| Arc::ptr_eq(own, other) || own == other)
    }
}

impl FromIterator<Arc<str>> for Shape {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(names: I) -> Self {
        Self(Arc::new(names.into_iter().collect()))
    }
}

impl Record {
    /// A record of a shape, with a value for each of its names.
    ///
    /// # Panics
    /// Where there are more values than names, or fewer.
    #[must_use]
    pub fn of(shape: &Shape, values: impl Into<Box<[Value]>>) -> Self {
        let values = values.into();
        assert_eq!(shape.0.len(), values.len(), "a value for each name");
        Self { shape: shape.clone(), values }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(self.shape.0.get_index_of(name)?)
    }

    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.shape.0.contains(name)
    }

    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.shape.0.iter()
    }

    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.shape.0.iter().zip(&self.values)
    }

    /// The same names, with values made of these.
    ///
    /// # Errors
    /// The first one that `made` gives.
    pub fn map<E>(&self, mut made: impl FnMut(&Arc<str>, &Value) -> Result<Value, E>) -> Result<Self, E> {
        let values = self.iter().map(|(name, value)| made(name, value)).collect::<Result<_, E>>()?;
        Ok(Self { shape: self.shape.clone(), values })
    }
}

/// Of a name that is there twice, the first place and the last value stay.
impl FromIterator<(Arc<str>, Value)> for Record {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(fields: I) -> Self {
        let (names, values): (Vec<Arc<str>>, Vec<Value>) = fields.into_iter().unzip();
        let shape = Shape::shared(&names);
        if shape.0.len() == values.len() {
            return Self { shape, values: values.into() };
        }
        let mut left = vec![Value::Null; shape.0.len()];
        for (name, value) in names.iter().zip(values) {
            if let Some(place) = shape.0.get_index_of(name).and_then(|place| left.get_mut(place)) {
                *place = value;
            }
        }
        Self { shape, values: left.into() }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{REMEMBERED, Record};
    use crate::types::Value;

    fn record(names: &[&str]) -> Record {
        let number = |(at, name): (i64, &&str)| (Arc::from(*name), Value::Int(at));
        (0..).zip(names).map(number).collect()
    }

    #[test]
    fn records_that_are_made_alike_share_their_names() {
        let (one, other, another) = (record(&["a", "b"]), record(&["a", "b"]), record(&["b", "a"]));
        assert!(Arc::ptr_eq(&one.shape.0, &other.shape.0));
        assert!(!Arc::ptr_eq(&one.shape.0, &another.shape.0));
        for number in 0..2 * REMEMBERED {
            assert_eq!(record(&["a", &format!("n{number}")]).get("a").map(ToString::to_string).as_deref(), Some("0"));
        }
        assert_eq!(format!("{one:?}"), format!("{:?}", record(&["a", "b"])));
    }

    #[test]
    fn of_a_name_that_is_there_twice_the_last_value_stays() {
        // A shape of two names is remembered for what has a name twice, never the other way round.
        for _ in 0..2 {
            let twice = record(&["a", "b", "a"]);
            let told: Vec<String> = twice.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(told, ["a=2", "b=1"]);
            assert_eq!(record(&["a", "b"]).get("a").map(ToString::to_string).as_deref(), Some("0"));
        }
    }
}
