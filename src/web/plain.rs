//! What is answered over http beside a server that is on https: the way there. The published snippet takes http on a page that
//! is on http, so the button's script is here too; all that it does is to fetch the real one from where the server is, because
//! that one takes its own address for the server's.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::urls::route;

/// Everything below the origin of `issuer`, which is on https.
pub fn router(issuer: &str) -> Router {
    let issuer = issuer.to_owned();
    Router::new().fallback(move |method: Method, uri: Uri| async move { answer(&issuer, &method, &uri) })
}

fn answer(issuer: &str, method: &Method, uri: &Uri) -> Response {
    let is_reading = matches!(*method, Method::GET | Method::HEAD);
    let mut response = if is_reading && uri.path() == route::BUTTON_SCRIPT {
        ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], loader(issuer)).into_response()
    } else {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        match HeaderValue::from_str(&format!("{issuer}{target}")) {
            // With its method and its body.
            Ok(there) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, there)]).into_response(),
            Err(_) => StatusCode::BAD_REQUEST.into_response(),
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// An issuer has no character that would end a text of JavaScript.
fn loader(issuer: &str) -> String {
    let script = route::BUTTON_SCRIPT;
    format!(
        "(function (doc) {{\n  var own = doc.currentScript, script = doc.createElement('script');\n  \
         if (own && own.nonce) script.nonce = own.nonce;\n  script.async = true;\n  \
         script.src = '{issuer}{script}';\n  doc.head.appendChild(script);\n}})(document);\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://apps.leadexec.net";

    fn asked(method: Method, uri: &'static str) -> Response {
        answer(ISSUER, &method, &Uri::from_static(uri))
    }

    #[test]
    fn what_comes_over_http_is_sent_on_with_its_query() {
        for (uri, there) in [
            ("/authorize/refreshaccesstoken/lgr_x?appid=1", "/authorize/refreshaccesstoken/lgr_x?appid=1"),
            // Of another host, as a proxy is asked: the host is not ours to follow.
            ("http://other.test/x", "/x"),
            ("//other.test/x", "//other.test/x"),
        ] {
            let response = asked(Method::POST, uri);
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(response.headers()[header::LOCATION], format!("{ISSUER}{there}"));
        }
    }

    #[test]
    fn the_script_alone_is_answered_at_once() {
        let response = asked(Method::GET, "/js/le-app-button.js?1");
        assert_eq!(
            (response.status(), response.headers()[header::CACHE_CONTROL].as_bytes()),
            (StatusCode::OK, &b"no-store"[..])
        );
        assert_eq!(asked(Method::POST, "/js/le-app-button.js").status(), StatusCode::PERMANENT_REDIRECT);
        assert!(loader(ISSUER).contains("script.src = 'https://apps.leadexec.net/js/le-app-button.js';"));
    }
}
