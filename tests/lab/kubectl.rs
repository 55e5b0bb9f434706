//! `kubectl` of the lab: what tests compare with, and how they make what they change.

use std::process::{Command, Stdio};

use serde_json::Value as Json;

use super::harness::Lab;

impl Lab {
    /// What `kubectl` prints.
    #[track_caller]
    pub(crate) fn kubectl(&self, words: &[&str]) -> String {
        let output = self.tool(words).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {}: {errors}", words.join(" "));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// An object as JSON.
    #[track_caller]
    pub(crate) fn object(&self, words: &[&str]) -> Json {
        serde_json::from_str(&self.kubectl(&[words, &["-o", "json"]].concat())).unwrap()
    }

    /// Makes objects.
    #[track_caller]
    pub(crate) fn make(&self, manifest: &Json) {
        let mut child = self.tool(&["apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        serde_json::to_writer(child.stdin.take().unwrap(), manifest).unwrap();
        assert!(child.wait().unwrap().success(), "{manifest}");
    }

    pub(crate) fn tool(&self, words: &[&str]) -> Command {
        let home = std::env::var("HOME").unwrap_or_default();
        let own = format!("{home}/.cache/runbook-lab/bin/kubectl");
        let mut command = Command::new(if std::path::Path::new(&own).exists() { own.as_str() } else { "kubectl" });
        command.args(words).envs(&self.env);
        command
    }
}

/// A namespace that is gone with the test.
pub(crate) struct Namespace<'l> {
    pub(crate) lab: &'l Lab,
    pub(crate) name: String,
}

impl<'l> Namespace<'l> {
    pub(crate) fn new(lab: &'l Lab, name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        lab.make(&serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
        Self { lab, name }
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        let deleted = self.lab.tool(&["delete", "namespace", &self.name, "--wait=false"]).output();
        assert!(deleted.is_ok_and(|output| output.status.success()) || std::thread::panicking());
    }
}
