//! A session with the server: opened over whatever way leads there, and ended on the server as well when nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::bind::Bound;
use super::connection::{Postgres, Seal};
use super::faults::{excerpt, not_let_in, refused};
use super::stream::Bytes;
use crate::builtins::dial::tls::Trust;
use crate::builtins::dial::way::Way;
use crate::builtins::dial::{self, Place, Progress, Trouble};
use crate::types::{Fault, FaultKind, SecretText, Value};

/// As whom.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Option<SecretText>,
    pub(super) database: String,
    /// The whole session only reads: changes have a user of their own.
    pub(super) read_only: bool,
}

/// One session.
pub(super) struct Session {
    client: Client,
    reach: Arc<Reach>,
}

/// What it takes to get there once more, to cancel.
struct Reach {
    place: Place,
    way: Way,
    trust: Option<Trust>,
    shown: String,
}

impl Session {
    /// Opens a session.
    ///
    /// # Errors
    /// With whose fault it is.
    pub(super) async fn open(postgres: &Postgres, login: &Login) -> Result<Self, Trouble> {
        let mut config = Config::new();
        config.user(&login.user).dbname(&login.database).application_name("runbook").connect_timeout(postgres.within);
        if let Some(password) = &login.password {
            config.password(password.expose());
        }
        if login.read_only {
            config.options("-c default_transaction_read_only=on");
        }
        let (mode, trust) = match &postgres.seal {
            Seal::Disable => (SslMode::Disable, None),
            Seal::Prefer(trust) => (SslMode::Prefer, Some(trust.clone())),
            Seal::Require(trust) => (SslMode::Require, Some(trust.clone())),
        };
        config.ssl_mode(mode);
        let reach = Reach { place: postgres.place.clone(), way: postgres.way.clone(), trust, shown: postgres.shown() };
        let progress = Progress::default();
        let client =
            dial::within(postgres.within, &reach.shown, &progress, reach.connect(&config, login, &progress)).await?;
        Ok(Self { client, reach: Arc::new(reach) })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The rows of a query, each as JSON: at most `most`, and whether there are more. In a transaction that only reads.
    pub(super) async fn rows(
        &self,
        sql: &str,
        values: &[Value],
        most: usize,
        within: Duration,
    ) -> Result<(Vec<Json>, bool), Fault> {
        // The server writes each row as JSON, so that every type of it has a form that is its own.
        let wrapped =
            format!("SELECT row_to_json(\"row\")::text FROM ({sql}\n) AS \"row\" LIMIT {}", most.saturating_add(1));
        let work = Box::pin(async {
            self.client.batch_execute("BEGIN READ ONLY").await?;
            let prepared = self.client.prepare(&wrapped).await?;
            let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
            let params: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
            let rows = self.client.query(&prepared, &params).await?;
            self.client.batch_execute("ROLLBACK").await?;
            Ok(rows)
        });
        let rows = self.limited(within, sql, work).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let text: &str = row.try_get(0).map_err(|error| refused(&error, &self.reach.shown, sql))?;
            let row = serde_json::from_str(text)
                .map_err(|error| Fault::new(FaultKind::BadAnswer, format!("a row is no JSON: {error}")))?;
            found.push(row);
        }
        let more = found.len() > most;
        found.truncate(most);
        Ok((found, more))
    }

    /// The names of the columns of a query.
    pub(super) async fn columns(&self, sql: &str, within: Duration) -> Result<Vec<String>, Fault> {
        let work = Box::pin(async { self.client.prepare(sql).await });
        let prepared = self.limited(within, sql, work).await?;
        Ok(prepared.columns().iter().map(|column| column.name().to_owned()).collect())
    }

    /// A statement that stands for itself; the rows it has touched.
    pub(super) async fn execute(&self, sql: &str, values: &[Value], within: Duration) -> Result<u64, Fault> {
        let work = Box::pin(async {
            let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
            let params: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as _).collect();
            self.client.execute(sql, &params).await
        });
        self.limited(within, sql, work).await
    }

    /// Work within a time. What is still under way when the time is over, or when nobody waits any more, is cancelled on the
    /// server.
    async fn limited<T>(
        &self,
        within: Duration,
        sql: &str,
        work: BoxFuture<'_, Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        let mut cancel = Cancel { token: Some(self.client.cancel_token()), reach: Arc::clone(&self.reach) };
        let Ok(done) = tokio::time::timeout(within, work).await else {
            let limit = Value::Duration(within.try_into().unwrap_or(jiff::SignedDuration::MAX));
            let message = format!("{} did not end within {limit}: {}", self.reach.shown, excerpt(sql));
            return Err(Fault::new(FaultKind::Timeout, message)
                .help("it is being cancelled there; `within:` gives it more time")
                .sent());
        };
        cancel.token = None;
        done.map_err(|error| {
            let fault = refused(&error, &self.reach.shown, sql);
            // What the server refused has not happened. What broke off may have.
            if error.as_db_error().is_none() { fault.sent() } else { fault }
        })
    }
}

impl Reach {
    fn connect<'a>(
        &'a self,
        config: &'a Config,
        login: &'a Login,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<Client, Trouble>> {
        Box::pin(async move {
            let (stream, _) = self.way.reach(&self.place, progress).await?;
            progress.now("logging in");
            let entered = match self.tls(Bytes(stream))? {
                Tls::Plain(stream) => config.connect_raw(stream, NoTls).await.map(|(client, connection)| {
                    drive(connection);
                    client
                }),
                Tls::Sealed(stream, tls) => config.connect_raw(stream, tls).await.map(|(client, connection)| {
                    drive(connection);
                    client
                }),
            };
            entered.map_err(|error| not_let_in(&error, &self.shown, &login.user, &login.database))
        })
    }

    fn tls(&self, stream: Bytes) -> Result<Tls, Trouble> {
        let Some(trust) = &self.trust else { return Ok(Tls::Plain(stream)) };
        let config = trust.config(&[])?;
        let mut make = MakeRustlsConnect::new(config.as_ref().clone());
        let tls = MakeTlsConnect::<Bytes>::make_tls_connect(&mut make, &self.place.host);
        let tls =
            tls.map_err(|error| Trouble::ours(FaultKind::Setup, format!("no TLS for {}: {error}", self.place)))?;
        Ok(Tls::Sealed(stream, tls))
    }

    fn cancel(self: Arc<Self>, token: CancelToken) -> BoxFuture<'static, Result<(), Fault>> {
        Box::pin(async move {
            let (stream, _) = self.way.reach(&self.place, &Progress::default()).await?;
            let done = match self.tls(Bytes(stream))? {
                Tls::Plain(stream) => token.cancel_query_raw(stream, NoTls).await,
                Tls::Sealed(stream, tls) => token.cancel_query_raw(stream, tls).await,
            };
            done.map_err(|error| refused(&error, &self.shown, "cancel"))
        })
    }
}

enum Tls {
    Plain(Bytes),
    Sealed(Bytes, <MakeRustlsConnect as MakeTlsConnect<Bytes>>::TlsConnect),
}

/// Carries the session's bytes until it ends with its client.
fn drive<S, T>(connection: tokio_postgres::Connection<S, T>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a session ended");
        }
    });
}

/// Cancels on the server what is still under way when it goes.
struct Cancel {
    token: Option<CancelToken>,
    reach: Arc<Reach>,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        let Some(token) = self.token.take() else { return };
        let reach = Arc::clone(&self.reach);
        let cancel = reach.cancel(token);
        tokio::spawn(async move {
            if let Err(fault) = cancel.await {
                tracing::info!(%fault, "a statement could not be cancelled and may still run");
            }
        });
    }
}
