//! Functions of text and numbers.

use std::sync::Arc;

use jiff::SignedDuration;
use runbook::builtins::catalog;
use runbook::catalog::{Arg, Args, Body};
use runbook::types::{Fault, FaultKind, Regex, Value};

fn call(name: &str, given: &[Value]) -> Result<Value, Fault> {
    let builtin = catalog().builtin(name).unwrap_or_else(|| panic!("no function {name}"));
    let (Body::Pure(body) | Body::Text(_, body)) = builtin.body else { panic!("{name} does not only compute") };
    let given = (0..builtin.params.len()).map(|index| given.get(index).cloned().map(Arg::Value));
    body(&Args::new(builtin, given.collect()))
}

fn shown(name: &str, given: &[Value]) -> String {
    call(name, given).map_or_else(|fault| format!("{}: {fault}", fault.kind.name()), |value| format!("{value:?}"))
}

fn on(name: &str, texts: &[&str]) -> String {
    shown(name, &texts.iter().map(|text| Value::string(*text)).collect::<Vec<_>>())
}

#[test]
fn text_is_taken_apart_and_put_together() {
    assert_eq!(on("lines", &["a\r\nb\n\nc"]), "list(a, b, , c)");
    assert_eq!(on("lines", &[""]), "list()");
    assert_eq!(on("words", &[" a\t b\n"]), "list(a, b)");
    assert_eq!(on("trim", &[" \na b\t"]), "string(a b)");
    assert_eq!(on("lower", &["GRÖSSE"]), "string(grösse)");
    assert_eq!(on("upper", &["größe"]), "string(GRÖSSE)");
    assert_eq!(on("split", &["a,b,,c", ","]), "list(a, b, , c)");
    assert_eq!(on("split", &["abc", ","]), "list(abc)");
    assert_eq!(on("replace", &["a.b.c", ".", ""]), "string(abc)");
    assert_eq!(on("starts_with", &["postgres-0", "postgres"]), "bool(yes)");
    assert_eq!(on("ends_with", &["app.log", ".gz"]), "bool(no)");
    assert_eq!(on("contains", &["a.b", "."]), "bool(yes)");
    assert_eq!(on("contains", &["ab", "."]), "bool(no)");
    for name in ["split", "replace"] {
        let fault = call(name, &[Value::string("a"), Value::string(""), Value::string("b")]).expect_err(name);
        assert_eq!(fault.kind, FaultKind::NoValue, "{name}");
    }
}

#[test]
fn a_pattern_captures_a_part_or_nothing() {
    let capture = |text: &str, pattern: &str| {
        let regex = Regex::new(pattern).unwrap();
        shown("capture", &[Value::string(text), Value::Regex(regex)])
    };
    assert_eq!(capture("user=ann failed", r"user=(\w+)"), "string(ann)");
    assert_eq!(capture("took 17ms", r"\d+ms"), "string(17ms)");
    assert_eq!(capture("nothing", r"user=(\w+)"), "null(-)");
    assert_eq!(capture("b", r"(a)|b"), "null(-)");
    assert!(capture("ö", r"(?-u:\xc3)").starts_with("conversion"));
}

#[test]
fn json_is_data_or_a_fault() {
    assert_eq!(
        call("parse_json", &[Value::string(r#"{"a":[1]}"#)]).unwrap().to_json(),
        serde_json::json!({ "a": [1] })
    );
    for text in ["", "{", "{} {}", "nan", &"[".repeat(100_000)] {
        assert_eq!(call("parse_json", &[Value::string(text)]).expect_err(text).kind, FaultKind::Conversion);
    }
}

#[test]
fn numbers_keep_their_units() {
    assert_eq!(shown("abs", &[Value::Int(-3)]), "int(3)");
    assert_eq!(shown("abs", &[Value::Duration(SignedDuration::from_mins(-2))]), "duration(2m)");
    assert_eq!(call("abs", &[Value::Int(i64::MIN)]).expect_err("overflow").kind, FaultKind::NoValue);
    assert_eq!(call("abs", &[Value::Duration(SignedDuration::MIN)]).expect_err("overflow").kind, FaultKind::NoValue);
    assert_eq!(shown("round", &[Value::Float(2.5)]), "float(3)");
    assert_eq!(shown("round", &[Value::Float(-2.5)]), "float(-3)");
    assert_eq!(shown("round", &[Value::Float(1.25), Value::Int(1)]), "float(1.3)");
    assert_eq!(shown("round", &[Value::Percent(0.12345), Value::Int(1)]), "percent(12.3%)");
    assert_eq!(shown("round", &[Value::Float(1e300), Value::Int(12)]), "float(1e300)");
    assert_eq!(call("round", &[Value::Float(1.0), Value::Int(-1)]).expect_err("digits").kind, FaultKind::NoValue);
    let data = |json: serde_json::Value| Value::Data(Arc::new(json));
    assert_eq!(shown("abs", &[data(serde_json::json!(-2))]), "int(2)");
    assert_eq!(shown("abs", &[data(serde_json::json!(-2.5))]), "float(2.5)");
    assert_eq!(shown("round", &[data(serde_json::json!(u64::MAX))]), format!("data({})", u64::MAX));
}
