//! The worlds beside the server's own (wire.md E): whole routers, each over a context of its own, below `/ns/{id}`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{self, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt as _};

use super::urls::Urls;
use super::{Web, error, router};
use crate::domain::namespace::{MAX_NAMESPACES, Namespace, NamespaceId};
use crate::domain::timestamp::Timestamp;
use crate::services::Context;
use crate::services::clocks;
use crate::services::namespaces::{self, Made, NamespaceError};
use crate::services::webhooks;
use crate::socket::Peer;
use crate::store::StoreError;

/// How often it is looked whether a namespace is over, or was ended on another node; real time.
const TIDY_EVERY: Duration = Duration::from_secs(1);
/// How long clocks that another node moved may go unnoticed; real time.
const CLOCKS_EVERY: Duration = Duration::from_secs(1);

/// Starts what has to run beside a world.
type Background = fn(Arc<Context>) -> JoinHandle<()>;

/// The namespaces that this process serves.
pub struct Namespaces {
    home: Arc<Context>,
    background: Background,
    served: Mutex<HashMap<NamespaceId, Served>>,
    /// Held by who makes or opens one: they take turns, so that none is opened twice, and none is one too many.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Served {
    namespace: Namespace,
    router: Router,
    ctx: Arc<Context>,
    background: Arc<JoinHandle<()>>,
    /// When its clocks were last read: another node may have moved them.
    clocks_read: Arc<Mutex<Instant>>,
}

impl Namespaces {
    /// Those beside the world of `home`. `background` starts the work that each of them needs.
    pub fn beside(home: Arc<Context>, background: Background) -> Arc<Self> {
        let namespaces = Self { home, background, served: Mutex::default(), turn: tokio::sync::Mutex::default() };
        let namespaces = Arc::new(namespaces);
        tokio::spawn(tidy(Arc::downgrade(&namespaces)));
        namespaces
    }

    fn served(&self) -> MutexGuard<'_, HashMap<NamespaceId, Served>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one beside the world of `web`.
    pub async fn make(&self, web: &Web, ttl: Duration) -> Result<Made, NamespaceError> {
        let _turn = self.turn.lock().await;
        self.close_over(self.home.real_now()).await;
        if !self.home.store.has_shared_namespaces() && self.served().len() >= MAX_NAMESPACES {
            return Err(NamespaceError::TooMany);
        }
        let made = namespaces::make(&self.home, ttl).await?;
        self.serve(web, &made.namespace, made.ctx.clone());
        Ok(made)
    }

    /// Ends answers that would go on for as long as somebody listens.
    pub fn wind_up(&self) {
        for served in self.served().values() {
            served.ctx.journal.close();
            served.ctx.webhooks.close();
        }
    }

    /// Every one that is not over, oldest first.
    pub async fn list(&self) -> Result<Vec<Namespace>, StoreError> {
        if self.home.store.has_shared_namespaces() {
            return namespaces::list(&self.home).await;
        }
        let now = self.home.real_now();
        let mut list: Vec<_> = self.served().values().map(|served| served.namespace.clone()).collect();
        list.retain(|namespace| namespace.expires_at > now);
        list.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(list)
    }

    /// Ends one. `false` where there is none.
    pub async fn remove(&self, id: &NamespaceId) -> Result<bool, StoreError> {
        self.close_over(self.home.real_now()).await;
        let served = self.served().remove(id);
        let was_here = served.is_some();
        if let Some(served) = served {
            served.close().await;
        }
        let was_listed = self.home.store.has_shared_namespaces() && namespaces::remove(&self.home, id).await?;
        Ok(was_here || was_listed)
    }

    /// The namespace that an address names; opened here where another node made it.
    async fn find(&self, web: &Web, id: &str) -> Result<Option<Served>, NamespaceError> {
        let Some(id) = NamespaceId::parse(id) else { return Ok(None) };
        if let Some(found) = self.known(&id) {
            return Ok(found);
        }
        if !self.home.store.has_shared_namespaces() {
            return Ok(None);
        }
        let _turn = self.turn.lock().await;
        if let Some(found) = self.known(&id) {
            return Ok(found);
        }
        let Some(namespace) = namespaces::find(&self.home, &id).await? else { return Ok(None) };
        let ctx = namespaces::open(&self.home, &namespace).await?;
        self.serve(web, &namespace, ctx);
        Ok(self.known(&id).flatten())
    }

    /// `Some(None)`: it was served here, and is over.
    fn known(&self, id: &NamespaceId) -> Option<Option<Served>> {
        let now = self.home.real_now();
        self.served().get(id).map(|served| (served.namespace.expires_at > now).then(|| served.clone()))
    }

    fn serve(&self, home: &Web, namespace: &Namespace, ctx: Arc<Context>) {
        let router = router(Web {
            urls: Urls::new(&ctx.issuer, &home.urls.path(&format!("/ns/{}", namespace.id))),
            origin: home.origin.clone(),
            is_only_https: home.is_only_https,
            proxies: home.proxies.clone(),
            sandbox_token: home.sandbox_token.clone(),
            demonstration: home.demonstration.clone(),
            has_metrics: false,
            namespaces: None,
            stopping: home.stopping.clone(),
            ctx: ctx.clone(),
        });
        let background = Arc::new((self.background)(ctx.clone()));
        let clocks_read = Arc::new(Mutex::new(Instant::now()));
        let served = Served { namespace: namespace.clone(), router, ctx, background, clocks_read };
        self.served().insert(namespace.id.clone(), served);
    }

    async fn close_over(&self, now: Timestamp) {
        let over: Vec<_> = self.served().extract_if(|_, served| served.namespace.expires_at <= now).collect();
        for (id, served) in over {
            served.close().await;
            self.drop_listed(&id).await;
        }
    }

    /// Stops to serve what another node ended.
    async fn close_unlisted(&self) -> Result<(), StoreError> {
        if self.served().is_empty() || !self.home.store.has_shared_namespaces() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        let listed = namespaces::list(&self.home).await?;
        let is_gone = |id: &NamespaceId| listed.iter().all(|namespace| namespace.id != *id);
        let gone: Vec<_> = self.served().extract_if(|id, _| is_gone(id)).collect();
        for (_, served) in gone {
            served.close().await;
        }
        Ok(())
    }

    async fn drop_listed(&self, id: &NamespaceId) {
        if self.home.store.has_shared_namespaces()
            && let Err(error) = namespaces::remove(&self.home, id).await
        {
            tracing::warn!(%error, namespace = %id, "a namespace was not dropped; a sweep tries it again");
        }
    }
}

impl Served {
    async fn follow_clocks(&self) -> Result<(), StoreError> {
        if !self.ctx.store.has_shared_namespaces() {
            return Ok(());
        }
        {
            let mut read = self.clocks_read.lock().unwrap_or_else(PoisonError::into_inner);
            if read.elapsed() < CLOCKS_EVERY {
                return Ok(());
            }
            *read = Instant::now();
        }
        clocks::reload(&self.ctx).await?;
        webhooks::reload(&self.ctx).await
    }

    async fn close(self) {
        self.ctx.journal.close();
        self.ctx.webhooks.close();
        self.background.abort();
        self.ctx.store.close().await;
    }
}

/// Runs until the server is gone.
async fn tidy(namespaces: Weak<Namespaces>) {
    let mut due = tokio::time::interval(TIDY_EVERY);
    loop {
        due.tick().await;
        let Some(namespaces) = namespaces.upgrade() else { return };
        namespaces.close_over(namespaces.home.real_now()).await;
        if let Err(error) = namespaces.close_unlisted().await {
            tracing::warn!(%error, "namespaces that another node ended were not looked for");
        }
    }
}

/// Hands requests over to the namespace that they are for, as they came. What names none that there is goes on.
#[derive(Clone)]
pub struct Dispatch(pub Arc<Web>);

impl<S> Layer<S> for Dispatch {
    type Service = Dispatching<S>;

    fn layer(&self, own: S) -> Dispatching<S> {
        Dispatching { web: self.0.clone(), own }
    }
}

#[derive(Clone)]
pub struct Dispatching<S> {
    web: Arc<Web>,
    own: S,
}

impl<S> Service<Request> for Dispatching<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    /// Nobody else pays for the box.
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        self.own.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Some(id) = self.web.namespace_in(request.uri().path()).map(|(id, _)| id.to_owned()) else {
            return Either::Left(self.own.call(request));
        };
        // The one that is ready is this one, not its copy.
        let copy = self.own.clone();
        let (web, own) = (self.web.clone(), std::mem::replace(&mut self.own, copy));
        Either::Right(async move { hand_over(&web, own, request, &id).await }.boxed())
    }
}

async fn hand_over<S>(web: &Web, mut own: S, request: Request, id: &str) -> Result<Response, Infallible>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let Some(namespaces) = &web.namespaces else { return own.call(request).await };
    match namespaces.find(web, id).await {
        Ok(Some(served)) => {
            if let Err(error) = served.follow_clocks().await {
                tracing::warn!(%error, namespace = id, "the clocks of a namespace were not read");
            }
            served.router.oneshot(afresh(request)).await
        }
        Ok(None) => own.call(request).await,
        Err(why) => {
            tracing::warn!(%why, namespace = id, "a namespace could not be opened");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Ok(error::failed_at(web, request.uri().path(), request.headers(), status))
        }
    }
}

/// The request as it came in: what our own router wrote on it does not hold in another one.
fn afresh(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.remove::<ConnectInfo<Peer>>();
    parts.extensions.clear();
    if let Some(peer) = peer {
        parts.extensions.insert(peer);
    }
    Request::from_parts(parts, body)
}
