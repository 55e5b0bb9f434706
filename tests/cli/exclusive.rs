//! Two people, one system: changes are made one after the other.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::program::{Folder, finish};

/// A server that takes its time for a change. Gives its port, and how many changes it had at once and in all.
pub(crate) fn slow() -> (u16, Arc<AtomicU32>, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (now, most, all) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let seen = (Arc::clone(&most), Arc::clone(&all));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, now, most, all) = (stream.unwrap(), Arc::clone(&now), Arc::clone(&most), Arc::clone(&all));
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).unwrap();
                assert!(buffer.get(..read).unwrap().starts_with(b"POST "), "a change");
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(1500));
                now.fetch_sub(1, Ordering::SeqCst);
                all.fetch_add(1, Ordering::SeqCst);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            });
        }
    });
    (port, seen.0, seen.1)
}

#[test]
fn two_runs_change_one_system_one_after_the_other() {
    let (port, most, all) = slow();
    let folder = Folder::with(format!(
        "connect api = http(\"http://127.0.0.1:{port}\")\nsection \"A\" {{\n  change api.post(\"/restart\")\n}}\n"
    ));
    let hash = folder.hash();
    let args = ["run", "a.runbook", "--approve", &hash];
    let runs: Vec<_> = (0..3).map(|_| folder.command(&args).spawn().unwrap()).collect();
    let outputs: Vec<_> = runs.into_iter().map(finish).collect();
    for output in &outputs {
        output.code(0).out("1 change");
    }
    assert_eq!((most.load(Ordering::SeqCst), all.load(Ordering::SeqCst)), (1, 3));
    let waited = outputs.iter().filter(|output| output.stdout.contains(" waits: http://127.0.0.1:")).count();
    assert_eq!(waited, 2, "{outputs:?}");
    // Another state folder is another household: who shares nothing does not wait.
    let elsewhere = Folder::with(folder.read("a.runbook"));
    let both = [folder.command(&args).spawn().unwrap(), elsewhere.command(&args).spawn().unwrap()];
    for output in both.map(finish) {
        output.code(0).lacks(" waits: ");
    }
}

#[test]
fn one_server_is_one_system_however_it_is_written() {
    let (port, most, all) = slow();
    let with =
        |url: &str| format!("connect api = http(\"{url}\")\nsection \"A\" {{\n  change api.post(\"/restart\")\n}}\n");
    let folder = Folder::new();
    let urls = [
        format!("http://127.0.0.1:{port}"),
        format!("http://LOCALHOST:{port}/"),
        format!("http://localhost:{port}/v2"),
    ];
    let runs: Vec<_> = ["x.runbook", "y.runbook", "z.runbook"]
        .into_iter()
        .zip(&urls)
        .map(|(name, url)| {
            folder.write("a.runbook", with(url));
            let hash = folder.hash();
            folder.write(name, with(url));
            folder.command(&["run", name, "--approve", &hash]).spawn().unwrap()
        })
        .collect();
    for output in runs.into_iter().map(finish) {
        output.code(0).out("1 change");
    }
    assert_eq!((most.load(Ordering::SeqCst), all.load(Ordering::SeqCst)), (1, 3));
}
