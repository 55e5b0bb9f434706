//! The stages that work on lists and logs: what they give, and where they refuse to.

use std::sync::Arc;

use jiff::SignedDuration;
use runbook::builtins::catalog;
use runbook::catalog::{Arg, Args, Flow, Inputs, Items, PerItem, Returns};
use runbook::types::{Fault, FaultKind, Type, Value};

/// Runs a stage over items; arguments by the names of their parameters.
fn stage_over<'a>(name: &str, items: Items<'a>, given: &[(&str, Arg<'a>)]) -> Result<Value, Fault> {
    let builtin = catalog().builtin(name).unwrap_or_else(|| panic!("no stage {name}"));
    let arg = |param: &str| given.iter().find(|(name, _)| *name == param).map(|(_, arg)| arg.clone());
    let args = Args::new(builtin, builtin.params.iter().map(|param| arg(param.name)).collect());
    let Some(body) = builtin.stage() else { panic!("{name} is no stage") };
    match body(items, &args)? {
        Flow::Value(value) => Ok(value),
        Flow::Items(items) => items.collect::<Result<Vec<_>, _>>().map(Value::list),
    }
}

fn stage(name: &str, items: &[Value], given: &[(&str, Arg<'_>)]) -> Result<Value, Fault> {
    stage_over(name, Box::new(items.iter().cloned().map(Ok)), given)
}

fn plain(name: &str, items: &[Value]) -> Result<Value, Fault> {
    stage(name, items, &[])
}

fn shown(result: Result<Value, Fault>) -> String {
    result.map_or_else(|fault| format!("{}: {fault}", fault.kind.name()), |value| value.to_string())
}

fn ints(numbers: &[i64]) -> Vec<Value> {
    numbers.iter().map(|number| Value::Int(*number)).collect()
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| Value::string(*text)).collect()
}

fn n(number: i64) -> Arg<'static> {
    Arg::Value(Value::Int(number))
}

fn per(each: PerItem<'_>) -> Arg<'_> {
    Arg::PerItem(each)
}

fn field(name: &'static str) -> impl Fn(&Value) -> Result<Value, Fault> {
    move |item| match item {
        Value::Record(fields) => Ok(fields.get(name).cloned().unwrap_or(Value::Null)),
        other => Err(Fault::conversion(format!("{other:?} has no fields"))),
    }
}

fn broken() -> Fault {
    Fault::new(FaultKind::Unreachable, "connection refused")
}

/// 1 is a fault, everything else is asked whether it is more than 3.
fn more_than_3(item: &Value) -> Result<Value, Fault> {
    match item {
        Value::Int(1) => Err(broken()),
        Value::Int(number) => Ok(Value::Bool(*number > 3)),
        other => Err(Fault::conversion(format!("{other:?}"))),
    }
}

#[test]
fn claims_about_nothing_are_faults_and_any_of_nothing_is_false() {
    let holds = [("holds", per(&more_than_3))];
    assert_eq!(shown(stage("any", &[], &holds)), "no");
    assert_eq!(shown(stage("all", &[], &holds)), "no_value: `all` of nothing: there are no items");
    assert_eq!(shown(stage("none", &[], &holds)), "no_value: `none` of nothing: there are no items");
    assert_eq!(shown(stage("share", &[], &holds)), "no_value: `share` of nothing: there are no items");
    assert_eq!(shown(plain("count", &[])), "0");
    assert_eq!(shown(plain("is_empty", &[])), "yes");
    assert_eq!(shown(plain("first", &[])), "-");
    for name in ["sum", "average", "median", "min", "max", "p50", "p95", "scalar"] {
        assert_eq!(plain(name, &[]).expect_err(name).kind, FaultKind::NoValue, "{name}");
    }
}

#[test]
fn a_fault_matters_only_where_no_other_item_decides() {
    let holds = [("holds", per(&more_than_3))];
    let asked = |name: &str, items: &[i64]| shown(stage(name, &ints(items), &holds));
    assert_eq!(asked("any", &[1, 5]), "yes");
    assert_eq!(asked("any", &[1, 2]), "unreachable: connection refused");
    assert_eq!(asked("all", &[1, 2]), "no");
    assert_eq!(asked("all", &[1, 5]), "unreachable: connection refused");
    assert_eq!(asked("all", &[4, 5]), "yes");
    assert_eq!(asked("none", &[1, 5]), "no");
    assert_eq!(asked("none", &[1, 2]), "unreachable: connection refused");
    assert_eq!(asked("none", &[2, 3]), "yes");
    assert_eq!(asked("share", &[1, 5]), "unreachable: connection refused");
    assert_eq!(asked("share", &[2, 5, 6, 7]), "75%");
    assert_eq!(asked("where", &[5, 1]), "unreachable: connection refused");
    assert_eq!(asked("where", &[5, 2, 7]), "5, 7");
}

#[test]
fn a_fault_among_the_items_poisons_what_needs_it() {
    let items = || -> Items<'static> { Box::new([Ok(Value::Int(5)), Err(broken()), Ok(Value::Int(6))].into_iter()) };
    for name in
        ["count", "sum", "average", "median", "min", "max", "p90", "last", "sort", "distinct", "reverse", "join"]
    {
        let fault = stage_over(name, items(), &[]).expect_err(name);
        assert_eq!(fault.kind, FaultKind::Unreachable, "{name}");
    }
    assert_eq!(stage_over("skip", items(), &[("n", n(2))]).expect_err("skip").kind, FaultKind::Unreachable);
    // What is decided before the fault is not poisoned by it.
    assert_eq!(shown(stage_over("first", items(), &[])), "5");
    assert_eq!(shown(stage_over("is_empty", items(), &[])), "no");
    assert_eq!(shown(stage_over("take", items(), &[("n", n(1))])), "5");
    let holds = [("holds", per(&|item: &Value| Ok(Value::Bool(item.equals(&Value::Int(6))))))];
    assert_eq!(shown(stage_over("any", items(), &holds)), "yes");
}

#[test]
fn numbers_keep_their_units() {
    let sizes = [Value::Size(1 << 30), Value::Size(1 << 29), Value::Size(1 << 29)];
    assert!(matches!(plain("sum", &sizes), Ok(Value::Size(sum)) if sum == 1 << 31));
    assert!(matches!(plain("max", &sizes), Ok(Value::Size(size)) if size == 1 << 30));
    assert_eq!(shown(plain("average", &ints(&[1, 2]))), "1.5");
    assert_eq!(shown(plain("median", &ints(&[9, 1, 2, 4]))), "3");
    let times: Vec<Value> = (1..=100).map(|ms| Value::Duration(SignedDuration::from_millis(ms))).collect();
    for (name, at) in [("p50", "50ms"), ("p90", "90ms"), ("p95", "95ms"), ("p99", "99ms"), ("median", "50.5ms")] {
        assert_eq!(shown(plain(name, &times)), at, "{name}");
    }
    assert_eq!(shown(plain("sum", &ints(&[i64::MAX, 1]))), "no_value: the sum is larger than its type can hold");
    assert_eq!(plain("sum", &texts(&["1"])).expect_err("text").kind, FaultKind::Conversion);
    assert_eq!(plain("sum", &[Value::Null]).expect_err("missing").kind, FaultKind::NoValue);
    let data = |json: serde_json::Value| Value::Data(Arc::new(json));
    // Integers of data are added up exactly; a number with decimals beside them makes a float of it.
    assert_eq!(shown(plain("sum", &[data(9_007_199_254_740_993_i64.into()), data(2.into())])), "9007199254740995");
    assert!(
        matches!(plain("sum", &[data(1.into()), data(2.5.into())]), Ok(Value::Float(sum)) if (sum - 3.5).abs() < 1e-9)
    );
    assert_eq!(shown(plain("max", &[data((u64::MAX - 1).into()), data(u64::MAX.into())])), u64::MAX.to_string());
    assert_eq!(plain("sum", &[data("1".into())]).expect_err("text in data").kind, FaultKind::Conversion);
}

#[test]
fn order_is_stable_and_what_is_missing_comes_last() {
    let row = |name: &str, age: Option<i64>| {
        Value::record([("name", Value::string(name)), ("age", age.map_or(Value::Null, Value::Int))])
    };
    let rows = [row("a", Some(2)), row("b", None), row("c", Some(3)), row("d", Some(2)), row("e", Some(1))];
    let age = field("age");
    let names = |result: Result<Value, Fault>| {
        let Ok(Value::List(rows)) = result else { panic!("{result:?}") };
        shown(stage("each", &rows, &[("gives", per(&field("name")))]))
    };
    assert_eq!(names(stage("sort", &rows, &[("by", per(&age))])), "e, a, d, c, b");
    let descending = [("by", per(&age)), ("descending", Arg::Value(Value::Bool(true)))];
    assert_eq!(names(stage("sort", &rows, &descending)), "c, a, d, e, b");
    for (count, best) in [(0, ""), (1, "c"), (2, "c, a"), (3, "c, a, d"), (9, "c, a, d, e, b")] {
        assert_eq!(names(stage("top", &rows, &[("n", n(count)), ("by", per(&age))])), best, "{count}");
    }
    assert_eq!(stage("top", &rows, &[("n", n(-1)), ("by", per(&age))]).expect_err("-1").kind, FaultKind::NoValue);
    let mixed = [Value::Int(1), Value::string("a")];
    for name in ["sort", "min", "max", "median"] {
        assert_eq!(plain(name, &mixed).expect_err(name).kind, FaultKind::Conversion, "{name}");
    }
    assert_eq!(plain("sort", &[Value::Float(f64::NAN), Value::Int(1)]).expect_err("NaN").kind, FaultKind::NoValue);
}

#[test]
fn counts_groups_and_tops() {
    let words = texts(&["b", "a", "b", "c", "a", "b"]);
    let itself = |item: &Value| Ok(item.clone());
    let tally = stage("count_by", &words, &[("by", per(&itself))]).expect("a tally");
    assert_eq!(
        tally.to_json(),
        serde_json::json!([{ "key": "b", "count": 3 }, { "key": "a", "count": 2 }, { "key": "c", "count": 1 }])
    );
    assert_eq!(shown(stage("top", &words, &[("n", n(1))])), "key: b, count: 3");
    let Value::List(tally) = tally else { panic!("a list") };
    assert_eq!(shown(stage("top", &tally, &[("n", n(1))])), "key: b, count: 3");
    let groups = stage("group_by", &words, &[("by", per(&itself))]).expect("groups").to_json();
    assert_eq!(groups[1], serde_json::json!({ "key": "a", "items": ["a", "a"] }));
    assert_eq!(shown(plain("distinct", &words)), "b, a, c");
    assert_eq!(shown(stage("take", &words, &[("n", n(2))])), "b, a");
    assert_eq!(shown(stage("skip", &words, &[("n", n(4))])), "a, b");
    assert_eq!(shown(plain("reverse", &ints(&[1, 2]))), "2, 1");
    assert_eq!(
        shown(plain("flatten", &[Value::list(ints(&[1, 2])), Value::list(vec![]), Value::list(ints(&[3]))])),
        "1, 2, 3"
    );
    assert_eq!(plain("flatten", &ints(&[1])).expect_err("no list").kind, FaultKind::Conversion);
}

#[test]
fn a_scalar_is_one_cell_of_one_row() {
    let row = |fields: &[(&'static str, i64)]| Value::record(fields.iter().map(|(name, v)| (*name, Value::Int(*v))));
    assert_eq!(shown(plain("scalar", &[row(&[("version", 15)])])), "15");
    assert_eq!(plain("scalar", &[row(&[("a", 1), ("b", 2)])]).expect_err("two cells").kind, FaultKind::NoValue);
    assert_eq!(plain("scalar", &ints(&[1, 2])).expect_err("two rows").kind, FaultKind::NoValue);
    let data = Value::Data(Arc::new(serde_json::json!({ "n": 7 })));
    assert_eq!(shown(plain("scalar", &[data])), "7");
}

#[test]
fn memory_is_bounded_and_the_bound_is_named() {
    let many = || -> Items<'static> { Box::new((0..1_000_001).map(|n| Ok(Value::Int(n)))) };
    for name in ["distinct", "reverse"] {
        let fault = stage_over(name, many(), &[]).expect_err(name);
        assert_eq!(fault.kind, FaultKind::TooLarge, "{name}");
        assert!(fault.message.contains("1000000"), "{fault}");
    }
    let itself = |item: &Value| Ok(item.clone());
    assert_eq!(shown(stage_over("count", many(), &[])), "1000001");
    assert_eq!(shown(stage_over("top", many(), &[("n", n(2)), ("by", per(&itself))])), "1000000, 999999");
    let words = |n: i64| -> String {
        (0..8)
            .map(|place| match (n >> (2 * place)) % 4 {
                0 => 'a',
                1 => 'b',
                2 => 'c',
                _ => 'd',
            })
            .collect()
    };
    let kinds = (0..10_001).map(|n| Ok(Value::string(words(n))));
    let fault = stage_over("patterns", Box::new(kinds), &[]).expect_err("too many kinds");
    assert_eq!(fault.kind, FaultKind::TooLarge);
}

#[test]
fn patterns_say_how_often_each_kind_of_line_came() {
    let lines = texts(&["took 3ms for \"ann\"", "took 17ms for \"bob\"", "connection from 10.0.0.1 lost"]);
    let patterns = plain("patterns", &lines).expect("patterns").to_json();
    assert_eq!(patterns[0]["pattern"], "took <n>ms for \"<text>\"");
    assert_eq!(patterns[0]["count"], 2);
    assert_eq!(patterns[0]["example"], "took 3ms for \"ann\"");
    assert_eq!(patterns[1]["pattern"], "connection from <ip> lost");
    assert_eq!(patterns[1]["first"], serde_json::Value::Null);
}

/// What a list of texts has as patterns.
fn patterns(lines: &[&str]) -> Value {
    plain("patterns", &texts(lines)).expect("patterns")
}

#[test]
fn compared_patterns_are_new_gone_more_less_or_the_same() {
    let before = patterns(&["same 1", "more 1", "less 1", "less 2", "less 3", "gone 1", "gone 2", "gone a"]);
    let now = patterns(&["less 1", "same 2", "more 1", "more 2", "more 3", "new 1"]);
    let Value::List(now) = now else { panic!("{now:?}") };
    let items = now.iter().cloned().map(Ok).collect::<Vec<_>>();
    let compared = stage_over("compare", Box::new(items.into_iter()), &[("before", Arg::Value(before.clone()))]);
    let compared = compared.expect("compared").to_json();
    let told: Vec<String> = compared
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| {
            format!("{} {} {} {} {}", kind["pattern"], kind["change"], kind["before"], kind["count"], kind["times"])
                .replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            "more <n> more 1 3 3",
            "less <n> less 3 1 0.3333333333333333",
            "same <n> same 1 1 1",
            "new <n> new 0 1 null",
            "gone <n> gone 2 0 0",
            "gone a gone 1 0 0",
        ]
    );
    // Days that were joined count together.
    let (Value::List(first), Value::List(second)) = (patterns(&["a 1", "a 2"]), patterns(&["a 3", "b"])) else {
        panic!()
    };
    let joined = Value::list(first.iter().chain(second.iter()).cloned().collect());
    let items = patterns(&["a 1"]);
    let Value::List(items) = items else { panic!("{items:?}") };
    let items: Vec<_> = items.iter().cloned().map(Ok).collect();
    let compared = stage_over("compare", Box::new(items.into_iter()), &[("before", Arg::Value(joined))]);
    let compared = compared.expect("compared").to_json();
    assert_eq!((&compared[0]["before"], &compared[0]["change"]), (&3.into(), &"less".into()), "{compared}");
    assert_eq!(compared.as_array().unwrap().len(), 2, "{compared}");
    let fault = stage_over("compare", Box::new(std::iter::once(Ok(Value::Int(1)))), &[("before", Arg::Value(before))]);
    assert_eq!(fault.expect_err("no pattern").kind, FaultKind::Conversion);
    let list = |item: Type| Some(Type::list(item));
    let wrong = type_of("compare", &[("items", list(Type::String)), ("before", list(Type::String))]);
    assert_eq!(wrong, Err("`compare` wants patterns, and an item is `string`".to_owned()));
}

fn type_of(name: &str, inputs: &[(&'static str, Option<Type>)]) -> Result<String, String> {
    let builtin = catalog().builtin(name).unwrap_or_else(|| panic!("no stage {name}"));
    match builtin.returns {
        Returns::Type(ty) | Returns::Judged { ty, .. } => Ok(ty().to_string()),
        Returns::Computed { compute, .. } => {
            compute(&Inputs { types: inputs }).map(|ty| ty.to_string()).map_err(|mismatch| mismatch.message)
        }
    }
}

#[test]
fn types_are_computed_from_the_items() {
    let list = |item: Type| ("items", Some(Type::list(item)));
    let of = |ty: Type| ("of", Some(ty));
    assert_eq!(type_of("sum", &[list(Type::Size)]), Ok("size".to_owned()));
    assert_eq!(type_of("sum", &[list(Type::String), of(Type::Duration)]), Ok("duration".to_owned()));
    assert_eq!(type_of("sum", &[list(Type::String)]), Err("`sum` adds numbers, and this is `string`".to_owned()));
    let missing = type_of("sum", &[list(Type::String), of(Type::Int.optional())]);
    assert_eq!(missing, Err("`sum` adds numbers, and this one may be missing".to_owned()));
    assert_eq!(type_of("average", &[list(Type::Int)]), Ok("float".to_owned()));
    assert_eq!(type_of("first", &[list(Type::Int)]), Ok("int?".to_owned()));
    assert_eq!(type_of("each", &[list(Type::Int), ("gives", Some(Type::Bool))]), Ok("list<bool>".to_owned()));
    assert_eq!(
        type_of("count_by", &[list(Type::Int), ("by", Some(Type::Bool))]),
        Ok("list<{ key: bool, count: int }>".to_owned())
    );
    assert_eq!(
        type_of("group_by", &[list(Type::Int), ("by", Some(Type::Bool))]),
        Ok("list<{ key: bool, items: list<int> }>".to_owned())
    );
    assert_eq!(type_of("top", &[list(Type::String)]), Ok("list<{ key: string, count: int }>".to_owned()));
    assert_eq!(type_of("top", &[list(Type::Int), ("by", Some(Type::Int))]), Ok("list<int>".to_owned()));
    assert_eq!(type_of("all", &[list(Type::Bool)]), Ok("bool".to_owned()));
    assert_eq!(type_of("all", &[list(Type::Int)]), Err("`all` asks for true or false, and this is `int`".to_owned()));
    assert_eq!(type_of("flatten", &[list(Type::list(Type::Int))]), Ok("list<int>".to_owned()));
    assert!(type_of("sort", &[list(Type::list(Type::Int))]).is_err());
    assert!(type_of("max", &[list(Type::Int.optional())]).is_err());
}
