//! The set of scripted faults of a world (wire.md part E): kept in memory, and counted so that a rule acts exactly as
//! often as it says, however many requests come at once.

mod who;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

pub use who::{Clue, who};

use super::reason::likest;
use super::{Context, partner};
use crate::config::nearest::suggestion;
use crate::domain::fault::{Draft, Endpoint, MAX_RULES, Rule, Times, Unfit, Who};
use crate::domain::ids::AppId;
use crate::store::{StoreError, buttons, users};

/// Users that are looked through for the nearest one.
const LOOKED_THROUGH: i64 = 1_000;

/// Why a set is not taken; the one before stays.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    #[error("there are more than {MAX_RULES} rules")]
    TooMany,
    #[error("rule {index}: {why}")]
    Unfit { index: usize, why: Unfit },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A rule with how often it acted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    pub rule: Arc<Rule>,
    pub hits: u64,
}

#[derive(Default)]
pub struct Faults {
    /// Whether there are any: all that a request costs where there are none.
    armed: AtomicBool,
    set: RwLock<Arc<[Armed]>>,
}

struct Armed {
    rule: Arc<Rule>,
    hits: AtomicU64,
}

impl Armed {
    /// Counts a use, where there is one left.
    fn take(&self) -> bool {
        let limit = match self.rule.times {
            Times::AtMost(times) => u64::from(times.get()),
            Times::Always => u64::MAX,
        };
        let count = |hits: u64| (hits < limit).then(|| hits + 1);
        self.hits.fetch_update(Ordering::AcqRel, Ordering::Acquire, count).is_ok()
    }
}

impl Faults {
    pub fn is_armed(&self) -> bool {
        self.armed.load(Ordering::Acquire)
    }

    pub fn clear(&self) {
        self.replace(Vec::new());
    }

    /// In their order, which is the order in which they are tried.
    pub fn list(&self) -> Vec<Counted> {
        let set = self.set();
        let counted = |armed: &Armed| Counted { rule: armed.rule.clone(), hits: armed.hits.load(Ordering::Acquire) };
        set.iter().map(counted).collect()
    }

    /// The rules for an endpoint; `None` where there are none.
    pub fn at(&self, route: &'static str) -> Option<Candidates> {
        let set = self.set();
        set.iter().any(|armed| armed.rule.is_for(route)).then_some(Candidates { set, route })
    }

    fn set(&self) -> Arc<[Armed]> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, rules: Vec<Rule>) {
        let armed = |rule| Armed { rule: Arc::new(rule), hits: AtomicU64::new(0) };
        let set: Arc<[Armed]> = rules.into_iter().map(armed).collect();
        let mut held = self.set.write().unwrap_or_else(PoisonError::into_inner);
        self.armed.store(!set.is_empty(), Ordering::Release);
        *held = set;
    }
}

/// The rules for one endpoint, as they were when a request came.
pub struct Candidates {
    set: Arc<[Armed]>,
    route: &'static str,
}

impl Candidates {
    fn rules(&self) -> impl Iterator<Item = &Armed> {
        self.set.iter().filter(|armed| armed.rule.is_for(self.route))
    }

    /// Whether it has to be known whom the request is about.
    pub fn name_somebody(&self) -> bool {
        self.rules().any(|armed| armed.rule.names_somebody())
    }

    /// The first rule that matches and has a use left, which is counted.
    pub fn take(&self, who: &Who) -> Option<Arc<Rule>> {
        self.rules().find(|armed| armed.rule.matches(who) && armed.take()).map(|armed| armed.rule.clone())
    }
}

/// Takes a new set in place of the present one, if every rule of it can act.
pub async fn put(ctx: &Context, drafts: Vec<Draft>, endpoints: &[Endpoint]) -> Result<Vec<Counted>, FaultsError> {
    if drafts.len() > MAX_RULES {
        return Err(FaultsError::TooMany);
    }
    let mut ids: HashSet<String> = drafts.iter().filter_map(|draft| draft.id.clone()).collect();
    let mut seen = HashSet::new();
    let mut rules = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.into_iter().enumerate() {
        let unfit = |why| FaultsError::Unfit { index, why };
        if draft.id.as_ref().is_some_and(|id| !seen.insert(id.clone())) {
            return Err(unfit(Unfit::new("/id", "Another rule has this id.")));
        }
        let made = made_id(index, &mut ids);
        let rule = Rule::of(draft, made, endpoints, suggestion).map_err(unfit)?;
        if let Some((_, earlier)) = rules.iter().find(|(_, earlier): &&(usize, Rule)| earlier.hides(&rule)) {
            let reason =
                format!("It could never act: the rule {} before it takes every request that it matches.", earlier.id);
            return Err(unfit(Unfit::new("/match", reason)));
        }
        rules.push((index, rule));
    }
    for (index, rule) in &rules {
        if let Some(why) = misses(ctx, rule).await? {
            return Err(FaultsError::Unfit { index: *index, why });
        }
    }
    ctx.faults.replace(rules.into_iter().map(|(_, rule)| rule).collect());
    Ok(ctx.faults.list())
}

/// `fault-1` for the first rule, unless another one has that name.
fn made_id(index: usize, taken: &mut HashSet<String>) -> String {
    let mut id = format!("fault-{}", index + 1);
    while !taken.insert(id.clone()) {
        id.push('x');
    }
    id
}

/// What a rule names that there is not.
async fn misses(ctx: &Context, rule: &Rule) -> Result<Option<Unfit>, StoreError> {
    if let Some(app) = &rule.app {
        if partner::app_by(ctx, app.as_str()).await?.is_none() {
            let nearest = partner::nearest_app(ctx, app.as_str()).await?;
            return Ok(Some(Unfit::new("/match/app", unknown("application", nearest))));
        }
        if rule.routes.iter().all(|route| route.starts_with("/button/")) && has_no_button(ctx, app).await? {
            let reason = "This application has no button: no request to the endpoint could be about it.";
            return Ok(Some(Unfit::new("/match/app", reason)));
        }
    }
    if let Some(user) = &rule.user {
        let email = user.clone();
        let found = ctx.store.read(move |conn| {
            let email = email.clone();
            Box::pin(async move { users::find_by_email(conn, &email).await })
        });
        if found.await?.is_none() {
            let known = ctx.store.read(|conn| Box::pin(users::list(conn, None, LOOKED_THROUGH))).await?;
            let nearest = likest(user.as_str(), known.iter().map(|user| user.email.as_str()));
            return Ok(Some(Unfit::new("/match/user", unknown("user", nearest))));
        }
    }
    Ok(None)
}

async fn has_no_button(ctx: &Context, app: &AppId) -> Result<bool, StoreError> {
    let app = app.clone();
    let found = ctx.store.read(move |conn| {
        let app = app.clone();
        Box::pin(async move { buttons::list(conn, Some(&app), None, 1).await })
    });
    Ok(found.await?.is_empty())
}

fn unknown(what: &str, nearest: Option<String>) -> String {
    match nearest {
        Some(nearest) => format!("There is no such {what}; the nearest is `{nearest}`."),
        None => format!("There is no such {what}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::Errors;

    const ROUTE: &str = "/oauth/token";
    const ENDPOINTS: [Endpoint; 1] =
        [Endpoint { route: ROUTE, errors: Errors::Status, shows_app: true, shows_user: false }];

    fn armed(times: &[Option<Times>]) -> Faults {
        let rule = |(index, times): (usize, &Option<Times>)| {
            let draft = Draft { endpoint: "token".into(), times: *times, status: Some(500), ..Draft::default() };
            Rule::of(draft, format!("fault-{index}"), &ENDPOINTS, suggestion).unwrap()
        };
        let faults = Faults::default();
        faults.replace(times.iter().enumerate().map(rule).collect());
        faults
    }

    #[test]
    fn e_a_use_is_had_by_one_of_many_at_once() {
        let three = Times::AtMost(3.try_into().unwrap());
        let faults = armed(&[Some(three), None]);
        let acted = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..100).filter(|_| faults.at(ROUTE).unwrap().take(&Who::default()).is_some()).count()
                    })
                })
                .collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).sum::<usize>()
        });
        assert_eq!(acted, 4);
        assert_eq!(faults.list().iter().map(|counted| counted.hits).collect::<Vec<_>>(), [3, 1]);
    }

    #[test]
    fn e_the_first_that_matches_acts_and_one_that_always_acts_hides_the_rest() {
        let faults = armed(&[None, Some(Times::Always), None]);
        let ids: Vec<String> =
            (0..3).map(|_| faults.at(ROUTE).unwrap().take(&Who::default()).unwrap().id.clone()).collect();
        assert_eq!(ids, ["fault-0", "fault-1", "fault-1"]);
        assert!(faults.at("/oauth/revoke").is_none());
        faults.clear();
        assert!(!faults.is_armed() && faults.at(ROUTE).is_none() && faults.list().is_empty());
    }

    #[test]
    fn e_an_id_that_is_made_is_nobody_elses() {
        let mut taken = HashSet::from(["fault-2".to_owned()]);
        assert_eq!(made_id(0, &mut taken), "fault-1");
        assert_eq!(made_id(1, &mut taken), "fault-2x");
    }
}
