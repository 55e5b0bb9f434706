//! Logs as well-known services write them, made up by a seed: what the bench measures and a test groups.

use std::fmt::Write as _;

/// A made-up log.
pub(crate) struct Generated {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    /// How many entries it has: some have several lines.
    pub(crate) entries: usize,
    /// How many kinds of entries were written.
    pub(crate) kinds: usize,
}

/// Its name, how many kinds of entries it writes, and how it writes one.
type Service = (&'static str, usize, fn(&mut Seeded, &mut String));

/// One of each service, of so many entries.
pub(crate) fn all(entries: usize) -> Vec<Generated> {
    let services: [Service; 4] =
        [("nginx", 4, nginx), ("postgres", 4, postgres), ("kubelet", 4, kubelet), ("java", 4, java)];
    services
        .into_iter()
        .map(|(name, kinds, write)| {
            let mut seeded = Seeded { state: 0x9E37_79B9_7F4A_7C15, entry: 0 };
            let mut text = String::new();
            for _ in 0..entries {
                seeded.entry += 1;
                write(&mut seeded, &mut text);
            }
            Generated { name, text, entries, kinds }
        })
        .collect()
}

/// Numbers that are the same in each run.
struct Seeded {
    state: u64,
    entry: u64,
}

impl Seeded {
    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % end
    }

    /// The time of the entry: a hundred a second.
    fn clock(&self) -> String {
        let second = self.entry / 100;
        format!("{:02}:{:02}:{:02}", second / 3600 % 24, second / 60 % 60, second % 60)
    }

    fn milli(&self) -> u64 {
        self.entry % 100 * 10
    }

    fn address(&mut self) -> String {
        format!("10.{}.{}.{}", self.below(4), self.below(256), self.below(256))
    }

    fn id(&mut self) -> String {
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            self.below(1 << 32),
            self.below(1 << 16),
            self.below(1 << 12),
            self.below(1 << 12),
            self.below(1 << 48)
        )
    }
}

macro_rules! put {
    ($out:expr, $($word:tt)*) => {
        // A text takes all that is written into it.
        let _ = writeln!($out, $($word)*);
    };
}

fn nginx(seeded: &mut Seeded, out: &mut String) {
    let (clock, client, bytes) = (seeded.clock(), seeded.address(), seeded.below(100_000));
    let (item, upstream, connection) = (seeded.below(1_000_000), seeded.address(), seeded.below(1_000_000));
    match seeded.below(100) {
        0..90 => {
            put!(
                out,
                "{client} - - [23/Nov/2026:{clock} +0000] \"GET /items/{item} HTTP/1.1\" 200 {bytes} \"-\" \"curl/8.{}\"",
                item % 9
            );
        }
        90..96 => {
            put!(
                out,
                "2026/11/23 {clock} [error] 31#31: *{connection} connect() failed (111: Connection refused) while connecting to upstream, client: {client}, server: shop, request: \"GET /items/{item} HTTP/1.1\", upstream: \"http://{upstream}:8080/items/{item}\""
            );
        }
        96..99 => {
            put!(
                out,
                "2026/11/23 {clock} [warn] 31#31: *{connection} an upstream response is buffered to a temporary file /var/cache/nginx/proxy/{}/{}/{item}, client: {client}",
                item % 10,
                item % 100
            );
        }
        _ => {
            put!(
                out,
                "2026/11/23 {clock} [error] 31#31: *{connection} open() \"/srv/www/{item}.png\" failed (2: No such file or directory), client: {client}"
            );
        }
    }
}

fn postgres(seeded: &mut Seeded, out: &mut String) {
    let (clock, milli, process) = (seeded.clock(), seeded.milli(), seeded.below(30_000));
    let (key, took) = (seeded.below(1_000_000), seeded.below(90_000));
    let front = format!("2026-11-23 {clock}.{milli:03} UTC [{process}]");
    match seeded.below(4) {
        0 => {
            put!(out, "{front} LOG:  duration: {took}.{:03} ms  statement: select *", key % 1000);
            put!(out, "\tfrom orders o\n\tjoin items i on i.id = {key}\n\twhere o.id = {key}");
        }
        1 => {
            put!(out, "{front} ERROR:  duplicate key value violates unique constraint \"orders_pkey\"");
            put!(out, "DETAIL:  Key (id)=({key}) already exists.");
            put!(out, "STATEMENT:  insert into orders (id, total)");
            put!(out, "\tvalues ({key}, {took})");
        }
        2 => {
            put!(out, "{front} ERROR:  deadlock detected");
            put!(
                out,
                "DETAIL:  Process {process} waits for ShareLock on transaction {key}; blocked by process {took}."
            );
            put!(out, "\tProcess {took} waits for ShareLock on transaction {key}; blocked by process {process}.");
            put!(out, "HINT:  See server log for query details.");
            put!(out, "CONTEXT:  while updating tuple ({key},{took}) in relation \"orders\"");
        }
        _ => {
            put!(
                out,
                "{front} LOG:  checkpoint complete: wrote {key} buffers ({}.{}%); write={took} s",
                key % 100,
                key % 10
            );
        }
    }
}

fn kubelet(seeded: &mut Seeded, out: &mut String) {
    let (clock, micro, line) = (seeded.clock(), seeded.milli() * 1000 + seeded.below(1000), seeded.below(9000));
    let (pod, took) = (seeded.id(), seeded.below(90_000));
    match seeded.below(4) {
        0 => {
            put!(
                out,
                "I1123 {clock}.{micro:06}    1207 kubelet.go:{line}] \"SyncLoop (PLEG): event for pod\" pod=\"shop/{pod}\" took={took}ms"
            );
        }
        1 => {
            put!(
                out,
                "E1123 {clock}.{micro:06}    1207 pod_workers.go:{line}] Error syncing pod {pod}, skipping: back-off {took}s restarting failed container"
            );
        }
        2 => {
            put!(
                out,
                "W1123 {clock}.{micro:06}    1207 prober.go:{line}] Readiness probe failed for {pod}: Get http://{}:8080/ready: context deadline exceeded",
                seeded.address()
            );
        }
        _ => {
            put!(
                out,
                "E1123 {clock}.{micro:06}    1207 runtime.go:{line}] Observed a panic: runtime error: index out of range [{took}]"
            );
            put!(out, "goroutine {took} [running]:");
            put!(out, "\t/go/src/runtime/panic.go:{line} +0x{took:x}f3\n\t/go/src/kubelet.go:{line} +0x{took:x}a1");
        }
    }
}

fn java(seeded: &mut Seeded, out: &mut String) {
    let (clock, milli, order) = (seeded.clock(), seeded.milli(), seeded.below(1_000_000));
    let (thread, took, depth) = (seeded.below(64), seeded.below(9000), seeded.below(40));
    let front = format!("2026-11-23 {clock},{milli:03}");
    let frames = |out: &mut String| {
        for frame in 0..=depth {
            put!(out, "\tat shop.orders.Service${frame}.call(Service.java:{})", frame * 17 + order % 100);
        }
    };
    match seeded.below(4) {
        0 => {
            put!(out, "{front} INFO  [pool-1-thread-{thread}] shop.Orders - order {order} took {took}ms");
        }
        1 => {
            put!(out, "{front} ERROR [pool-1-thread-{thread}] shop.Orders - order {order} failed");
            put!(out, "java.lang.NullPointerException: Cannot invoke method of order {order}");
            frames(out);
        }
        2 => {
            put!(out, "{front} ERROR [pool-1-thread-{thread}] shop.Orders - order {order} failed");
            put!(out, "java.sql.SQLTransientConnectionException: timed out after {took}ms");
            frames(out);
            put!(out, "Caused by: java.net.SocketTimeoutException: connect timed out after {took}ms");
            frames(out);
            put!(out, "\t... {} more", depth + 12);
        }
        _ => {
            put!(out, "{front} WARN  [pool-1-thread-{thread}] shop.Stock - item {order} is low: {took} left");
        }
    }
}
