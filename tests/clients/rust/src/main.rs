//! Two clients of the matrix, one at a time: `leadgate-client-matrix oauth2|openidconnect`.

mod matrix;
mod oauth2_client;
mod openidconnect_client;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("oauth2") => oauth2_client::run(),
        Some("openidconnect") => openidconnect_client::run(),
        _ => panic!("which client?"),
    }
}
