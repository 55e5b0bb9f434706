//! `runbook fmt`

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::program::Folder;

const UGLY: &str = "section   \"A\"   {\n check 1<2   as \"numbers hold\"\n}";

fn formatted() -> String {
    let output = Folder::new().run_with_input(&["fmt", "-"], UGLY);
    output.code(0);
    assert_ne!(output.stdout, UGLY);
    output.stdout
}

#[test]
fn formatting_twice_is_formatting_once() {
    let folder = Folder::with(UGLY);
    folder.run(&["fmt", "a.runbook"]).code(0).no_out().err("1 formatted");
    assert_eq!(folder.read("a.runbook"), formatted());
    folder.run(&["fmt", "a.runbook"]).code(0).err("1 already in form");
    assert_eq!(folder.read("a.runbook"), formatted());
}

#[test]
fn check_names_the_files_and_diff_shows_the_lines_and_neither_writes() {
    let folder = Folder::with(UGLY);
    folder.write("good.runbook", formatted());
    let output = folder.run(&["fmt", "--check", "."]);
    assert_eq!(output.code(1).stdout, "a.runbook\n");
    folder.run(&["fmt", "--diff", "a.runbook"]).code(1).out("--- a.runbook\n").out("\n-section   \"A\"   {\n");
    assert_eq!(folder.read("a.runbook"), UGLY);
    folder.run(&["fmt", "--check", "good.runbook"]).code(0).no_out();
}

#[test]
fn what_is_not_valid_stays_as_it_is() {
    let broken = "section \"A\" {\n   check (1 <  2\n}\n";
    let folder = Folder::with(broken);
    folder.write("ugly.runbook", UGLY);
    folder.run(&["fmt", "a.runbook", "ugly.runbook", "missing.runbook"]).code(2).err("a.runbook:").err("no such file");
    assert_eq!(folder.read("a.runbook"), broken);
    assert_eq!(folder.read("ugly.runbook"), formatted(), "the others are formatted all the same");
    folder.run_with_input(&["fmt", "-"], broken).code(2).no_out();
}

#[test]
fn permissions_and_links_stay() {
    let folder = Folder::new();
    folder.write("real/a.runbook", UGLY);
    let real = folder.path("real/a.runbook");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, folder.path("link.runbook")).unwrap();
    folder.run(&["fmt", "link.runbook"]).code(0);
    assert!(fs::symlink_metadata(folder.path("link.runbook")).unwrap().is_symlink());
    assert_eq!(folder.read("real/a.runbook"), formatted());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(folder.path("real")).unwrap().count(), 1, "nothing is left beside it");
}
