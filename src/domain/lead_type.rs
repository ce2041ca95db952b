//! A kind of lead, with the rules that a lead of it has to keep.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadType {
    /// LeadExec's `lid`.
    pub uid: i64,
    pub name: String,
    /// Fields that a lead has to have.
    pub required: Vec<String>,
    /// Fields in which no two leads may agree.
    pub unique: Vec<String>,
}
