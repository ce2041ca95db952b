//! What is asked of the data query (wire.md part C): conditions on fields in the style of MongoDB, a span of time, an order
//! and a window. Parameters and fields are matched without regard to the case of their names.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::field_value::{self, Fields, is_blank};
use super::timestamp::Timestamp;

mod moments;

/// Leads of one answer.
pub const MAX_TAKE: u64 = 1_000;
const DEFAULT_TAKE: u64 = 100;
/// Conditions of a query, elements of an `$in`, and names in a list.
const MAX_LIST: usize = 100;
/// Fields that an order goes by.
const MAX_SORT: usize = 5;
/// Bytes of a text that an order goes by: they are in memory for each lead that is found.
const MAX_RANK: usize = 200;
/// Characters of a name or a value.
const MAX_TEXT: usize = 1_000;

const PARAMETERS: [&str; 8] = ["Query", "SortFields", "SortOrder", "Fields", "StartDate", "EndDate", "Skip", "Take"];

/// Which leads are asked for, of one account and lead type.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadQuery {
    conditions: Vec<Condition>,
    sort: Vec<String>,
    is_descending: bool,
    /// Which fields are shown; empty: all of them.
    fields: Vec<String>,
    /// Received from this moment on …
    pub from: Timestamp,
    /// … and before this one.
    pub until: Timestamp,
    pub skip: usize,
    pub take: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Condition {
    field: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Equal(Value),
    NotEqual(Value),
    Among(Vec<Value>),
    Less(Value),
    LessOrEqual(Value),
    Greater(Value),
    GreaterOrEqual(Value),
}

/// Which parameter is not what it may be. The text names it, and what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryError {
    Body,
    Unknown,
    Twice,
    Query,
    Operator,
    Value,
    In,
    TooMany,
    SortFields,
    SortOrder,
    Fields,
    StartDate,
    EndDate,
    Order,
    Skip,
    Take,
}

impl QueryError {
    pub const fn description(self) -> &'static str {
        match self {
            Self::Body => "The body is no JSON object.",
            Self::Unknown => {
                "A parameter is not known. There are Query, SortFields, SortOrder, Fields, StartDate, EndDate, Skip and Take."
            }
            Self::Twice => "A parameter is there twice, in another case.",
            Self::Query => "Query is no object of fields with what they may be.",
            Self::Operator => {
                "Query has an operator that is not known. There are $eq, $ne, $gt, $gte, $lt, $lte and $in."
            }
            Self::Value => "Query has a value that is no text, number, truth value or null of at most 1000 characters.",
            Self::In => "Query has an $in that is no list of 1 to 100 values.",
            Self::TooMany => "Query has more than 100 conditions.",
            Self::SortFields => "SortFields is no list of at most 5 names.",
            Self::SortOrder => "SortOrder is neither 0 (ascending) nor 1 (descending).",
            Self::Fields => "Fields is no list of at most 100 names.",
            Self::StartDate => "StartDate is missing, or no moment of UTC such as 2026-11-22T10:15:30Z.",
            Self::EndDate => "EndDate is missing, or no moment of UTC such as 2026-11-22T10:15:30Z.",
            Self::Order => "EndDate is before StartDate.",
            Self::Skip => "Skip is no whole number from 0.",
            Self::Take => "Take is no whole number from 1 to 1000.",
        }
    }
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.description().trim_end_matches('.'))
    }
}

/// Parameters by their own names.
fn parameters(body: &Map<String, Value>) -> Result<BTreeMap<&'static str, &Value>, QueryError> {
    let mut parameters = BTreeMap::new();
    for (name, value) in body {
        let known = PARAMETERS.iter().find(|known| known.eq_ignore_ascii_case(name)).ok_or(QueryError::Unknown)?;
        if parameters.insert(*known, value).is_some() {
            return Err(QueryError::Twice);
        }
    }
    Ok(parameters)
}

impl LeadQuery {
    pub fn read(body: &Value) -> Result<Self, QueryError> {
        let parameters = parameters(body.as_object().ok_or(QueryError::Body)?)?;
        let get = |name: &str| parameters.get(name).copied().filter(|value| !value.is_null());
        let start = get("StartDate").and_then(Value::as_str).and_then(moments::span).ok_or(QueryError::StartDate)?;
        let end = get("EndDate").and_then(Value::as_str).and_then(moments::span).ok_or(QueryError::EndDate)?;
        if end.from < start.from {
            return Err(QueryError::Order);
        }
        let number = |name: &str, usual: u64, error: QueryError| {
            let given = get(name).map_or(Some(usual), Value::as_u64).and_then(|number| u32::try_from(number).ok());
            given.ok_or(error).map(|number| number as usize)
        };
        let take = number("Take", DEFAULT_TAKE, QueryError::Take)?;
        if !(1..=MAX_TAKE as usize).contains(&take) {
            return Err(QueryError::Take);
        }
        Ok(Self {
            conditions: get("Query").map_or(Ok(Vec::new()), conditions)?,
            sort: names(get("SortFields"), MAX_SORT).ok_or(QueryError::SortFields)?,
            is_descending: match get("SortOrder").map_or(Some(0), Value::as_u64) {
                Some(0) => false,
                Some(1) => true,
                _ => return Err(QueryError::SortOrder),
            },
            fields: names(get("Fields"), MAX_LIST).ok_or(QueryError::Fields)?,
            from: start.from,
            until: end.until,
            skip: number("Skip", 0, QueryError::Skip)?,
            take,
        })
    }

    /// Whether leads have to be looked into: for a condition, or for the order.
    pub fn looks_into_fields(&self) -> bool {
        !self.conditions.is_empty() || !self.sort.is_empty()
    }

    pub fn matches(&self, fields: &Fields) -> bool {
        self.conditions.iter().all(|condition| condition.holds(field_value::find(fields, &condition.field)))
    }

    /// Where a lead stands among the others; those that stand alike stay as they came.
    pub fn place(&self, fields: &Fields) -> Place {
        let rank = |name: &String| Rank::of(field_value::find(fields, name));
        let ranks = self.sort.iter().map(rank).collect();
        if self.is_descending { Place::Descending(Reverse(ranks)) } else { Place::Ascending(ranks) }
    }

    /// Whether leads without an order of their own are shown newest first.
    pub fn is_newest_first(&self) -> bool {
        self.is_descending && self.sort.is_empty()
    }

    /// The fields that are shown, by the names that were asked for.
    pub fn shown(&self, fields: Fields) -> Fields {
        if self.fields.is_empty() {
            return fields;
        }
        let shown = |name: &String| Some((name.clone(), field_value::find(&fields, name)?.clone()));
        self.fields.iter().filter_map(shown).collect()
    }
}

/// The names of a list that may be left out, `most` at most.
fn names(list: Option<&Value>, most: usize) -> Option<Vec<String>> {
    let Some(list) = list else { return Some(Vec::new()) };
    let list = list.as_array().filter(|list| list.len() <= most)?;
    let name = |value: &Value| {
        value.as_str().filter(|name| !name.is_empty() && name.chars().count() <= MAX_TEXT).map(str::to_owned)
    };
    list.iter().map(name).collect()
}

fn conditions(query: &Value) -> Result<Vec<Condition>, QueryError> {
    // PHP writes an empty object as an empty list.
    if query.as_array().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let mut conditions = Vec::new();
    for (field, given) in query.as_object().ok_or(QueryError::Query)? {
        if field.starts_with('$') {
            return Err(QueryError::Operator);
        }
        if field.is_empty() || field.chars().count() > MAX_TEXT {
            return Err(QueryError::Query);
        }
        match given {
            Value::Object(tests) if tests.is_empty() => return Err(QueryError::Query),
            Value::Object(tests) => {
                for (operator, operand) in tests {
                    conditions.push(Condition { field: field.clone(), test: test(operator, operand)? });
                }
            }
            // As MongoDB has it.
            value => conditions.push(Condition { field: field.clone(), test: Test::Equal(plain(value)?) }),
        }
        if conditions.len() > MAX_LIST {
            return Err(QueryError::TooMany);
        }
    }
    Ok(conditions)
}

fn test(operator: &str, operand: &Value) -> Result<Test, QueryError> {
    let value = || plain(operand);
    Ok(match operator {
        "$eq" => Test::Equal(value()?),
        "$ne" => Test::NotEqual(value()?),
        "$lt" => Test::Less(value()?),
        "$lte" => Test::LessOrEqual(value()?),
        "$gt" => Test::Greater(value()?),
        "$gte" => Test::GreaterOrEqual(value()?),
        "$in" => {
            let list = operand.as_array().filter(|list| (1..=MAX_LIST).contains(&list.len())).ok_or(QueryError::In)?;
            Test::Among(list.iter().map(plain).collect::<Result<_, _>>()?)
        }
        _ => return Err(QueryError::Operator),
    })
}

fn plain(value: &Value) -> Result<Value, QueryError> {
    let is_plain = match value {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => text.chars().count() <= MAX_TEXT,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    };
    if is_plain { Ok(value.clone()) } else { Err(QueryError::Value) }
}

impl Condition {
    /// A field that is absent or empty equals `null` alone, differs from all else, and is neither more nor less than anything.
    fn holds(&self, own: Option<&Value>) -> bool {
        let equals = |asked: &Value| match own.filter(|own| !is_blank(own)) {
            None => is_blank(asked),
            Some(own) => !is_blank(asked) && field_value::compare(own, asked).is_eq(),
        };
        let compares = |asked: &Value, is_so: fn(Ordering) -> bool| {
            own.filter(|own| !is_blank(own) && !is_blank(asked))
                .is_some_and(|own| is_so(field_value::compare(own, asked)))
        };
        match &self.test {
            Test::Equal(asked) => equals(asked),
            Test::NotEqual(asked) => !equals(asked),
            Test::Among(list) => list.iter().any(equals),
            Test::Less(asked) => compares(asked, Ordering::is_lt),
            Test::LessOrEqual(asked) => compares(asked, Ordering::is_le),
            Test::Greater(asked) => compares(asked, Ordering::is_gt),
            Test::GreaterOrEqual(asked) => compares(asked, Ordering::is_ge),
        }
    }
}

/// Where a lead stands in the order that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Ascending(Vec<Rank>),
    Descending(Reverse<Vec<Rank>>),
}

/// A value among others: what is absent, then what reads as a number, then other texts.
#[derive(Debug, Clone)]
pub enum Rank {
    Absent,
    Number(f64),
    /// Its beginning.
    Text(Box<str>),
}

impl Rank {
    fn of(value: Option<&Value>) -> Self {
        match value.filter(|value| !is_blank(value)) {
            None => Self::Absent,
            Some(value) => match field_value::number(value) {
                Some(number) => Self::Number(number),
                None => Self::Text(field_value::beginning(value, MAX_RANK)),
            },
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Absent => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rank {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(more: &Value) -> Value {
        let mut body = json!({"StartDate": "2026-11-22", "EndDate": "2026-11-22"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }

    #[track_caller]
    fn holds(query: &Value, fields: &Value) -> bool {
        LeadQuery::read(&with(&json!({"Query": query}))).unwrap().matches(fields.as_object().unwrap())
    }

    #[test]
    fn part_c_what_is_left_out_has_a_modest_default() {
        let query = LeadQuery::read(&with(&json!({"query": {}, "Fields": null, "SORTFIELDS": []}))).unwrap();
        assert_eq!((query.skip, query.take, query.looks_into_fields()), (0, 100, false));
        assert_eq!(query.until.since(query.from).as_secs(), 86_400);
        assert!(LeadQuery::read(&with(&json!({"Query": []}))).is_ok(), "as PHP writes an empty object");
    }

    #[test]
    fn part_c_each_bad_parameter_is_named() {
        for (more, expected) in [
            (json!({"Queri": {}}), QueryError::Unknown),
            (json!({"Take": 1, "take": 1}), QueryError::Twice),
            (json!({"Query": "x"}), QueryError::Query),
            (json!({"Query": [1]}), QueryError::Query),
            (json!({"Query": {"": 1}}), QueryError::Query),
            (json!({"Query": {"A": {}}}), QueryError::Query),
            (json!({"Query": {"$or": []}}), QueryError::Operator),
            (json!({"Query": {"A": {"$regex": "x"}}}), QueryError::Operator),
            (json!({"Query": {"A": {"eq": "x"}}}), QueryError::Operator),
            (json!({"Query": {"A": [1]}}), QueryError::Value),
            (json!({"Query": {"A": {"$eq": {}}}}), QueryError::Value),
            (json!({"Query": {"A": "x".repeat(1_001)}}), QueryError::Value),
            (json!({"Query": {"A": {"$in": []}}}), QueryError::In),
            (json!({"Query": {"A": {"$in": "CA"}}}), QueryError::In),
            (json!({"Query": {"A": {"$in": vec![1; 101]}}}), QueryError::In),
            (json!({"Query": {"A": {"$in": [[1]]}}}), QueryError::Value),
            (json!({"SortFields": "A"}), QueryError::SortFields),
            (json!({"SortFields": [1]}), QueryError::SortFields),
            (json!({"SortFields": ["A", "B", "C", "D", "E", "F"]}), QueryError::SortFields),
            (json!({"SortOrder": 2}), QueryError::SortOrder),
            (json!({"SortOrder": "asc"}), QueryError::SortOrder),
            (json!({"Fields": {"A": 1}}), QueryError::Fields),
            (json!({"Fields": [""]}), QueryError::Fields),
            (json!({"StartDate": null}), QueryError::StartDate),
            (json!({"StartDate": "yesterday"}), QueryError::StartDate),
            (json!({"EndDate": 1_795_338_930}), QueryError::EndDate),
            (json!({"EndDate": "2026-11-21"}), QueryError::Order),
            (json!({"Skip": -1}), QueryError::Skip),
            (json!({"Skip": "1"}), QueryError::Skip),
            (json!({"Skip": u64::MAX}), QueryError::Skip),
            (json!({"Take": 0}), QueryError::Take),
            (json!({"Take": 1_001}), QueryError::Take),
            (json!({"Take": 1.5}), QueryError::Take),
        ] {
            assert_eq!(LeadQuery::read(&with(&more)), Err(expected), "{more}");
        }
        let many: Map<String, Value> = (0..101).map(|nth| (format!("F{nth}"), json!(1))).collect();
        assert_eq!(LeadQuery::read(&with(&json!({"Query": many}))), Err(QueryError::TooMany));
        assert_eq!(LeadQuery::read(&json!([])), Err(QueryError::Body));
        assert_eq!(LeadQuery::read(&json!({"EndDate": "2026-11-22"})), Err(QueryError::StartDate));
    }

    #[test]
    fn part_c_each_operator_does_what_it_says() {
        let lead = json!({"State": "CA", "Amount": "95000", "Score": 7, "Empty": ""});
        for (query, expected) in [
            (json!({}), true),
            (json!({"state": "CA"}), true),
            (json!({"State": {"$eq": "ca"}}), false),
            (json!({"State": {"$ne": "OR"}}), true),
            (json!({"State": {"$in": ["OR", "CA"]}}), true),
            (json!({"State": {"$in": ["OR", null]}}), false),
            (json!({"Amount": {"$lt": 200_000}}), true),
            (json!({"Amount": {"$lt": "200000"}}), false),
            (json!({"Score": {"$gt": 6, "$lte": 7}}), true),
            (json!({"Score": {"$gt": 7}}), false),
            (json!({"Score": {"$gte": 7, "$lt": 7}}), false),
            (json!({"State": "CA", "Score": 8}), false),
            (json!({"Gone": {"$ne": "x"}}), true),
            (json!({"Gone": {"$ne": null}}), false),
            (json!({"Gone": null, "Empty": {"$eq": null}}), true),
            (json!({"Gone": {"$in": ["x", null]}}), true),
            (json!({"Gone": {"$lt": "x"}}), false),
            (json!({"Empty": {"$gte": ""}}), false),
            (json!({"State": null}), false),
        ] {
            assert_eq!(holds(&query, &lead), expected, "{query}");
        }
    }

    #[test]
    fn part_c_numbers_are_sorted_as_numbers_and_before_texts() {
        let leads = [json!({"A": "10"}), json!({}), json!({"A": "x"}), json!({"A": 9}), json!({"A": "10"})];
        let order = |descending: u8| {
            let query = LeadQuery::read(&with(&json!({"SortFields": ["a"], "SortOrder": descending}))).unwrap();
            let mut order: Vec<usize> = (0..leads.len()).collect();
            order.sort_by_key(|nth| query.place(leads[*nth].as_object().unwrap()));
            order
        };
        assert_eq!(order(0), [1, 3, 0, 4, 2]);
        assert_eq!(order(1), [2, 0, 4, 3, 1], "those that stand alike stay as they came");
    }

    #[test]
    fn part_c_an_order_goes_by_the_beginning_of_a_text() {
        let query = LeadQuery::read(&with(&json!({"SortFields": ["A"]}))).unwrap();
        let place = |text: String| query.place(json!({"A": text}).as_object().unwrap());
        let long = "é".repeat(100);
        assert_eq!(place(format!("{long}a")), place(format!("{long}b")));
        assert!(place(format!("{}a", "é".repeat(99))) < place(format!("{}b", "é".repeat(99))));
        assert_eq!(place("x".to_owned() + &long), place("x".to_owned() + &"é".repeat(99)), "whole characters");
    }

    #[test]
    fn part_c_fields_are_shown_by_the_names_that_were_asked_for() {
        let query = LeadQuery::read(&with(&json!({"Fields": ["FirstName", "Gone"]}))).unwrap();
        let fields = json!({"firstname": "Ada", "LastName": "Buyer"}).as_object().unwrap().clone();
        assert_eq!(Value::Object(query.shown(fields)), json!({"FirstName": "Ada"}));
    }
}
