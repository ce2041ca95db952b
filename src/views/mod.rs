//! Every HTML page: one struct for each template, and the message catalogue.
//!
//! A view is plain, owned data. The web layer fills it and calls [`askama::Template::render`]; nothing
//! here knows HTTP, the database or the clock. Whatever is put into a field comes out escaped.
//!
//! | struct | template | where |
//! | --- | --- | --- |
//! | [`Login`] | `login.html` | `GET /dialog/{flow}`, a failed `POST …/login`, `/account` when nobody is signed in |
//! | [`Consent`] | `consent.html` | `GET /dialog/{flow}` |
//! | [`Refused`] | `refused.html` | the same, where the application's action call-back refused it |
//! | [`Finished`] | `finished.html` | the answer to `POST /dialog/{flow}/decision`, a flow that needs no question |
//! | [`FormPost`] | `form_post.html` | the same, for `response_mode=form_post` |
//! | [`Device`] | `device.html` | `GET /device`, a code that is not known |
//! | [`Logout`] | `logout.html` | `GET /oauth/logout` without a hint that proves the user |
//! | [`SignedOut`] | `signed_out.html` | the end of a session, with nowhere to go back to |
//! | [`ErrorPage`] | `error.html` | any 4xx or 5xx that a person sees; made from a [`Problem`] |
//! | [`Account`] | `account/apps.html` | `GET /account` |
//! | [`AccountForm`] | `account/form.html` | `/account/profile`, `/account/password` |
//! | [`AccountList`] | `account/list.html` | `/account/sessions`, `/account/history` |
//! | [`AccountData`] | `account/data.html` | `/account/data` |
//! | [`Card`] | `account/card.html` | `/sign-up`, `/invitation` |
//! | [`Admin`] | `admin.html` | `GET /admin` and what is below it |
//! | [`TryIt`] | `try_it.html` | `GET /` in sandbox mode |
//! | [`Checks`] | `checks.html` | `GET /_sandbox/checks/{app}` for a browser |
//! | [`JUnit`] | `checks.xml` | the same for continuous integration |
//! | [`Docs`], [`DocsSearch`] | `docs.html`, `docs_search.html` | `GET /docs` and what is below it |
//! | [`Doctor`] | `doctor.html` | `GET /doctor` in sandbox mode |
//! | [`Home`] | `home.html` | `GET /` in production mode |
//! | [`ConsoleApps`], [`ConsoleApp`], [`ConsoleButton`] | `console/*.html` | `/console`, an application's page, a button's |
//! | [`ConsoleForm`], [`ConsoleConfirm`] | `console/*.html` | each form of the console, each question before an end |
//! | [`ConsoleSecret`], [`ConsoleUsage`] | `console/*.html` | a secret, once; the charts of an application |
//! | [`ConsoleDeliveries`], [`ConsoleDeliveryMethod`], [`ConsoleDelivery`], [`ConsoleExchange`] | `console/*.html` | `/console/deliveries` and what is below it |
//! | [`ApiClients`] | `console/api.html` | `/settings/api` |
//! | [`Reference`] | `reference.html` | `GET /_sandbox/docs` |
//! | [`FidelityLedger`] | `fidelity.html` | `GET /_sandbox/fidelity` |
//! | [`Inspector`] | `inspector.html` | `GET /inspector` |
//! | [`InspectorSignIn`] | `inspector_sign_in.html` | the same without a session, `POST /inspector/session` |
//!
//! Shared by all: [`Page`] (language, nonce, base path, mode, navigation), [`Lang`] and [`Messages`]. Dialog pages
//! carry a [`Handover`], the data that `dialog.js` gives to the partner's page. Each view has
//! `sample(lang)`, a filled-in example that serves as the documentation of its fields. Forms are made with [`Form`], and
//! tabs, tables and charts with what `kit` has: see there.

mod account;
mod admin;
mod chart;
mod checks;
mod consent;
mod console;
mod device;
mod docs;
mod doctor;
mod error;
mod fidelity;
mod finished;
mod form;
mod form_post;
mod handover;
mod hidden;
mod home;
mod inspector;
mod kit;
mod login;
mod logout;
pub mod messages;
mod page;
mod permission;
mod prose;
mod reference;
mod refused;
mod returns_to;
#[cfg(test)]
mod tests;
mod try_it;

pub use account::{Account, AccountData, AccountForm, AccountHead, AccountList, Card, ConnectedApp};
pub use admin::{ActionLink, Admin, AdminPart, EventChange, EventRow, Filter};
pub use chart::{Chart, Day};
pub use checks::{CheckRow, Checks, Evidence, JUnit};
pub use consent::Consent;
pub use console::{
    ApiClients, AppCard, AttemptPart, ButtonRow, ConsoleApp, ConsoleApps, ConsoleButton, ConsoleConfirm,
    ConsoleDeliveries, ConsoleDelivery, ConsoleDeliveryMethod, ConsoleExchange, ConsoleForm, ConsoleMessage,
    ConsoleSecret, ConsoleUsage, ConsoleWebhook, ConsoleWebhooks, Head, MethodChoice, Snippet, Snippets, StepView,
};
pub use device::{Device, DeviceError};
pub use docs::{Docs, DocsEntry, DocsGroup, DocsHit, DocsLink, DocsSearch, Markup};
pub use doctor::Doctor;
pub use error::{ErrorPage, Problem};
pub use fidelity::{Fidelity, FidelityLedger, LedgerRow, Surface};
pub use finished::{Finished, Outcome};
pub use form::{Choice, Control, Form, FormField, TextInput, TextKind, lines};
pub use form_post::FormPost;
pub use handover::{DialogResult, Handover, Mode, script_json};
pub use hidden::HiddenField;
pub use home::Home;
pub use inspector::{Inspector, InspectorSignIn, InspectorSignInError};
pub use kit::{Cell, Confirmation, Fact, Notice, Pager, Shown, Tab, Table, Tone};
pub use login::{Login, LoginError, SandboxUser};
pub use logout::{Logout, SignedOut};
pub use messages::{Lang, Messages};
pub use page::{Nav, Page};
pub use permission::Permission;
pub use prose::Prose;
pub use reference::{Answer, Field, Group, Operation, Reference};
pub use refused::{Refused, WayBack};
pub use returns_to::ReturnsTo;
pub use try_it::{Demo, DemoUser, TryIt};
