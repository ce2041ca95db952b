//! `leadgate app usage`: how much an application did, by days.

use serde::Serialize;

use super::super::error::CliError;
use super::super::output;
use crate::domain::ids::AppId;
use crate::domain::usage::{Day, UsageKind};
use crate::services::Context;
use crate::services::usage::{self, Series};

#[derive(Serialize)]
struct UsageJson<'a> {
    app: &'a str,
    /// The oldest first, by UTC.
    days: Vec<DayJson>,
}

#[derive(Serialize)]
struct DayJson {
    date: String,
    connections: u64,
    refreshes: u64,
    errors: u64,
}

impl DayJson {
    fn new(day: Day, series: &[Series]) -> Self {
        let count = |kind: UsageKind| {
            let days = series.iter().filter(|one| one.kind == kind).flat_map(|one| &one.days);
            days.filter(|(of, _)| *of == day).map(|(_, count)| count).sum()
        };
        Self {
            date: day.to_date(),
            connections: count(UsageKind::Connections),
            refreshes: count(UsageKind::Refreshes),
            errors: count(UsageKind::Errors),
        }
    }
}

pub async fn show(ctx: &Context, app: &AppId, json: bool) -> Result<(), CliError> {
    let series = usage::of_app(ctx, app).await.map_err(CliError::failure)?;
    let days = series.first().map(|one| one.days.as_slice()).unwrap_or_default();
    let days: Vec<DayJson> = days.iter().map(|(day, _)| DayJson::new(*day, &series)).collect();
    if json {
        return output::json(&UsageJson { app: app.as_str(), days });
    }
    let row = |day: &DayJson| {
        let [connections, refreshes, errors] = [day.connections, day.refreshes, day.errors].map(|n| n.to_string());
        [day.date.clone(), connections, refreshes, errors]
    };
    let rows: Vec<[String; 4]> = days.iter().map(row).collect();
    output::table(["DAY", "CONNECTIONS", "REFRESHES", "ERRORS"], &rows)
}
