//! What the calls of `PostgreSQL` need: grants.

use std::collections::BTreeSet;

use super::SQL;
use super::functions::{self, Wanted};
use super::lexer::{Token, tokens};
use crate::catalog::need::{Grant, MAINTAIN, Need, Right, Written};

pub(super) const CONNECT: Need = Need::Granted { words: "CONNECT on the database", rights: |_| connect() };

pub(super) const MONITOR: Need =
    Need::Granted { words: "pg_monitor, to see what others do", rights: |_| member("pg_monitor") };

pub(super) const READ_ALL_STATS: Need =
    Need::Granted { words: "pg_read_all_stats, to see what others do", rights: |_| member("pg_read_all_stats") };

pub(super) const SELECT: Need = Need::Granted { words: "SELECT on what it reads", rights: of_sql };

pub(super) const STATEMENT: Need = Need::Granted { words: "the privilege that the statement wants", rights: of_sql };

fn connect() -> Vec<Right> {
    vec![Right::Postgres(Grant::Connect)]
}

fn member(role: &'static str) -> Vec<Right> {
    vec![Right::Postgres(Grant::Connect), Right::Postgres(Grant::Member(role))]
}

/// By what the statement says. What needs to own a table, or is not understood, is said in words.
fn of_sql(written: &Written<'_>) -> Vec<Right> {
    let mut rights = connect();
    for sql in (written.argument)(SQL.name()).patterns() {
        // A value may stand where `*` is; as a number it disturbs no name.
        let found = tokens(&sql.replace('*', " 0 ")).ok().and_then(|tokens| of_tokens(&tokens));
        let unclear = |words| Right::Unclear { words };
        match found {
            Some(found) => {
                rights.extend(found.grants.into_iter().map(Right::Postgres));
                let of = one_line(sql);
                rights.extend(found.words.into_iter().map(|words| unclear(format!("{words}, in `{of}`"))));
            }
            None => rights.push(unclear(format!("what `{}` wants", one_line(sql)))),
        }
    }
    rights
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a statement needs, and in words what of it only the database could tell.
#[derive(Default)]
struct Found {
    grants: BTreeSet<Grant>,
    words: BTreeSet<String>,
}

/// What a statement needs; nothing where only its owner or a superuser may do it.
fn of_tokens(tokens: &[Token]) -> Option<Found> {
    let words: Vec<&str> =
        tokens.iter().map(|token| if let Token::Word(word) = token { word.as_str() } else { "" }).collect();
    let Found { mut grants, words: mut unclear } = Found::default();
    match *words.first()? {
        "select" | "with" | "insert" | "update" | "delete" | "table" | "values" | "merge" | "show" | "explain" => {}
        // PostgreSQL 17 has a privilege for what before it only the owner may do.
        "vacuum" | "analyze" | "reindex" | "cluster" | "refresh" => return Some(upkeep(tokens, &words)),
        "checkpoint" => {
            grants.insert(Grant::Member("pg_checkpoint"));
            return Some(Found { grants, words: unclear });
        }
        _ => return None,
    }
    for wanted in functions::wanted(tokens) {
        match wanted {
            Wanted::Granted(grant) => _ = grants.insert(grant),
            Wanted::Words(words) => _ = unclear.insert(words),
        }
    }
    let own: BTreeSet<String> = (0..tokens.len()).filter_map(|at| common_table(tokens, at)).collect();
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).copied().unwrap_or_default();
        let privilege = match *word {
            "from" if before == "delete" => "DELETE",
            // `EXTRACT(day FROM seen)`, `IS DISTINCT FROM`
            "from" if before == "distinct" || in_call(tokens, at) => continue,
            "from" | "join" | "table" | "using" => "SELECT",
            // What it joins by is read, and the rest is said behind its `THEN`.
            "into" if before == "merge" => "MERGE",
            "into" => "INSERT",
            "update" if !matches!(before, "for" | "do" | "key" | "then") => "UPDATE",
            _ => continue,
        };
        let behind_only = |mut next: usize| {
            while matches!(words.get(next), Some(&("only" | "lateral"))) {
                next += 1;
            }
            next
        };
        let mut next = at + 1;
        while let Some((table, behind)) = name(tokens, behind_only(next)) {
            // A function, or what the statement itself calls so.
            let call = tokens.get(behind) == Some(&Token::Sign('(')) && privilege == "SELECT";
            if !call && !own.contains(&table) && !is_everybodys(&table) && privilege != "MERGE" {
                grants.insert(Grant::On { privilege, table });
            }
            // `FROM a, b x, c`
            match next_in_list(tokens, behind) {
                Some(further) if privilege == "SELECT" => next = further,
                _ => break,
            }
        }
        let Some((table, _)) = name(tokens, behind_only(at + 1)) else { continue };
        // What a condition reads is read, and so is what the statement gives back.
        let reads = match privilege {
            "UPDATE" | "DELETE" => words.contains(&"where") || words.contains(&"returning"),
            "INSERT" => words.contains(&"returning") || words.contains(&"conflict"),
            "MERGE" => true,
            _ => false,
        };
        // `ON CONFLICT … DO UPDATE`, `MERGE … WHEN MATCHED THEN DELETE`
        let says = |lead: &str, does: &str| words.windows(2).any(|two| *two == [lead, does]);
        let more: &[_] = match privilege {
            "INSERT" => &[("do", "update", "UPDATE")],
            "MERGE" => &[("then", "insert", "INSERT"), ("then", "update", "UPDATE"), ("then", "delete", "DELETE")],
            _ => &[],
        };
        for (_, _, privilege) in more.iter().filter(|(lead, does, _)| says(lead, does)) {
            grants.insert(Grant::On { privilege, table: table.clone() });
        }
        if privilege == "INSERT" || privilege == "MERGE" && says("then", "insert") {
            unclear.insert(format!(
                "USAGE on the sequences that number the rows of `{table}` (`serial`), if there are any"
            ));
        }
        if reads {
            grants.insert(Grant::On { privilege: "SELECT", table });
        }
    }
    Some(Found { grants, words: unclear })
}

/// What looks after tables: a privilege on those that it names, and a role where it is for all of them.
fn upkeep(tokens: &[Token], words: &[&str]) -> Found {
    let (mut at, mut found) = (1, Found::default());
    // `VACUUM (FULL, ANALYZE) a`
    if tokens.get(at) == Some(&Token::Sign('(')) {
        let end = tokens.iter().position(|token| *token == Token::Sign(')'));
        at = end.map_or(tokens.len(), |end| end + 1);
    }
    let mut kind = "table";
    while let Some(word) = words.get(at).filter(|word| UPKEEP.contains(word)) {
        if words.first() == Some(&"reindex") && *word != "concurrently" {
            kind = word;
        }
        at += 1;
    }
    // Of an index its table is meant, which the statement need not name: `CLUSTER a USING i`, `CLUSTER i ON a`.
    if let Some((_, on)) = name(tokens, at).filter(|(_, behind)| words.get(*behind) == Some(&"on")) {
        at = on + 1;
    }
    while let Some((named, behind)) = name(tokens, at) {
        match kind {
            "index" => _ = found.words.insert(format!("MAINTAIN on the table of the index `{named}`")),
            "table" if !is_everybodys(&named) => {
                found.grants.insert(Grant::On { privilege: MAINTAIN, table: named });
            }
            _ => break,
        }
        at = behind;
        // `ANALYZE a (b, c), d`
        if tokens.get(at) == Some(&Token::Sign('(')) {
            let end = tokens.iter().skip(at).position(|token| *token == Token::Sign(')'));
            at = end.map_or(tokens.len(), |end| at + end + 1);
        }
        if tokens.get(at) != Some(&Token::Sign(',')) {
            return found;
        }
        at += 1;
    }
    Found { grants: BTreeSet::from([Grant::Member("pg_maintain")]), words: BTreeSet::new() }
}

/// What stands between such a statement and the names in it.
#[rustfmt::skip]
const UPKEEP: &[&str] = &[
    "full", "freeze", "verbose", "analyze", "table", "index", "schema", "database", "system", "materialized", "view",
    "concurrently", "only",
];

/// Where a list of tables goes on behind a name and its alias.
fn next_in_list(tokens: &[Token], at: usize) -> Option<usize> {
    for (further, token) in tokens.iter().enumerate().skip(at).take(3) {
        match token {
            Token::Sign(',') => return Some(further + 1),
            Token::Word(_) | Token::Quoted(_) => {}
            _ => return None,
        }
    }
    None
}

/// The name that a `WITH` gives to a part of the statement: `name AS (`.
fn common_table(tokens: &[Token], at: usize) -> Option<String> {
    let Some(Token::Word(name)) = tokens.get(at) else { return None };
    let as_ = tokens.get(at + 1) == Some(&Token::Word("as".to_owned()));
    (as_ && tokens.get(at + 2) == Some(&Token::Sign('('))).then(|| name.clone())
}

/// Whether the innermost bracket around a place belongs to a call that has a `FROM` of its own kind.
fn in_call(tokens: &[Token], at: usize) -> bool {
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().take(at).rev() {
        match token {
            Token::Sign(')') => depth += 1,
            Token::Sign('(') if depth > 0 => depth -= 1,
            Token::Sign('(') => {
                let before = place.checked_sub(1).and_then(|place| tokens.get(place));
                let Some(Token::Word(word)) = before else { return false };
                return matches!(word.as_str(), "extract" | "trim" | "substring" | "overlay" | "position");
            }
            _ => {}
        }
    }
    false
}

/// A name with its schema, quoted where it is, and the place behind it.
fn name(tokens: &[Token], at: usize) -> Option<(String, usize)> {
    let one = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => Some(word.clone()),
        Some(Token::Quoted(name)) => Some(format!("\"{}\"", name.replace('"', "\"\""))),
        _ => None,
    };
    let mut name = one(at)?;
    let mut behind = at + 1;
    while tokens.get(behind) == Some(&Token::Sign('.')) {
        name = format!("{name}.{}", one(behind + 1)?);
        behind += 2;
    }
    Some((name, behind))
}

/// What everybody may read: the catalogues of the server itself.
fn is_everybodys(table: &str) -> bool {
    table.starts_with("pg_") || table.starts_with("information_schema.")
}

#[cfg(test)]
mod tests {
    use super::{Found, of_tokens, tokens};
    use crate::catalog::need::Grant;

    fn of(sql: &str) -> Option<Found> {
        of_tokens(&tokens(sql).unwrap_or_else(|open| panic!("{sql}: {open:?}")))
    }

    fn grants(sql: &str) -> Option<Vec<String>> {
        let one = |grant| match grant {
            Grant::On { privilege, table } => format!("{privilege} {table}"),
            Grant::Member(role) => role.to_owned(),
            Grant::Connect => "CONNECT".to_owned(),
        };
        of(sql).map(|found| found.grants.into_iter().map(one).collect())
    }

    #[test]
    fn a_statement_says_which_tables_it_reads_and_changes() {
        let found = |sql| grants(sql).unwrap_or_else(|| panic!("not understood: {sql}"));
        assert_eq!(
            found("SELECT count(*) FROM shop.orders o, items WHERE seen < now()"),
            ["SELECT items", "SELECT shop.orders"]
        );
        assert_eq!(found("SELECT extract(day FROM seen) FROM \"Log\""), ["SELECT \"Log\""]);
        assert_eq!(found("SELECT 1 WHERE a IS DISTINCT FROM b"), [""; 0]);
        assert_eq!(found("SELECT * FROM pg_stat_activity JOIN generate_series(1, 2) ON true"), [""; 0]);
        assert_eq!(found("WITH old AS (SELECT id FROM sessions) SELECT * FROM old"), ["SELECT sessions"]);
        assert_eq!(found("DELETE FROM sessions WHERE seen < now()"), ["DELETE sessions", "SELECT sessions"]);
        assert_eq!(found("INSERT INTO log (a) VALUES (1)"), ["INSERT log"]);
        let upserted = found("INSERT INTO log (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2");
        assert_eq!(upserted, ["INSERT log", "SELECT log", "UPDATE log"]);
        assert_eq!(found("SELECT * FROM a FOR UPDATE"), ["SELECT a"]);
        assert_eq!(found("UPDATE ONLY a SET b = 1 WHERE c"), ["SELECT a", "UPDATE a"]);
        assert_eq!(found("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"), ["pg_signal_backend"]);
        assert_eq!(found("SELECT pg_reload_conf()"), ["EXECUTE FUNCTION pg_reload_conf()"]);
    }

    #[test]
    fn a_merge_reads_its_target_and_does_what_it_says() {
        let found = |sql| grants(sql).unwrap_or_else(|| panic!("not understood: {sql}"));
        let merge = "MERGE INTO a t USING b s ON s.id = t.id WHEN MATCHED THEN DELETE";
        assert_eq!(found(merge), ["DELETE a", "SELECT a", "SELECT b"]);
        let more = "MERGE INTO ONLY a t USING b s ON s.id = t.id WHEN MATCHED THEN UPDATE SET c = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)";
        assert_eq!(found(more), ["INSERT a", "SELECT a", "SELECT b", "UPDATE a"]);
        assert!(of(merge).is_some_and(|found| found.words.is_empty()));
    }

    #[test]
    fn who_looks_after_one_table_may_not_look_after_all() {
        let found = |sql| grants(sql).unwrap_or_else(|| panic!("not understood: {sql}"));
        assert_eq!(found("VACUUM ANALYZE"), ["pg_maintain"]);
        assert_eq!(found("VACUUM ANALYZE shop.a"), ["MAINTAIN shop.a"]);
        assert_eq!(found("VACUUM (FULL, ANALYZE) a, \"B\" (c, d), e"), ["MAINTAIN \"B\"", "MAINTAIN a", "MAINTAIN e"]);
        assert_eq!(found("ANALYZE VERBOSE a (b, c)"), ["MAINTAIN a"]);
        assert_eq!(found("REINDEX TABLE CONCURRENTLY a"), ["MAINTAIN a"]);
        assert_eq!(found("REINDEX (VERBOSE) DATABASE CONCURRENTLY shop"), ["pg_maintain"]);
        assert_eq!(found("REINDEX SYSTEM"), ["pg_maintain"]);
        assert_eq!(found("CLUSTER a USING i"), ["MAINTAIN a"]);
        assert_eq!(found("CLUSTER i ON a"), ["MAINTAIN a"]);
        assert_eq!(found("REFRESH MATERIALIZED VIEW CONCURRENTLY v WITH DATA"), ["MAINTAIN v"]);
        assert_eq!(found("VACUUM pg_class"), ["pg_maintain"]);
        assert_eq!(found("REINDEX INDEX i"), [""; 0]);
        let words = of("REINDEX INDEX i").map_or_else(Vec::new, |found| found.words.into_iter().collect());
        assert_eq!(words, ["MAINTAIN on the table of the index `i`"]);
    }

    #[test]
    fn what_only_the_database_could_tell_is_said() {
        let words = |sql| of(sql).map_or_else(Vec::new, |found| found.words.into_iter().collect());
        assert_eq!(words("SELECT setval('shop.order_id', 1)"), ["UPDATE on the sequence of `setval`"]);
        assert_eq!(words("SELECT shop.tidy(1), \"pg_catalog\".pg_reload_conf()"), ["what the function `tidy` wants"]);
        let serial = "USAGE on the sequences that number the rows of `shop.log` (`serial`), if there are any";
        assert_eq!(words("INSERT INTO shop.log (a, b) SELECT count(*), lower(x) FROM t AS u (x)"), [serial]);
        let none = "WITH o (id) AS (SELECT max(id) FROM t WHERE a IN (1) AND b = ANY (c)) SELECT g FROM o, \
                    generate_series(1, 2) s(g) WHERE now() - seen > interval '1 day' GROUP BY (g)";
        assert_eq!(words(none), [""; 0]);
        let pids =
            "SELECT count(*) FILTER (WHERE \"pg_terminate_backend\"(pid)) OVER (PARTITION BY a) FROM pg_stat_activity";
        assert_eq!(words(pids), [""; 0]);
        assert_eq!(grants(pids), Some(vec!["pg_signal_backend".to_owned()]));
    }

    #[test]
    fn what_only_an_owner_may_do_is_not_made_up() {
        assert_eq!(grants("DROP TABLE a"), None);
        assert_eq!(grants("ALTER TABLE a ADD b int"), None);
    }
}
