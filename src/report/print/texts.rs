//! Texts with values in them, as a run writes them: `12.5%` and not 0.125, with all digits where they go outside, and in the format that stands beside a value.

use jiff::SignedDuration;

use super::known::{Blank, Knowledge, Known, Part};
use super::word::Piece;
use crate::check::program::{Expr, Format, TextPart};
use crate::run;
use crate::types::Value;

impl<'p> Knowledge<'p> {
    /// A text as a value: what is in it is written as people read it.
    pub(super) fn text_of(&mut self, parts: &'p [TextPart]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for part in parts {
            match part {
                TextPart::Text(text) => pieces.push(Piece::Text(text.to_string())),
                TextPart::Value { value, format } => {
                    let known = self.of(value);
                    pieces.extend(self.written(&known, value, format.as_ref()));
                }
            }
        }
        pieces
    }

    /// A text for a place that joins it by itself: only what has a format is a text already.
    pub(super) fn template(&mut self, parts: &'p [TextPart]) -> Vec<Part<'p>> {
        let mut known = Vec::new();
        for part in parts {
            known.push(match part {
                TextPart::Text(text) => Part::Text(text.clone()),
                TextPart::Value { value, format: None } => Part::Value(self.of(value)),
                TextPart::Value { value, format } => {
                    let inner = self.of(value);
                    Part::Value(Known::Pieces(self.written(&inner, value, format.as_ref())))
                }
            });
        }
        known
    }

    /// A value in a text.
    fn written(&mut self, known: &Known<'p>, expr: &'p Expr, format: Option<&Format>) -> Vec<Piece> {
        if let Some(value) = whole(known) {
            return match run::written(&value, format, &self.program.header.timezone) {
                Ok(text) => vec![Piece::Text(text)],
                Err(_) => vec![self.formatted(expr, format)],
            };
        }
        match (known, format) {
            (Known::Moment { later, .. }, Some(Format::Time(pattern))) => {
                vec![Self::clock(*later, pattern, &self.program.header.timezone_name)]
            }
            (Known::List(items), None | Some(Format::Whole | Format::Name)) => {
                let mut pieces = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    pieces.extend((index > 0).then(|| Piece::Text(", ".to_owned())));
                    pieces.extend(self.written(item, expr, format));
                }
                pieces
            }
            (Known::Record(_), None | Some(Format::Whole | Format::Name)) => vec![self.blank(expr, None)],
            (known, None | Some(Format::Whole | Format::Name)) => self.plain(known),
            (_, Some(_)) => vec![self.formatted(expr, format)],
        }
    }

    /// A blank that says in which form it is filled in.
    fn formatted(&mut self, expr: &'p Expr, format: Option<&Format>) -> Piece {
        let Blank { name, from } = self.blank_of(expr, None);
        let form = match format {
            None | Some(Format::Whole | Format::Name) => return self.fill_in(Blank { name, from }),
            Some(Format::Time(pattern)) => pattern.to_string(),
            Some(Format::Number { decimals, grouped }) => {
                let digits = decimals.map(|decimals| format!(".{decimals}")).unwrap_or_default();
                format!("{}{digits}", if *grouped { "#," } else { "" })
            }
        };
        let from = format!("{from}, written in the form `{form}`");
        self.fill_in(Blank { name: format!("{name}:{form}"), from })
    }

    /// The time of the run where nothing says how it is written.
    pub(super) fn moment(&self, is_date: bool, later: SignedDuration) -> Piece {
        if is_date {
            Self::clock(later, "%Y-%m-%d", &self.program.header.timezone_name)
        } else {
            Self::clock(later, "%Y-%m-%dT%H:%M:%SZ", "UTC")
        }
    }
}

/// A value of which every part is known.
fn whole(known: &Known<'_>) -> Option<Value> {
    match known {
        Known::Value(value) => Some(value.clone()),
        Known::List(items) => items.iter().map(whole).collect::<Option<Vec<_>>>().map(Value::list),
        Known::Record(fields) => {
            let fields = fields.iter().map(|(name, value)| whole(value).map(|value| (name.clone(), value)));
            fields.collect::<Option<Vec<_>>>().map(Value::record)
        }
        Known::Pieces(pieces) => match pieces.as_slice() {
            [] => Some(Value::string("")),
            [Piece::Text(text)] => Some(Value::string(text.as_str())),
            _ => None,
        },
        _ => None,
    }
}
