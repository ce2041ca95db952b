//! What is posted to the lead receiver and to the data query.

use leadgate::domain::field_value;
use leadgate::domain::lead_query::LeadQuery;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::holds;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ 0-9.a-z-]{0,8}".prop_map(Value::from),
        r"\PC{0,12}".prop_map(Value::from),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Names that mean something, in any case, and others.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "source",
        "SOURCE",
        "leads",
        "vid",
        "lid",
        "LID",
        "aid",
        "sendDelay",
        "returnUrl",
        "returnURL",
        "properties",
        "reference",
        "noSell",
        "fields",
        "Fields",
        "Email",
        "email",
        "$eq",
        "$in",
        "$lte",
        "Query",
        "SortFields",
        "Take",
    ]);
    prop_oneof![known.prop_map(str::to_owned), r"\PC{0,6}"]
}

fn fields() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[A-C]", scalar(), 0..4).prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn part_c_any_body_is_read_or_refused(body: Vec<u8>, value in any_json(), source in any_json(), leads in prop::collection::vec(any_json(), 0..4)) {
        holds::of_leads(&body);
        holds::of_leads(value.to_string().as_bytes());
        holds::of_leads(json!({"Source": source, "LEADS": leads}).to_string().as_bytes());
    }

    #[test]
    fn part_c_any_query_is_read_or_refused(body: Vec<u8>, query in any_json(), lead in fields()) {
        let lead = Value::Object(lead).to_string();
        holds::of_lead_query(&body, lead.as_bytes());
        let asked = json!({"StartDate": "2026-11-22", "EndDate": "2026-11-22", "Query": query});
        holds::of_lead_query(asked.to_string().as_bytes(), lead.as_bytes());
    }

    /// Whatever the values, `$lt`, `$eq` and `$gt` divide what is there, and `$ne` is not `$eq`.
    #[test]
    fn part_c_operators_agree_with_each_other(own in scalar(), asked in scalar()) {
        let lead = json!({"A": own}).as_object().unwrap().clone();
        let holds = |operator: &str| {
            let query = json!({"StartDate": "2026-11-22", "EndDate": "2026-11-22", "Query": {"A": {operator: asked}}});
            LeadQuery::read(&query).unwrap().matches(&lead)
        };
        prop_assert_ne!(holds("$eq"), holds("$ne"));
        let are_there = !field_value::is_blank(&own) && !field_value::is_blank(&asked);
        let sides = [holds("$lt"), are_there && holds("$eq"), holds("$gt")];
        prop_assert_eq!(sides.iter().filter(|side| **side).count(), usize::from(are_there));
        prop_assert_eq!(holds("$lte"), sides[0] || sides[1]);
        prop_assert_eq!(holds("$gte"), sides[2] || sides[1]);
    }

    /// An order is one: three leads are sorted alike however they came.
    #[test]
    fn part_c_an_order_does_not_depend_on_what_came_first(leads in prop::collection::vec(fields(), 3), descending in 0..2) {
        let query = json!({"StartDate": "2026-11-22", "EndDate": "2026-11-22", "SortFields": ["A", "B"], "SortOrder": descending});
        let query = LeadQuery::read(&query).unwrap();
        let places = |order: [usize; 3]| {
            let mut places: Vec<_> = order.iter().map(|nth| query.place(&leads[*nth])).collect();
            places.sort();
            places
        };
        prop_assert_eq!(places([0, 1, 2]), places([2, 1, 0]));
        prop_assert_eq!(places([0, 1, 2]), places([1, 2, 0]));
    }
}
