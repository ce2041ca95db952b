use std::env;
use std::error::Error;
use std::net::TcpListener;

use serde_json::{Value, json};
use testcontainers::core::wait::HttpWaitStrategy;
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::SyncRunner;
use testcontainers::{Container, GenericImage, ImageExt};

const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Leadgate {
    url: String,
    token: String,
    /// Stopped when it is dropped.
    _container: Option<Container<GenericImage>>,
}

impl Leadgate {
    /// The server that LEADGATE_URL names, else a container.
    fn start() -> Outcome<Self> {
        if let Ok(url) = env::var("LEADGATE_URL") {
            return Ok(Self { url, token: env::var("LEADGATE_SANDBOX_TOKEN")?, _container: None });
        }
        let image = env::var("LEADGATE_TEST_IMAGE").unwrap_or_else(|_| "leadgate".to_owned());
        let (name, tag) = image.split_once(':').unwrap_or((&image, "latest"));
        let port = TcpListener::bind("0.0.0.0:0")?.local_addr()?.port();
        let (url, token) = (format!("http://localhost:{port}"), uuid::Uuid::new_v4().to_string());
        let ready = HttpWaitStrategy::new("/readyz").with_port(8080.tcp()).with_expected_status_code(200_u16);
        let container = GenericImage::new(name, tag)
            .with_wait_for(WaitFor::http(ready))
            .with_mapped_port(port, 8080.tcp())
            .with_env_var("LEADGATE_ISSUER", &url)
            .with_env_var("LEADGATE_MODE", "sandbox")
            .with_env_var("LEADGATE_SANDBOX_TOKEN", &token)
            .with_env_var("LEADGATE_DATABASE_URL", "sqlite::memory:")
            .start()?;
        Ok(Self { url, token, _container: Some(container) })
    }

    fn sandbox(&self, path: &str, body: Value) -> Outcome<Value> {
        let mut answer = ureq::post(format!("{}/_sandbox{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .send_json(body)?;
        Ok(answer.body_mut().read_json()?)
    }

    fn refresh(&self, token: &str) -> Outcome<Value> {
        let url = format!("{}/authorize/refreshaccesstoken/{token}?appid={APP}", self.url);
        Ok(ureq::get(url).call()?.body_mut().read_json()?)
    }

    /// The status of a call with the token.
    fn me(&self, token: &str) -> Outcome<u16> {
        let call = ureq::get(format!("{}/v1/me", self.url)).header("Authorization", format!("Bearer {token}"));
        Ok(call.config().http_status_as_error(false).build().call()?.status().as_u16())
    }
}

#[test]
fn an_hour_after_the_sign_in_the_token_is_refreshed() -> Outcome<()> {
    let leadgate = Leadgate::start()?;
    let allow = json!({ "user": "ada@acme.test", "button": "btn-demonstration", "decision": "allow" });
    let sign_in = leadgate.sandbox("/authorize", allow)?;
    let text = |object: &Value, name: &str| object[name].as_str().expect("a text").to_owned();
    assert_eq!(leadgate.me(&text(&sign_in, "authToken"))?, 200);

    leadgate.sandbox("/clock", json!({ "advance": "1h" }))?;
    assert_eq!(leadgate.me(&text(&sign_in, "authToken"))?, 401);

    let fresh = leadgate.refresh(&text(&sign_in, "refreshToken"))?;
    assert_eq!(fresh["valid"], true);
    assert_eq!(leadgate.me(&text(&fresh, "authToken"))?, 200);
    Ok(())
}
