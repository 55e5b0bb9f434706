//! `connect logs = elasticsearch("https://elasticsearch:9200", api_key: key)`

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::builtins::http::service::{Own, PARAMS, open};
use crate::builtins::reaches;
use crate::catalog::{ByHand, Driver, DriverKind, Example, Open, Param, ParamInfo};
use crate::types::SecretText;

const API_KEY: Param<Option<SecretText>> =
    Param::optional("api_key", "An API key: as it was handed out encoded, or as `id:key`.");

/// What all such drivers take, and the key.
static OWN_PARAMS: [ParamInfo; PARAMS.len() + 1] = {
    let mut params = [API_KEY.info(); PARAMS.len() + 1];
    let (shared, _) = params.split_at_mut(PARAMS.len());
    shared.copy_from_slice(&PARAMS);
    params
};

pub(super) static DRIVER: Driver = Driver {
    name: "elasticsearch",
    kind: DriverKind::Connection,
    summary: "An Elasticsearch or OpenSearch cluster. `basic:` or `api_key:` say who asks.",
    params: &OWN_PARAMS,
    open: Open::Now(|cx, args| {
        Box::pin(async move {
            let login = args.get(&API_KEY)?.map(|key| {
                let key = key.expose();
                let encoded = if key.contains(':') { STANDARD.encode(key) } else { key.to_owned() };
                SecretText::new(format!("ApiKey {encoded}"))
            });
            open(&cx, &args, Own::named("elasticsearch").login(login))
        })
    }),
    needs: &[],
    reaches: |written| reaches::url(written, "url"),
    by_hand: ByHand {
        connection: "[-H 'Authorization: ApiKey {api_key}'] [-m {within:seconds}] [insecure? -k] [--cacert {ca}] [-u {basic}] [-H 'Authorization: Bearer {bearer}'] [{headers:headers}] [-x {proxy}] [--connect-to {way}] {url}",
        ..ByHand::NONE
    },
    examples: &[
        Example::call(r#"connect logs_store = elasticsearch("https://elasticsearch:9200", api_key: tracker_token)"#),
        Example::call(r#"connect logs_store = elasticsearch("http://localhost:9200")"#),
    ],
};
