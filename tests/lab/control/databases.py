"""PostgreSQL with a standby, and Redis: with passwords, TLS and roles that may do less."""

import os
import pwd
import shutil

from .build import postgres_bin
from .certificates import certificate, path
from .places import DATA, STATE, port
from .processes import listens, run, start, wait_for

# What everybody's password is. The lab listens on loopback only.
PASSWORD = "lab"
DATABASE = "sarvanom_production"

SEED = f"""
CREATE ROLE sarvanom LOGIN SUPERUSER PASSWORD '{PASSWORD}';
CREATE ROLE ops_ro LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_monitor;
CREATE ROLE maintenance LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE nobody_much LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE replicator LOGIN REPLICATION PASSWORD '{PASSWORD}';
CREATE DATABASE {DATABASE} OWNER maintenance;
"""
TABLES = """
CREATE TABLE documents (id bigserial PRIMARY KEY, title text, body text, added timestamptz DEFAULT now(), score numeric(8,3));
INSERT INTO documents (title, body, score) SELECT 'document ' || n, repeat('text ', 40), n / 7.0 FROM generate_series(1, 20000) n;
UPDATE documents SET title = title || '!' WHERE id % 3 = 0;
DELETE FROM documents WHERE id % 11 = 0;
CREATE TABLE kinds (n int, big bigint, small smallint, yes bool, t text, ts timestamptz, d date, i interval, u uuid, j jsonb, a int[],
  b bytea, ip inet, money money, point point, nothing text);
INSERT INTO kinds VALUES (1, 9007199254740993, 2, true, 'ü', '2026-11-25 08:00+00', '2026-11-25', '1 day 02:00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  '{"k": [1, null]}', '{1,2}', '\\xdeadbeef', '10.0.0.1/8', '12.50', '(1,2)', NULL);
CREATE FUNCTION bump() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('documents_id_seq') $$;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO ops_ro;
ANALYZE;
"""


def _owner():
    """PostgreSQL does not run as root."""
    return "postgres" if os.getuid() == 0 else None


def _as_owner(*paths):
    if _owner():
        entry = pwd.getpwnam(_owner())
        for each in paths:
            os.chown(each, entry.pw_uid, entry.pw_gid)


def start_postgres():
    """The primary, filled once, and a standby of it."""
    shutil.rmtree(DATA, ignore_errors=True)
    data = DATA / "postgres"
    data.mkdir(mode=0o700, parents=True)
    _as_owner(data)
    certificate("postgres", "/CN=postgres-0", ["127.0.0.1", "localhost", "postgres-0"])
    password = DATA / "password"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    binaries = postgres_bin()
    run([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8",
         "--no-sync", "--locale=C.UTF-8"], user=_owner(), cwd="/")
    for kind in ("crt", "key"):
        copy = data / f"server.{kind}"
        shutil.copy(path("postgres", kind), copy)
        copy.chmod(0o600)
        _as_owner(copy)
    settings = ["listen_addresses = '127.0.0.1'", f"port = {port('postgres')}", "unix_socket_directories = ''", "ssl = on",
                "fsync = off", "wal_level = replica", "max_wal_senders = 4", "hot_standby = on", "log_min_messages = warning"]
    with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write("\n".join(settings) + "\n")
    with open(data / "pg_hba.conf", "a", encoding="utf-8") as file:
        file.write("host replication replicator 127.0.0.1/32 scram-sha-256\n")
    serve_postgres()
    psql("postgres", SEED)
    psql(DATABASE, TABLES)
    start_replica()


def serve_postgres():
    """The primary alone, on the data that is there."""
    start("postgres", [postgres_bin() / "postgres", "-D", DATA / "postgres"], user=_owner(), cwd="/")
    wait_for("PostgreSQL", lambda: psql("postgres", "SELECT 1"))


def start_replica():
    """A standby that follows the primary."""
    data = DATA / "replica"
    data.mkdir(mode=0o700)
    _as_owner(data)
    binaries = postgres_bin()
    run([binaries / "pg_basebackup", "-h", "127.0.0.1", "-p", port("postgres"), "-U", "replicator", "-D", data, "-R",
         "--checkpoint=fast", "--no-sync"], user=_owner(), cwd="/", env={**os.environ, "PGPASSWORD": PASSWORD})
    with open(data / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write(f"port = {port('replica')}\n")
    start("postgres-replica", [binaries / "postgres", "-D", data], user=_owner(), cwd="/")


def psql(database, sql, user="postgres", at="postgres"):
    """Statements as a user; what comes of them."""
    env = {**os.environ, "PGPASSWORD": PASSWORD, "PGSSLMODE": "disable"}
    return run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", port(at), "-U", user,
                "-d", database, "-f", "-"], input=sql, env=env)


def start_redis():
    """Redis: without a user one may do everything, as in the pod; `ops` may only look."""
    folder = STATE / "redis"
    folder.mkdir(exist_ok=True)
    certificate("redis", "/CN=redis-0", ["127.0.0.1", "localhost", "redis-0"])
    (folder / "users.acl").write_text(
        "user default on nopass ~* &* +@all\n"
        f"user ops on >{PASSWORD} ~* &* -@all +@read +@connection +ping +info +command +dbsize +memory|usage +memory|stats\n"
        f"user admin on >{PASSWORD} ~* &* +@all\n")
    serve_redis()


def _fill_redis():
    """Keys of some kinds, and an entry of the slow log."""
    words = "\n".join(f"SET key:{n} value-{n}" for n in range(500))
    redis_cli(input=f"{words}\nSET binary \"\\xff\\x00\\xfe\"\nSET short 1 EX 3600\nCONFIG SET slowlog-log-slower-than 0\nGET key:1\n"
                    "CONFIG SET slowlog-log-slower-than 10000\n")


def serve_redis():
    """Redis alone, filled: what it had is gone when it is killed."""
    folder = STATE / "redis"
    start("redis", ["redis-server", "--port", port("redis"), "--bind", "127.0.0.1", "--dir", folder, "--save", "3600 1",
                    "--tls-port", port("redis-tls"), "--tls-cert-file", path("redis"), "--tls-key-file", path("redis", "key"),
                    "--tls-ca-cert-file", path("ca"), "--tls-auth-clients", "no", "--aclfile", folder / "users.acl"])
    wait_for("Redis", lambda: listens(port("redis")) and redis_cli("PING") == "PONG\n")
    _fill_redis()


def redis_cli(*words, **more):
    """Commands, and what comes of them."""
    return run(["/usr/bin/redis-cli", "-p", port("redis"), *words], **more)
