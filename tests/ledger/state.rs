//! Documents, commits and happenings.

use runbook::store::ledger::{Commit, Committed, Document};

use crate::place::{Place, at, document, happening, message};

both!(
    a_commit_is_there_again_after_the_file_was_opened_anew,
    a_stale_commit_writes_nothing,
    a_document_is_replaced_closed_opened_again_and_removed,
    closed_documents_and_happenings_are_listed_since_a_time,
    a_time_that_cannot_be_kept_is_a_fault_and_one_to_compare_with_is_not,
    a_ledger_is_told_from_others_by_a_name_that_it_keeps
);

fn ids(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.id.as_str()).collect()
}

fn a_ledger_is_told_from_others_by_a_name_that_it_keeps(place: &Place) {
    let id = place.open().id().unwrap();
    assert!(id.len() == 12 && id.bytes().all(|letter| letter.is_ascii_hexdigit()), "{id}");
    assert_eq!(place.open().id().unwrap(), id);
    assert_ne!(Place::new().open().id().unwrap(), id);
    if let Some(shared) = Place::shared() {
        assert_ne!(shared.open().id().unwrap(), id);
    }
}

fn a_commit_is_there_again_after_the_file_was_opened_anew(place: &Place) {
    let mut ledger = place.open();
    assert_eq!(ledger.load("shop").unwrap().version, 0);
    let nanosecond = "2026-11-26T02:36:42.123456789Z".parse().unwrap();
    let one = Document { opened_at: nanosecond, ..document("alert", "12", 0, None) };
    let commit = Commit {
        put: vec![one.clone(), document("incident", "3", 1, None), document("alert", "11", 0, Some(5))],
        happened: vec![happening(1, "alert/12", "fired")],
        tell: vec![message("alert/12", 1)],
        ..Commit::at(at(1))
    };
    assert_eq!(ledger.commit("shop", 0, &commit).unwrap(), Committed::Done { version: 1 });
    drop(ledger);
    let ledger = place.open();
    let snapshot = ledger.load("shop").unwrap();
    assert_eq!(snapshot.version, 1);
    assert_eq!(snapshot.documents, [one, document("incident", "3", 1, None)], "what is open, exactly as it was put");
    assert_eq!(ledger.happenings("shop", None, None).unwrap(), commit.happened);
    assert_eq!(ledger.outgoing(None, None).unwrap()[0].created_at, at(1));
    assert_eq!(ledger.load("other").unwrap().documents, []);
    assert_eq!(ledger.runbooks().unwrap(), ["shop"]);
}

fn a_stale_commit_writes_nothing(place: &Place) {
    let mut ledger = place.open();
    let first = Commit { put: vec![document("alert", "1", 0, None)], ..Commit::at(at(0)) };
    assert_eq!(ledger.commit("shop", 0, &first).unwrap(), Committed::Done { version: 1 });
    let late = Commit {
        put: vec![document("alert", "2", 0, None)],
        remove: vec![("alert".to_owned(), "1".to_owned())],
        happened: vec![happening(0, "alert/2", "fired")],
        tell: vec![message("alert/2", 0)],
        ..Commit::at(at(0))
    };
    assert_eq!(ledger.commit("shop", 0, &late).unwrap(), Committed::Stale { version: 1 });
    assert_eq!(ledger.commit("other", 4, &late).unwrap(), Committed::Stale { version: 0 });
    assert_eq!(ids(&ledger.load("shop").unwrap().documents), ["1"]);
    assert!(ledger.happenings("shop", None, None).unwrap().is_empty());
    assert!(ledger.outgoing(None, None).unwrap().is_empty());
    assert_eq!(ledger.version("shop").unwrap(), 1);
    assert_eq!(ledger.runbooks().unwrap(), ["shop"]);
}

fn a_document_is_replaced_closed_opened_again_and_removed(place: &Place) {
    let mut ledger = place.open();
    let mut put = |version, put, remove: &[&str]| {
        let remove = remove.iter().map(|id| ("alert".to_owned(), (*id).to_owned())).collect();
        let done = ledger.commit("shop", version, &Commit { put, remove, ..Commit::at(at(0)) }).unwrap();
        assert_eq!(done, Committed::Done { version: version + 1 });
        (ledger.load("shop").unwrap().documents, ledger.documents(Some("shop"), "alert", None).unwrap())
    };
    let mut one = document("alert", "1", 0, None);
    put(0, vec![one.clone()], &[]);
    one.body = serde_json::json!({ "acknowledged": true });
    assert_eq!(put(1, vec![one.clone()], &[]).0, [one.clone()]);
    one.closed_at = Some(at(9));
    assert_eq!(put(2, vec![one.clone()], &[]), (vec![], vec![one.clone()]));
    one.closed_at = None;
    assert_eq!(put(3, vec![one.clone()], &[]).0, [one.clone()]);
    assert_eq!(put(4, vec![one.clone()], &["1"]).0, [one], "what is put is put after what is removed");
    assert_eq!(put(5, vec![], &["1", "not there"]), (vec![], vec![]));
}

fn closed_documents_and_happenings_are_listed_since_a_time(place: &Place) {
    let mut ledger = place.open();
    let commit = Commit {
        put: vec![
            document("alert", "old", 0, Some(10)),
            document("alert", "new", 5, Some(20)),
            document("alert", "open", 1, None),
            document("silence", "other kind", 1, None),
        ],
        happened: vec![happening(9, "alert/new", "late"), happening(1, "alert/old", "early"), happening(9, "b", "x")],
        ..Commit::at(at(20))
    };
    assert_eq!(ledger.commit("shop", 0, &commit).unwrap(), Committed::Done { version: 1 });
    let other = Commit { put: vec![document("alert", "theirs", 7, None)], ..Commit::at(at(0)) };
    assert_eq!(ledger.commit("bank", 0, &other).unwrap(), Committed::Done { version: 1 });
    let listed = |runbook, since: Option<i64>| {
        let documents = ledger.documents(runbook, "alert", since.map(at)).unwrap();
        documents.iter().map(|one| one.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(Some("shop"), None), ["new", "open", "old"], "newest first");
    assert_eq!(listed(Some("shop"), Some(20)), ["new", "open"]);
    assert_eq!(listed(None, Some(21)), ["theirs", "open"]);
    let told = |about, since: Option<i64>| {
        let happenings = ledger.happenings("shop", about, since.map(at)).unwrap();
        happenings.iter().map(|one| one.about.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(None, None), ["alert/old", "alert/new", "b"], "oldest first, then as they were committed");
    assert_eq!(told(None, Some(9)), ["alert/new", "b"]);
    assert_eq!(told(Some("alert/old"), None), ["alert/old"]);
    assert!(ledger.happenings("nobody", None, None).unwrap().is_empty());
}

fn a_time_that_cannot_be_kept_is_a_fault_and_one_to_compare_with_is_not(place: &Place) {
    let mut ledger = place.open();
    let commit = Commit {
        happened: vec![runbook::store::ledger::Happening { at: jiff::Timestamp::MAX, ..happening(0, "a", "b") }],
        ..Commit::at(at(0))
    };
    let fault = ledger.commit("shop", 0, &commit).unwrap_err();
    assert!(fault.message.contains("9999") && fault.message.contains("2262"), "{fault}");
    assert_eq!(ledger.version("shop").unwrap(), 0);
    assert!(ledger.happenings("shop", None, Some(jiff::Timestamp::MIN)).unwrap().is_empty());
    assert!(ledger.documents(None, "alert", Some(jiff::Timestamp::MAX)).unwrap().is_empty());
}
