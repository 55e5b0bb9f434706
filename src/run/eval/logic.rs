//! `and` and `or` in Kleene's logic: `true or error` is true, whichever side the error is on.

use std::sync::Arc;

use super::{Env, Eval, Evaluation, Stop, truth};
use crate::check::program::{BinaryOp, Expr};
use crate::types::{Partial, Value};

impl Evaluation<'_> {
    pub(super) fn logic(&self, op: BinaryOp, left: &Expr, right: &Expr, env: Env<'_>) -> Eval {
        let decisive = op == BinaryOp::Or;
        let (left, left_partial) = self.side(left, env);
        if let (Ok(value), None) = (&left, &left_partial)
            && *value == decisive
        {
            return Ok(Value::Bool(decisive));
        }
        // The other side decides, or must be known as well; a side that is blocked says what it needs meanwhile.
        let (right, right_partial) = self.side(right, env);
        if let (Ok(value), None) = (&right, &right_partial)
            && *value == decisive
            && !matches!(left, Err(Stop::Blocked))
        {
            return Ok(Value::Bool(decisive));
        }
        self.note_partial(left_partial.as_ref());
        self.note_partial(right_partial.as_ref());
        let (left, right) = super::both(left, right)?;
        Ok(Value::Bool(if decisive { left || right } else { left && right }))
    }

    fn side(&self, side: &Expr, env: Env<'_>) -> (Eval<bool>, Option<Arc<Partial>>) {
        let (value, partial) = self.apart(|| self.eval(side, env));
        (value.and_then(|value| Ok(truth(value)?)), partial)
    }
}
