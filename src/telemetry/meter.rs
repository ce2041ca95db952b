//! Metrics as statics: each knows its name, its labels and what it tells, and makes the handle of a set of values once.

use std::collections::BTreeMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use metrics::{Key, KeyName, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use metrics::Gauge;
pub use metrics::{Counter, Histogram};

use super::catalogue::ALL;

const SOURCE: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric, for people and for the documentation.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets.
    pub(super) buckets: &'static [f64],
}

static RECORDER: LazyLock<PrometheusRecorder> = LazyLock::new(|| {
    let of = |metric: &Described| (Matcher::Full(metric.name.to_owned()), metric.buckets);
    let buckets = ALL.iter().filter(|metric| metric.kind == Kind::Histogram).map(of);
    let builder = buckets.fold(PrometheusBuilder::new(), |builder, (name, buckets)| {
        builder.set_buckets_for_metric(name, buckets).expect("each histogram of the catalogue has buckets")
    });
    builder.build_recorder()
});

/// A metric with `N` labels, and its handles by the labels' values.
pub struct Family<H, const N: usize> {
    described: Described,
    names: [&'static str; N],
    made: RwLock<BTreeMap<[&'static str; N], H>>,
}

pub type Counters<const N: usize> = Family<Counter, N>;
pub type Gauges<const N: usize> = Family<Gauge, N>;
pub type Histograms<const N: usize> = Family<Histogram, N>;

/// A kind of handle.
pub trait Handle: Clone {
    fn register(key: &Key) -> Self;
    fn describe(name: KeyName, help: &'static str);
}

macro_rules! handles {
    ($($handle:ty: $register:ident $describe:ident;)+) => {$(
        impl Handle for $handle {
            fn register(key: &Key) -> Self {
                RECORDER.$register(key, &SOURCE)
            }

            fn describe(name: KeyName, help: &'static str) {
                RECORDER.$describe(name, None, help.into());
            }
        }
    )+};
}

handles! {
    Counter: register_counter describe_counter;
    Gauge: register_gauge describe_gauge;
    Histogram: register_histogram describe_histogram;
}

impl<H: Handle, const N: usize> Family<H, N> {
    pub(super) const fn new(described: Described, names: [&'static str; N]) -> Self {
        Self { described, names, made: RwLock::new(BTreeMap::new()) }
    }

    /// The handle for these values, one for each label. The hot path keeps it.
    pub fn of(&self, values: [&'static str; N]) -> H {
        if let Some(made) = self.made.read().unwrap_or_else(PoisonError::into_inner).get(&values) {
            return made.clone();
        }
        let labels: Vec<Label> =
            self.names.iter().zip(values).map(|(name, value)| Label::from_static_parts(name, value)).collect();
        H::describe(KeyName::from_const_str(self.described.name), self.described.help);
        let made = H::register(&Key::from_parts(self.described.name, labels));
        self.made.write().unwrap_or_else(PoisonError::into_inner).insert(values, made.clone());
        made
    }
}

impl<const N: usize> Counters<N> {
    /// One more.
    pub fn add(&self, values: [&'static str; N]) {
        self.of(values).increment(1);
    }

    /// Lets each of these be zero rather than missing.
    pub(super) fn begin(&self, values: impl IntoIterator<Item = [&'static str; N]>) {
        for values in values {
            drop(self.of(values));
        }
    }
}

pub(super) fn render() -> String {
    RECORDER.handle().render()
}

pub(super) fn tidy() {
    RECORDER.handle().run_upkeep();
}
