//! What the server is about, without a database, a network or a clock: identifiers, values that can
//! only exist when they are valid, and the states that things are in. Time comes in as an argument.

pub mod access_token;
pub mod account;
pub mod app;
pub mod auth_method;
pub mod authorization;
pub mod authorization_code;
pub mod button;
pub mod clock_setting;
pub mod code;
pub mod connection;
pub mod device_code;
pub mod doctor;
pub mod duration;
pub mod email;
pub mod flow;
pub mod grant;
pub mod grant_type;
pub mod ids;
pub mod journal;
pub mod key_life;
pub mod lead_type;
pub mod magic;
pub mod origin;
pub mod pairs;
pub mod pkce;
pub mod redirect_uri;
pub mod resource;
pub mod return_url;
pub mod role;
pub mod scope;
pub mod secret_hash;
pub mod session;
pub mod signing_algorithm;
pub mod timestamp;
pub mod user;
