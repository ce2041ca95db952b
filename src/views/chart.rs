//! Small charts: a number for each day, as bars. What they show is said in words and figures, too.

/// Units of the drawing: a bar's place, and the height of the highest.
const STEP: u64 = 10;
const HEIGHT: u64 = 100;

/// Counts by day, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Its own in the page.
    pub id: &'static str,
    /// What is counted: "Refreshes".
    pub title: String,
    /// Whether these are nothing to be glad of.
    pub is_bad: bool,
    pub days: Vec<Day>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// `2026-11-22`.
    pub date: String,
    pub count: u64,
}

/// A bar in the drawing's units.
pub struct Bar<'c> {
    pub day: &'c Day,
    pub x: u64,
    pub y: u64,
    pub height: u64,
}

impl Chart {
    #[must_use]
    pub fn new(id: &'static str, title: impl Into<String>, days: impl IntoIterator<Item = (String, u64)>) -> Self {
        let days = days.into_iter().map(|(date, count)| Day { date, count }).collect();
        Self { id, title: title.into(), is_bad: false, days }
    }

    #[must_use]
    pub fn bad(mut self) -> Self {
        self.is_bad = true;
        self
    }

    pub fn total(&self) -> u64 {
        self.days.iter().map(|day| day.count).sum()
    }

    pub fn most(&self) -> u64 {
        self.days.iter().map(|day| day.count).max().unwrap_or_default()
    }

    pub fn width(&self) -> usize {
        self.days.len() * STEP as usize
    }

    /// The first and the last day.
    pub fn span(&self) -> Option<(&str, &str)> {
        Some((&self.days.first()?.date, &self.days.last()?.date))
    }

    /// The days that have anything; what is little beside the most can still be seen.
    pub fn bars(&self) -> impl Iterator<Item = Bar<'_>> {
        let most = self.most();
        (0..).zip(&self.days).filter(|(_, day)| day.count > 0).map(move |(nth, day)| {
            let share = u128::from(day.count) * u128::from(HEIGHT) / u128::from(most);
            let height = u64::try_from(share).unwrap_or(HEIGHT).max(3);
            Bar { day, x: nth * STEP + 1, y: HEIGHT - height, height }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(counts: &[u64]) -> Chart {
        let days = counts.iter().zip(1..).map(|(count, day): (_, u32)| (format!("2026-11-{day:02}"), *count));
        Chart::new("refreshes", "Refreshes", days)
    }

    #[test]
    fn bars_are_as_high_as_their_share_of_the_most() {
        let chart = chart(&[0, 200, 50, 1]);
        let drawn: Vec<_> = chart.bars().map(|bar| (bar.day.count, bar.x, bar.y, bar.height)).collect();
        assert_eq!(drawn, [(200, 11, 0, 100), (50, 21, 75, 25), (1, 31, 97, 3)]);
        assert_eq!((chart.total(), chart.most(), chart.width()), (251, 200, 40));
        assert_eq!(chart.span(), Some(("2026-11-01", "2026-11-04")));
    }

    #[test]
    fn nothing_and_the_most_that_can_be_counted_are_drawn() {
        assert_eq!(chart(&[0, 0]).bars().count(), 0);
        assert_eq!(chart(&[]).span(), None);
        let most = chart(&[u64::MAX]);
        assert_eq!(most.bars().map(|bar| bar.height).collect::<Vec<_>>(), [100]);
    }
}
