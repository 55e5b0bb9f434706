//! Whether nothing was found because there is nothing: a field that no document has matches nothing either.

use http::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::search::{QUERY, SINCE, TIME, index, query_string};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::Args;
use crate::types::{Fault, FaultKind};

const RIGHT: &str = "the privilege `view_index_metadata` on the index";

#[derive(Deserialize)]
struct Fields {
    fields: serde_json::Map<String, Json>,
}

#[derive(Deserialize)]
struct Validated {
    explanations: Vec<Explanation>,
}

#[derive(Deserialize)]
struct Explanation {
    #[serde(default)]
    explanation: String,
}

/// # Errors
/// Where the query, or how far back it looks, is by a field that the index does not have.
pub(super) async fn exist(service: &Service<'_>, args: &Args<'static>) -> Result<(), Fault> {
    let (index, path) = index(args)?;
    let named = |ask: Ask| ask.naming(format!("index `{index}`")).right(RIGHT);
    if args.get(&SINCE)?.is_some() {
        let time = args.get(&TIME)?;
        let ask = named(Ask::get(format!("/{path}/_field_caps")).with("fields", time.as_str()));
        let Fields { fields } = service.read(ask).await?;
        if fields.is_empty() {
            let message = format!("`{index}` has no field `{time}`, so nothing says how old its documents are");
            return Err(Fault::new(FaultKind::NotFound, message).help("say which one does: `time: \"…\"`"));
        }
    }
    if let Some(template) = args.get(&QUERY)? {
        let ask = Ask::new(Method::POST, format!("/{path}/_validate/query"))
            .with("explain", "true")
            .json(json!({ "query": query_string(&template)? }));
        let Validated { explanations } = service.read(named(ask)).await?;
        let unmapped: Option<Vec<&str>> = explanations.iter().map(|one| unmapped(&one.explanation)).collect();
        if let Some(fields) = unmapped.as_deref().and_then(<[&str]>::first) {
            let message = format!("`{index}` has no field `{fields}`, so that no document could match");
            return Err(Fault::new(FaultKind::NotFound, message).help("is it misspelled?"));
        }
    }
    Ok(())
}

/// The field without which nothing matches, in the words of Lucene: `+MatchNoDocsQuery("unmapped fields [serviec]") +…`.
/// One among several of which any may match is no such field.
fn unmapped(explanation: &str) -> Option<&str> {
    let clause = "MatchNoDocsQuery(\"unmapped field";
    let mut depth = 0_usize;
    let alone = explanation.find(')').is_some_and(|end| end + 1 == explanation.len());
    let mut required = alone && explanation.starts_with(clause);
    for (at, c) in explanation.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '+' if depth == 0 => required = explanation.get(at + 1..)?.starts_with(clause),
            _ => {}
        }
        if required {
            return explanation.get(at..)?.split_once('[')?.1.split_once(']').map(|(fields, _)| fields);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::unmapped;

    #[test]
    fn a_field_without_which_nothing_matches() {
        let no = "MatchNoDocsQuery(\"unmapped fields [serviec]\")";
        assert_eq!(unmapped(no), Some("serviec"));
        assert_eq!(unmapped(&format!("+level:error +{no}")), Some("serviec"));
        assert_eq!(unmapped(&format!("level:error {no}")), None);
        assert_eq!(unmapped(&format!("{no} level:error")), None);
        assert_eq!(unmapped(&format!("+(level:error {no}) +host:a")), None);
        assert_eq!(unmapped("service:none"), None);
        assert_eq!(unmapped(""), None);
    }
}
