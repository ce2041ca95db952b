//! Load: keep-alive connections that each send the next request when the last was answered.
//!
//! One thread and one `poll` for all of them: the load shares the machine with what it measures, and should cost it
//! little.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::traffic::Traffic;

/// How long a server may take for an answer before the run is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const LONGEST: usize = 16 * 1024;

/// What one round gave.
pub struct Answers {
    pub elapsed: Duration,
    /// Sorted.
    latencies: Vec<Duration>,
}

impl Answers {
    pub fn count(&self) -> usize {
        self.latencies.len()
    }

    pub fn per_second(&self) -> f64 {
        self.count() as f64 / self.elapsed.as_secs_f64()
    }

    pub fn quantile(&self, q: f64) -> Duration {
        let at = (self.count() as f64 * q) as usize;
        self.latencies.get(at.min(self.count().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Lets each client send its traffic for as long as `span`, or until it has no more.
pub fn load(address: SocketAddr, clients: &mut [Traffic], span: Duration) -> Result<Answers, String> {
    let mut poll = Poll::new().map_err(|why| why.to_string())?;
    let mut events = Events::with_capacity(clients.len());
    let mut connections = Vec::new();
    for (at, traffic) in clients.iter_mut().enumerate() {
        let mut connection = Connection::open(address, traffic).map_err(|why| format!("{address}: {why}"))?;
        let registered = poll.registry().register(&mut connection.stream, Token(at), Interest::READABLE);
        registered.map_err(|why| why.to_string())?;
        connections.push(connection);
    }
    let started = Instant::now();
    let until = started + span;
    let mut latencies = Vec::new();
    let mut open = 0;
    for connection in &mut connections {
        open += usize::from(connection.send(started)?);
    }
    while open > 0 {
        match poll.poll(&mut events, Some(PATIENCE)) {
            Err(why) if why.kind() == ErrorKind::Interrupted => continue,
            polled => polled.map_err(|why| why.to_string())?,
        }
        if events.is_empty() {
            return Err(format!("no answer within {} s", PATIENCE.as_secs()));
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            if !connection.receive()? {
                continue;
            }
            let now = Instant::now();
            latencies.push(now - connection.sent);
            if now >= until || !connection.send(now)? {
                open -= 1;
            }
        }
    }
    let elapsed = started.elapsed();
    latencies.sort_unstable();
    Ok(Answers { elapsed, latencies })
}

/// The answers to these requests, one after the other on one connection, and how long each took.
pub fn ask(address: SocketAddr, requests: Vec<Vec<u8>>, sign: &'static str) -> Result<Vec<(String, Duration)>, String> {
    let mut stream = std::net::TcpStream::connect(address).map_err(|why| why.to_string())?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|why| why.to_string())?;
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let sent = Instant::now();
        stream.write_all(&request).map_err(|why| why.to_string())?;
        let mut buffer = Vec::new();
        let body = loop {
            let mut piece = [0; LONGEST];
            let read = stream.read(&mut piece).map_err(|why| why.to_string())?;
            buffer.extend_from_slice(&piece[..read]);
            if let Some(body) = body_of(&buffer)? {
                break body;
            }
            if read == 0 {
                return Err(format!("it closed the connection: {}", String::from_utf8_lossy(&buffer)));
            }
        };
        let elapsed = sent.elapsed();
        answers.push((checked(&buffer, body, sign)?.to_owned(), elapsed));
    }
    Ok(answers)
}

struct Connection<'t> {
    stream: TcpStream,
    traffic: &'t mut Traffic,
    sent: Instant,
    buffer: Vec<u8>,
    filled: usize,
}

impl<'t> Connection<'t> {
    fn open(address: SocketAddr, traffic: &'t mut Traffic) -> std::io::Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream);
        Ok(Self { stream, traffic, sent: Instant::now(), buffer: vec![0; LONGEST], filled: 0 })
    }

    /// Sends the next request; `false` where there is none.
    fn send(&mut self, now: Instant) -> Result<bool, String> {
        let Some(request) = self.traffic.next_request() else { return Ok(false) };
        self.sent = now;
        // The last one was answered, so the socket's buffer is empty and takes it all.
        let written = self.stream.write(&request).map_err(|why| why.to_string())?;
        if written == request.len() { Ok(true) } else { Err("a request did not fit into the socket".into()) }
    }

    /// Reads what has come; whether the answer is whole then.
    fn receive(&mut self) -> Result<bool, String> {
        loop {
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(read) => self.filled += read,
                Err(why) if why.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(why) => return Err(why.to_string()),
            }
            let came = &self.buffer[..self.filled];
            if let Some(body) = body_of(came)? {
                let body = checked(came, body, self.traffic.sign())?;
                self.traffic.answered(body);
                self.filled = 0;
                return Ok(true);
            }
        }
    }
}

/// Where the body of a whole answer of success is.
fn body_of(answer: &[u8]) -> Result<Option<Range<usize>>, String> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(answer).map_err(|why| why.to_string())? else {
        return Ok(None);
    };
    let field = |name: &str| response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    let length = field("content-length").and_then(|field| std::str::from_utf8(field.value).ok()?.parse::<usize>().ok());
    let end = match length {
        Some(length) => head + length,
        None if field("transfer-encoding").is_some() && !answer.ends_with(b"\r\n0\r\n\r\n") => return Ok(None),
        None => answer.len(),
    };
    if !response.code.is_some_and(|code| (200..300).contains(&code)) && answer.len() >= end {
        return Err(format!("not a success: {}", String::from_utf8_lossy(answer)));
    }
    Ok((answer.len() >= end).then_some(head..end))
}

/// The body, if it has what a success has: a refusal is quick and would flatter.
fn checked<'a>(answer: &'a [u8], body: Range<usize>, sign: &str) -> Result<&'a str, String> {
    let body = std::str::from_utf8(&answer[body]).map_err(|why| why.to_string())?;
    if body.contains(sign) { Ok(body) } else { Err(format!("not a success: {body}")) }
}
