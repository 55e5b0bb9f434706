//! Values of the language as parameters of a statement: each as the server reads it, by the type that the statement wants.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::types::Value;

/// A value that is bound.
#[derive(Debug)]
pub(super) struct Bound<'v>(pub(super) &'v Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match text(self.0) {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// As the server's own text form; nothing for NULL.
fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Data(data) if data.is_null() => return None,
        Value::Bool(value) => value.to_string(),
        Value::Float(value) | Value::Percent(value) | Value::Cores(value) | Value::Rate(value, _) => value.to_string(),
        Value::Size(bytes) => bytes.to_string(),
        Value::Duration(duration) => format!("{} seconds", duration.as_secs_f64()),
        Value::Time(time) => time.to_string(),
        Value::Data(data) => match data.as_ref() {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        Value::List(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    let text = text(item);
                    text.map_or_else(
                        || "NULL".to_owned(),
                        |text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                    )
                })
                .collect();
            format!("{{{}}}", items.join(","))
        }
        Value::Record(_) => value.to_json().to_string(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::types::Value;

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        let list = Value::list(vec![Value::string("a\"b\\"), Value::Null, Value::Int(3)]);
        assert_eq!(text(&list).unwrap(), r#"{"a\"b\\",NULL,"3"}"#);
        assert_eq!(text(&Value::Size(1024)).unwrap(), "1024");
        assert_eq!(text(&Value::Null), None);
        assert_eq!(text(&Value::string("x'; --")).unwrap(), "x'; --");
    }
}
