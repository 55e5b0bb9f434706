//! Standing approvals.

use std::collections::BTreeMap;

use runbook::store::approval::{Account, Approval, Kept, Part, Revoked};

use crate::place::{Place, at};

both!(an_approval_is_kept_once_and_revoked_once, another_runbook_has_approvals_of_its_own);

fn approval(id: &str, runbook: &str) -> Approval {
    Approval {
        id: id.to_owned(),
        nonce: String::new(),
        runbook: runbook.to_owned(),
        file: "shop.runbook".to_owned(),
        only: vec!["Night \u{1F525}".to_owned()],
        set: vec![("folder".to_owned(), "/var \"x\"\n".to_owned())],
        plan: "9c1e".repeat(16),
        role: "dba".to_owned(),
        who: "ann@laptop".to_owned(),
        account: Account { user: "ann".to_owned(), host: "laptop".to_owned(), uid: 1000 },
        at: at(1),
        until: at(100),
        targets: BTreeMap::from([("db".to_owned(), "postgres://db-1:5432/shop".to_owned())]),
        changes: Vec::new(),
        parts: vec![Part {
            what: "change".to_owned(),
            says: "change db.execute(\"VACUUM\")".to_owned(),
            file: "shop.runbook".to_owned(),
            line: 7,
            text: "  change db.execute(\"VACUUM\")".to_owned(),
        }],
        undoes: None,
        signature: None,
    }
}

fn an_approval_is_kept_once_and_revoked_once(place: &Place) {
    let mut ledger = place.open();
    assert_eq!(ledger.approvals(None).unwrap(), Vec::new());
    let (first, second) = (approval("aaaa0001", "shop"), approval("aaaa0002", "shop"));
    ledger.approve(&first).unwrap();
    ledger.approve(&second).unwrap();
    let again = ledger.approve(&Approval { role: "boss".to_owned(), ..first.clone() }).unwrap_err();
    assert!(again.message.contains("there is an approval `aaaa0001` already; nothing was kept"), "{again}");
    let revoked = Revoked { at: at(5), by: "ben@desk".to_owned(), reason: Some("no \u{0} more".to_owned()) };
    assert_eq!(ledger.revoke("aaaa0001", &revoked).unwrap(), Some(Ok(())));
    let later = Revoked { at: at(6), by: "cem@desk".to_owned(), reason: None };
    assert_eq!(ledger.revoke("aaaa0001", &later).unwrap(), Some(Err(revoked.clone())), "the first one counts");
    assert_eq!(ledger.revoke("aaaa", &later).unwrap(), None);
    drop(ledger);
    let kept = |approval: &Approval, revoked| Kept { approval: approval.clone(), revoked };
    let all = vec![kept(&first, Some(revoked)), kept(&second, None)];
    assert_eq!(place.open().approvals(Some("shop")).unwrap(), all);
    assert_eq!(place.problems(), Vec::<String>::new());
    let mut export = Vec::new();
    place.open().export(&mut export).unwrap();
    let export = String::from_utf8(export).unwrap();
    let lines: Vec<serde_json::Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let exported: Vec<_> = lines.iter().filter(|line| line["record"] == "approval").collect();
    assert_eq!(exported.len(), 2, "{export}");
    assert_eq!((&exported[0]["id"], &exported[0]["revoked"]["by"]), (&"aaaa0001".into(), &"ben@desk".into()));
    assert_eq!((&exported[1]["body"]["role"], &exported[1]["revoked"]), (&"dba".into(), &serde_json::Value::Null));
}

fn another_runbook_has_approvals_of_its_own(place: &Place) {
    let mut ledger = place.open();
    ledger.approve(&approval("aaaa0001", "shop")).unwrap();
    ledger.approve(&approval("aaaa0002", "bank")).unwrap();
    let ids = |runbook| -> Vec<String> {
        place.open().approvals(runbook).unwrap().into_iter().map(|kept| kept.approval.id).collect()
    };
    assert_eq!(ids(Some("shop")), ["aaaa0001"]);
    assert_eq!(ids(Some("nothing")), Vec::<String>::new());
    assert_eq!(ids(None), ["aaaa0001", "aaaa0002"]);
}
