//! Posts at once, on two nodes (rule R8).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ACME_KEY, ZENITH_KEY, lead, of_type};
use crate::support::{World, both};

/// Posts each body at the one node or the other, all at once.
async fn at_once(world: &World, key: &'static str, bodies: Vec<Value>) -> Vec<Vec<Value>> {
    let second = world.another_node().await;
    let post = |(nth, body): (usize, Value)| {
        let node = if nth % 2 == 0 { world.clone() } else { second.clone() };
        tokio::spawn(async move { node.insert(key, &body).await })
    };
    let tasks: Vec<_> = bodies.into_iter().enumerate().map(post).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn of_response(answers: &[Vec<Value>], response_type: i64) -> Vec<&Value> {
    answers.iter().flatten().filter(|answer| answer["ResponseType"] == response_type).collect()
}

/// R8: of leads that agree in what is unique one is taken, in whichever order they come, and each has a number of its own.
async fn r8_part_c_one_of_two_that_are_alike_is_taken(world: World) {
    let roofs: Vec<Value> = (0..20).map(|nth| lead(json!({"Email": format!("{nth}@x.test")}))).collect();
    let backwards: Vec<Value> = roofs.iter().rev().cloned().collect();
    let bodies = (0..12).map(|nth| of_type(77, if nth % 3 == 0 { backwards.clone() } else { roofs.clone() })).collect();
    let answers = at_once(&world, ZENITH_KEY, bodies).await;
    assert_eq!((of_response(&answers, 0).len(), of_response(&answers, 6).len()), (20, 220));
    let taken = of_response(&answers, 0);
    let numbers: BTreeSet<i64> = taken.iter().map(|answer| answer["LeadIdentifier"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=20).collect());
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM leads").await, 20);
}

/// R8: a campaign's share of a day is not passed by asking twice at once.
async fn r8_part_c_a_cap_holds_across_nodes(world: World) {
    let body = json!({"source": {"vid": 1041, "lid": 77, "aid": 9}, "leads": [{"fields": {"a": 1}}]});
    let answers = at_once(&world, ACME_KEY, vec![body; 10]).await;
    assert_eq!((of_response(&answers, 0).len(), of_response(&answers, 8).len()), (2, 8));
}

both! { with crate::leads::setup();
    r8_part_c_one_of_two_that_are_alike_is_taken,
    r8_part_c_a_cap_holds_across_nodes,
}
