//! `leadgate listen` and `leadgate webhook`, as processes beside a server.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::support::{Receiver, soon};
use crate::support::both;
use crate::support::program::{Directory, Owned, Server};

const TOKEN: &str = "lgx_the-sandbox-token-of-this-test";
const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";

both! { of commands;
    f_webhooks_are_managed_by_commands,
}

fn f_webhooks_are_managed_by_commands(directory: &Directory) {
    let made =
        directory.json(&["webhook", "add", "--app", APP, "--url", "http://localhost:9/", "--events", "app.updated"]);
    let id = made["id"].as_str().unwrap();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let shown = directory.json(&["webhook", "show", id]);
    assert_eq!((&shown["events"], shown.get("secret")), (&json!(["app.updated"]), None));
    assert_eq!(directory.json(&["webhook", "list", "--app", APP]), json!([shown]));
    let set = directory.json(&["webhook", "set", id, "--events", "connection.created,connection.revoked", "--disable"]);
    assert_eq!(
        (&set["events"], &set["disabled"]),
        (&json!(["connection.created", "connection.revoked"]), &json!(true))
    );
    assert_ne!(directory.json(&["webhook", "rotate-secret", id])["secret"], made["secret"]);
    let sent = directory.json(&["webhook", "test", id]);
    let listed = directory.json(&["webhook", "deliveries", id]);
    assert_eq!((&listed[0]["id"], &listed[0]["status"]), (&sent["sent"], &json!("pending")));
    let message = sent["sent"].as_str().unwrap();
    assert_eq!(directory.json(&["webhook", "deliveries", id, message])["log"], json!([]));
    assert_eq!(directory.json(&["webhook", "replay", id, message]), json!({"replayed": message}));
    assert_eq!(directory.json(&["webhook", "replay", id, "--since", "2020-01-01T00:00:00Z"]), json!({"replayed": 1}));
    assert_eq!(directory.json(&["webhook", "delete", id]), json!({"deleted": id}));
    for (arguments, code, told) in [
        (&["webhook", "show", id][..], 1, "`leadgate webhook list` shows all"),
        (&["webhook", "add", "--app", "nothing", "--url", "http://localhost:9/"], 1, "there is no application nothing"),
        (&["webhook", "add", "--app", APP, "--url", "https://partner.example/"], 1, "outgoing_allow"),
        (&["webhook", "add", "--app", APP, "--url", "/hooks"], 2, "absolute"),
        (&["webhook", "replay", id], 2, "<MESSAGE>"),
        (&["listen"], 2, "--forward-to"),
    ] {
        let ran = directory.run(arguments);
        assert!(ran.code == code && ran.errors.contains(told), "{arguments:?}: {} {}", ran.code, ran.errors);
    }
}

/// A listening process, whose lines are read one by one.
struct Listening {
    child: Owned,
    lines: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Listening {
    fn start(directory: &Directory, server: &Server, target: &str) -> Self {
        let arguments =
            ["listen", "--forward-to", target, "--server", &server.issuer, "--sandbox-token", TOKEN, "--json"];
        let mut child: Child = directory.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = tokio::sync::mpsc::unbounded_channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        Self { child: Owned(child), lines }
    }

    /// The next line about a message, or the first one of all.
    async fn line(&mut self) -> Value {
        loop {
            let line = soon(self.lines.recv()).await.expect("it goes on");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line.get("note").is_none() {
                return line;
            }
        }
    }

    fn terminate(&self) {
        let pid = self.child.0.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }
}

fn allow(server: &Server) -> String {
    let connected = server.authorize(TOKEN, "grace@acme.test", "btn-rate-finder").unwrap().json();
    connected["refreshToken"].as_str().unwrap().to_owned()
}

/// With the same secret also after the server was started anew; at its end its listener is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f_messages_come_to_a_machine_without_an_address() {
    let (directory, receiver) = (Directory::seeded(), Receiver::start().await);
    let port = crate::support::program::free_port().to_string();
    let listen = format!("127.0.0.1:{port}");
    let serve = ["serve", "--listen", &listen, "--sandbox-token", TOKEN];
    let mut server = directory.spawn(&serve).ready();
    receiver.answers(&[500]);
    let mut listening = Listening::start(&directory, &server, &receiver.url("/hook"));
    let ready = listening.line().await;
    let secret = ready["secret"].as_str().unwrap().to_owned();
    let token = allow(&server);
    let (first, second) = (listening.line().await, listening.line().await);
    assert_eq!(
        (&first["type"], &first["status"], &first["attempt"]),
        (&json!("connection.created"), &json!(500), &json!(1))
    );
    assert!(first["retry_in_ms"].as_u64().unwrap() < 2_000, "{first}");
    assert_eq!((&second["id"], &second["status"], &second["attempt"]), (&first["id"], &json!(200), &json!(2)));
    let library = standardwebhooks::Webhook::new(&secret).unwrap();
    for one in receiver.wait_for(2).await {
        assert!(library.verify(&one.body, &one.headers).is_ok(), "{one:?}");
        assert_eq!(one.path, "/hook");
    }
    server.terminate();
    server.exit_code();
    let server = directory.spawn(&serve).ready();
    server.get(&format!("/authorize/disconnectapplicationtoken/{token}"));
    let third = listening.line().await;
    assert_eq!((&third["type"], &third["status"]), (&json!("connection.revoked"), &json!(200)));
    let last = receiver.wait_for(3).await.pop().unwrap();
    assert!(library.verify(&last.body, &last.headers).is_ok());
    listening.terminate();
    assert!(listening.child.0.wait().unwrap().success());
    let refused = directory.run(&["listen", "--print", "--server", &server.issuer, "--sandbox-token", "wrong"]);
    assert!(refused.code == 1 && refused.errors.contains("refuses"), "{}", refused.errors);
}
