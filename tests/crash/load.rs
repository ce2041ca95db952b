//! Clients at work, and what each was told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::asked::{Known, text};
use crate::program::Server;
use crate::world;

/// How often a client refreshes before it thinks about an end.
const REFRESHES: usize = 6;
/// Answers that come before anything happens.
const AT_LEAST: usize = 30;
/// How long the next one may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Leads of one round: a page of what is found.
const LEADS: usize = 900;

/// A connection as LeadExec's partners have it.
pub struct Connection {
    pub refresh: String,
    pub access: Vec<String>,
    pub ended: Known,
}

/// A grant of the standard flow, with the last tokens that came.
pub struct Grant {
    pub code: String,
    pub refresh: String,
    /// The refresh token before it, which is spent.
    pub before: Option<String>,
    pub access: String,
    /// Whether a later refresh was asked for: then the answer may have got lost.
    pub renewed: Known,
    pub ended: Known,
}

/// A client's own token.
pub struct Own {
    pub token: String,
    pub ended: Known,
}

/// All that clients were told in one round.
#[derive(Default)]
pub struct Book {
    pub connections: Vec<Connection>,
    pub grants: Vec<Grant>,
    pub own: Vec<Own>,
    pub leads: Vec<String>,
}

impl Book {
    /// How much was acknowledged.
    pub fn acknowledged(&self) -> usize {
        let tokens: usize = self.connections.iter().map(|connection| connection.access.len()).sum();
        tokens + self.grants.len() + self.own.len() + self.leads.len()
    }

    /// Of several loads, one after the other.
    pub fn merged(books: Vec<Self>) -> Self {
        let mut whole = Self::default();
        for book in books {
            whole.take(book);
        }
        merge(&mut whole.connections);
        whole
    }

    fn take(&mut self, other: Self) {
        self.connections.extend(other.connections);
        self.grants.extend(other.grants);
        self.own.extend(other.own);
        self.leads.extend(other.leads);
    }
}

/// What tells clients to stop, and others how far they are.
struct Progress {
    stop: AtomicBool,
    answered: Sender<()>,
}

impl Progress {
    /// With what hears of each answer.
    fn watched() -> (Self, Receiver<()>) {
        let (answered, answers) = channel();
        (Self { stop: AtomicBool::new(false), answered }, answers)
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn note<T>(&self, answer: Option<T>) -> Option<T> {
        if answer.is_some() {
            // Nobody counts any more once something was killed.
            let _ = self.answered.send(());
        }
        answer
    }
}

/// Lets clients work until they had some answers and then `happens` did; what they were told.
pub fn until(server: &Server, lead_type: usize, some: usize, happens: impl FnOnce()) -> Book {
    let (progress, answers) = Progress::watched();
    std::thread::scope(|scope| {
        let load = scope.spawn(|| work(server, &progress, lead_type));
        let waited = (0..AT_LEAST + some).try_for_each(|_| answers.recv_timeout(PATIENCE));
        if waited.is_ok() {
            happens();
        }
        progress.stop();
        let book = load.join().unwrap();
        waited.expect("the load goes on until something happens to it");
        book
    })
}

fn work(server: &Server, progress: &Progress, lead_type: usize) -> Book {
    std::thread::scope(|scope| {
        let clients = [
            scope.spawn(|| partner(server, progress, 0)),
            scope.spawn(|| partner(server, progress, 1)),
            scope.spawn(|| standard(server, progress, 2)),
            scope.spawn(|| standard(server, progress, 3)),
            scope.spawn(|| robot(server, progress)),
            scope.spawn(|| poster(server, progress, lead_type)),
        ];
        let mut book = Book::default();
        for client in clients {
            book.take(client.join().unwrap());
        }
        book
    })
}

/// Connects, refreshes, disconnects, and again.
fn partner(server: &Server, progress: &Progress, user: usize) -> Book {
    let mut book = Book::default();
    while progress.goes_on() {
        let Some(told) = progress.note(world::connect(server, user)) else { continue };
        let mut connection = Connection {
            refresh: text(&told, "refreshToken"),
            access: vec![text(&told, "authToken")],
            ended: Known::Not,
        };
        for _ in 0..REFRESHES {
            let Some(access) = progress.note(world::refresh(server, &connection.refresh)) else { break };
            connection.access.push(access.expect("a connection that nobody ended"));
        }
        if progress.goes_on() {
            let ended = progress.note(world::disconnect(server, &connection.refresh));
            connection.ended = if ended.is_some() { Known::Done } else { Known::Perhaps };
        }
        book.connections.push(connection);
    }
    merge(&mut book.connections);
    book
}

/// A disconnect that came to nothing leaves the connection that the next consent finds: it is one, with all its tokens.
fn merge(connections: &mut Vec<Connection>) {
    let mut merged: Vec<Connection> = Vec::new();
    for connection in connections.drain(..) {
        match merged.iter_mut().find(|one| one.refresh == connection.refresh) {
            Some(one) => {
                one.access.extend(connection.access);
                one.ended = connection.ended;
            }
            None => merged.push(connection),
        }
    }
    *connections = merged;
}

/// Redeems a code, rotates, revokes, and again.
fn standard(server: &Server, progress: &Progress, user: usize) -> Book {
    let mut book = Book::default();
    while progress.goes_on() {
        let Some(code) = progress.note(world::code(server, user)) else { continue };
        let Some(first) = progress.note(world::redeem(server, &code)) else { continue };
        let (refresh, access) = first.expect("a code that nobody used");
        let (renewed, ended) = (Known::Not, Known::Not);
        let mut grant = Grant { code, refresh, before: None, access, renewed, ended };
        for _ in 0..REFRESHES {
            let Some(next) = progress.note(world::rotate(server, &grant.refresh)) else {
                grant.renewed = Known::Perhaps;
                break;
            };
            let (refresh, access) = next.expect("a refresh token that nobody used");
            grant.before = Some(std::mem::replace(&mut grant.refresh, refresh));
            grant.access = access;
        }
        if progress.goes_on() && book.grants.len() % 2 == 0 {
            let ended = progress.note(world::revoke(server, &grant.refresh, false));
            grant.ended = if ended.is_some() { Known::Done } else { Known::Perhaps };
        }
        book.grants.push(grant);
    }
    book
}

/// Takes tokens of its own, and revokes each other one.
fn robot(server: &Server, progress: &Progress) -> Book {
    let mut book = Book::default();
    while progress.goes_on() {
        let Some(token) = progress.note(world::own_token(server)) else { continue };
        let mut own = Own { token, ended: Known::Not };
        if book.own.len() % 2 == 0 {
            let ended = progress.note(world::revoke(server, &own.token, true));
            own.ended = if ended.is_some() { Known::Done } else { Known::Perhaps };
        }
        book.own.push(own);
    }
    book
}

fn poster(server: &Server, progress: &Progress, lead_type: usize) -> Book {
    let mut book = Book::default();
    for _ in 0..LEADS {
        if !progress.goes_on() {
            break;
        }
        book.leads.extend(progress.note(world::post_lead(server, lead_type)));
    }
    book
}
