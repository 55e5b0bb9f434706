//! A PostgreSQL of a test's own, on loopback, for as long as the test program runs.
#![allow(clippy::allow_attributes, clippy::unwrap_used, dead_code, reason = "each test takes what it needs of it")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A server. It ends with the process, however that ends.
pub(crate) struct Server {
    pub(crate) port: u16,
    folder: PathBuf,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    /// Stops the server once its input ends.
    _keeper: Child,
}

/// The server of this test program, begun by whoever asks first; why there is none otherwise.
pub(crate) fn server() -> Result<&'static Server, String> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    SERVER.get_or_init(Server::begin).as_ref().map_err(Clone::clone)
}

/// The server, or nothing where there is none here and not all tests are asked for.
#[expect(clippy::disallowed_methods, reason = "a test asks the real environment what it is to do")]
pub(crate) fn wanted<S>(begun: Result<S, String>) -> Option<S> {
    let all = std::env::var_os("RUNBOOK_TESTS").is_some_and(|wanted| wanted == "all");
    begun.inspect_err(|why| assert!(!all, "{why}")).ok()
}

impl Server {
    pub(crate) fn begin() -> Result<Self, String> {
        let programs = fs::read_dir("/usr/lib/postgresql").map_err(|error| format!("/usr/lib/postgresql: {error}"))?;
        let programs =
            programs.map(|entry| entry.unwrap().path().join("bin")).filter(|bin| bin.join("initdb").exists());
        let programs = programs.max().ok_or("there is no initdb in /usr/lib/postgresql")?;
        let owner = if rustix::process::getuid().is_root() { Some(owner()?) } else { None };
        let folder = tempfile::Builder::new().prefix("runbook-postgres-").tempdir().unwrap().keep();
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(&folder, Some(user), Some(group)).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let stop = "cat > /dev/null; \"$1\" -D \"$0/data\" stop -m immediate > /dev/null; rm -rf \"$0\"";
        let mut keeper = Command::new("sh");
        keeper.args(["-c", stop]).arg(&folder).arg(programs.join("pg_ctl")).current_dir("/");
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        as_owner(&mut keeper, owner);
        let keeper = keeper.spawn().map_err(|error| format!("sh: {error}"))?;
        let server = Self { port, folder, programs, owner, _keeper: keeper };
        let data = server.folder.join("data");
        server.run("initdb", &["--no-sync", "-U", "ops", "-A", "trust", "-E", "UTF8", "--locale", "C", "-D"], &[&data]);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        for (name, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
            fs::write(data.join(name), text).unwrap();
            fs::set_permissions(data.join(name), fs::Permissions::from_mode(0o600)).unwrap();
            if let Some((user, group)) = owner {
                std::os::unix::fs::chown(data.join(name), Some(user), Some(group)).unwrap();
            }
        }
        fs::write(server.folder.join("ca.pem"), certificate.pem()).unwrap();
        let settings = format!(
            "ssl = on\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{0}'\nfsync = off\n\
             max_connections = 200\n",
            server.folder.display()
        );
        let conf = data.join("postgresql.conf");
        fs::write(&conf, fs::read_to_string(&conf).unwrap() + &settings).unwrap();
        let rights = data.join("pg_hba.conf");
        fs::write(&rights, format!("host all locked all scram-sha-256\n{}", fs::read_to_string(&rights).unwrap()))
            .unwrap();
        server.start();
        server.sql("postgres", "CREATE DATABASE shop");
        server.sql("postgres", "CREATE ROLE locked LOGIN PASSWORD 'open sesame'");
        Ok(server)
    }

    pub(crate) fn start(&self) {
        let (data, log) = (self.folder.join("data"), self.folder.join("log"));
        self.run("pg_ctl", &["-w", "start", "-D"], &[&data, Path::new("-l"), &log]);
    }

    /// As if it had crashed.
    pub(crate) fn stop(&self) {
        self.run("pg_ctl", &["-w", "stop", "-m", "immediate", "-D"], &[&self.folder.join("data")]);
    }

    /// The folder of its Unix socket, with a file `ca.pem` that its certificate can be checked with.
    pub(crate) fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    /// The address of a ledger in a schema of its own.
    pub(crate) fn address(&self, schema: &str) -> String {
        address(self.port, schema)
    }

    /// What `psql` says.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args([
            "-X",
            "-q",
            "-At",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "ops",
            "-d",
            database,
            "-c",
            sql,
        ]);
        let output = psql.args(["-p", &self.port.to_string()]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn run(&self, program: &str, args: &[&str], paths: &[&Path]) {
        let mut command = Command::new(self.programs.join(program));
        command.args(args).args(paths).current_dir("/").stdin(Stdio::null());
        // What it leaves behind must not hold these open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        as_owner(&mut command, self.owner);
        let status = command.status().unwrap();
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.success(), "{program}: {status}: {}", log());
    }
}

/// The address of a ledger that is reached by a port.
pub(crate) fn address(port: u16, schema: &str) -> String {
    format!("postgres://ops@127.0.0.1:{port}/shop?sslmode=disable&schema={schema}")
}

/// A name for a schema that no other test has.
pub(crate) fn schema() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// PostgreSQL refuses to run as root.
fn owner() -> Result<(u32, u32), String> {
    let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
    let line = users.lines().find_map(|line| line.strip_prefix("postgres:")).ok_or("there is no user `postgres`")?;
    let fields: Vec<&str> = line.split(':').collect();
    let number = |place: usize| fields.get(place).and_then(|field| field.parse().ok());
    number(1).zip(number(2)).ok_or_else(|| "the user `postgres` has no number".to_owned())
}

fn as_owner(command: &mut Command, owner: Option<(u32, u32)>) {
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
}
