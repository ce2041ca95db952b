//! The figures as tables, for people and for the page.

use std::fmt::Write as _;
use std::time::Duration;

use super::contest::{self, Contestant, Group, Measured};
use super::database::Kind;
use super::limit::BATCHES;

/// The middle one of these.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median of the rounds' ratios.
pub fn ratio(of: &Contestant, to: &Contestant) -> f64 {
    let rounds = of.rounds.iter().zip(&to.rounds);
    median(rounds.map(|(of, to)| of.answers.per_second() / to.answers.per_second()))
}

impl Contestant {
    pub fn median(&self, figure: impl Fn(&Measured) -> f64) -> f64 {
        median(self.rounds.iter().map(figure))
    }

    pub fn per_second(&self) -> f64 {
        self.median(|round| round.answers.per_second())
    }
}

pub fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// A table in Markdown, whose columns are aligned for those who read it as it is.
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|cell| (*cell).to_owned()).collect(), rows: Vec::new() }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| lines().map(|line| line[column].chars().count()).max().unwrap_or_default().max(3);
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        for (at, line) in lines().enumerate() {
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                // Words to the left, figures to the right.
                if column == 0 { write!(f, "| {cell:<width$} ")? } else { write!(f, "| {cell:>width$} ")? }
            }
            writeln!(f, "|")?;
            if at == 0 {
                let rule = |(column, width): (usize, &usize)| {
                    if column == 0 {
                        format!("|{}", "-".repeat(width + 2))
                    } else {
                        format!("|{}:", "-".repeat(width + 1))
                    }
                };
                writeln!(f, "{}|", widths.iter().enumerate().map(rule).collect::<String>())?;
            }
        }
        Ok(())
    }
}

/// With two digits, or nothing where there is no figure.
pub fn two(figure: f64) -> String {
    if figure.is_nan() { String::new() } else { format!("{figure:.2}") }
}

/// The paths on one database.
pub fn paths(group: &Group) -> String {
    let mut table = Table::new(&[
        group.world.database.kind.name(),
        "req/s",
        "of bare axum",
        "of raw log",
        "of A2",
        "µs CPU, server",
        "µs CPU, database",
        "p50 ms",
        "p99 ms",
    ]);
    for contestant in &group.contestants {
        let to = |name| group.find(name).map_or(f64::NAN, |yardstick| ratio(contestant, yardstick));
        let database = contestant.median(|round| round.each(round.database_cpu));
        table.row([
            contestant.name.clone(),
            format!("{:.0}", contestant.per_second()),
            two(to(contest::BARE)),
            two(to(contest::LOG)),
            two(to(contest::A2)),
            format!("{:.1}", contestant.median(|round| round.each(round.cpu))),
            if database > 0.0 { format!("{database:.1}") } else { String::new() },
            two(contestant.median(|round| milliseconds(round.answers.quantile(0.50)))),
            two(contestant.median(|round| milliseconds(round.answers.quantile(0.99)))),
        ]);
    }
    table.to_string()
}

/// Rows in a second that the databases take, and how much of that A2 is.
pub fn limits(groups: &[Group]) -> String {
    let mut table = Table::new(&["rows in a commit", "database", "rows/s", "A2 is of it"]);
    for group in groups {
        let (Some(limit), Some(a2)) = (&group.limit, group.find(contest::A2)) else { continue };
        for (at, size) in BATCHES.into_iter().enumerate() {
            let share = a2.rounds.iter().zip(&limit.rounds).map(|(a2, limit)| a2.answers.per_second() / limit[at]);
            table.row([
                size.to_string(),
                group.world.database.kind.name().into(),
                format!("{:.0}", median(limit.rounds.iter().map(|rates| rates[at]))),
                two(median(share)),
            ]);
        }
    }
    if table.is_empty() { String::new() } else { table.to_string() }
}

/// Of each process of Leadgate that was under load.
pub fn memory(groups: &[Group]) -> String {
    let mut table = Table::new(&["MiB", "idle", "goal", "most under load", "goal"]);
    for group in groups {
        for (mode, name) in [("production", contest::A2), ("sandbox", contest::A2_SANDBOX)] {
            let Some(contestant) = group.find(name) else { continue };
            table.row([
                format!("{}, {mode}", group.world.database.kind.name()),
                format!("{:.1}", contestant.server.idle_memory),
                "25".into(),
                format!("{:.1}", contestant.server.peak_memory()),
                "60".into(),
            ]);
        }
    }
    if table.is_empty() { String::new() } else { table.to_string() }
}

/// A ratio that has to be reached: of a path to another, on one database.
struct Goal {
    kind: Kind,
    of: &'static str,
    to: &'static str,
    least: f64,
    aim: f64,
}

const fn goal(kind: Kind, of: &'static str, to: &'static str, least: f64, aim: f64) -> Goal {
    Goal { kind, of, to, least, aim }
}

const GOALS: [Goal; 15] = [
    goal(Kind::Sqlite, contest::A2, contest::BARE, 0.35, 0.50),
    goal(Kind::Postgres, contest::A2, contest::BARE, 0.25, 0.35),
    goal(Kind::Sqlite, contest::A2, contest::LOG, 0.60, 0.90),
    goal(Kind::Sqlite, contest::CLIENT_CREDENTIALS, contest::A2, 0.50, 0.70),
    goal(Kind::Postgres, contest::CLIENT_CREDENTIALS, contest::A2, 0.50, 0.70),
    goal(Kind::Sqlite, contest::REFRESH_TOKEN, contest::A2, 0.50, 0.70),
    goal(Kind::Postgres, contest::REFRESH_TOKEN, contest::A2, 0.50, 0.70),
    goal(Kind::Sqlite, contest::INTROSPECTION, contest::BARE, 0.40, 0.60),
    goal(Kind::Postgres, contest::INTROSPECTION, contest::BARE, 0.40, 0.60),
    goal(Kind::Sqlite, contest::INTROSPECTION_SIGNED, contest::BARE, 0.40, 0.60),
    goal(Kind::Postgres, contest::INTROSPECTION_SIGNED, contest::BARE, 0.40, 0.60),
    goal(Kind::Sqlite, contest::ME, contest::BARE, 0.40, 0.60),
    goal(Kind::Postgres, contest::ME, contest::BARE, 0.40, 0.60),
    goal(Kind::Sqlite, contest::DISCONNECT, contest::A2, 0.50, 0.80),
    goal(Kind::Postgres, contest::DISCONNECT, contest::A2, 0.50, 0.80),
];

/// What was to be reached, beside what was.
pub fn goals(groups: &[Group]) -> String {
    let mut table = Table::new(&["", "ratio", "at least", "aim", "reached", "µs CPU", "of the other"]);
    for Goal { kind, of, to, least, aim } in GOALS {
        let Some(group) = groups.iter().find(|group| group.world.database.kind == kind) else { continue };
        let (Some(a), Some(b)) = (group.find(of), group.find(to)) else { continue };
        let ratio = ratio(a, b);
        let reached = if ratio >= aim {
            "the aim"
        } else if ratio >= least {
            "yes"
        } else {
            "no"
        };
        let cpu = |contestant: &Contestant| contestant.median(|round| round.each(round.cpu + round.database_cpu));
        table.row([
            format!("{of} to {to}, {}", kind.name()),
            two(ratio),
            two(least),
            two(aim),
            reached.into(),
            format!("{:.1}", cpu(a)),
            format!("{:.1}", cpu(b)),
        ]);
    }
    if table.is_empty() { String::new() } else { table.to_string() }
}

/// One round of each, as it comes.
pub fn progress(group: &Group) -> String {
    let mut text = format!("{}:", group.world.database.kind.name());
    for contestant in &group.contestants {
        if let Some(round) = contestant.rounds.last() {
            let _ = write!(text, " {} {:.0}/s;", contestant.name, round.answers.per_second());
        }
    }
    text
}
