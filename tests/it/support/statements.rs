//! Statements that are sent to a database, counted: each is one event of the store's.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Those of the whole process, whichever thread sends them: SQLite has a thread that writes.
#[derive(Clone, Default)]
pub struct Statements(Arc<AtomicUsize>);

impl Statements {
    /// Counts from now on. Of each test by itself, where each is a process of its own.
    pub fn counted() -> Self {
        static COUNTED: LazyLock<Statements> = LazyLock::new(|| {
            let statements = Statements::default();
            tracing::subscriber::set_global_default(statements.clone()).unwrap();
            statements
        });
        COUNTED.clone()
    }

    pub fn so_far(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// How many something takes.
    pub async fn of(&self, work: impl Future) -> usize {
        let before = self.so_far();
        work.await;
        self.so_far() - before
    }
}

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "leadgate::statement"
    }
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
