//! `runbook run --timings`: what the time of a run went to.

use serde_json::Value;

use crate::program::Folder;

const NAPS: &str = "tool nap(how: string) -> string = argv(\"sleep\", how)\n\
    section \"Look\" {\n  step \"Short\" {\n    show nap(\"0.01\")\n  }\n  step \"Long\" {\n    show nap(\"0.3\")\n    show nap(\"0.01\")\n  }\n}\n";

#[test]
fn each_call_has_a_line_with_whose_it_is_and_what_it_took() {
    let folder = Folder::with(NAPS);
    let output = folder.run(&["run", "a.runbook", "--timings"]);
    output.code(0).err("TIMINGS   2 calls in ").err(". queued  ~ connecting  - waiting  = reading");
    // What two steps ask for at the same time is asked once, and belongs to the first.
    output.err("Short: argv").err("Long: argv");
    let long = output.stderr.lines().find(|line| line.contains("Long: argv")).unwrap();
    assert!(long.contains("====="), "{long}");
    assert_eq!(output.stdout.matches("TIMINGS").count(), 0, "the output of the run is as without it");
}

#[test]
fn a_trace_has_each_call_with_its_phases_and_lanes_for_what_overlaps() {
    let folder = Folder::with(NAPS);
    folder.run(&["run", "a.runbook", "--timings=trace.json", "--format", "json"]).code(0);
    let trace: Value = serde_json::from_str(&folder.read("trace.json")).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let of = |category: &str| -> Vec<&Value> { events.iter().filter(|event| event["cat"] == category).collect() };
    let span = |event: &Value| {
        let start = event["ts"].as_f64().unwrap();
        (start, start + event["dur"].as_f64().unwrap(), event["tid"].as_u64().unwrap())
    };
    let (calls, phases) = (of("call"), of("phase"));
    assert_eq!(calls.len(), 2, "{trace}");
    assert_eq!(calls[0]["args"]["in"], "Look / Short");
    for phase in &phases {
        let (start, end, lane) = span(phase);
        let inside = |call: &&&Value| {
            let (from, to, own) = span(call);
            own == lane && from <= start + 1.0 && end <= to + 1.0
        };
        assert!(calls.iter().any(|call| inside(&call)), "{phase} is in no call");
    }
    let (one, other) = (span(calls[0]), span(calls[1]));
    assert!(one.2 != other.2 || one.1 <= other.0, "calls that overlap are in two lanes: {trace}");
    folder.run(&["run", "a.runbook", "--timings=no/such/folder"]).code(1).err("cannot write `no/such/folder`");
}

#[test]
fn who_is_waited_for_and_what_for_is_said_and_no_secret() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let text = format!(
        "secret key = env(\"KEY\")\nconnect site = http(\"http://127.0.0.1:{port}\", bearer: key)\n\
         section \"Look\" {{\n  step \"Site\" {{\n    show site.get(\"/\", within: 300ms).status\n  }}\n}}\n"
    );
    let folder = Folder::with(text);
    let mut command = folder.command(&["run", "a.runbook", "--timings=trace.json"]);
    let output = crate::program::finish(command.env("KEY", "s3cr3t-of-ann").spawn().unwrap());
    output.code(3).err("Site: http.get site").err("----");
    let trace = folder.read("trace.json");
    assert!(trace.contains(&format!("connecting to 127.0.0.1:{port}")), "{trace}");
    assert!(trace.contains("waiting for the first byte") && !trace.contains("s3cr3t"), "{trace}");
}
