//! This machine, against what its own programs say of it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "what is said of this machine is compared with the machine itself"
)]
#![cfg(target_os = "linux")]

mod net;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use net::{Outside, fault, field, ms, text};
use runbook::types::{Fault, FaultKind, Value};
use tokio::net::UdpSocket;

async fn call(name: &str, given: &[(&str, Value)]) -> Result<Value, Fault> {
    Outside::here().call(name, given).await
}

async fn value(name: &str, given: &[(&str, Value)]) -> Value {
    call(name, given).await.unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        other => panic!("no list: {other:?}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "compared with a tolerance")]
fn number(value: &Value, path: &str) -> f64 {
    match field(value, path) {
        Value::Size(bytes) => bytes as f64,
        Value::Duration(duration) => duration.as_secs_f64(),
        other => other.to_json().as_f64().unwrap_or_else(|| panic!("{path}: {other:?}")),
    }
}

fn shown(value: &Value, path: &str) -> String {
    field(value, path).to_string()
}

/// What a program prints; `None` where this machine does not have it.
fn printed(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).env("LC_ALL", "C").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn near(a: f64, b: f64, share: f64) -> bool {
    (a - b).abs() <= share * a.abs().max(b.abs()) + 1e-9
}

#[tokio::test]
async fn disks_are_what_df_lists() {
    let disks = items(&value("host.disks", &[]).await);
    let columns = "--output=target,source,fstype,size,used,avail,pcent,itotal,iused";
    let Some(df) = printed("df", &["-B1", "-x", "tmpfs", "-x", "devtmpfs", "-x", "squashfs", columns]) else { return };
    let rows: Vec<Vec<&str>> = df.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let mut compared = 0;
    for row in &rows {
        let Some(disk) = disks.iter().find(|disk| shown(disk, "mount") == row[0]) else {
            assert!(row[2] == "overlay" && row[0] != "/" || row[3] == "0", "df lists {row:?}, and we do not");
            continue;
        };
        assert_eq!((shown(disk, "device"), shown(disk, "type")), (row[1].to_owned(), row[2].to_owned()));
        for (name, column) in [("size", 3), ("used", 4), ("free", 5)] {
            assert!(near(number(disk, name), row[column].parse().unwrap(), 0.02), "{name}: {disk:?} {row:?}");
        }
        let percent: f64 = row[6].trim_end_matches('%').parse().unwrap();
        assert!((number(disk, "used_share") * 100.0 - percent).abs() <= 1.5, "{disk:?} {row:?}");
        if row[7] != "0" && row[7] != "-" {
            assert!(near(number(disk, "inodes"), row[7].parse().unwrap(), 0.02), "{disk:?} {row:?}");
            assert!(near(number(disk, "inodes_used"), row[8].parse().unwrap(), 0.05), "{disk:?} {row:?}");
        }
        assert_eq!(shown(disk, "read_only"), "no");
        compared += 1;
    }
    assert_eq!(compared, disks.len(), "{disks:?}\n{df}");
}

#[tokio::test]
async fn a_disk_is_the_one_that_a_path_is_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = value("host.disk", &[("path", text(folder.path().to_str().unwrap()))]).await;
    let df = printed("df", &["--output=target", folder.path().to_str().unwrap()]).unwrap();
    assert_eq!(shown(&disk, "mount"), df.lines().nth(1).unwrap());
    let link = folder.path().join("shm");
    symlink("/dev/shm", &link).unwrap();
    if Path::new("/dev/shm").exists() {
        let linked = value("host.disk", &[("path", text(link.to_str().unwrap()))]).await;
        assert_eq!(shown(&linked, "type"), "tmpfs", "a link leads to another file system");
    }
    let missing = fault(call("host.disk", &[("path", text("/no/such/path"))]).await);
    assert_eq!(missing.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn memory_is_what_free_says() {
    let memory = value("host.memory", &[]).await;
    let Some(free) = printed("free", &["-b"]) else { return };
    let row: Vec<f64> = free.lines().nth(1).unwrap().split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(near(number(&memory, "total"), row[0], 0.0), "{memory:?} {free}");
    assert!(near(number(&memory, "available"), row[5], 0.1), "{memory:?} {free}");
    assert!(near(number(&memory, "cached"), row[4], 0.1), "{memory:?} {free}");
    let swap: Vec<f64> = free.lines().nth(2).unwrap().split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(near(number(&memory, "swap_total"), swap[0], 0.0), "{memory:?} {free}");
    let share = number(&memory, "used_share");
    assert!(near(share, 1.0 - number(&memory, "available") / number(&memory, "total"), 1e-6));
}

#[tokio::test]
async fn load_and_facts_are_what_the_kernel_says() {
    let load = value("host.load", &[]).await;
    let kernel = fs::read_to_string("/proc/loadavg").unwrap();
    let fifteen: f64 = kernel.split_whitespace().nth(2).unwrap().parse().unwrap();
    assert!((number(&load, "fifteen") - fifteen).abs() <= 0.2, "{load:?} {kernel}");
    let facts = value("host.facts", &[]).await;
    let cores: f64 = printed("getconf", &["_NPROCESSORS_ONLN"]).unwrap().trim().parse().unwrap();
    assert!(near(number(&facts, "cores"), cores, 0.0));
    assert!(near(number(&load, "per_core"), number(&load, "one") / cores, 1e-6));
    assert_eq!(shown(&facts, "hostname"), printed("uname", &["-n"]).unwrap().trim());
    assert_eq!(shown(&facts, "kernel"), printed("uname", &["-r"]).unwrap().trim());
    let uptime: f64 = fs::read_to_string("/proc/uptime").unwrap().split_whitespace().next().unwrap().parse().unwrap();
    assert!((number(&facts, "uptime") - uptime).abs() < 5.0);
    let Value::Time(booted) = field(&facts, "booted") else { panic!("{facts:?}") };
    assert!((Timestamp::now().duration_since(booted).as_secs_f64() - uptime).abs() < 5.0);
}

#[tokio::test]
async fn a_busy_processor_is_seen() {
    let busy = apart("(exec sh -c 'while :; do :; done' >/dev/null) & echo $!");
    let cpu = value("host.cpu", &[("over", ms(400))]).await;
    let processes = items(&value("host.processes", &[("over", ms(400))]).await);
    end(&busy);
    assert!(number(&cpu, "used") > 0.3, "{cpu:?}");
    assert!(number(&cpu, "used_share") <= 1.0, "{cpu:?}");
    let busy = processes.iter().find(|process| shown(process, "pid") == busy).expect("what is busy");
    assert!(number(busy, "cpu") > 0.2, "{busy:?}");
}

/// Starts what is no part of this test, and gives the number that the script prints.
fn apart(script: &str) -> String {
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", script]).stderr(std::process::Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn end(pid: &str) {
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
}

#[tokio::test]
async fn processes_are_what_ps_lists() {
    // Nobody waits for the first one, so it stays when it has ended.
    let pid = apart("(sleep 37 >/dev/null & echo $!; exec sleep 20 >/dev/null) &");
    let processes = items(&value("host.processes", &[("over", ms(50))]).await);
    let sleeping = processes.iter().find(|process| shown(process, "pid") == pid).cloned();
    let ps = printed("ps", &["-o", "user=,stat=,thcount=,args=", "-p", &pid]);
    end(&pid);
    let dead = items(&value("host.processes", &[("over", ms(50))]).await);
    let zombie = dead.iter().find(|process| shown(process, "pid") == pid).map(|process| shown(process, "state"));
    let sleeping = sleeping.expect("the first one");
    let parent = shown(&sleeping, "parent");
    end(&parent);
    assert_eq!((shown(&sleeping, "name"), shown(&sleeping, "command")), ("sleep".into(), "sleep 37".into()));
    let started_it = processes.iter().find(|process| shown(process, "pid") == parent);
    assert_eq!(started_it.map(|process| shown(process, "command")).as_deref(), Some("sleep 20"));
    assert!(["sleeping", "running"].contains(&shown(&sleeping, "state").as_str()));
    assert!(number(&sleeping, "memory") > 0.0 && number(&sleeping, "open_files") >= 3.0);
    let Value::Time(started) = field(&sleeping, "started") else { panic!("{sleeping:?}") };
    assert!(Timestamp::now().duration_since(started).as_secs_f64().abs() < 10.0, "{started}");
    if let Some(ps) = ps {
        let words: Vec<&str> = ps.split_whitespace().collect();
        assert_eq!((words[0], words[2]), (&*shown(&sleeping, "user"), &*shown(&sleeping, "threads")));
    }
    assert_eq!(zombie.as_deref(), Some("zombie"));
    assert!(processes.iter().any(|process| shown(process, "pid") == "1"));
}

#[tokio::test]
async fn the_run_does_not_find_itself() {
    let mut own = Command::new("sleep").arg("36").spawn().unwrap();
    let processes = items(&value("host.processes", &[("over", ms(50))]).await);
    own.kill().unwrap();
    own.wait().unwrap();
    let pids: Vec<String> = processes.iter().map(|process| shown(process, "pid")).collect();
    for own in [std::process::id(), own.id()] {
        assert!(!pids.contains(&own.to_string()), "{own}");
    }
}

#[tokio::test]
async fn listeners_are_found_with_their_process() {
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let listeners = items(&value("host.listeners", &[]).await);
    for (protocol, port) in [("tcp", tcp.local_addr().unwrap().port()), ("udp", udp.local_addr().unwrap().port())] {
        let own =
            |listener: &&Value| shown(listener, "port") == port.to_string() && shown(listener, "protocol") == protocol;
        let listener = listeners.iter().find(own).unwrap_or_else(|| panic!("{protocol} {port}: {listeners:?}"));
        assert_eq!(shown(listener, "address"), "127.0.0.1");
        assert_eq!(shown(listener, "pid"), std::process::id().to_string());
        assert!(shown(listener, "process").starts_with("host"), "{listener:?}");
    }
}

#[tokio::test]
async fn a_port_is_open_or_closed_or_a_fault() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = Value::Int(i64::from(listener.local_addr().unwrap().port()));
    assert_eq!(shown(&value("host.port", &[("port", port.clone())]).await, "open"), "yes");
    drop(listener);
    let closed = value("host.port", &[("port", port)]).await;
    assert_eq!((shown(&closed, "open"), shown(&closed, "address")), ("no".into(), "127.0.0.1".into()));
    assert_eq!(fault(call("host.port", &[("port", Value::Int(0))]).await).kind, FaultKind::Setup);
    assert_eq!(fault(call("host.port", &[("port", Value::Int(70_000))]).await).kind, FaultKind::Setup);
    let nowhere = [("port", Value::Int(80)), ("host", text("no-such-host.invalid"))];
    let nowhere = fault(call("host.port", &nowhere).await);
    assert!(matches!(nowhere.kind, FaultKind::Unreachable | FaultKind::Timeout), "{nowhere}");
}

#[tokio::test]
async fn units_need_systemd() {
    let unit = call("host.unit", &[("name", text("no-such-unit-4711"))]).await;
    let units = call("host.units", &[]).await;
    if Path::new("/run/systemd/system").is_dir() {
        assert_eq!(fault(unit).kind, FaultKind::NotFound);
        assert!(items(&units.unwrap()).iter().any(|unit| shown(unit, "name") == "-.mount"));
    } else {
        let fault = fault(unit);
        assert_eq!((fault.kind, &*fault.message), (FaultKind::Unsupported, "this machine does not run systemd"));
        assert_eq!(net::fault(units).kind, FaultKind::Unsupported);
    }
    assert_eq!(net::fault(call("host.unit", &[("name", text("*"))]).await).kind, FaultKind::NotFound);
}

#[tokio::test]
async fn a_file_is_there_with_its_facts_or_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let here = Outside::new(&[], folder.path());
    let path = folder.path().join("a.dump");
    fs::write(&path, "12345").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_modified(hour_ago.into()).unwrap();
    let look = async |name: &str| here.call("host.file", &[("path", text(name))]).await.unwrap();
    let file = look("a.dump").await;
    for (name, is) in [("exists", "yes"), ("kind", "file"), ("size", "5B"), ("mode", "0640"), ("age", "1h")] {
        assert_eq!(shown(&file, name), is, "{name}");
    }
    assert_eq!(shown(&file, "owner"), printed("stat", &["-c", "%U", path.to_str().unwrap()]).unwrap().trim());
    let none = look("missing").await;
    assert_eq!(shown(&none, "exists"), "no");
    assert_eq!(field(&none, "age").read().map(drop).unwrap_err().kind, FaultKind::NotFound);
    symlink("nowhere", folder.path().join("dangling")).unwrap();
    symlink("a.dump", folder.path().join("link")).unwrap();
    symlink("circle", folder.path().join("circle")).unwrap();
    assert_eq!(shown(&look("dangling").await, "kind"), "symlink");
    assert_eq!(shown(&look("circle").await, "kind"), "symlink");
    assert_eq!(shown(&look("link").await, "kind"), "file");
    assert_eq!(shown(&look(".").await, "kind"), "directory");
    assert_eq!(shown(&look("/dev/null").await, "kind"), "device");
    assert_eq!(shown(&look("a.dump/x").await, "exists"), "no");
}

#[tokio::test]
async fn files_are_found_by_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let here = Outside::new(&[], folder.path());
    fs::create_dir_all(folder.path().join("sub/deep")).unwrap();
    for name in ["b.dump", "a.dump", "c.log", "sub/deep/d.dump"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    let names = async |pattern: &str| {
        let files = here.call("host.files", &[("pattern", text(pattern))]).await.unwrap();
        let name = |file: &Value| shown(file, "path").rsplit('/').next().unwrap().to_owned();
        items(&files).iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("*.dump").await, "a.dump b.dump");
    assert_eq!(names("**/*.dump").await, "a.dump b.dump d.dump");
    assert_eq!(names("s*/deep/d.dump").await, "d.dump");
    assert_eq!(names("s*/deep/e.dump").await, "");
    assert_eq!(names("*.none").await, "");
    // A value stands for itself.
    fs::create_dir_all(folder.path().join("x[1]")).unwrap();
    fs::write(folder.path().join("x[1]/e.dump"), "x").unwrap();
    assert_eq!(names("x[[]1]/*.dump").await, "e.dump");
    assert_eq!(names("x[[]1]/e.dump").await, "e.dump");
    assert_eq!(names("x[1]/*.dump").await, "");
    // Nobody has looked into a folder that is not there.
    let gone = fault(here.call("host.files", &[("pattern", text("no/such/folder/*"))]).await);
    assert_eq!(gone.kind, FaultKind::NotFound);
    assert!(gone.message.ends_with("no/such/folder` does not exist"), "{gone}");
    let broken = fault(here.call("host.files", &[("pattern", text("a[b"))]).await);
    assert_eq!(broken.kind, FaultKind::Conversion);
}

#[tokio::test]
async fn any_folders_are_none_that_links_lead_to() {
    let folder = tempfile::tempdir().unwrap();
    let here = Outside::new(&[], folder.path());
    fs::create_dir_all(folder.path().join("g/x/y")).unwrap();
    for name in ["g/a.log", "g/x/b.log", "g/x/y/c.log", "g/.hidden"] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    std::os::unix::fs::symlink(".", folder.path().join("g/loop")).unwrap();
    std::os::unix::fs::symlink("g", folder.path().join("link")).unwrap();
    let count =
        async |pattern: &str| items(&here.call("host.files", &[("pattern", text(pattern))]).await.unwrap()).len();
    assert_eq!(count("g/**/*.log").await, 3);
    assert_eq!(count("**/*.log").await, 3);
    assert_eq!(count("g/**").await, 6, "three files, two folders and the link itself");
    assert_eq!(count("link/**/*.log").await, 3, "a link that is written is followed");
    assert_eq!(count("g/**/y/**/*.log").await, 1);
    assert_eq!(count("g*/**/b.log").await, 1);
}

#[tokio::test]
async fn a_text_is_small_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let here = Outside::new(&[], folder.path());
    fs::write(folder.path().join("a.txt"), "größe\n").unwrap();
    fs::write(folder.path().join("b.bin"), b"ab\xff").unwrap();
    let read = async |name: &str, most: Option<i64>| {
        let mut given = vec![("path", text(name))];
        given.extend(most.map(|most| ("at_most", Value::Size(most))));
        here.call("host.text", &given).await.map(|text| text.to_string()).map_err(|fault| fault.kind)
    };
    assert_eq!(read("a.txt", None).await, Ok("größe\n".to_owned()));
    assert_eq!(read("a.txt", Some(8)).await, Ok("größe\n".to_owned()));
    assert_eq!(read("a.txt", Some(7)).await, Err(FaultKind::TooLarge));
    assert_eq!(read("b.bin", None).await, Err(FaultKind::Conversion));
    assert_eq!(read("missing", None).await, Err(FaultKind::NotFound));
    assert_eq!(read(".", None).await, Err(FaultKind::Setup));
    assert_eq!(read("/dev/zero", None).await, Err(FaultKind::Setup));
    assert!(read("/proc/loadavg", None).await.unwrap().contains('/'), "a file whose size is said to be 0");
}

#[tokio::test]
async fn a_variable_is_there_or_missing() {
    let world = Outside::new(&[("RUNBOOK_X", "1")], Path::new("."));
    assert_eq!(world.call("host.variable", &[("name", text("RUNBOOK_X"))]).await.unwrap().to_string(), "1");
    assert!(matches!(world.call("host.variable", &[("name", text("RUNBOOK_Y"))]).await, Ok(Value::Null)));
    assert_eq!(fault(world.call("host.variable", &[("name", text("A=B"))]).await).kind, FaultKind::NoValue);
}

/// A time server whose clock is 10 s ahead, and which spoils its answer as it is told.
async fn time_server(spoil: fn(&mut [u8; 48])) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut question = [0; 48];
        let (_, from) = socket.recv_from(&mut question).await.unwrap();
        let mut answer = [0; 48];
        answer[0] = 0b00_100_100;
        answer[1] = 2;
        answer[24..32].copy_from_slice(&question[40..48]);
        let ahead = (u64::from_be_bytes(question[40..48].try_into().unwrap()) + (10 << 32)).to_be_bytes();
        answer[32..40].copy_from_slice(&ahead);
        answer[40..48].copy_from_slice(&ahead);
        spoil(&mut answer);
        socket.send_to(&answer, from).await.unwrap();
    });
    address
}

#[tokio::test]
async fn a_clock_is_compared_with_a_servers() {
    let server = time_server(|_| ()).await;
    let clock = value("host.clock", &[("server", text(&server))]).await;
    assert!((number(&clock, "offset") - 10.0).abs() < 0.5, "{clock:?}");
    assert!(number(&clock, "delay") < 1.0, "{clock:?}");
    assert_eq!((shown(&clock, "stratum"), shown(&clock, "server")), ("2".into(), server));
    let refused = time_server(|answer| answer[1] = 0).await;
    assert_eq!(fault(call("host.clock", &[("server", text(&refused))]).await).kind, FaultKind::Denied);
    let stranger = time_server(|answer| answer[24] ^= 1).await;
    assert_eq!(fault(call("host.clock", &[("server", text(&stranger))]).await).kind, FaultKind::BadAnswer);
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let silent_at = silent.local_addr().unwrap().to_string();
    let given = [("server", text(&silent_at)), ("within", ms(100))];
    assert_eq!(fault(call("host.clock", &given).await).kind, FaultKind::Timeout);
    drop(silent);
    assert_eq!(fault(call("host.clock", &[("server", text(&silent_at))]).await).kind, FaultKind::Unreachable);
}
