//! Reading what the lead receiver is sent. Names are matched without regard to case at every level; members that are not
//! known are nobody's business. What is wrong with one lead is that lead's own answer.

use serde_json::{Map, Value};

use super::super::field_value::{Fields, is_blank};
use super::super::lead_type::LeadType;
use super::{DataError, LeadRefusal, Properties};
use crate::domain::field_value;

/// Leads that are looked at, of one request.
pub const MAX_LEADS: usize = 100;
/// Leads of a request that is answered at all.
pub const MAX_IN_REQUEST: usize = 5_000;
pub(super) const MAX_FIELDS: usize = 200;
/// Characters of a field's name.
pub(super) const MAX_NAME: usize = 100;
/// Characters of a field's value, and of an address or a reference.
pub(super) const MAX_VALUE: usize = 4_000;
/// Bytes of a lead's fields, as they are kept: many leads are in memory at a time.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// Errors that are told of one lead.
const MAX_ERRORS: usize = 20;
/// Hours: a year.
const MAX_DELAY: f64 = 8_784.0;

/// What is posted, as far as it can be judged by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    pub source: PostedSource,
    /// One for each lead, in order.
    pub leads: Vec<Result<Draft, LeadRefusal>>,
}

/// What holds for each lead of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PostedSource {
    /// The `lid`; `None`: none that can be one.
    pub lead_type: Option<i64>,
    /// The `vid`; `None`: none that can be one.
    pub source: Option<i64>,
    /// The `aid`; `None`: none is named. One that cannot be one is `Some(0)`, which nobody has.
    pub campaign: Option<i64>,
}

/// A lead that may be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub properties: Properties,
    pub fields: Fields,
}

/// Why a body is no request of leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostError {
    NoObject,
    Twice,
    Source,
    Leads,
    TooMany,
}

impl PostError {
    pub const fn description(self) -> &'static str {
        match self {
            Self::NoObject => "The body is no JSON object.",
            Self::Twice => "A member of the body is there twice, in another case.",
            Self::Source => "source is no object.",
            Self::Leads => "leads is missing, or no list.",
            Self::TooMany => "leads has more than 5000 elements.",
        }
    }
}

/// A member, whatever the case of its name; `null` is none.
fn member<'v>(object: &'v Map<String, Value>, name: &str) -> Result<Option<&'v Value>, PostError> {
    let mut found = object.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(PostError::Twice),
        (value, None) => Ok(value.filter(|value| !value.is_null())),
    }
}

/// An id of LeadExec's: a whole number from 1, or a text of one.
fn id(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_u64()?,
        Value::String(text) => {
            text.trim().bytes().all(|byte| byte.is_ascii_digit()).then(|| text.trim().parse().ok())??
        }
        _ => return None,
    };
    u32::try_from(number).ok().filter(|id| *id > 0).map(i64::from)
}

/// The lead type that a path names.
pub fn lead_type(text: &str) -> Option<i64> {
    id(&Value::from(text))
}

/// Whether an id is left out: the published example has 0 and an empty text in its place.
fn is_left_out(value: &Value) -> bool {
    is_blank(value) || *value == 0
}

impl Posted {
    pub fn read(body: &Value) -> Result<Self, PostError> {
        let body = body.as_object().ok_or(PostError::NoObject)?;
        let nothing = Map::new();
        let source = match member(body, "source")? {
            None => &nothing,
            Some(source) => source.as_object().ok_or(PostError::Source)?,
        };
        let leads = member(body, "leads")?.and_then(Value::as_array).ok_or(PostError::Leads)?;
        if leads.len() > MAX_IN_REQUEST {
            return Err(PostError::TooMany);
        }
        let common = common_properties(source)?;
        let campaign = member(source, "aid")?.filter(|aid| !is_left_out(aid));
        let read = |(nth, lead): (usize, &Value)| {
            if nth >= MAX_LEADS { Err(LeadRefusal::TooMany) } else { draft(lead, &common) }
        };
        Ok(Self {
            source: PostedSource {
                lead_type: member(source, "lid")?.and_then(id),
                source: member(source, "vid")?.and_then(id),
                campaign: campaign.map(|aid| id(aid).unwrap_or(0)),
            },
            leads: leads.iter().enumerate().map(read).collect(),
        })
    }
}

/// What the source says of each lead's properties.
struct Common {
    properties: Properties,
    errors: Vec<DataError>,
}

fn common_properties(source: &Map<String, Value>) -> Result<Common, PostError> {
    let mut errors = Vec::new();
    let delay = member(source, "sendDelay")?.filter(|delay| !is_blank(delay));
    let send_delay = delay.and_then(|delay| {
        let hours = field_value::number(delay).filter(|hours| (0.0..=MAX_DELAY).contains(hours));
        errors.extend(hours.is_none().then_some(DataError::Property("sendDelay")));
        hours
    });
    let address = member(source, "returnURL")?.filter(|address| !is_blank(address));
    let return_url = address.and_then(|address| short_text(address, "returnURL", &mut errors));
    Ok(Common { properties: Properties { send_delay, return_url, ..Properties::default() }, errors })
}

fn short_text(value: &Value, name: &'static str, errors: &mut Vec<DataError>) -> Option<String> {
    let is_plain = value.is_string() || value.is_number();
    let text = Some(field_value::text(value)).filter(|text| is_plain && text.chars().count() <= MAX_VALUE);
    errors.extend(text.is_none().then_some(DataError::Property(name)));
    text
}

fn draft(lead: &Value, common: &Common) -> Result<Draft, LeadRefusal> {
    let refused = |errors| Err(LeadRefusal::Data(errors));
    let Some(lead) = lead.as_object() else { return refused(vec![DataError::NoObject]) };
    let mut errors = common.errors.clone();
    let mut properties = common.properties.clone();
    read_properties(lead, &mut properties, &mut errors);
    let fields = match member(lead, "fields") {
        Ok(Some(Value::Object(fields))) if !fields.is_empty() => read_fields(fields, &mut errors),
        Err(_) => {
            errors.push(DataError::Twice("fields".to_owned()));
            Fields::new()
        }
        Ok(_) => {
            errors.push(DataError::NoFields);
            Fields::new()
        }
    };
    errors.truncate(MAX_ERRORS);
    if errors.is_empty() { Ok(Draft { properties, fields }) } else { refused(errors) }
}

fn read_properties(lead: &Map<String, Value>, properties: &mut Properties, errors: &mut Vec<DataError>) {
    let given = match member(lead, "properties") {
        Ok(None) => return,
        Ok(Some(Value::Object(given))) => given,
        // PHP writes an empty object as an empty list.
        Ok(Some(Value::Array(list))) if list.is_empty() => return,
        Ok(Some(_)) => return errors.push(DataError::NoProperties),
        Err(_) => return errors.push(DataError::Twice("properties".to_owned())),
    };
    match member(given, "reference") {
        Ok(Some(reference)) if !is_blank(reference) => {
            properties.reference = short_text(reference, "reference", errors);
        }
        Ok(_) => {}
        Err(_) => errors.push(DataError::Property("reference")),
    }
    match member(given, "noSell") {
        Ok(None) => {}
        Ok(Some(no_sell)) => match truth(no_sell) {
            Some(no_sell) => properties.no_sell = no_sell,
            None => errors.push(DataError::Property("noSell")),
        },
        Err(_) => errors.push(DataError::Property("noSell")),
    }
}

/// A truth value, or a text of one.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

fn read_fields(given: &Map<String, Value>, errors: &mut Vec<DataError>) -> Fields {
    if given.len() > MAX_FIELDS {
        errors.push(DataError::TooManyFields);
        return Fields::new();
    }
    let mut fields = Fields::new();
    for (name, value) in given {
        // What is told of a name that is too long is its beginning.
        let shown = || name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect::<String>();
        if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
            errors.push(DataError::Name(shown()));
        } else if field_value::find(&fields, name).is_some() {
            errors.push(DataError::Twice(shown()));
        } else if matches!(value, Value::Array(_) | Value::Object(_)) {
            errors.push(DataError::Kind(shown()));
        } else if value.as_str().is_some_and(|text| text.chars().count() > MAX_VALUE) {
            errors.push(DataError::TooLong(shown()));
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    if field_value::kept_bytes(&fields) > MAX_BYTES {
        errors.push(DataError::TooLarge);
    }
    fields
}

impl Draft {
    /// Which of the fields that its type requires are not there, or empty.
    pub fn lacks(&self, lead_type: &LeadType) -> Vec<DataError> {
        let is_there = |name: &&String| field_value::find(&self.fields, name).is_some_and(|value| !is_blank(value));
        let lacking = lead_type.required.iter().filter(|name| !is_there(name));
        lacking.take(MAX_ERRORS).cloned().map(DataError::Required).collect()
    }

    /// What no other lead of its type may have: the field as the type names it, and the value without what does not tell
    /// two apart. What is absent or empty may come again.
    pub fn unique_values<'t>(&self, lead_type: &'t LeadType) -> Vec<(&'t str, String)> {
        let value = |name: &'t String| {
            let value = field_value::find(&self.fields, name).filter(|value| !is_blank(value))?;
            Some((name.as_str(), field_value::folded(value)))
        };
        lead_type.unique.iter().filter_map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(lead: &Value) -> Result<Draft, LeadRefusal> {
        Posted::read(&json!({"source": {"vid": 1, "lid": 2}, "leads": [lead]})).unwrap().leads.remove(0)
    }

    #[track_caller]
    fn errors(lead: &Value) -> Vec<DataError> {
        match one(lead) {
            Err(LeadRefusal::Data(errors)) => errors,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn part_c_names_are_matched_without_regard_to_case() {
        let body = json!({
            "SOURCE": {"Vid": "1041", "LID": 4204, "aId": 7, "SendDelay": 1.5, "returnUrl": "https://p.test/done"},
            "Leads": [{"PROPERTIES": {"Reference": 12, "nosell": "True"}, "Fields": {"Email": "ada@acme.test"}}],
        });
        let posted = Posted::read(&body).unwrap();
        assert_eq!(posted.source, PostedSource { lead_type: Some(4204), source: Some(1041), campaign: Some(7) });
        let draft = posted.leads[0].as_ref().unwrap();
        let properties = Properties {
            reference: Some("12".into()),
            no_sell: true,
            send_delay: Some(1.5),
            return_url: Some("https://p.test/done".into()),
        };
        assert_eq!((&draft.properties, &draft.fields["Email"]), (&properties, &json!("ada@acme.test")));
    }

    #[test]
    fn part_c_what_is_no_request_is_told_from_what_is_no_lead() {
        for (body, expected) in [
            (json!(null), PostError::NoObject),
            (json!([]), PostError::NoObject),
            (json!({}), PostError::Leads),
            (json!({"leads": {}}), PostError::Leads),
            (json!({"leads": null}), PostError::Leads),
            (json!({"source": 5, "leads": []}), PostError::Source),
            (json!({"leads": [], "LEADS": []}), PostError::Twice),
            (json!({"source": {"vid": 1, "VID": 1}, "leads": []}), PostError::Twice),
            (json!({"leads": vec![0; MAX_IN_REQUEST + 1]}), PostError::TooMany),
        ] {
            assert_eq!(Posted::read(&body), Err(expected), "{expected:?}");
        }
        let posted = Posted::read(&json!({"leads": [1, null, "x", [], {}, {"fields": {"a": 1}}]})).unwrap();
        assert_eq!(posted.source, PostedSource::default());
        assert_eq!(
            posted.leads.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [false, false, false, false, false, true]
        );
    }

    #[test]
    fn part_c_an_id_is_a_whole_number_from_one() {
        for wrong in
            [json!(0), json!(-1), json!(1.5), json!(""), json!("x"), json!("+1"), json!(4_294_967_296_u64), json!([1])]
        {
            assert_eq!(id(&wrong), None, "{wrong}");
        }
        assert_eq!((id(&json!(" 12 ")), id(&json!(u32::MAX))), (Some(12), Some(4_294_967_295)));
        let aid = |aid: Value| Posted::read(&json!({"source": {"aid": aid}, "leads": []})).unwrap().source.campaign;
        assert_eq!((aid(json!(0)), aid(json!("")), aid(json!(null))), (None, None, None));
        assert_eq!((aid(json!("x")), aid(json!(-1)), aid(json!(9))), (Some(0), Some(0), Some(9)));
    }

    #[test]
    fn part_c_each_error_of_a_lead_is_told() {
        assert_eq!(errors(&json!("x")), [DataError::NoObject]);
        for lead in
            [json!({}), json!({"fields": {}}), json!({"fields": []}), json!({"fields": "x"}), json!({"fields": null})]
        {
            assert_eq!(errors(&lead), [DataError::NoFields], "{lead}");
        }
        let lead = json!({
            "properties": {"noSell": "perhaps", "reference": {}},
            "fields": {"": 1, "a": [], "b": {}, "c": "x".repeat(MAX_VALUE + 1), "D": 1, "d": 2, "e": null},
        });
        let told = errors(&lead).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        for part in
            ["`noSell`", "`reference`", "a is no text", "b is no text", "c is longer", "d is there twice", "the name"]
        {
            assert!(told.contains(part), "{part}: {told}");
        }
        let many: Map<String, Value> = (0..=MAX_FIELDS).map(|nth| (nth.to_string(), json!(1))).collect();
        assert_eq!(errors(&json!({"fields": many})), [DataError::TooManyFields]);
        let wide = |count: usize, value: &str| -> Map<String, Value> {
            (0..count).map(|nth| (nth.to_string(), json!(value))).collect()
        };
        assert!(one(&json!({"fields": wide(16, &"x".repeat(MAX_VALUE))})).is_ok());
        assert_eq!(errors(&json!({"fields": wide(17, &"x".repeat(MAX_VALUE))})), [DataError::TooLarge]);
        assert_eq!(
            errors(&json!({"fields": wide(3, &"\0".repeat(MAX_VALUE))})),
            [DataError::TooLarge],
            "as it is kept"
        );
        let delayed = json!({"source": {"sendDelay": -1}, "leads": [{"fields": {"a": 1}}]});
        let delayed = Posted::read(&delayed).unwrap().leads.remove(0);
        assert_eq!(delayed, Err(LeadRefusal::Data(vec![DataError::Property("sendDelay")])));
    }

    #[test]
    fn part_c_a_type_says_what_has_to_be_there_and_may_be_there_once() {
        let mortgage = LeadType {
            uid: 4204,
            name: "Mortgage".into(),
            required: vec!["FirstName".into(), "Email".into()],
            unique: vec!["Email".into(), "Phone".into()],
        };
        let draft = one(&json!({"fields": {"firstname": " ", "EMAIL": " Ada@Acme.test", "Phone": ""}})).unwrap();
        assert_eq!(draft.lacks(&mortgage), [DataError::Required("FirstName".into())]);
        assert_eq!(draft.unique_values(&mortgage), [("Email", "ada@acme.test".to_owned())]);
    }

    #[test]
    fn part_c_leads_past_the_hundredth_are_not_looked_at() {
        let leads = vec![json!({"fields": {"a": 1}}); MAX_LEADS + 2];
        let posted = Posted::read(&json!({"leads": leads})).unwrap();
        assert!(posted.leads[..MAX_LEADS].iter().all(Result::is_ok));
        assert!(posted.leads[MAX_LEADS..].iter().all(|lead| *lead == Err(LeadRefusal::TooMany)));
    }
}
