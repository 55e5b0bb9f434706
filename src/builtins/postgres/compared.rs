//! Where a bound value is compared: a list is one value there, and what is missing is equal to nothing.

use super::lexer::Token;
use crate::builtins::settings::setup;
use crate::types::{Fault, Value};

/// What is bound, as far as it is not one value that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    One,
    Missing,
    List {
        /// An item of it is missing.
        gap: bool,
    },
    /// A list in data, which is sent as JSON.
    Json,
}

impl Kind {
    pub(super) fn of(value: &Value) -> Self {
        let is_missing = |value: &Value| match value {
            Value::Data(data) => data.is_null(),
            value => matches!(value, Value::Null),
        };
        match value {
            value if is_missing(value) => Self::Missing,
            Value::List(items) => Self::List { gap: items.iter().any(is_missing) },
            Value::Data(data) if data.is_array() => Self::Json,
            _ => Self::One,
        }
    }
}

/// Operators that say no or yes of two values.
const COMPARE: &[&str] =
    &["=", "<>", "!=", "<", ">", "<=", ">=", "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "^@"];

/// It compares NULL as well.
const DISTINCT: &str = "DISTINCT FROM";

/// Says what is wrong with a statement whose values, in their order, are of these kinds. In its help `{…` is where the value
/// is written.
///
/// # Errors
/// Where a list, or what is missing, is compared as one value.
pub(super) fn judge(tokens: &[Token], kinds: &[Kind]) -> Result<(), Fault> {
    let places = tokens.iter().enumerate().filter(|(_, token)| matches!(token, Token::Param(_))).map(|(at, _)| at);
    places.zip(kinds).try_for_each(|(at, kind)| judged(&Place::of(tokens, at), *kind))
}

fn judged(place: &Place<'_>, kind: Kind) -> Result<(), Fault> {
    if let Kind::List { gap: true } = kind
        && place.is_argument_of("all")
    {
        let fault =
            Fault::no_value("an item of the list is missing: it is NULL in SQL, and nothing is true of ALL with one");
        return Err(fault.help("leave such items out: `{… | where(it != null)}`"));
    }
    let is_array = matches!(kind, Kind::List { .. } | Kind::Json) && place.cast;
    let Some(operator) = place.operator(kind == Kind::Missing).filter(|_| kind != Kind::One && !is_array) else {
        return Ok(());
    };
    if kind == Kind::Missing {
        let alike = match operator.as_str() {
            "=" | "IN" => "IS NOT DISTINCT FROM {…}",
            "<>" | "!=" | "NOT IN" => "IS DISTINCT FROM {…}",
            operator if operator.ends_with(DISTINCT) => return Ok(()),
            _ => "",
        };
        let help = match alike {
            "" => "say what stands in for it: `{… ?? \"none\"}`; or ask only where it is there".to_owned(),
            alike => {
                format!("where NULL is meant, write `{alike}`; else say what stands in for it: `{{… ?? \"none\"}}`")
            }
        };
        let message = format!("what is missing is NULL in SQL, and `{operator}` is never true of NULL");
        return Err(Fault::no_value(message).help(help));
    }
    let any = match operator.as_str() {
        "=" | "IN" | "NOT DISTINCT FROM" => "= ANY".to_owned(),
        "<>" | "!=" | "NOT IN" | DISTINCT => "<> ALL".to_owned(),
        "BETWEEN" => "BETWEEN {…[0]} AND {…[1]}".to_owned(),
        operator if operator.starts_with("NOT ") || operator.starts_with('!') => format!("{operator} ALL"),
        operator => format!("{operator} ANY"),
    };
    let list = if kind == Kind::Json { "{… | each(it)}" } else { "{…}" };
    let cast = if kind == Kind::Json { "JSON: `= {…}::jsonb`" } else { "arrays: `= {…}::text[]`" };
    let line = if any.contains('{') { any } else { format!("{any}({list})") };
    let message = format!("a list is bound as one value, and `{operator}` takes it for one text and not for its items");
    Err(setup(message).help(format!("write `{line}`; beside a column of {cast}")))
}

/// A value in a statement, with the brackets and the cast that are only around it.
struct Place<'t> {
    before: &'t [Token],
    behind: &'t [Token],
    cast: bool,
}

fn is_word(token: Option<&Token>, wanted: &[&str]) -> bool {
    matches!(token, Some(Token::Word(word)) if wanted.contains(&word.as_str()))
}

impl<'t> Place<'t> {
    fn of(tokens: &'t [Token], at: usize) -> Self {
        let (before, behind) = tokens.split_at_checked(at).unwrap_or((tokens, &[]));
        let mut place = Self { before, behind: behind.get(1..).unwrap_or_default(), cast: false };
        loop {
            place.pass_cast();
            match (place.before, place.behind) {
                ([.., name, Token::Sign('(')], [Token::Sign(')'), ..])
                    if matches!(name, Token::Word(_) | Token::Quoted(_)) && !is_word(Some(name), &KEYWORDS) =>
                {
                    return place;
                }
                ([before @ .., Token::Sign('(')], [Token::Sign(')'), behind @ ..]) => {
                    (place.before, place.behind) = (before, behind);
                }
                _ => return place,
            }
        }
    }

    /// `::text[]`
    fn pass_cast(&mut self) {
        let [Token::Sign(':'), Token::Sign(':'), Token::Word(_) | Token::Quoted(_), behind @ ..] = self.behind else {
            return;
        };
        let is_of_type = |token: &&Token| matches!(token, Token::Sign('.' | '[' | ']'));
        self.cast = true;
        self.behind = behind.get(behind.iter().take_while(is_of_type).count()..).unwrap_or_default();
    }

    fn is_argument_of(&self, function: &str) -> bool {
        matches!(self.before, [.., Token::Word(word), Token::Sign('(')] if word == function)
    }

    /// What it is compared by, on its left or its right.
    fn operator(&self, of_null: bool) -> Option<String> {
        if let Some(list) = in_list(self.before) {
            return Some(if is_word(list.last(), &["not"]) { "NOT IN" } else { "IN" }.to_owned());
        }
        self.on_the_left(of_null).or_else(|| self.on_the_right())
    }

    fn on_the_left(&self, of_null: bool) -> Option<String> {
        let mut before = self.before;
        // NULL put together with a text is NULL.
        while of_null && let [rest @ .., _, Token::Sign('|'), Token::Sign('|')] = before {
            before = rest;
        }
        let (rest, operator) = operator_at_the_end(before);
        if COMPARE.contains(&operator.as_str()) {
            let is_set = operator == "=" && (rest.last() == Some(&Token::Sign(':')) || clause(rest) == Some("set"));
            return (!is_set).then_some(operator);
        }
        let not = |rest: &[Token], word: &str| match rest.last() {
            Some(Token::Word(own)) if own == "not" => format!("NOT {word}"),
            _ => word.to_owned(),
        };
        match before {
            [rest @ .., Token::Word(word)] if word == "like" || word == "ilike" => {
                Some(not(rest, &word.to_ascii_uppercase()))
            }
            [rest @ .., Token::Word(similar), Token::Word(to)] if similar == "similar" && to == "to" => {
                Some(not(rest, "SIMILAR TO"))
            }
            [rest @ .., Token::Word(distinct), Token::Word(from)] if distinct == "distinct" && from == "from" => {
                Some(not(rest, DISTINCT))
            }
            [rest @ .., Token::Word(word)] if word == "between" || word == "and" && clause(rest) == Some("between") => {
                Some("BETWEEN".to_owned())
            }
            _ => None,
        }
    }

    fn on_the_right(&self) -> Option<String> {
        let is_sign = |token: &&Token| matches!(token, Token::Sign(sign) if is_operator(*sign));
        let sign = |token: &Token| if let Token::Sign(sign) = token { Some(*sign) } else { None };
        let operator: String = self.behind.iter().take_while(is_sign).filter_map(sign).collect();
        if COMPARE.contains(&operator.as_str()) {
            return Some(operator);
        }
        let word = |at: usize| match self.behind.get(at) {
            Some(Token::Word(word)) => word.as_str(),
            _ => "",
        };
        let (not, verb) = if word(0) == "not" { ("NOT ", word(1)) } else { ("", word(0)) };
        match verb {
            "in" | "like" | "ilike" | "between" => Some(format!("{not}{}", verb.to_ascii_uppercase())),
            "similar" => Some(format!("{not}SIMILAR TO")),
            "is" if word(1) == "distinct" => Some(DISTINCT.to_owned()),
            "is" if word(1) == "not" && word(2) == "distinct" => Some(format!("NOT {DISTINCT}")),
            _ => None,
        }
    }
}

/// Words in front of a bracket that is no call's.
const KEYWORDS: [&str; 14] =
    ["and", "between", "by", "else", "from", "having", "in", "like", "ilike", "not", "on", "or", "then", "where"];

const fn is_operator(sign: char) -> bool {
    matches!(sign, '+' | '-' | '*' | '/' | '<' | '>' | '=' | '~' | '!' | '@' | '#' | '%' | '^' | '&' | '|' | '?')
}

/// The operator that stands last, and what is before it.
fn operator_at_the_end(tokens: &[Token]) -> (&[Token], String) {
    let is_sign = |token: &&Token| matches!(token, Token::Sign(sign) if is_operator(*sign));
    let length = tokens.iter().rev().take_while(is_sign).count();
    let (rest, operator) = tokens.split_at_checked(tokens.len() - length).unwrap_or((tokens, &[]));
    let sign = |token: &Token| if let Token::Sign(sign) = token { Some(*sign) } else { None };
    (rest, operator.iter().filter_map(sign).collect())
}

/// What stands before the bracket that is open at the end.
fn outside(tokens: &[Token]) -> Option<&[Token]> {
    let mut depth = 0_usize;
    let open = tokens.iter().rposition(|token| {
        match token {
            Token::Sign(')') => depth += 1,
            Token::Sign('(') if depth == 0 => return true,
            Token::Sign('(') => depth -= 1,
            _ => {}
        }
        false
    })?;
    tokens.get(..open)
}

/// What stands before the `IN` of the list that is open at the end: `IN (1, 2,`.
fn in_list(tokens: &[Token]) -> Option<&[Token]> {
    if let [before @ .., Token::Word(word)] = tokens
        && word == "in"
    {
        return Some(before);
    }
    let before = outside(tokens)?;
    let first = tokens.get(before.len() + 1);
    match before {
        [before @ .., Token::Word(word)] if word == "in" && !is_word(first, &["select", "with", "values", "table"]) => {
            Some(before)
        }
        [.., Token::Sign('(' | ',')] => in_list(before),
        _ => None,
    }
}

/// The word that begins the part of the statement that ends here.
fn clause(tokens: &[Token]) -> Option<&str> {
    const BEGIN: [&str; 13] =
        ["and", "between", "case", "from", "having", "not", "on", "or", "returning", "select", "set", "when", "where"];
    let mut depth = 0_usize;
    for token in tokens.iter().rev() {
        match token {
            Token::Sign(')') => depth += 1,
            Token::Sign('(') if depth == 0 => return None,
            Token::Sign('(') => depth -= 1,
            Token::Word(word) if depth == 0 && BEGIN.contains(&word.as_str()) => return Some(word),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Kind, judge};
    use crate::builtins::postgres::lexer::tokens;

    fn help(sql: &str, kind: Kind) -> String {
        let kinds = vec![kind; sql.matches('$').count()];
        match judge(&tokens(sql).unwrap(), &kinds) {
            Ok(()) => "-".to_owned(),
            Err(fault) => fault.help.unwrap().split('`').nth(1).unwrap().to_owned(),
        }
    }

    #[test]
    fn a_list_is_compared_only_where_that_is_said() {
        let help = |sql: &str| help(sql, Kind::List { gap: false });
        for (sql, line) in [
            ("select where a in ( $1 )", "= ANY({…})"),
            ("select where a NOT IN (1, $1 )", "<> ALL({…})"),
            ("select where a in (( $1 ), 2)", "= ANY({…})"),
            ("select where a = $1 ", "= ANY({…})"),
            ("select where a = ( $1 ) and b", "= ANY({…})"),
            ("select where $1 = a", "= ANY({…})"),
            ("select where a <> $1", "<> ALL({…})"),
            ("select where a like $1", "LIKE ANY({…})"),
            ("select where a not ilike $1", "NOT ILIKE ALL({…})"),
            ("update t set a = 1 where b = $1", "= ANY({…})"),
            ("select (select 1 where a is distinct from $1 )", "<> ALL({…})"),
        ] {
            assert_eq!(help(sql), line, "{sql}");
        }
        for sql in [
            "select where a = any( $1 )",
            "select where a <> ALL ( $1 ::text[])",
            "select where a like any (array[ $1 ])",
            "select where a in (select unnest( $1 ::text[]))",
            "select where tags = $1 ::text[]",
            "select where tags = ( $1 ::pg_catalog.text[])",
            "select where tags @> $1 and tags && $1",
            "update t set n = 1, tags = $1 where id = any( $1 )",
            "insert into t values (1, $1 )",
            "select f(a => $1 ), $1",
            "select where a in (lower( $1 ))",
        ] {
            assert_eq!(help(sql), "-", "{sql}");
        }
    }

    #[test]
    fn nothing_is_equal_to_what_is_missing() {
        let help = |sql: &str| help(sql, Kind::Missing);
        for (sql, line) in [
            ("select where a = $1", "IS NOT DISTINCT FROM {…}"),
            ("select where a = $1 ::text", "IS NOT DISTINCT FROM {…}"),
            ("select where a <> ( $1 )", "IS DISTINCT FROM {…}"),
            ("select where a not in (1, $1 )", "IS DISTINCT FROM {…}"),
            ("select where a like '%' || $1 || '%'", "{… ?? \"none\"}"),
            ("select where a between 1 and $1", "{… ?? \"none\"}"),
        ] {
            assert_eq!(help(sql), line, "{sql}");
        }
        for sql in [
            "select where a is not distinct from $1",
            "select where $1 is null and b",
            "update t set a = $1, b = $1 where c",
            "update t set (a, b) = ( $1 , 1)",
            "select where a = coalesce( $1 , a)",
            "select where a between 1 and 2 and f( $1 )",
            "insert into t values ( $1 )",
        ] {
            assert_eq!(help(sql), "-", "{sql}");
        }
        assert_eq!(self::help("select where a <> all( $1 )", Kind::List { gap: true }), "{… | where(it != null)}");
        assert_eq!(self::help("select where a = $1", Kind::Json), "= ANY({… | each(it)})");
    }
}
