//! Messages: claimed by one at a time, tried until they are told, withdrawn where nobody needs them any more.

use jiff::SignedDuration;
use runbook::store::ledger::{Commit, Committed, Due, Lease, Ledger, NewMessage, Outgoing, OutgoingState};
use runbook::types::FaultKind;

use crate::place::{Place, at, message, tell};

both!(
    due_messages_are_claimed_once_oldest_first,
    the_same_key_on_the_same_channel_is_one_message_for_ever,
    a_message_is_tried_again_until_it_is_told_or_given_up,
    a_claim_that_ran_out_is_somebody_elses,
    each_channel_is_claimed_by_itself,
    what_is_too_much_waits_and_that_is_no_try,
    what_was_tried_is_due_at_once_where_something_may_be_mended,
    what_a_server_was_telling_is_free_when_another_takes_over,
    a_channel_is_told_by_one_at_a_time_and_what_that_one_left_by_the_next,
    a_withdrawn_message_is_not_told_and_one_in_flight_says_what_came_of_it,
    what_a_commit_withdraws_it_does_not_tell_but_what_it_tells_is_told,
    a_message_that_is_not_there_is_a_fault
);

const LEASE: SignedDuration = SignedDuration::from_secs(60);

fn claim(ledger: &mut Ledger, holder: &str, now: i64) -> Vec<Outgoing> {
    ledger.claim(("shop", "ops"), holder, at(now), LEASE, 10, None).unwrap()
}

fn keys(messages: &[Outgoing]) -> Vec<&str> {
    messages.iter().map(|message| message.key.as_str()).collect()
}

fn only(ledger: &Ledger) -> Outgoing {
    let messages = ledger.outgoing(None, None).unwrap();
    assert_eq!(messages.len(), 1);
    messages.into_iter().next().unwrap()
}

fn withdraw(ledger: &mut Ledger, key: &str, now: i64) {
    let version = ledger.version("shop").unwrap();
    let commit = Commit { withdraw: vec![key.to_owned()], ..Commit::at(at(now)) };
    assert!(matches!(ledger.commit("shop", version, &commit).unwrap(), Committed::Done { .. }));
}

fn due_messages_are_claimed_once_oldest_first(place: &Place) {
    let mut ledger = place.open();
    assert_eq!(ledger.next_due("shop").unwrap(), None);
    tell(&mut ledger, "shop", vec![message("a", 5), message("b", 0), message("c", 50)]);
    assert_eq!(ledger.next_due("shop").unwrap(), Some(at(0)));
    assert_eq!(keys(&ledger.claim(("shop", "ops"), "me", at(10), LEASE, 1, None).unwrap()), ["a"]);
    let rest = claim(&mut ledger, "you", 10);
    assert_eq!(keys(&rest), ["b"]);
    assert_eq!((rest[0].state, rest[0].tries), (OutgoingState::Claimed, 1));
    assert_eq!((rest[0].runbook.as_str(), rest[0].channel.as_str()), ("shop", "ops"));
    assert!(claim(&mut ledger, "me", 10).is_empty());
    assert_eq!(ledger.next_due("shop").unwrap(), Some(at(50)));
}

fn the_same_key_on_the_same_channel_is_one_message_for_ever(place: &Place) {
    let mut ledger = place.open();
    let other = NewMessage { channel: "dev".to_owned(), ..message("a", 0) };
    let again = NewMessage { body: "second".into(), ..message("a", 9) };
    tell(&mut ledger, "shop", vec![message("a", 0), other, again.clone()]);
    tell(&mut ledger, "bank", vec![message("a", 0)]);
    let claimed = claim(&mut ledger, "me", 0);
    let elsewhere = ledger.claim(("shop", "dev"), "me", at(0), LEASE, 10, None).unwrap();
    assert_eq!((claimed.len(), elsewhere.len()), (1, 1), "one a channel");
    let bank = ledger.claim(("bank", "ops"), "me", at(0), LEASE, 10, None).unwrap();
    assert_eq!(bank.len(), 1, "another runbook's are its own");
    assert_eq!(claimed[0].body, message("a", 0).body, "the first one stays");
    assert!(ledger.told(claimed[0].id, "me", at(1), "ok").unwrap());
    tell(&mut ledger, "shop", vec![again]);
    assert!(claim(&mut ledger, "me", 10).is_empty());
    assert_eq!(ledger.outgoing(Some("shop"), None).unwrap().len(), 2);
}

fn a_message_is_tried_again_until_it_is_told_or_given_up(place: &Place) {
    let mut ledger = place.open();
    tell(&mut ledger, "shop", vec![message("a", 0)]);
    let id = claim(&mut ledger, "me", 0)[0].id;
    assert!(ledger.not_told(id, "me", at(1), "503", Some(at(30))).unwrap());
    let waiting = only(&ledger);
    assert_eq!(
        (waiting.state, waiting.last.as_deref(), waiting.not_before),
        (OutgoingState::Waiting, Some("503"), at(30))
    );
    assert!(claim(&mut ledger, "me", 29).is_empty());
    assert_eq!(claim(&mut ledger, "me", 30)[0].tries, 2);
    assert!(ledger.told(id, "me", at(31), "200").unwrap());
    let told = only(&ledger);
    assert_eq!((told.state, told.last.as_deref(), told.ended_at), (OutgoingState::Told, Some("200"), Some(at(31))));
    assert_eq!(ledger.next_due("shop").unwrap(), None);

    tell(&mut ledger, "shop", vec![message("b", 40)]);
    let id = claim(&mut ledger, "me", 40)[0].id;
    assert!(ledger.not_told(id, "me", at(41), "no such room", None).unwrap());
    assert!(claim(&mut ledger, "me", 1_000_000).is_empty());
    let listed = ledger.outgoing(None, Some(at(32))).unwrap();
    assert_eq!((keys(&listed), listed[0].state), (vec!["b"], OutgoingState::GivenUp), "`a` ended before");
}

fn a_claim_that_ran_out_is_somebody_elses(place: &Place) {
    let mut ledger = place.open();
    tell(&mut ledger, "shop", vec![message("a", 0)]);
    let id = claim(&mut ledger, "me", 0)[0].id;
    assert_eq!(ledger.next_due("shop").unwrap(), Some(at(60)));
    assert!(claim(&mut ledger, "you", 59).is_empty());
    assert_eq!(claim(&mut ledger, "you", 60)[0].tries, 2);
    assert!(!ledger.not_told(id, "me", at(61), "too slow", None).unwrap(), "it is not mine to give up any more");
    assert_eq!((only(&ledger).state, only(&ledger).last), (OutgoingState::Claimed, None));
    assert!(!ledger.told(id, "me", at(62), "late").unwrap());
    assert_eq!(only(&ledger).state, OutgoingState::Told, "it is out, whoever holds it");
    assert!(!ledger.told(id, "you", at(63), "twice").unwrap());
    assert!(!ledger.not_told(id, "you", at(63), "twice", Some(at(70))).unwrap());
    assert_eq!((only(&ledger).last.as_deref(), only(&ledger).ended_at), (Some("late"), Some(at(62))));
}

fn each_channel_is_claimed_by_itself(place: &Place) {
    let mut ledger = place.open();
    let other = NewMessage { channel: "dev".to_owned(), ..message("a", 50) };
    tell(&mut ledger, "shop", vec![message("a", 0), message("b", 5), other]);
    tell(&mut ledger, "bank", vec![message("a", 0)]);
    let due = |channel: &str, second, now| Due { channel: channel.to_owned(), at: at(second), now };
    assert_eq!(ledger.due("shop", at(10)).unwrap(), [due("dev", 50, 0), due("ops", 0, 2)]);
    let line = ledger.line(("shop", "dev"), ("me", 1), at(50), at(65)).unwrap();
    assert_eq!(line, Lease::Held { fence: 1 });
    assert_eq!(keys(&ledger.claim(("shop", "dev"), "me", at(50), LEASE, 10, None).unwrap()), ["a"]);
    assert_eq!(ledger.due("shop", at(50)).unwrap(), [due("dev", 110, 0), due("ops", 0, 2)], "it is on its way");
    assert_eq!(ledger.message("shop", "dev", "a").unwrap().unwrap().state, OutgoingState::Claimed);
    assert_eq!(ledger.message("shop", "dev", "b").unwrap(), None);
}

fn what_is_too_much_waits_and_that_is_no_try(place: &Place) {
    let mut ledger = place.open();
    tell(&mut ledger, "shop", vec![message("a", 0), message("b", 0), message("c", 20)]);
    let first = ledger.claim(("shop", "ops"), "me", at(0), LEASE, 1, None).unwrap()[0].id;
    ledger.postpone("shop", "ops", at(10), at(60), "it waits its turn").unwrap();
    assert_eq!(keys(&claim(&mut ledger, "you", 59)), ["c"], "what was not due stays as it is");
    let waits = ledger.message("shop", "ops", "b").unwrap().unwrap();
    assert_eq!((waits.not_before, waits.tries, waits.last.as_deref()), (at(60), 0, Some("it waits its turn")));
    assert!(ledger.told(first, "me", at(61), "ok").unwrap(), "what is on its way goes on");
    assert_eq!(claim(&mut ledger, "you", 60)[0].tries, 1);
}

fn what_was_tried_is_due_at_once_where_something_may_be_mended(place: &Place) {
    let mut ledger = place.open();
    tell(&mut ledger, "shop", vec![message("a", 0), message("b", 500)]);
    let id = claim(&mut ledger, "me", 0)[0].id;
    assert!(ledger.not_told(id, "me", at(1), "refused", Some(at(600))).unwrap());
    assert_eq!(ledger.hurry("shop", at(10)).unwrap(), 1);
    assert_eq!(keys(&claim(&mut ledger, "me", 10)), ["a"], "what was to be told later stays so");
}

fn what_a_server_was_telling_is_free_when_another_takes_over(place: &Place) {
    let mut ledger = place.open();
    let lead = |ledger: &mut Ledger, holder: &str, now| ledger.lead("shop", holder, at(now), at(now + 15)).unwrap();
    tell(&mut ledger, "shop", vec![message("a", 0), message("b", 0)]);
    assert_eq!(lead(&mut ledger, "dead", 0), Lease::Held { fence: 1 });
    assert_eq!(ledger.claim(("shop", "ops"), "dead", at(1), LEASE, 1, None).unwrap().len(), 1);
    // A run beside it has a life of its own.
    assert_eq!(ledger.claim(("shop", "ops"), "a run", at(1), LEASE, 1, None).unwrap().len(), 1);
    assert!(matches!(lead(&mut ledger, "heir", 14), Lease::Taken { .. }));
    assert!(claim(&mut ledger, "heir", 14).is_empty());
    assert_eq!(lead(&mut ledger, "heir", 15), Lease::Held { fence: 2 });
    let again = claim(&mut ledger, "heir", 15);
    assert_eq!((keys(&again), again[0].tries), (vec!["a"], 2), "under the same key");
    assert_eq!(again[0].last.as_deref(), Some("the server that was telling it has ended"));
    // Who leads on, frees nothing.
    assert_eq!(lead(&mut ledger, "heir", 40), Lease::Held { fence: 2 });
    assert!(claim(&mut ledger, "another", 40).is_empty());
    // Whoever stops in good order lets go by itself.
    assert_eq!(ledger.let_go("shop", "heir", at(41), "stopped").unwrap(), 1);
    assert_eq!(keys(&claim(&mut ledger, "another", 41)), ["a"]);
}

fn a_channel_is_told_by_one_at_a_time_and_what_that_one_left_by_the_next(place: &Place) {
    let (mut ledger, mut other) = (place.open(), place.open());
    let of = ("shop", "ops");
    let line = |ledger: &mut Ledger, holder: &str, part, now| {
        matches!(ledger.line(of, (holder, part), at(now), at(now + 15)).unwrap(), Lease::Held { .. })
    };
    tell(&mut ledger, "shop", vec![message("a", 0), message("b", 0)]);
    assert!(line(&mut ledger, "me", 1, 0));
    assert_eq!(keys(&ledger.claim(("shop", "ops"), "me", at(0), LEASE, 1, None).unwrap()), ["a"]);
    assert!(!line(&mut other, "you", 1, 14) && !line(&mut ledger, "me", 2, 14), "nor in the same process");
    assert_eq!(other.due("shop", at(14)).unwrap()[0].now, 1, "what is on its way is not to be told again");
    assert!(line(&mut ledger, "me", 1, 14), "it is kept");
    assert!(!line(&mut other, "you", 1, 28));
    // It says nothing more.
    assert_eq!(other.due("shop", at(29)).unwrap()[0].now, 2);
    assert!(line(&mut other, "you", 1, 29));
    let again = claim(&mut other, "you", 29);
    assert_eq!((keys(&again), again[0].tries), (vec!["a", "b"], 2), "the oldest first, under the same key");
    assert_eq!(again[0].last.as_deref(), Some("the process that was telling it has ended"));
    assert!(!line(&mut ledger, "me", 1, 30));
    ledger.end_line(of, ("me", 1)).unwrap();
    assert!(!line(&mut ledger, "me", 1, 30), "it was another's to give back");
    other.end_line(of, ("you", 1)).unwrap();
    assert!(line(&mut ledger, "me", 1, 30));
    // One that can be seen to have ended keeps nobody waiting: this machine has no process of that number.
    ledger.end_line(of, ("me", 1)).unwrap();
    let own = runbook::store::ledger::holder("me");
    let (before, rest) = own.rsplit_once(" #").unwrap();
    let machine = rest.split('.').next().unwrap();
    assert!(line(&mut ledger, &format!("{before} #{machine}.4194305.1"), 1, 40));
    assert!(line(&mut other, "you", 1, 40));
    other.end_line(of, ("you", 1)).unwrap();
    assert!(line(&mut ledger, &own, 1, 40));
    assert!(!line(&mut other, "you", 1, 40), "this one has not");
    // A server that takes over has the lines of the one before as well.
    ledger.end_line(of, (&own, 1)).unwrap();
    assert!(matches!(ledger.lead("shop", "dead", at(50), at(65)).unwrap(), Lease::Held { .. }));
    assert_eq!(ledger.leader("shop", at(64)).unwrap().as_deref(), Some("dead"));
    assert_eq!(ledger.leader("bank", at(64)).unwrap(), None);
    assert!(line(&mut ledger, "dead", 7, 64));
    assert_eq!(ledger.leader("shop", at(65)).unwrap(), None);
    assert!(!line(&mut other, "you", 1, 65));
    assert!(matches!(other.lead("shop", "heir", at(65), at(80)).unwrap(), Lease::Held { .. }));
    assert!(line(&mut other, "heir", 1, 65));
}

fn a_withdrawn_message_is_not_told_and_one_in_flight_says_what_came_of_it(place: &Place) {
    let mut ledger = place.open();
    tell(&mut ledger, "shop", vec![message("a", 0)]);
    withdraw(&mut ledger, "a", 5);
    assert!(claim(&mut ledger, "me", 10).is_empty());
    assert_eq!((only(&ledger).state, only(&ledger).ended_at), (OutgoingState::Withdrawn, Some(at(5))));
    tell(&mut ledger, "shop", vec![message("a", 20)]);
    assert!(claim(&mut ledger, "me", 30).is_empty(), "the same key is the same message");

    tell(&mut ledger, "shop", vec![message("b", 30), message("c", 30)]);
    let flying = claim(&mut ledger, "me", 30);
    withdraw(&mut ledger, "b", 31);
    withdraw(&mut ledger, "c", 31);
    assert!(!ledger.not_told(flying[0].id, "me", at(32), "503", Some(at(40))).unwrap());
    assert!(!ledger.told(flying[1].id, "me", at(32), "200").unwrap());
    assert!(claim(&mut ledger, "me", 1000).is_empty());
    let listed = ledger.outgoing(None, None).unwrap();
    assert_eq!(keys(&listed), ["c", "b", "a"], "newest first");
    assert_eq!((listed[0].state, listed[1].state), (OutgoingState::Told, OutgoingState::Withdrawn));
    assert_eq!(listed[1].last.as_deref(), Some("503"));

    withdraw(&mut ledger, "c", 50);
    assert_eq!(ledger.outgoing(None, None).unwrap()[0].state, OutgoingState::Told, "told stays told");
}

fn what_a_commit_withdraws_it_does_not_tell_but_what_it_tells_is_told(place: &Place) {
    let mut ledger = place.open();
    let commit = Commit { tell: vec![message("a", 0)], withdraw: vec!["a".to_owned()], ..Commit::at(at(0)) };
    assert_eq!(ledger.commit("shop", 0, &commit).unwrap(), Committed::Done { version: 1 });
    assert_eq!(keys(&claim(&mut ledger, "me", 0)), ["a"]);
}

fn a_message_that_is_not_there_is_a_fault(place: &Place) {
    let mut ledger = place.open();
    assert_eq!(ledger.told(7, "me", at(0), "ok").unwrap_err().kind, FaultKind::NotFound);
    assert_eq!(ledger.not_told(7, "me", at(0), "no", None).unwrap_err().kind, FaultKind::NotFound);
}
