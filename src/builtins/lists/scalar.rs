//! `scalar`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "scalar",
    summary: "The one cell of a list with one row; a fault where there are more or none.",
    params: &[ITEMS.info()],
    returns: Returns::Computed { shape: "the type of the cell", compute: cell_type },
    effect: EffectRule::Pure,
    body: Body::Stage(scalar),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("[{ version: 15 }] | scalar", "15"), Example::gives("[7] | scalar", "7")],
};

fn scalar<'a>(mut items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let Some(row) = items.next().transpose()? else {
        return Err(Fault::no_value("`scalar` of nothing: there is no row"));
    };
    if items.next().transpose()?.is_some() {
        return Err(
            Fault::no_value("`scalar` wants one row, and there are more").help("write `first` for the first of them")
        );
    }
    cell(row).map(Flow::Value)
}

/// A row of one cell is the cell.
fn cell(row: Value) -> Result<Value, Fault> {
    let several = |count: usize| Fault::no_value(format!("`scalar` wants one cell, and the row has {count}"));
    match &row {
        Value::Record(fields) => match fields.values().next() {
            Some(cell) if fields.len() == 1 => Ok(cell.clone()),
            _ => Err(several(fields.len())),
        },
        Value::Data(data) => match data.as_object() {
            Some(fields) if fields.len() != 1 => Err(several(fields.len())),
            Some(fields) => Ok(fields.values().next().map_or(Value::Null, |cell| Value::Data(cell.clone().into()))),
            None => Ok(row),
        },
        _ => Ok(row),
    }
}

fn cell_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    match inputs.item() {
        Type::Record(record) => match record.fields.values().next() {
            Some(field) if record.fields.len() == 1 => Ok(field.ty.clone()),
            _ => Err(Mismatch {
                param: "items",
                message: format!("`scalar` wants rows of one cell, and these have {}", record.fields.len()),
                help: Some("name the one that is meant: `each(.x) | scalar`".to_owned()),
            }),
        },
        other => Ok(other),
    }
}
