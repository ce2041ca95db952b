//! Deliveries in the console: the Authentication tab and its test leads, as a browser without JavaScript uses them.

use leadgate::domain::event::Action;
use serde_json::json;

use super::{assert_refused, shown};
use crate::support::{ADA, Actor, GRACE, ISSUER, World, both};

const BASIC: [(&str, &str); 4] =
    [("method", "basic"), ("name", "Leads to the CRM"), ("username", "crm"), ("password", "pa55word-of-it")];

/// Makes a delivery; its address.
async fn make(actor: &mut Actor, fields: &[(&str, &str)]) -> String {
    let method = fields[0].1;
    let page = format!("/console/deliveries/new?method={method}");
    let answer = actor.submit_to(&page, "/console/deliveries/new", fields).await;
    answer.location().split('?').next().unwrap().to_owned()
}

/// wire.md D: the method is chosen first, and then asked for what it needs; the page shows all but the secrets.
async fn part_d_a_delivery_of_each_method_is_made(world: World) {
    let mut ada = world.signed_in(ADA).await;
    assert!(ada.get("/console").await.expect(200).text().contains("href=\"/console/deliveries\""));
    ada.get("/console/deliveries").await.expect(200);
    let choice = ada.get("/console/deliveries/new").await.expect(200);
    for method in ["basic", "digest", "bearer", "oauth2"] {
        assert!(choice.text().contains(&format!("/console/deliveries/new?method={method}")), "{method}");
    }
    for (fields, said) in [
        (&BASIC[..], "--basic --user &#39;USERNAME:PASSWORD&#39;"),
        (
            &[
                ("method", "digest"),
                ("name", "D"),
                ("username", "c"),
                ("password", "pa55word-of-it"),
                ("algorithms", "MD5"),
            ],
            "<code>MD5</code>",
        ),
        (
            &[("method", "bearer"), ("name", "B"), ("prefix", "Token"), ("token", "pa55word-of-it")],
            "Authorization: Token TOKEN",
        ),
        (
            &[
                ("method", "oauth2"),
                ("name", "O"),
                ("grant_type", "password"),
                ("username", "u"),
                ("password", "pa55word-of-it"),
            ],
            "Bearer ACCESS_TOKEN",
        ),
    ] {
        let address = make(&mut ada, fields).await;
        let page = ada.get(&address).await.expect(200);
        assert!(page.text().contains(said), "{said}: {}", page.text());
        let id = address.rsplit('/').next().unwrap();
        assert_eq!(shown(&page, "receiver"), Some(format!("{ISSUER}/deliveries/{id}/receive")));
        for page in [address.clone(), format!("{address}/authentication"), format!("{address}/test")] {
            assert!(!ada.get(&page).await.expect(200).text().contains("pa55word-of-it"), "{page}");
        }
    }
    assert!(ada.get("/console/deliveries").await.expect(200).text().contains("Leads to the CRM"));
    assert_eq!(world.events(Action::DeliveryCreated).await.len(), 4);
}

/// wire.md D: what is wrong is said beside the field.
async fn part_d_a_bad_setting_is_said_beside_its_field(world: World) {
    let mut ada = world.signed_in(ADA).await;
    for (fields, wrong) in [
        (&[("method", "basic"), ("name", ""), ("username", "c"), ("password", "p")][..], "name"),
        (&[("method", "basic"), ("name", "N"), ("username", "a:b"), ("password", "p")], "username"),
        (&[("method", "basic"), ("name", "N"), ("username", "c"), ("password", "")], "password"),
        (&[("method", "digest"), ("name", "N"), ("username", "c"), ("password", "p")], "algorithms"),
        (&[("method", "bearer"), ("name", "N"), ("prefix", "two words"), ("token", "t")], "prefix"),
        (&[("method", "bearer"), ("name", "N"), ("prefix", "Token"), ("token", "t t")], "token"),
        (&[("method", "oauth2"), ("name", "N"), ("token_url", "nowhere")], "token_url"),
        (&[("method", "basic"), ("name", "N"), ("username", "c"), ("password", "p"), ("url", "nowhere")], "url"),
    ] {
        let page = format!("/console/deliveries/new?method={}", fields[0].1);
        assert_refused(&ada.submit_to(&page, "/console/deliveries/new", fields).await, wrong);
    }
    assert_eq!(ada.submit("/console/deliveries/new?method=basic", &[("method", "kerberos")]).await.status, 400);
    assert!(world.events(Action::DeliveryCreated).await.is_empty());
}

/// wire.md D: a secret that is left empty stays; another method asks for its own.
async fn part_d_settings_are_changed_in_the_tab(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let address = make(&mut ada, &BASIC).await;
    let id = address.rsplit('/').next().unwrap().to_owned();
    let tab = format!("{address}/authentication");
    let kept = [("method", "basic"), ("name", "Renamed"), ("username", "crm"), ("password", "")];
    assert_eq!(ada.submit(&tab, &kept).await.location(), format!("{address}?done=saved"));
    // crm:pa55word-of-it
    world.deliver(&id, Some("Basic Y3JtOnBhNTV3b3JkLW9mLWl0")).await.expect(200);
    let digest = format!("{tab}?method=digest");
    assert!(ada.get(&digest).await.expect(200).text().contains("name=\"algorithms\""));
    let fields = [
        ("method", "digest"),
        ("name", "Renamed"),
        ("username", "crm"),
        ("password", "another"),
        ("algorithms", "SHA-256"),
        ("algorithms", "MD5"),
    ];
    assert_eq!(ada.submit_to(&digest, &tab, &fields).await.status, 303);
    assert_eq!(world.deliver(&id, None).await.expect(401).headers.get_all("www-authenticate").iter().count(), 2);
    assert!(ada.get(&address).await.expect(200).text().contains("Renamed"));
    assert_eq!(world.events(Action::DeliveryChanged).await.len(), 2);
}

/// wire.md D: the exchange of a test lead is a page, with what was wrong in one sentence.
async fn part_d_a_test_lead_shows_its_exchange(world: World) {
    let mut ada = world.signed_in(ADA).await;
    let address = make(&mut ada, &BASIC).await;
    let tab = format!("{address}/test");
    let fields = [("url", "https://leads.example.com/in?key=1"), ("lead", "{\"FirstName\":\"<Ada>\"}")];
    let sent = ada.submit(&tab, &fields).await;
    let page = ada.get(sent.location()).await.expect(200);
    for said in ["leads.example.com", "Basic crm:***", "&#60;Ada&#62;", "There was no answer."] {
        assert!(page.text().contains(said), "{said}: {}", page.text());
    }
    assert!(!page.text().contains("pa55word-of-it"));
    assert!(ada.get(&address).await.expect(200).text().contains("Sent"));
    assert_refused(&ada.submit(&tab, &[("url", ""), ("lead", " ")]).await, "lead");
    assert_refused(&ada.submit(&tab, &[("url", "ftp://a.test"), ("lead", "a=b")]).await, "url");
    let event = world.events(Action::DeliveryTested).await.remove(0);
    assert!(format!("{:?}", event.changes).contains("https://leads.example.com"), "{event:?}");
    assert!(!format!("{:?}", event.changes).contains("key=1"), "{event:?}");
}

/// What is another's is not there, also for administrators, who have the API; a partner who is deleted takes it along.
async fn r14_another_partners_deliveries_are_out_of_reach(world: World) {
    let (mut ada, mut grace) = (world.signed_in(ADA).await, world.signed_in(GRACE).await);
    let address = make(&mut ada, &BASIC).await;
    let sent = ada.submit(&format!("{address}/test"), &[("url", "https://a.test/"), ("lead", "a=b")]).await;
    let exchange = sent.location().to_owned();
    let own = make(&mut grace, &BASIC).await;
    let below_own = exchange.replace(&address, &own);
    assert!(!grace.get("/console/deliveries").await.expect(200).text().contains(&address));
    for page in ["", "/authentication", "/test", "/delete"].map(|tab| format!("{address}{tab}")) {
        grace.get(&page).await.expect(404);
    }
    for page in [exchange.as_str(), &below_own, "/console/deliveries/x", &format!("{own}/exchanges/x")] {
        grace.get(page).await.expect(404);
    }
    let csrf = grace.get("/console/deliveries/new?method=basic").await.expect(200).csrf();
    for (tab, fields) in [("/authentication", &BASIC[..]), ("/test", &[("lead", "a=b")]), ("/delete", &[])] {
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        grace.post(&format!("{address}{tab}"), &fields).await.expect(404);
    }
    ada.get(&exchange).await.expect(200);
    assert_eq!(ada.submit(&format!("{address}/delete"), &[]).await.location(), "/console/deliveries?done=deleted");
    ada.get(&address).await.expect(404);
    ada.get(&exchange).await.expect(404);
}

/// A partner has fifty at most; the operator as many as there are to be.
async fn part_d_a_partner_has_at_most_fifty(world: World) {
    let body = json!({"method": "bearer", "token": "x", "owner": ADA});
    for _ in 0..50 {
        world.delivery(body.clone()).await;
    }
    let mut ada = world.signed_in(ADA).await;
    let page =
        ada.submit_to("/console/deliveries/new?method=basic", "/console/deliveries/new", &BASIC).await.expect(422);
    assert!(page.between("id=\"problems\"", "</div>").unwrap().contains("50"));
    world.delivery(json!({"method": "bearer", "token": "x"})).await;
    let list = ada.get("/console/deliveries").await.expect(200);
    let older = list.between("href=\"/console/deliveries?after=", "\"").unwrap().to_owned();
    ada.get(&format!("/console/deliveries?after={older}")).await.expect(200);
}

both!(with crate::console::two_partners();
    part_d_a_bad_setting_is_said_beside_its_field,
    part_d_a_delivery_of_each_method_is_made,
    part_d_a_partner_has_at_most_fifty,
    part_d_a_test_lead_shows_its_exchange,
    part_d_settings_are_changed_in_the_tab,
    r14_another_partners_deliveries_are_out_of_reach,
);
