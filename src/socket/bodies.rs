//! The bodies of requests and answers, which tell what their connection waits for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

use super::doors::{Door, Waits};

/// Why a body ends too early: its sender took too long.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the body did not arrive in time")]
pub struct LateBody;

/// The body of a request. Most have none, which costs nothing.
pub fn received(body: Incoming, door: &Arc<Door>) -> Body {
    if body.is_end_stream() { Body::empty() } else { Body::new(Received { body, door: door.clone(), late: None }) }
}

struct Received {
    body: Incoming,
    door: Arc<Door>,
    /// Made when it is waited for: mostly the body came with the head.
    late: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.door.serves();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if this.late.is_none() {
            this.late = Some(Box::pin(tokio::time::sleep(this.door.body_may_take())));
        }
        this.door.waits(Waits::Body);
        if let Some(late) = &mut this.late {
            ready!(late.as_mut().poll(cx));
        }
        Poll::Ready(Some(Err(LateBody.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer: once it was handed over, the connection waits for the next request.
pub struct Sent {
    body: Body,
    door: Arc<Door>,
}

impl Sent {
    pub fn new(body: Body, door: Arc<Door>) -> Self {
        Self { body, door }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.door.waits(Waits::Next);
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
