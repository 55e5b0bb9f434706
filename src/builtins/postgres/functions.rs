//! What the functions that a statement calls need, beyond what everybody may.

use super::lexer::{Token, calls};
use crate::catalog::need::Grant;

/// What a call needs that not everybody has.
pub(super) enum Wanted {
    Granted(Grant),
    /// In words, for whoever grants it has to look.
    Words(String),
}

/// Functions of the server and of standard SQL that everybody may call, and whatever else stands in front of a bracket.
const EVERYBODYS: &str = "
    abs age all any array array_agg array_append array_cat array_length array_position array_remove array_replace
    array_to_json array_to_string array_upper as avg bit bit_length bool_and bool_or btrim by cardinality case cast ceil
    ceiling char char_length character character_length chr clock_timestamp coalesce concat concat_ws conflict corr count
    cube cume_dist current_database current_schema current_schemas current_setting current_time current_timestamp date
    date_bin date_part date_trunc decimal decode dense_rank digest distinct div else encode every except exists exp
    explain extract filter first_value float floor format format_type from gen_random_uuid generate_series
    generate_subscripts greatest group grouping having host in inet initcap int intersect interval into isfinite join
    json json_agg json_array_elements json_array_elements_text json_array_length json_build_array json_build_object
    json_each json_each_text json_extract_path json_extract_path_text json_object json_object_agg json_object_keys
    json_populate_record json_strip_nulls json_to_record json_to_recordset json_typeof jsonb jsonb_agg jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
    jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys
    jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_pretty
    jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof justify_days justify_hours
    justify_interval key lag last_value lateral lead least left length limit ln localtime localtimestamp log lower
    lower_inc lpad ltrim make_date make_interval make_time make_timestamp make_timestamptz masklen materialized max md5
    min mod mode not now nth_value ntile nullif numeric obj_description octet_length offset on only or and over overlay
    partition percent_rank percentile_cont percentile_disc pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock
    pg_advisory_unlock_all pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_backend_pid
    pg_blocking_pids pg_column_size pg_conf_load_time pg_current_wal_flush_lsn pg_current_wal_insert_lsn
    pg_current_wal_lsn pg_encoding_to_char pg_get_constraintdef pg_get_expr pg_get_functiondef pg_get_indexdef
    pg_get_serial_sequence pg_get_userbyid pg_get_viewdef pg_has_role pg_indexes_size pg_is_in_recovery
    pg_is_wal_replay_paused pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp
    pg_postmaster_start_time pg_relation_filepath pg_relation_size pg_safe_snapshot_blocking_pids pg_size_bytes
    pg_size_pretty pg_sleep pg_sleep_for pg_sleep_until pg_table_is_visible pg_table_size pg_total_relation_size
    pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared pg_typeof
    pg_wal_lsn_diff pg_walfile_name pi position power precision quote_ident quote_literal quote_nullable random range
    range_agg rank recursive regexp_count regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
    regexp_split_to_table regexp_substr repeat replace returning reverse right rollup round row row_number row_to_json
    rpad rtrim select set sets setting sha256 sha512 sign similar some split_part sqrt starts_with statement_timestamp
    stddev string_agg string_to_array string_to_table strpos substr substring sum table text then time timeofday
    timestamp timestamptz to_char to_date to_hex to_json to_jsonb to_number to_regclass to_timestamp to_tsquery
    to_tsvector transaction_timestamp translate treat trim trunc txid_current union unnest upper upper_inc using values
    var_pop var_samp varchar variance varying version when where width_bucket window with within xmlagg xmlelement";

/// What its calls need.
pub(super) fn wanted(tokens: &[Token]) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for (at, name) in calls(tokens) {
        if let Some(grant) = granted(name) {
            wanted.push(Wanted::Granted(grant));
        } else if !names_columns(tokens, at) && !EVERYBODYS.split_whitespace().any(|known| known == name) {
            wanted.push(Wanted::Words(match name {
                "nextval" | "currval" | "lastval" => format!("USAGE on the sequence of `{name}`"),
                "setval" => "UPDATE on the sequence of `setval`".to_owned(),
                _ => format!("what the function `{name}` wants"),
            }));
        }
    }
    wanted
}

fn granted(name: &str) -> Option<Grant> {
    let function = match name {
        "pg_terminate_backend" | "pg_cancel_backend" => return Some(Grant::Member("pg_signal_backend")),
        "pg_ls_logdir" | "pg_ls_waldir" | "pg_ls_tmpdir" | "pg_ls_archive_statusdir" | "pg_current_logfile" => {
            return Some(Grant::Member("pg_monitor"));
        }
        "pg_reload_conf" => "FUNCTION pg_reload_conf()",
        "pg_rotate_logfile" => "FUNCTION pg_rotate_logfile()",
        "pg_promote" => "FUNCTION pg_promote(boolean, integer)",
        "pg_switch_wal" => "FUNCTION pg_switch_wal()",
        "pg_create_restore_point" => "FUNCTION pg_create_restore_point(text)",
        "pg_stat_reset" => "FUNCTION pg_stat_reset()",
        "pg_stat_reset_shared" => "FUNCTION pg_stat_reset_shared(text)",
        _ => return None,
    };
    Some(Grant::On { privilege: "EXECUTE", table: function.to_owned() })
}

/// Whether what stands in front of the bracket is no function, and the bracket has its columns: `INTO log (a)`, `f() g(a)`,
/// `WITH old (a) AS`.
fn names_columns(tokens: &[Token], at: usize) -> bool {
    let mut first = at;
    while let Some(dot) = first.checked_sub(1)
        && tokens.get(dot) == Some(&Token::Sign('.'))
        && dot > 0
    {
        first = dot - 1;
    }
    match first.checked_sub(1).and_then(|before| tokens.get(before)) {
        Some(Token::Word(word)) => matches!(word.as_str(), "into" | "as" | "with" | "recursive"),
        Some(Token::Sign(sign)) => *sign == ')',
        _ => false,
    }
}
