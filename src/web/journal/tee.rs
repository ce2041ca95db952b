//! A body that is read as ever, and of which the beginning is kept.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use bytes::BytesMut;
use http_body::{Frame, SizeHint};
use tokio::sync::oneshot;

struct Tee {
    body: Body,
    kept: BytesMut,
    most: usize,
    done: Option<oneshot::Sender<Bytes>>,
}

/// The body, and what of it was read once nobody holds it any more: at most `most` bytes and one.
pub fn body(body: Body, most: usize) -> (Body, oneshot::Receiver<Bytes>) {
    let (done, kept) = oneshot::channel();
    if body.is_end_stream() {
        let _ = done.send(Bytes::new());
        return (body, kept);
    }
    (Body::new(Tee { body, kept: BytesMut::new(), most: most + 1, done: Some(done) }), kept)
}

impl HttpBody for Tee {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let room = self.most.saturating_sub(self.kept.len()).min(data.len());
            self.kept.extend_from_slice(&data[..room]);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            let _ = done.send(std::mem::take(&mut self.kept).freeze());
        }
    }
}
