//! `leadgate impersonate`: a sandbox under the name that partner pages are written for.

use std::process::{Command, Stdio};

use reqwest::{Certificate, Client, redirect};
use serde_json::{Value, json};

use crate::support::program::{Directory, Server, free_port};

const TOKEN: &str = "lgx_the-token-of-the-impersonation-tests";
const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
const HOST: &str = "apps.leadexec.net";

struct Impersonated {
    directory: Directory,
    server: Server,
    https: u16,
    http: u16,
}

impl Impersonated {
    fn start() -> Self {
        let directory = Directory::new();
        let (https, http) = (free_port(), free_port());
        let [listen, http_listen] = [https, http].map(|port| format!("127.0.0.1:{port}"));
        let words = [
            "impersonate",
            "--listen",
            &listen,
            "--http-listen",
            &http_listen,
            "--sandbox-token",
            TOKEN,
            "--hosts-file",
            "hosts",
        ];
        let server = directory.spawn(&words).ready();
        Self { directory, server, https, http }
    }

    /// A client whose machine takes the name for its own, and who trusts the authority, or not.
    fn client(&self, is_trusting: bool) -> Client {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .resolve(HOST, format!("127.0.0.1:{}", self.https).parse().unwrap());
        if is_trusting {
            let authority = std::fs::read(self.directory.path("data/impersonation/ca.pem")).unwrap();
            builder = builder.add_root_certificate(Certificate::from_pem(&authority).unwrap());
        }
        builder.build().unwrap()
    }
}

async fn json_of(response: reqwest::Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_back_end_that_names_the_real_host_works_unchanged() {
    let impersonated = Impersonated::start();
    assert_eq!(impersonated.server.issuer, format!("https://{HOST}"));
    assert!(
        impersonated.server.banner.contains("is not LeadExec and passes nothing on"),
        "{}",
        impersonated.server.banner
    );
    let client = impersonated.client(true);
    let body = json!({"user": "ada@acme.test", "button": "btn-demonstration", "decision": "allow"}).to_string();
    let call = client.post(format!("https://{HOST}/_sandbox/authorize")).bearer_auth(TOKEN);
    let result = json_of(call.header("content-type", "application/json").body(body).send().await.unwrap()).await;
    let refresh_token = result["refreshToken"].as_str().unwrap();
    let refresh = format!("https://{HOST}/authorize/refreshaccesstoken/{refresh_token}?appid={APP}");
    let refreshed = client.get(&refresh).send().await.unwrap();
    assert!(
        refreshed.headers().get("strict-transport-security").is_none(),
        "a browser would remember it of the real host"
    );
    assert_eq!(json_of(refreshed).await["valid"], true);
    let disconnect = format!("https://{HOST}/authorize/disconnectapplicationtoken/{refresh_token}");
    assert_eq!(json_of(client.get(disconnect).send().await.unwrap()).await["valid"], true);
    assert_eq!(json_of(client.get(&refresh).send().await.unwrap()).await["valid"], false);
    let metadata = client.get(format!("https://{HOST}/.well-known/openid-configuration")).send().await.unwrap();
    assert_eq!(json_of(metadata).await["issuer"], format!("https://{HOST}"));
}

#[tokio::test]
async fn who_does_not_trust_the_authority_is_not_fooled() {
    let impersonated = Impersonated::start();
    let refused = impersonated.client(false).get(format!("https://{HOST}/readyz")).send().await.unwrap_err();
    assert!(format!("{refused:?}").contains("UnknownIssuer"), "{refused:?}");
    let other = Client::builder()
        .resolve("www.leadexec.net", format!("127.0.0.1:{}", impersonated.https).parse().unwrap())
        .danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    assert!(
        other.get("https://www.leadexec.net/readyz").send().await.is_err(),
        "under another name nobody is answered"
    );
}

#[tokio::test]
async fn a_page_on_http_finds_the_way() {
    let impersonated = Impersonated::start();
    let client = impersonated.client(true);
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", impersonated.http);
    let script = client.get(at("/js/le-app-button.js")).send().await.unwrap().text().await.unwrap();
    assert!(script.contains("'https://apps.leadexec.net/js/le-app-button.js'"), "{script}");
    let style = client.get(at("/css/le-app-button.css")).send().await.unwrap();
    assert_eq!(
        (style.status().as_u16(), &style.headers()["location"]),
        (308, &format!("https://{HOST}/css/le-app-button.css").parse().unwrap())
    );
}

#[test]
fn it_ends_as_a_server_does_and_keeps_its_authority() {
    let mut impersonated = Impersonated::start();
    let ca = || std::fs::read(impersonated.directory.path("data/impersonation/ca.pem")).unwrap();
    let first = ca();
    assert!(
        impersonated.server.banner.contains("New: `leadgate impersonate --trust`"),
        "{}",
        impersonated.server.banner
    );
    let told = impersonated.directory.run(&["impersonate", "--trust"]);
    assert_eq!((told.code, ca()), (0, first));
    let file = impersonated.directory.path("data/impersonation/ca.pem");
    let file = file.canonicalize().unwrap().display().to_string();
    for way in [format!("curl --cacert {file} https://{HOST}/readyz"), format!("export NODE_EXTRA_CA_CERTS={file}")] {
        assert!(told.out.contains(&way), "{way}: {}", told.out);
    }
    assert!(!told.out.contains('{'), "every place is filled: {}", told.out);
    impersonated.server.terminate();
    assert_eq!(impersonated.server.exit_code(), Some(0), "{}", impersonated.server.log());
    let forgotten = impersonated.directory.run(&["impersonate", "--untrust"]);
    assert!(forgotten.out.contains("is deleted") && forgotten.out.contains("certutil"), "{}", forgotten.out);
    assert!(!impersonated.directory.path("data/impersonation").exists());
}

#[test]
fn the_hosts_file_gets_one_line_and_is_given_back_as_it_was() {
    let directory = Directory::new();
    let before = "127.0.0.1 localhost\n# a comment\n10.0.0.1 other.test";
    directory.write("hosts", before);
    let run = |word: &str| directory.run(&["impersonate", word, "--hosts-file", "hosts"]);
    let text = || std::fs::read_to_string(directory.path("hosts")).unwrap();
    let line = run("--hosts").out;
    assert_eq!(line, "127.0.0.1 apps.leadexec.net # leadgate impersonate\n");
    assert_eq!(run("--write-hosts").code, 0);
    assert_eq!(text(), format!("{before}\n{line}"));
    assert!(run("--write-hosts").out.contains("already"));
    assert_eq!(text(), format!("{before}\n{line}"), "once");
    assert_eq!(run("--remove-hosts").code, 0);
    assert_eq!(text(), format!("{before}\n"));
    directory.write("hosts", "10.9.9.9 apps.leadexec.net\n");
    let taken = run("--write-hosts");
    assert!(taken.code == 1 && taken.errors.contains("10.9.9.9"), "{}", taken.errors);
    assert!(run("--remove-hosts").out.contains("it stays"));
    assert_eq!(text(), "10.9.9.9 apps.leadexec.net\n", "somebody else's line");
    let absent = directory.run(&["impersonate", "--write-hosts", "--hosts-file", "absent"]);
    assert!(absent.code == 1 && absent.errors.contains("--hosts-file"), "{}", absent.errors);
}

#[test]
fn under_somebody_elses_name_there_is_a_sandbox_only() {
    let directory = Directory::new();
    for words in [
        &["--mode", "production"][..],
        &["--issuer", "https://a.example"],
        &["--http-listen", "here"],
        &["--trust", "--hosts"],
    ] {
        let ran = directory.run(&[&["impersonate"], words].concat());
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.errors);
    }
    // Whose settings are of production mode has data on which nobody shall sign in as anybody.
    let production = "listen = \"127.0.0.1:8080\"\nissuer = \"https://auth.example.com\"\n";
    directory.write("leadgate.toml", production);
    let ran = directory.run(&["impersonate"]);
    assert!(ran.code == 2 && ran.errors.contains("production"), "{}", ran.errors);
    assert!(!directory.path("data").exists(), "nothing was made");
    // A file of an ordinary sandbox's settings says neither issuer nor address of this one.
    directory.write("leadgate.toml", &format!("{production}mode = \"sandbox\"\n"));
    let port = free_port();
    let server = directory.spawn(&["impersonate", "--listen", &format!("127.0.0.1:{port}")]).ready();
    assert_eq!(server.issuer, format!("https://{HOST}"));
}

#[test]
fn the_playwright_module_is_one_that_node_reads() {
    let directory = Directory::new();
    let printed = directory.run(&["impersonate", "--playwright"]).out;
    directory.write("leadexec.mjs", &printed);
    let checked = Command::new("node")
        .args(["--check", "leadexec.mjs"])
        .current_dir(&directory.0)
        .stderr(Stdio::piped())
        .output();
    // Where Node.js is not at hand, the browser suite is not either, which runs it.
    if let Ok(checked) = checked {
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
    assert!(printed.contains("export async function routeLeadExec(context"));
}
