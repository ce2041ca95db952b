//! Whom an account takes leads from, and which of them: lead sources, and the campaigns of a source.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::field_value::{self, Fields};
use super::ids::AccountId;

/// Most fields that a campaign's criteria may name, and most values of one.
const MAX_CRITERIA: usize = 100;
/// Longest name of a field, and longest value, in characters.
const MAX_TEXT: usize = 120;

/// Who sends leads: LeadExec's vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadSource {
    /// LeadExec's `vid`.
    pub vid: i64,
    pub account: AccountId,
    pub name: String,
    pub is_enabled: bool,
}

/// What leads of one type a source sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// LeadExec's `aid`.
    pub aid: i64,
    /// Its source.
    pub vid: i64,
    /// The `lid` of its leads.
    pub lead_type: i64,
    pub name: String,
    pub is_enabled: bool,
    /// How many leads it takes in a day of UTC; `None`: any number.
    pub daily_cap: Option<i64>,
    pub criteria: Criteria,
}

/// What the fields of a lead have to be, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Criteria(BTreeMap<String, Criterion>);

#[derive(Debug, Clone, PartialEq)]
enum Criterion {
    /// One of these texts, whatever the case of its letters.
    Among(Vec<String>),
    /// A number, both ends included.
    Within { min: Option<f64>, max: Option<f64> },
}

/// What is expected in place of what cannot be criteria.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "fields with what they may be: a list of 1 to {MAX_CRITERIA} texts or numbers, as in `State = [\"CA\", \"OR\"]`, or a range, as in `LoanAmount = {{ min = 50000, max = 750000 }}`"
)]
pub struct NotCriteria;

impl Criteria {
    /// Reads `{"State": ["CA", "OR"], "LoanAmount": {"min": 50000, "max": 750000}}`; one of the two ends is enough.
    pub fn from_json(value: &Value) -> Result<Self, NotCriteria> {
        let members = value.as_object().filter(|members| members.len() <= MAX_CRITERIA).ok_or(NotCriteria)?;
        members
            .iter()
            .map(|(name, given)| {
                let is_name = is_text(name) && !name.trim().is_empty();
                Ok((name.clone(), criterion(given).filter(|_| is_name).ok_or(NotCriteria)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The other way.
    pub fn to_json(&self) -> Value {
        let written = |criterion: &Criterion| match criterion {
            Criterion::Among(values) => json!(values),
            Criterion::Within { min, max } => {
                let ends = [("min", min), ("max", max)];
                let given = ends.into_iter().filter_map(|(name, end)| Some((name.to_owned(), json!((*end)?))));
                Value::Object(given.collect::<Map<_, _>>())
            }
        };
        Value::Object(self.0.iter().map(|(name, criterion)| (name.clone(), written(criterion))).collect())
    }

    /// The first field that is not as it has to be. A field that is absent is not.
    pub fn unmet_by(&self, fields: &Fields) -> Option<&str> {
        let is_unmet = |(name, criterion): &(&String, &Criterion)| {
            !field_value::find(fields, name).is_some_and(|value| criterion.is_met_by(value))
        };
        self.0.iter().find(is_unmet).map(|(name, _)| name.as_str())
    }
}

fn is_text(text: &str) -> bool {
    text.chars().count() <= MAX_TEXT && !text.contains(char::is_control)
}

fn criterion(given: &Value) -> Option<Criterion> {
    match given {
        Value::Array(values) if (1..=MAX_CRITERIA).contains(&values.len()) => {
            let text = |value: &Value| {
                let is_plain = value.is_string() || value.is_number();
                Some(field_value::text(value)).filter(|text| is_plain && is_text(text))
            };
            values.iter().map(text).collect::<Option<_>>().map(Criterion::Among)
        }
        Value::Object(ends) if !ends.is_empty() && ends.keys().all(|name| matches!(name.as_str(), "min" | "max")) => {
            let end = |name: &str| match ends.get(name) {
                None => Some(None),
                Some(end) => end.as_f64().map(Some),
            };
            let (min, max) = (end("min")?, end("max")?);
            let is_range = min.zip(max).is_none_or(|(min, max)| min <= max);
            is_range.then_some(Criterion::Within { min, max })
        }
        _ => None,
    }
}

impl Criterion {
    fn is_met_by(&self, value: &Value) -> bool {
        match self {
            Self::Among(values) => {
                let own = field_value::folded(value);
                values.iter().any(|one| one.trim().to_lowercase() == own)
            }
            Self::Within { min, max } => field_value::number(value)
                .is_some_and(|own| min.is_none_or(|min| own >= min) && max.is_none_or(|max| own <= max)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: &Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn part_c_criteria_come_back_as_they_were_written() {
        let written = json!({"State": ["CA", "OR"], "LoanAmount": {"min": 50_000.0}, "Zip": ["97201"]});
        assert_eq!(Criteria::from_json(&written).unwrap().to_json(), written);
        for wrong in [
            json!([]),
            json!({"State": []}),
            json!({"State": "CA"}),
            json!({"State": [null]}),
            json!({"State": [["CA"]]}),
            json!({"": ["CA"]}),
            json!({"Amount": {}}),
            json!({"Amount": {"most": 5}}),
            json!({"Amount": {"min": "5"}}),
            json!({"Amount": {"min": 5, "max": 4}}),
        ] {
            assert_eq!(Criteria::from_json(&wrong), Err(NotCriteria), "{wrong}");
        }
    }

    #[test]
    fn part_c_a_lead_is_within_both_ends_and_among_the_values() {
        let criteria = json!({"State": ["CA", "or"], "LoanAmount": {"min": 100, "max": 200}});
        let criteria = Criteria::from_json(&criteria).unwrap();
        for (given, unmet) in [
            (json!({"state": "ca ", "loanamount": "100"}), None),
            (json!({"State": "OR", "LoanAmount": 200}), None),
            (json!({"State": "OR", "LoanAmount": 200.01}), Some("LoanAmount")),
            (json!({"State": "OR", "LoanAmount": "a lot"}), Some("LoanAmount")),
            (json!({"State": "WA", "LoanAmount": 150}), Some("State")),
            (json!({"State": "CA"}), Some("LoanAmount")),
        ] {
            assert_eq!(criteria.unmet_by(&fields(&given)), unmet, "{given}");
        }
        assert_eq!(Criteria::default().unmet_by(&Fields::new()), None);
    }
}
