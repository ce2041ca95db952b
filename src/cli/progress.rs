//! How far a long command is: a bar with an estimate on a terminal, and else a line every few seconds. On the standard error
//! stream; the answer is on the other one.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::domain::flow_line::span;
use crate::domain::progress::Progress;
use crate::services::progress;

/// How often a terminal is told.
const REDRAWN: Duration = Duration::from_millis(200);
/// How often a file or a log is.
const TOLD: Duration = Duration::from_secs(5);

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    Bytes,
    /// Things of this name.
    Of(&'static str),
}

impl Unit {
    fn counted(self, done: u64, total: Option<u64>) -> String {
        match (self, total) {
            (Self::Bytes, None) => HumanBytes(done).to_string(),
            (Self::Bytes, Some(total)) => format!("{} of about {}", HumanBytes(done), HumanBytes(total)),
            (Self::Of(what), None) => format!("{done} {what}"),
            (Self::Of(what), Some(total)) => format!("{done} of about {total} {what}"),
        }
    }
}

/// Who waits for what.
pub struct Watch {
    pub what: &'static str,
    pub unit: Unit,
    /// A program reads along.
    pub is_silent: bool,
}

impl Watch {
    /// Waits for a use case.
    pub async fn over<T>(&self, work: impl Future<Output = T>) -> T {
        let progress = Arc::new(Progress::default());
        self.until(&progress.clone(), || {}, progress::watched(progress, work)).await
    }

    /// Waits for work that counts in `progress`, or of which `measure` finds out how far it is.
    pub async fn until<T>(&self, progress: &Progress, measure: impl Fn(), work: impl Future<Output = T>) -> T {
        if self.is_silent {
            return work.await;
        }
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal { self.bar() } else { ProgressBar::hidden() };
        let began = Instant::now();
        let mut ticks = interval(if is_terminal { REDRAWN } else { TOLD });
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // At once it is nowhere yet.
        ticks.tick().await;
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => {
                    bar.finish_and_clear();
                    return done;
                }
                _ = ticks.tick() => {
                    measure();
                    if is_terminal {
                        self.draw(&bar, progress);
                    } else {
                        eprintln!("{}", self.line(progress, began.elapsed()));
                    }
                }
            }
        }
    }

    fn bar(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_prefix(self.what);
        bar.with_style(self.style("{prefix} {spinner} {counted}"))
    }

    fn style(&self, template: &str) -> ProgressStyle {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        let unit = self.unit;
        let counted = move |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = out.write_str(&unit.counted(state.pos(), state.len()));
        };
        style.with_key("counted", counted).progress_chars("█▌ ")
    }

    /// At one go: each change by itself would be drawn.
    fn draw(&self, bar: &ProgressBar, progress: &Progress) {
        if let Some(last) = progress.last() {
            if bar.message() != last {
                bar.set_style(self.style("{prefix} {spinner} {msg}, {elapsed}"));
                bar.set_message(last);
            }
            return bar.tick();
        }
        let total = progress.total();
        if total.is_some() && bar.length().is_none() {
            bar.set_style(self.style("{prefix} {bar:30} {percent}% {counted}, {eta} left"));
        }
        bar.update(|state| {
            if let Some(total) = total {
                state.set_len(total);
            }
            state.set_pos(progress.done());
        });
    }

    fn line(&self, progress: &Progress, passed: Duration) -> String {
        if let Some(last) = progress.last() {
            return format!("{}: {last}", self.what);
        }
        let left = progress.total().and_then(|total| left(progress.done(), total, passed));
        let left = left.map(|left| format!(", about {} left", span(left))).unwrap_or_default();
        format!("{}: {}{left}", self.what, self.unit.counted(progress.done(), progress.total()))
    }
}

/// As if it went on at the same pace; `None` where there is none yet.
fn left(done: u64, total: u64, passed: Duration) -> Option<Duration> {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let ratio = total.saturating_sub(done) as f64 / done as f64;
    Duration::try_from_secs_f64(passed.as_secs_f64() * ratio).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_it_is_and_how_long_it_will_take() {
        let watch = Watch { what: "seed", unit: Unit::Of("entries"), is_silent: false };
        let progress = Progress::default();
        progress.step(10);
        assert_eq!(watch.line(&progress, Duration::from_secs(5)), "seed: 10 entries");
        progress.expect(40);
        assert_eq!(watch.line(&progress, Duration::from_secs(5)), "seed: 10 of about 40 entries, about 15.0 s left");
    }

    #[test]
    fn what_follows_the_counted_part_has_a_name_and_no_estimate() {
        let watch = Watch { what: "restore", unit: Unit::Bytes, is_silent: false };
        let progress = Progress::default();
        progress.expect(40);
        progress.step(40);
        progress.finish_with("reading it again");
        assert_eq!(watch.line(&progress, Duration::from_secs(5)), "restore: reading it again");
    }

    #[test]
    fn nobody_guesses_before_there_is_a_pace() {
        assert_eq!(left(0, 10, Duration::from_secs(5)), None);
        assert_eq!(left(10, 10, Duration::from_secs(5)), Some(Duration::ZERO));
    }
}
