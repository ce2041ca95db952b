//! A handler that panics (rule R2): 500 in the surface's own form, and the process goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::Request;
use leadgate::boot::{App, Parts, build};
use leadgate::entropy::{Entropy, SystemEntropy};
use leadgate::store::Store;
use serde_json::json;

use crate::support::http::request;
use crate::support::{ADA, APP_ONE, Click, PARTNER, SANDBOX_TOKEN, World, both, connect_by_api};

/// Gives out everything but secrets once it is armed: whoever mints one panics.
#[derive(Clone, Default)]
struct Trap(Arc<AtomicBool>);

impl Entropy for Trap {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(bytes.len() != 32 || !self.0.load(Ordering::SeqCst), "the trap of the tests");
        SystemEntropy.fill(bytes);
    }
}

/// R2, part G: what each surface says, with nothing of the panic's message.
async fn r2_a_panic_is_500_in_the_surfaces_form(world: World) {
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let trap = Trap::default();
    let store = Store::open(&world.database.location()).await.unwrap();
    let parts = Parts { entropy: Arc::new(trap.clone()), ..World::parts(store, &world.clock, &world.setup) };
    let App { router, ctx, .. } = build(parts, None).await.unwrap();
    let trapped = World { router, ctx, ..world.clone() };
    let refresh = format!("/authorize/refreshaccesstoken/{}?appid={APP_ONE}", tokens.refresh);
    let bearer = format!("Bearer {SANDBOX_TOKEN}");
    let json_kind = ("content-type", "application/json");
    let swap = json!({"btn": "btn-one", "code": format!("lgc_{}", "A".repeat(64)), "code_verifier": "x"}).to_string();
    let decide = json!({"user": ADA, "button": "btn-one", "decision": "allow"}).to_string();
    let requests = || -> Vec<(Request<Body>, &str)> {
        vec![
            (request("GET", &refresh, &[], ""), "application/json"),
            (request("POST", "/button/token", &[json_kind, ("origin", PARTNER)], swap.clone()), "application/json"),
            (
                request("POST", "/_sandbox/authorize", &[json_kind, ("authorization", &bearer)], decide.clone()),
                "application/problem+json",
            ),
            (request("GET", &Click::on("btn-one", PARTNER).address(), &[], ""), "text/html; charset=utf-8"),
            (request("GET", "/account", &[], ""), "text/html; charset=utf-8"),
        ]
    };
    trap.0.store(true, Ordering::SeqCst);
    for (request, kind) in requests() {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = trapped.send(request).await.expect(500);
        assert_eq!(answer.header("content-type"), Some(kind), "{what}");
        assert!(!answer.text().contains("trap") && !answer.text().contains("panic"), "{what}: {}", answer.text());
        assert!(answer.set_cookies().is_empty(), "{what}");
    }
    let refused = trapped.refresh(&tokens.refresh, APP_ONE).await.expect(500);
    crate::authorize::assert_refused_with(&refused, &tokens.refresh);
    trapped.me(&tokens.access).await.expect(200);
    trap.0.store(false, Ordering::SeqCst);
    for (request, _) in requests() {
        let what = format!("{} {}", request.method(), request.uri());
        assert!(trapped.send(request).await.status < 400, "{what}");
    }
}

both! { r2_a_panic_is_500_in_the_surfaces_form }
