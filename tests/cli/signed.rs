//! Approvals that are signed, where the policy names keys.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use runbook::store::approval::{Account, Approval, NAMESPACE, PrivateKey, Signature};
use runbook::store::ledger::{FILE, Ledger};

use crate::program::{Folder, finish};
use crate::serving::until;

const MARK: &str = "tool mark(text: string) changes = argv(\"touch\", text)\n\
    section \"A\" {\n  change mark(\"first\")\n}\n";

type Edit<'e> = &'e dyn Fn(&mut Approval);

/// A key of somebody's, as `ssh-keygen` makes it, and its public line.
fn key(folder: &Folder, name: &str, kind: &str, passphrase: &str) -> String {
    let path = folder.path(name);
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", kind, "-N", passphrase, "-C", &format!("{name}@example.com"), "-f"]).arg(&path);
    assert!(keygen.status().unwrap().success());
    folder.read(&format!("{name}.pub")).trim().to_owned()
}

fn policy(folder: &Folder, ann: &str) {
    folder.write("runbook.policy.toml", format!("[approvers.dba]\nann = \"{ann}\"\n"));
}

fn ledger(folder: &Folder) -> Ledger {
    Ledger::open(&folder.path("state").join(FILE)).unwrap()
}

fn last(folder: &Folder) -> Approval {
    ledger(folder).approvals(None).unwrap().pop().unwrap().approval
}

/// Signed by ann as it is.
fn signed(folder: &Folder, approval: Approval) -> Approval {
    let key = PrivateKey::parse(&folder.read("ann")).unwrap();
    let armoured = key.sign(&approval.text().unwrap()).unwrap();
    Approval { signature: Some(Signature { key: key.public().fingerprint(), armoured }), ..approval }
}

/// Keeps it under the id that it has to have.
fn keep(folder: &Folder, approval: Approval) -> String {
    let id = approval.own_id().unwrap();
    ledger(folder).approve(&Approval { id: id.clone(), ..approval }).unwrap();
    id
}

fn approve(folder: &Folder, key: &str) -> crate::program::Output {
    folder.run(&["approve", "a.runbook", "--as", "dba", "--plan", &folder.hash(), "--key", key])
}

#[test]
fn an_approval_is_signed_by_a_key_that_the_policy_names() {
    let folder = Folder::with(MARK);
    let (ann, _) = (key(&folder, "ann", "ed25519", ""), key(&folder, "eve", "ed25519", ""));
    let plan = ["approve", "a.runbook", "--as", "dba", "--plan", &folder.hash()];
    approve(&folder, "ann").code(1).err("there is no policy that names keys of \"dba\"");
    // One from before the policy.
    folder.run(&plan).code(0);
    policy(&folder, &ann);
    folder.run(&["run", "a.runbook"]).code(5).out("is not signed, and the policy names the keys of \"dba\"");
    folder.run(&plan).code(1).no_out().err("an approval as \"dba\" is signed, by ann").err("--key");
    approve(&folder, "eve").code(1).no_out().err("the policy does not name it (SHA256:");
    approve(&folder, "nobody").code(1).err("cannot be read");
    approve(&folder, "a.runbook").code(1).err("this is no public ed25519 key");
    key(&folder, "curve", "ecdsa", "");
    approve(&folder, "curve").code(1).err("this is no ed25519 key in OpenSSH's format");
    approve(&folder, "ann").code(0).out("by ann as \"dba\"").out("signed with SHA256:");
    folder.run(&["run", "a.runbook"]).code(0).out("standing approval").out("by ann as");
}

#[test]
fn ssh_keygen_is_of_the_same_opinion() {
    let folder = Folder::with(MARK);
    let ann = key(&folder, "ann", "ed25519", "");
    policy(&folder, &ann);
    approve(&folder, "ann").code(0);
    let approval = last(&folder);
    folder.write("signature", &approval.signature.as_ref().unwrap().armoured);
    folder.write("allowed", format!("ann {ann}\n"));
    let verify = |text: String| {
        folder.write("text", text);
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-Y", "verify", "-n", NAMESPACE, "-I", "ann", "-f"]).arg(folder.path("allowed"));
        keygen.arg("-s").arg(folder.path("signature")).stdin(std::fs::File::open(folder.path("text")).unwrap());
        keygen.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(verify(approval.text().unwrap()));
    assert!(!verify(approval.text().unwrap().replace("role \"dba\"", "role \"sre\"")));
}

#[test]
fn one_that_was_changed_after_it_was_signed_does_not_count() {
    let folder = Folder::with(MARK);
    let (ann, _) = (key(&folder, "ann", "ed25519", ""), key(&folder, "eve", "ed25519", ""));
    policy(&folder, &ann);
    approve(&folder, "ann").code(0);
    let good = last(&folder);
    folder.run(&["revoke", &good.id]).code(0);
    let wrong: [(Edit<'_>, &str); 5] = [
        (&|one| one.until = one.until.checked_add(jiff::SignedDuration::from_hours(1)).unwrap(), "does not fit"),
        (&|one| one.account.uid = 4711, "does not fit what it says"),
        (&|one| "eve".clone_into(&mut one.who), "by somebody whom the policy does not name as \"dba\""),
        (
            &|one| {
                let key = PrivateKey::parse(&folder.read("eve")).unwrap();
                let armoured = key.sign(&one.text().unwrap()).unwrap();
                one.signature = Some(Signature { key: key.public().fingerprint(), armoured });
            },
            "is signed by no key of the policy",
        ),
        (&|one| "nothing".clone_into(&mut one.signature.as_mut().unwrap().armoured), "its signature is none"),
    ];
    for (number, (change, said)) in wrong.into_iter().enumerate() {
        let mut approval = Approval { nonce: number.to_string(), ..good.clone() };
        change(&mut approval);
        let id = keep(&folder, approval);
        folder.run(&["run", "a.runbook"]).code(5).out(&format!("approval {id}")).out(said);
        folder.run(&["approvals", "a.runbook"]).code(0).out("void").out(said);
    }
    assert!(!folder.path("first").exists());
    // One that was revoked is not good again under another name.
    ledger(&folder).approve(&Approval { id: "00000006".to_owned(), ..good.clone() }).unwrap();
    folder.run(&["run", "a.runbook"]).code(5).out("approval 00000006").out("is not what was given");
    folder.run(&["approvals"]).code(0).out("void").out("said to be signed with").out("its signature does not fit");
    // The key of somebody who left is taken out of the policy.
    let id = keep(&folder, signed(&folder, Approval { nonce: "6".to_owned(), ..good }));
    policy(&folder, &key(&folder, "anew", "ed25519", ""));
    folder.run(&["run", "a.runbook"]).code(5).out("is signed by no key of the policy");
    policy(&folder, &ann);
    folder.run(&["run", "a.runbook"]).code(0).out(&format!("standing approval {id} by ann"));
}

#[test]
fn a_role_is_approved_by_a_signature_of_somebody_else() {
    let folder = Folder::with(MARK.replace("(\"first\")", "(\"first\") approve by \"dba\""));
    let ann = key(&folder, "ann", "ed25519", "");
    policy(&folder, &ann);
    approve(&folder, "ann").code(0);
    folder.run(&["run", "a.runbook"]).code(5).out("nobody approves their own");
    let me = last(&folder).account.user;
    let account = Account { user: "ann".to_owned(), host: "laptop".to_owned(), uid: 4711 };
    let id = keep(&folder, signed(&folder, Approval { account, ..last(&folder) }));
    folder.run(&["run", "a.runbook"]).code(0).out(&format!("standing approval {id} by ann"));
    folder.run(&["approvals"]).code(0).out("with the runbook, its policy is asked whose that is");
    // Whose key it is does not run what it has approved, from wherever it was signed.
    folder.write("runbook.policy.toml", format!("[approvers.dba]\n{me} = \"{ann}\"\n"));
    let account = Account { user: "somebody".to_owned(), host: "laptop".to_owned(), uid: 4711 };
    keep(&folder, signed(&folder, Approval { account, who: me, ..last(&folder) }));
    folder.run(&["run", "a.runbook"]).code(5).out("nobody approves their own");
}

#[test]
fn a_key_asks_for_its_passphrase_on_a_terminal() {
    let folder = Folder::with(MARK);
    let ann = key(&folder, "ann", "ed25519", "open sesame");
    policy(&folder, &ann);
    approve(&folder, "ann").code(1).no_out().err("asks for a passphrase, and there is no terminal").err("ssh-add");
    let hash = folder.hash();
    let args = ["approve", "a.runbook", "--as", "dba", "--plan", &hash, "--key", "ann"];
    let wrong = folder.run_on_terminal(&args, &[("passphrase of ann: ", "wrong\n")]);
    wrong.code(1).out("this is not the passphrase of the key").lacks("wrong");
    let right = folder.run_on_terminal(&args, &[("passphrase of ann: ", "open sesame\n")]);
    right.code(0).out("signed with SHA256:").lacks("open sesame");
    folder.run(&["run", "a.runbook"]).code(0);
}

#[test]
fn the_agent_signs_with_a_key_that_it_keeps_to_itself() {
    let folder = Folder::with(MARK);
    let ann = key(&folder, "ann", "ed25519", "");
    policy(&folder, &ann);
    std::fs::set_permissions(folder.path("ann"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let hash = folder.hash();
    let with = |socket: Option<&str>| {
        let mut command = folder.command(&["approve", "a.runbook", "--as", "dba", "--plan", &hash, "--key", "ann.pub"]);
        finish(command.envs(socket.map(|name| ("SSH_AUTH_SOCK", folder.path(name)))).spawn().unwrap())
    };
    with(None).code(1).err("there is no SSH agent");
    with(Some("nothing")).code(1).err("does not answer");
    let socket = folder.path("agent");
    let mut agent = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    until("the agent is there", || socket.exists());
    with(Some("agent")).code(1).err("the SSH agent does not sign with SHA256:").err("ssh-add -l");
    let mut add = Command::new("ssh-add");
    add.arg("-q").arg(folder.path("ann")).env("SSH_AUTH_SOCK", &socket);
    assert!(add.status().unwrap().success());
    std::fs::remove_file(folder.path("ann")).unwrap();
    with(Some("agent")).code(0).out("signed with SHA256:");
    agent.kill().unwrap();
    agent.wait().unwrap();
    folder.run(&["run", "a.runbook"]).code(0).out("by ann as");
}

#[test]
fn a_key_counts_only_where_all_policies_name_it() {
    let folder = Folder::new();
    let (ann, eve) = (key(&folder, "ann", "ed25519", ""), key(&folder, "eve", "ed25519", ""));
    folder.write("ops/a.runbook", MARK);
    policy(&folder, &ann);
    let whoever_may_write_below = format!("[approvers.dba]\nann = [\"{ann}\", \"{eve}\"]\neve = \"{eve}\"\n");
    folder.write("ops/runbook.policy.toml", whoever_may_write_below);
    let plan = folder.run(&["plan", "--offline", "ops/a.runbook"]).code(0).stdout.clone();
    let hash = plan.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let approve = |key: &str| folder.run(&["approve", "ops/a.runbook", "--as", "dba", "--plan", &hash, "--key", key]);
    approve("eve").code(1).no_out().err("the policy does not name it (SHA256:");
    approve("ann").code(0).out("by ann as \"dba\"");
}
