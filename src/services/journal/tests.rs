use super::*;
use crate::domain::journal::{Message, Why};

fn entry(nth: u128, outcome: Outcome) -> Entry {
    Entry {
        id: Uuid::from_u128(nth),
        at: Timestamp::from_micros(i64::try_from(nth).unwrap()),
        app: AppId::parse("one").ok(),
        connection: Some(ConnectionId(Uuid::from_u128(nth % 2))),
        outcome,
        why: (outcome == Outcome::Refused).then(|| Why::new("x", "y")),
        request: Message::default(),
        ..Entry::sample("GET", "/v1/me")
    }
}

fn ids(found: &[Arc<Entry>]) -> Vec<u128> {
    found.iter().map(|entry| entry.id.as_u128()).collect()
}

#[test]
fn e_the_newest_come_first_and_filters_add_up() {
    let journal = Journal::new(true);
    for nth in 0..6 {
        journal.record(entry(nth, if nth < 3 { Outcome::Ok } else { Outcome::Refused }));
    }
    let all = Query::default();
    assert_eq!(ids(&journal.list(&all)), [5, 4, 3, 2, 1, 0]);
    let refused = Query { outcome: Some(Outcome::Refused), limit: Some(2), ..all.clone() };
    assert_eq!(ids(&journal.list(&refused)), [5, 4]);
    let since = Query { since: Some(Timestamp::from_micros(4)), ..all.clone() };
    assert_eq!(ids(&journal.list(&since)), [5, 4]);
    let after = Query { after: Some(Uuid::from_u128(2)), endpoint: Some("/v1/me".into()), ..all.clone() };
    assert_eq!(ids(&journal.list(&after)), [5, 4, 3]);
    let other = Query { app: AppId::parse("two").ok(), ..all };
    assert!(journal.list(&other).is_empty());
}

#[test]
fn e_a_connections_user_is_known_from_the_request_that_told_it() {
    let journal = Journal::new(true);
    journal.record(entry(1, Outcome::Ok));
    assert_eq!(journal.strangers(), [ConnectionId(Uuid::from_u128(1))]);
    journal.record(Entry { user: Some("ada@acme.test".into()), ..entry(3, Outcome::Ok) });
    let hers = Query { user: Some("ADA@acme.test".into()), ..Query::default() };
    assert_eq!(ids(&journal.list(&hers)), [3, 1]);
    assert!(journal.strangers().is_empty());
}

#[test]
fn e_the_ring_is_bounded_by_number_and_by_bytes() {
    let journal = Journal::new(true);
    for nth in 0..=u128::try_from(MAX_ENTRIES).unwrap() {
        journal.record(entry(nth, Outcome::Ok));
    }
    let all = journal.list(&Query::default());
    assert_eq!((all.len(), all.last().unwrap().id.as_u128()), (MAX_ENTRIES, 1));
    let large = Message { body: "x".repeat(MAX_BYTES / 2), ..Message::default() };
    for nth in 10_000..10_003 {
        journal.record(Entry { request: large.clone(), ..entry(nth, Outcome::Ok) });
    }
    assert_eq!(ids(&journal.list(&Query::default())), [10_002]);
}

#[test]
fn e_a_near_miss_fails_one_criterion_and_says_which() {
    let journal = Journal::new(true);
    journal.record(entry(1, Outcome::Ok));
    journal.record(entry(2, Outcome::Refused));
    let wanted = Query { outcome: Some(Outcome::Error), app: AppId::parse("one").ok(), ..Query::default() };
    let near = |query: &Query| -> Vec<(u128, &str)> {
        journal.near_misses(query, 10).into_iter().map(|miss| (miss.entry.id.as_u128(), miss.criterion)).collect()
    };
    assert_eq!(near(&wanted), [(2, "outcome"), (1, "outcome")]);
    let far = Query { endpoint: Some("token".into()), ..wanted };
    assert!(near(&far).is_empty(), "two are wrong");
    assert!(near(&Query::default()).is_empty(), "what matches is no near miss");
    let user = Query { user: Some("ada@acme.test".into()), ..Query::default() };
    assert_eq!(near(&user), [(2, "user"), (1, "user")]);
}

#[test]
fn e_a_sign_in_is_told_from_its_click_to_its_end() {
    let journal = Journal::new(true);
    let flow = |nth| Some(FlowId(Uuid::from_u128(nth)));
    let connection = |nth| Some(ConnectionId(Uuid::from_u128(nth)));
    for (nth, flow, connection) in [
        (1, flow(7), None),
        (2, flow(8), None),
        (3, flow(7), connection(70)),
        (4, None, connection(70)),
        (5, None, connection(80)),
        (6, flow(9), None),
        (7, flow(9), connection(70)),
        (8, None, None),
    ] {
        journal.record(Entry { flow, connection, ..entry(nth, Outcome::Ok) });
    }
    let story = |nth| ids(&journal.related(&journal.find(Uuid::from_u128(nth)).unwrap()));
    for member in [1, 3, 4, 6, 7] {
        assert_eq!(story(member), [1, 3, 4, 6, 7], "{member}");
    }
    assert_eq!((story(2), story(5), story(8)), (vec![2], vec![5], vec![8]));
}

#[tokio::test]
async fn e_listeners_are_bounded_and_told_of_the_end() {
    let journal = Journal::new(true);
    let mut listeners: Vec<_> = (0..MAX_LISTENERS).map(|_| journal.listen().unwrap()).collect();
    assert!(journal.listen().is_none());
    let cleared = journal.cleared();
    journal.clear();
    assert!(cleared.has_changed().unwrap());
    journal.record(entry(1, Outcome::Ok));
    assert_eq!(listeners[0].recv().await.unwrap().id.as_u128(), 1, "those who listen go on after a clear");
    journal.close();
    assert!(listeners[0].recv().await.is_err());
    assert!(journal.listen().unwrap().recv().await.is_err(), "who comes later is told at once");
    journal.record(entry(2, Outcome::Ok));
    assert_eq!(ids(&journal.list(&Query::default())), [2, 1]);
}

#[test]
fn e_production_keeps_nothing() {
    let journal = Journal::new(false);
    journal.record(entry(1, Outcome::Ok));
    assert!(journal.list(&Query::default()).is_empty() && !journal.is_on());
}

#[tokio::test]
async fn e_notes_belong_to_their_request_and_the_first_reason_stands() {
    note::why(Why::new("outside", "goes nowhere"));
    let slip = note::Slip::default();
    let request = async {
        note::why(Why::new("first", "1"));
        note::why(Why::new("second", "2"));
        note::user("ada@acme.test");
        7
    };
    let answer = slip.around(request).await;
    let noted = slip.take();
    assert_eq!((answer, noted.why.unwrap().rule.as_ref()), (7, "first"));
    assert_eq!(noted.user.as_deref(), Some("ada@acme.test"));
    assert!(note::current().why.is_none());
}
