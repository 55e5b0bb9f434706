//! Who is woken, for what, and by whom.

use runbook::alerting::{Caller, Input, Outcome, Threshold};
use runbook::types::Severity;

use crate::cases::{Scene, level, pod, policy, threshold, told};
use crate::random::secs;

/// After a time in which nobody could look, what is open may be over for as long.
#[test]
fn nobody_is_woken_for_what_turns_out_to_be_over_at_the_first_look() {
    let critical = Threshold { severity: Severity::Critical, ..threshold() };
    for is_over in [true, false] {
        let mut scene =
            Scene::of(critical.clone(), policy(vec![level(1, Some(secs(60)), "chat"), level(2, None, "sms")], 0));
        scene.judged(Some(true), &pod("a"));
        scene.now = scene.now.checked_add(secs(3600)).unwrap();
        let looked = told(&scene.judged(Some(!is_over), &pod("a")));
        let ticked = told(&scene.take(Input::Tick));
        if is_over {
            assert_eq!((looked, ticked), (vec!["chat closed".to_owned(), "mail closed".to_owned()], Vec::new()));
        } else {
            assert_eq!((looked, ticked), (Vec::new(), vec!["sms escalated".to_owned()]));
        }
    }
}

#[test]
fn whoever_calls_for_help_is_heard_however_often() {
    let mut scene = Scene::of(threshold(), policy(vec![level(1, None, "chat"), level(2, None, "sms")], 0));
    let called = |by: &str, level, text: Option<&str>| Input::Called {
        title: "Trouble".into(),
        level,
        text: "one (ann)".into(),
        caller: Some(Caller { by: by.into(), text: text.map(Into::into) }),
    };
    let text = |outcome: &Outcome| outcome.tell.iter().map(|tell| tell.message.text.clone()).collect::<Vec<_>>();
    assert_eq!(told(&scene.take(called("ann", 1, Some("one")))), ["chat opened"]);
    let again = scene.take(called("ben", 1, Some("two")));
    assert_eq!((told(&again), text(&again)), (vec!["chat again".to_owned()], vec!["two (ben): one (ann)".to_owned()]));
    assert_eq!(again.happened[0].what.to_string(), "ben calls level 1: two");
    let next = scene.take(Input::Escalate {
        incident: 1,
        level: 2,
        caller: Caller { by: "cat".into(), text: Some("look at it".into()) },
    });
    assert_eq!(
        (told(&next), text(&next)),
        (vec!["sms escalated".to_owned()], vec!["look at it (cat): one (ann)".to_owned()])
    );
    assert_eq!(next.happened[0].what.to_string(), "cat calls level 2: look at it");
    let late = Input::Escalate { incident: 1, level: 2, caller: Caller { by: "dan".into(), text: None } };
    assert!(scene.take(late).happened.is_empty(), "somebody else was faster");
    assert_eq!(text(&scene.take(called("dan", 2, None))), ["dan calls again: one (ann)"]);
}
