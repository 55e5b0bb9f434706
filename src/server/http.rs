//! What a server answers over HTTP: whether it is well, what it knows, and who takes on an incident.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::opening::Waiting;
use super::served::Served;
use super::{Home, Links, exposition, hooks};
use crate::alerting::Input;
use crate::shown::look::markup;
use crate::types::{Fault, FaultKind, SecretText};

/// A form has a name in it, and nothing more.
const LARGEST_BODY: usize = 16 * 1024;
const LONGEST_NAME: usize = 100;
/// A ledger that hangs is said to hang before whoever asks gives up, and does not know why.
const READY_WITHIN: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Shared {
    all: Vec<Arc<Served>>,
    links: Option<Arc<Links>>,
    home: Arc<dyn Home>,
}

#[derive(Deserialize)]
struct Signed {
    until: i64,
    signature: String,
}

#[derive(Deserialize)]
struct Who {
    by: String,
}

/// Answers while the ledger is waited for, until the guard is dropped.
pub(super) fn waits(
    listener: &std::net::TcpListener,
    waiting: Waiting,
    home: &Arc<dyn Home>,
) -> Result<DropGuard, Fault> {
    let own = listener.try_clone().and_then(tokio::net::TcpListener::from_std).map_err(|error| unusable(&error))?;
    let router = Router::new().route("/healthz", get(alive)).fallback(not_yet).with_state(waiting);
    let (over, home) = (CancellationToken::new(), Arc::clone(home));
    let ends = over.clone().cancelled_owned();
    tokio::spawn(async move {
        if let Err(error) = axum::serve(own, router).with_graceful_shutdown(ends).await {
            home.warn(&format!("nothing is answered over HTTP while the ledger is waited for: {error}"));
        }
    });
    Ok(over.drop_guard())
}

fn unusable(error: &std::io::Error) -> Fault {
    Fault::new(FaultKind::Setup, format!("nothing can be answered over HTTP: {error}"))
}

/// It is up, and cannot do anything yet: to start it anew would not help.
async fn alive(State(waiting): State<Waiting>) -> String {
    format!("ok\n{}\n", waiting.why())
}

/// Whoever wants more comes again.
async fn not_yet(State(waiting): State<Waiting>) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")], format!("{}\n", waiting.why())).into_response()
}

/// Answers until told to stop.
pub(super) fn answer(
    listener: std::net::TcpListener,
    all: Vec<Arc<Served>>,
    links: Option<Arc<Links>>,
    token: Option<SecretText>,
    home: Arc<dyn Home>,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, Fault> {
    let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| unusable(&error))?;
    let router = Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/ack/{runbook}/{incident}", get(show).post(acknowledge))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Shared { all: all.clone(), links, home: Arc::clone(&home) })
        .merge(hooks::routes(all, token, Arc::clone(&home)));
    Ok(tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            home.warn(&format!("nothing is answered over HTTP any more: {error}"));
        }
    }))
}

/// It answers. Who leads is as it was at the last look, so that nobody is asked for it.
async fn healthy(State(shared): State<Shared>) -> String {
    ok(&shared)
}

/// That all is well, and what of it another server does.
fn ok(shared: &Shared) -> String {
    let standing_by = shared.all.iter().filter_map(|served| {
        let leader = served.leader()?;
        Some(format!("\"{}\": stands by, {leader} leads\n", served.title()))
    });
    std::iter::once("ok\n".to_owned()).chain(standing_by).collect()
}

/// Ready is who can read what is kept, and does what is due or stands by for it.
async fn ready(State(shared): State<Shared>) -> Response {
    for served in &shared.all {
        // What is known already is said at once.
        let well = match served.well() {
            Ok(()) => readable(Arc::clone(served)).await,
            unwell => unwell,
        };
        if let Err(why) = well {
            return (StatusCode::SERVICE_UNAVAILABLE, format!("\"{}\": {why}\n", served.title())).into_response();
        }
    }
    ok(&shared).into_response()
}

/// Whether what is kept can be read, in the time that whoever asks has.
async fn readable(served: Arc<Served>) -> Result<(), String> {
    let read = tokio::task::spawn_blocking(move || served.state().map(drop).map_err(|fault| fault.to_string()));
    match tokio::time::timeout(READY_WITHIN, read).await {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => Err(format!("what is kept cannot be read: {error}")),
        Err(_) => Err(format!("the ledger has not answered within {} s", READY_WITHIN.as_secs())),
    }
}

async fn metrics(State(shared): State<Shared>) -> Response {
    match exposition::text(&shared.all) {
        Ok(text) => ([(header::CONTENT_TYPE, exposition::TYPE)], text).into_response(),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{fault}\n")).into_response(),
    }
}

/// A page with a button. Looking at it does nothing: programs that look at links before people do must not answer a page.
async fn show(
    State(shared): State<Shared>,
    Path((runbook, incident)): Path<(String, i64)>,
    Query(signed): Query<Signed>,
) -> Response {
    let served = match shared.of(&runbook, incident, &signed) {
        Ok(served) => served,
        Err(refused) => return *refused,
    };
    let state = match served.state() {
        Ok(state) => state,
        Err(fault) => return page(StatusCode::INTERNAL_SERVER_ERROR, "It cannot be read", &fault.to_string(), ""),
    };
    let Some(open) = state.incidents.get(&incident) else { return over(incident) };
    let about = format!("{} — level {}", open.text, open.level);
    match &open.acknowledged {
        Some(known) => page(StatusCode::OK, &open.name(), &format!("{about}. {} has taken it on.", known.by), ""),
        None => page(StatusCode::OK, &open.name(), &about, FORM),
    }
}

async fn acknowledge(
    State(shared): State<Shared>,
    Path((runbook, incident)): Path<(String, i64)>,
    Query(signed): Query<Signed>,
    Form(who): Form<Who>,
) -> Response {
    let served = match shared.of(&runbook, incident, &signed) {
        Ok(served) => served,
        Err(refused) => return *refused,
    };
    let by: String = who.by.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_NAME).collect();
    if by.is_empty() {
        return page(StatusCode::BAD_REQUEST, "Who are you?", "Write your name, so that others know who has it.", FORM);
    }
    match served.state() {
        Ok(state) if !state.incidents.contains_key(&incident) => return over(incident),
        Ok(_) => {}
        Err(fault) => return page(StatusCode::INTERNAL_SERVER_ERROR, "It cannot be read", &fault.to_string(), ""),
    }
    match served.take(Input::Acknowledge { incident, by: by.as_str().into() }) {
        Ok(_) => {
            shared.home.say(&format!("\"{}\": {by} takes on incident #{incident}", served.title()));
            page(StatusCode::OK, "It is yours", &format!("{by} has taken on incident #{incident}."), "")
        }
        Err(fault) => page(StatusCode::INTERNAL_SERVER_ERROR, "It could not be written down", &fault.to_string(), FORM),
    }
}

impl Shared {
    /// The runbook of a link, if the link is good.
    fn of(&self, runbook: &str, incident: i64, signed: &Signed) -> Result<&Arc<Served>, Box<Response>> {
        let refused = |why: &str| Box::new(page(StatusCode::FORBIDDEN, "This link is not good", why, ""));
        let links = self.links.as_ref().ok_or_else(|| refused("this server makes no links"))?;
        links.check(runbook, incident, signed.until, &signed.signature, self.home.now()).map_err(refused)?;
        self.all.iter().find(|served| *served.title() == *runbook).ok_or_else(|| {
            Box::new(page(StatusCode::NOT_FOUND, "Not served here", "This runbook is not served any more.", ""))
        })
    }
}

fn over(incident: i64) -> Response {
    page(StatusCode::OK, "It is over", &format!("Incident #{incident} is closed."), "")
}

const FORM: &str = "<form method=\"post\"><label>Your name <input name=\"by\" required maxlength=\"100\" \
                    autocomplete=\"name\"></label> <button>I take it on</button></form>";

fn page(status: StatusCode, title: &str, text: &str, form: &str) -> Response {
    let (title, text) = (markup(title), markup(text));
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\"><title>{title}</title>\
         <style>body{{font:16px/1.5 system-ui;margin:2em auto;max-width:40em;padding:0 1em}}</style>\
         <h1>{title}</h1><p>{text}</p>{form}</html>\n"
    );
    // Nothing from elsewhere is part of it, and nobody puts it into a frame.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
    (status, [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")], Html(html))
        .into_response()
}
