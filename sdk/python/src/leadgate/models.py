"""Generated from sdk/openapi.json by generate.py."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Optional, TypedDict, Union


class AccountChange(TypedDict, total=False):
    """What is to be different; what is left out stays."""

    api_keys: List[str]
    name: str


class _AccountList(TypedDict):
    accounts: List[AccountObject]


class AccountList(_AccountList, total=False):
    """A page of accounts, oldest first."""

    next: Optional[str]


class _AccountObject(TypedDict):
    id: str
    name: str


class AccountObject(_AccountObject, total=False):
    """A customer account, to which users belong."""

    api_keys: Optional[List[str]]


class ActorObject(TypedDict):
    """Who did it."""

    id: str
    kind: str
    name: str


AdvanceTo = Literal["next_expiry"]


Algorithm = Literal["SHA-256", "MD5"]


class ApiKey(TypedDict):
    account: str
    api_key: str


class AppChange(TypedDict, total=False):
    """What is to be different; what is left out stays, a list is replaced whole."""

    access_token_signing_alg: str
    client_secret: Optional[str]
    disabled: bool
    dpop_bound_access_tokens: bool
    grant_types: List[str]
    id_token_signed_response_alg: str
    jwks: Optional[Dict[str, Any]]
    name: str
    owner: Optional[str]
    post_logout_redirect_uris: List[str]
    publisher: Optional[str]
    redirect_uris: List[str]
    require_pushed_authorization_requests: bool
    resources: List[str]
    scopes: List[str]
    token_endpoint_auth_method: str


class _AppList(TypedDict):
    apps: List[AppObject]


class AppList(_AppList, total=False):
    """A page of applications, oldest first."""

    next: Optional[str]


class _AppObject(TypedDict):
    access_token_signing_alg: str
    buttons: List[NestedButton]
    created_at: str
    disabled: bool
    dpop_bound_access_tokens: bool
    grant_types: List[str]
    id: str
    id_token_signed_response_alg: str
    name: str
    post_logout_redirect_uris: List[str]
    publisher: str
    redirect_uris: List[str]
    require_pushed_authorization_requests: bool
    resources: List[str]
    scopes: List[str]
    token_endpoint_auth_method: str


class AppObject(_AppObject, total=False):
    """A partner application."""

    client_secret: Optional[str]
    jwks: Optional[Dict[str, Any]]
    owner: Optional[str]


class _AuthorizeRequest(TypedDict):
    decision: Decision
    user: str


class AuthorizeRequest(_AuthorizeRequest, total=False):
    """Who decides, on what, and how."""

    authorize_url: Optional[str]
    button: Optional[str]
    scopes: Optional[List[str]]


class _AuthorizeResult(TypedDict):
    auto: bool
    valid: bool


class AuthorizeResult(_AuthorizeResult, total=False):
    """The outcome of one sign-in."""

    authToken: Optional[str]
    buttonId: Optional[str]
    error: Optional[Code]
    errorMessage: Optional[str]
    expireDate: Optional[str]
    refreshToken: Optional[str]


class _Authorized(TypedDict):
    auto: bool
    valid: bool


class Authorized(_Authorized, total=False):
    """What the page's callback would get, and the connection behind it."""

    authToken: Optional[str]
    buttonId: Optional[str]
    connectionId: Optional[str]
    error: Optional[Code]
    errorMessage: Optional[str]
    expireDate: Optional[str]
    refreshToken: Optional[str]


class BehaviourObject(TypedDict):
    """One behaviour of the emulation."""

    behaviour: str
    fidelity: str
    id: str
    routes: List[str]
    source: str
    surface: str


class ButtonChange(TypedDict, total=False):
    """What is to be different; what is left out stays, a list is replaced whole."""

    app: str
    origins: List[str]
    return_urls: List[str]
    scopes: Optional[List[str]]
    size: str
    theme: str


class _ButtonList(TypedDict):
    buttons: List[ButtonObject]


class ButtonList(_ButtonList, total=False):
    """A page of buttons, oldest first."""

    next: Optional[str]


class _ButtonObject(TypedDict):
    app: str
    created_at: str
    id: str
    origins: List[str]
    return_urls: List[str]
    size: str
    theme: str


class ButtonObject(_ButtonObject, total=False):
    """One sign-in button."""

    scopes: Optional[List[str]]


class CallObject(TypedDict):
    """How the newest call went."""

    at: str
    detail: str
    duration_ms: int
    result: str


class _CallbackObject(TypedDict):
    app: str
    on_failure: str
    url: str


class CallbackObject(_CallbackObject, total=False):
    """An action call-back."""

    last_call: Optional[CallObject]
    secret: Optional[str]


class _ChangeObject(TypedDict):
    field: str


class ChangeObject(_ChangeObject, total=False):
    """A field that is different since."""

    after: Optional[str]
    before: Optional[str]


class Clock(TypedDict):
    """A clock."""

    frozen: bool
    now: str
    offset_ms: int
    real_now: str


class ClockChange(TypedDict, total=False):
    """One change to a clock."""

    advance: Optional[str]
    advance_to: Optional[AdvanceTo]
    app: Optional[str]
    freeze: Optional[bool]
    offset_ms: Optional[int]


Code = Literal["access_denied", "origin_not_allowed", "invalid_button", "invalid_grant", "login_required", "consent_required", "rate_limited", "server_error"]


class _ConnectionList(TypedDict):
    connections: List[ConnectionObject]


class ConnectionList(_ConnectionList, total=False):
    """A page of connections that live, oldest first."""

    next: Optional[str]


class _ConnectionObject(TypedDict):
    app: str
    created_at: str
    id: str
    scopes: List[str]
    sign_in_scopes: List[str]
    user: str


class ConnectionObject(_ConnectionObject, total=False):
    """One user's consent to one application."""

    expires_at: Optional[str]
    last_used_at: Optional[str]
    refresh_token: Optional[str]


class CountBounds(TypedDict, total=False):
    """Either `exactly`, or at least one of the other two."""

    at_least: Optional[int]
    at_most: Optional[int]
    exactly: Optional[int]


CountForm = Union[int, "CountBounds"]


class CountedRule(TypedDict):
    """A rule as it is kept, with nothing left to be understood."""

    effect: FaultEffect
    hits: int
    id: str
    match: FaultMatch
    times: Union[int, Literal["always"]]
    when: FaultWhen


Decision = Literal["allow", "deny"]


class DeletedLeads(TypedDict):
    """How many were deleted."""

    deleted: int


class DeliveryChangeObject(TypedDict, total=False):
    """What is to be different; what is left out stays, secrets among it. `null` takes away what may be missing."""

    algorithms: List[Algorithm]
    client_id: Optional[str]
    client_secret: Optional[str]
    grant_type: GrantType
    method: Method
    name: str
    password: str
    prefix: str
    scope: Optional[str]
    token: str
    token_url: Optional[str]
    url: Optional[str]
    username: str


class _DeliveryList(TypedDict):
    deliveries: List[DeliverySummary]


class DeliveryList(_DeliveryList, total=False):
    """A page of deliveries, oldest first."""

    next: Optional[str]


class _DeliveryObject(TypedDict):
    created_at: str
    id: str
    method: Method
    name: str
    receive_url: str


class DeliveryObject(_DeliveryObject, total=False):
    """A delivery with its settings, of which no secret is ever shown."""

    algorithms: Optional[List[Algorithm]]
    client_id: Optional[str]
    grant_type: Optional[GrantType]
    owner_id: Optional[str]
    prefix: Optional[str]
    scope: Optional[str]
    token_url: Optional[str]
    url: Optional[str]
    username: Optional[str]


class _DeliverySummary(TypedDict):
    created_at: str
    id: str
    method: Method
    name: str
    receive_url: str


class DeliverySummary(_DeliverySummary, total=False):
    """A delivery in a list."""

    owner_id: Optional[str]
    url: Optional[str]


class _EventList(TypedDict):
    events: List[EventObject]


class EventList(_EventList, total=False):
    """A page of events, newest first."""

    next: Optional[str]


class _EventObjectRest(TypedDict):
    action: str
    actor: ActorObject
    at: str
    changes: List[ChangeObject]
    id: str
    target: TargetObject


_EventObjectWords = TypedDict("_EventObjectWords", {"from": "Optional[str]"}, total=False)


class EventObject(_EventObjectRest, _EventObjectWords):
    """What happened, by whom, from where."""


class _ExchangeList(TypedDict):
    exchanges: List[ExchangeObject]


class ExchangeList(_ExchangeList, total=False):
    """A page of exchanges, newest first."""

    next: Optional[str]


class _ExchangeObject(TypedDict):
    at: str
    id: str
    kind: str
    steps: List[StepObject]


class ExchangeObject(_ExchangeObject, total=False):
    """A lead on its way, with each request that it took. No secret is in it."""

    lead: Optional[str]
    lead_type: Optional[str]
    status: Optional[int]
    why: Optional[str]


class FaultEffect(TypedDict, total=False):
    """What happens; at least one of them."""

    body: Any
    content_type: Optional[str]
    delay_ms: Optional[int]
    drop: bool
    error: Optional[str]
    status: Optional[int]


class _FaultMatch(TypedDict):
    endpoint: str


class FaultMatch(_FaultMatch, total=False):
    """The requests that are meant. What is left out is any."""

    app: Optional[str]
    user: Optional[str]


class _FaultRule(TypedDict):
    effect: FaultEffect
    match: FaultMatch


class FaultRule(_FaultRule, total=False):
    """A rule: what goes wrong, where, for whom, how often."""

    id: Optional[str]
    times: Union[int, Literal["always"]]
    when: FaultWhen


FaultWhen = Literal["before", "after"]


GrantType = Literal["client_credentials", "password"]


class HandedMessage(TypedDict):
    """A message that the listener has for 20 seconds: by then it reports, or the message is handed out again."""

    body: str
    headers: List[List[Any]]
    id: str
    nr: int
    type: str


class HandedMessages(TypedDict):
    """What there is for a listener."""

    messages: List[HandedMessage]


class HeaderObject(TypedDict):
    name: str
    value: str


class IntegrationCheck(TypedDict):
    """What a correct integration does, ticked off."""

    app: str
    at: str
    checks: List[OneCheck]
    name: str
    summary: Summary


class InvitationObject(TypedDict):
    """An invitation that was made."""

    email: str
    expires_at: str
    id: str
    link: str
    role: str


class _LeadList(TypedDict):
    leads: List[LeadObject]


class LeadList(_LeadList, total=False):
    """A page of leads, newest first."""

    next: Optional[str]


class _LeadObject(TypedDict):
    account: str
    fields: Dict[str, Any]
    id: str
    lead_type: int
    no_sell: bool
    number: int
    received_at: str
    vid: int


class LeadObject(_LeadObject, total=False):
    """A lead, as it was posted."""

    aid: Optional[int]
    app: Optional[str]
    reference: Optional[str]
    return_url: Optional[str]
    send_delay: Optional[float]


class Ledger(TypedDict):
    """The ledger."""

    behaviours: List[BehaviourObject]


class _ListenerObject(TypedDict):
    events: List[str]
    id: str
    secret: str


class ListenerObject(_ListenerObject, total=False):
    """A machine that asks for its messages."""

    app: Optional[str]


class _ListenerReport(TypedDict):
    duration_ms: int
    nr: int


class ListenerReport(_ListenerReport, total=False):
    """What became of a message: a status where there was an answer, else the reason why there was none."""

    body: Optional[str]
    error: Optional[str]
    headers: List[List[Any]]
    status: Optional[int]


class ListenerReported(TypedDict, total=False):
    """What happens next."""

    retry_in_ms: Optional[int]


class MessageObject(TypedDict):
    """Its header fields are those of HTTP, with what is secret masked."""

    body: str
    headers: List[HeaderObject]
    line: str


Method = Literal["basic", "digest", "bearer", "oauth2"]


class _NamespaceAnswer(TypedDict):
    control_plane: str
    created_at: str
    expires_at: str
    id: str
    issuer: str
    metadata: str


class NamespaceAnswer(_NamespaceAnswer, total=False):
    api_keys: List[ApiKey]


class NamespaceList(TypedDict):
    namespaces: List[NamespaceAnswer]


class NamespaceRequest(TypedDict, total=False):
    ttl: Optional[str]


class _NestedButton(TypedDict):
    id: str
    origins: List[str]
    return_urls: List[str]
    size: str
    theme: str


class NestedButton(_NestedButton, total=False):
    """A button within its application."""

    scopes: Optional[List[str]]


class _NewAccountObject(TypedDict):
    name: str


class NewAccountObject(_NewAccountObject, total=False):
    """An account to be made."""

    api_keys: Optional[List[str]]
    id: Optional[str]


class _NewApp(TypedDict):
    name: str


class NewApp(_NewApp, total=False):
    """An application to be registered."""

    access_token_signing_alg: str
    buttons: List[NewNestedButton]
    client_secret: Optional[str]
    disabled: bool
    dpop_bound_access_tokens: bool
    grant_types: List[str]
    id: Optional[str]
    id_token_signed_response_alg: str
    jwks: Optional[Dict[str, Any]]
    owner: Optional[str]
    post_logout_redirect_uris: List[str]
    publisher: Optional[str]
    redirect_uris: List[str]
    require_pushed_authorization_requests: bool
    resources: List[str]
    scopes: List[str]
    token_endpoint_auth_method: str


class _NewButtonObject(TypedDict):
    app: str
    origins: List[str]


class NewButtonObject(_NewButtonObject, total=False):
    """A button to be made."""

    id: Optional[str]
    return_urls: List[str]
    scopes: Optional[List[str]]
    size: str
    theme: str


class _NewCallback(TypedDict):
    url: str


class NewCallback(_NewCallback, total=False):
    """Where an application's own server is to be asked."""

    on_failure: Optional[str]


class _NewConnection(TypedDict):
    app: str
    user: str


class NewConnection(_NewConnection, total=False):
    """A consent to be given."""

    scopes: Optional[List[str]]


class _NewDeliveryObject(TypedDict):
    method: Method
    name: str


class NewDeliveryObject(_NewDeliveryObject, total=False):
    """A delivery to be made. Which settings it takes is the method's business; each other one is refused."""

    algorithms: Optional[List[Algorithm]]
    client_id: Optional[str]
    client_secret: Optional[str]
    grant_type: Optional[GrantType]
    owner: Optional[str]
    password: Optional[str]
    prefix: Optional[str]
    scope: Optional[str]
    token: Optional[str]
    token_url: Optional[str]
    url: Optional[str]
    username: Optional[str]


class _NewInvitation(TypedDict):
    email: str


class NewInvitation(_NewInvitation, total=False):
    """Who is invited."""

    account: Optional[str]
    role: Optional[str]


class NewListener(TypedDict, total=False):
    """A listener to be made."""

    app: Optional[str]
    events: Optional[List[str]]
    secret: Optional[str]


class _NewNestedButton(TypedDict):
    origins: List[str]


class NewNestedButton(_NewNestedButton, total=False):
    """A button of an application that is registered in the same request."""

    id: Optional[str]
    return_urls: List[str]
    scopes: Optional[List[str]]
    size: str
    theme: str


class _NewUserObject(TypedDict):
    account: str
    email: str
    name: str


class NewUserObject(_NewUserObject, total=False):
    """A user to be made."""

    disabled: bool
    password: Optional[str]
    password_hash: Optional[str]
    role: Optional[str]


class _NewWebhook(TypedDict):
    app: str
    url: str


class NewWebhook(_NewWebhook, total=False):
    """A webhook to be made."""

    events: Optional[List[str]]
    secret: Optional[str]


class _OneCheck(TypedDict):
    group: str
    help: str
    name: str
    status: str
    title: str


class OneCheck(_OneCheck, total=False):
    """One thing that a correct integration does."""

    evidence: Optional[Shown]
    todo: Optional[str]


class Presented(TypedDict):
    """A token that this server gave."""

    token: str


class _Problem(TypedDict):
    detail: str
    status: int
    title: str
    type: str


class Problem(_Problem, total=False):
    """Why a request of the control plane was not served (RFC 9457)."""

    parameter: Optional[str]
    pointer: Optional[str]


class _Redirected(TypedDict):
    redirect_to: str


class Redirected(_Redirected, total=False):
    """Where the browser would be sent, and for `form_post` what it would send."""

    form: Optional[Dict[str, Any]]


class RegistrationToken(TypedDict):
    expires_at: str
    token: str


class RegistrationTokenRequest(TypedDict, total=False):
    expires_in: Optional[int]


class _RequestCount(TypedDict):
    match: RequestMatch


class RequestCount(_RequestCount, total=False):
    """What is to be counted, and how many there have to be."""

    count: Optional[CountForm]


class _RequestDetails(TypedDict):
    app_at: str
    at: str
    curl: str
    duration_ms: int
    endpoint: str
    id: str
    method: str
    outcome: str
    real_at: str
    request: RequestDirection
    response: RequestDirection
    route: str
    status: int


class RequestDetails(_RequestDetails, total=False):
    """A request with the whole exchange. What is secret is masked; there is no switch."""

    app: Optional[str]
    button: Optional[str]
    connection: Optional[str]
    fault: Optional[str]
    flow: Optional[str]
    user: Optional[str]
    why: Optional[RequestReason]


class RequestDirection(TypedDict):
    """One direction of the exchange, masked."""

    body: str
    headers: List[RequestHeader]
    line: str


class RequestHeader(TypedDict):
    """One header, masked."""

    name: str
    value: str


class RequestList(TypedDict):
    """Requests of the journal."""

    requests: List[RequestSummary]


class RequestMatch(TypedDict, total=False):
    """Criteria, all of which a request has to meet."""

    after: Optional[str]
    app: Optional[str]
    connection: Optional[str]
    endpoint: Optional[str]
    flow: Optional[str]
    outcome: Optional[str]
    since: Optional[str]
    user: Optional[str]


class _RequestReason(TypedDict):
    message: str
    rule: str


class RequestReason(_RequestReason, total=False):
    """Why a request was refused."""

    nearest: Optional[str]


class _RequestSummary(TypedDict):
    at: str
    duration_ms: int
    endpoint: str
    id: str
    method: str
    outcome: str
    real_at: str
    route: str
    status: int


class RequestSummary(_RequestSummary, total=False):
    """A request and what came of it."""

    app: Optional[str]
    button: Optional[str]
    connection: Optional[str]
    fault: Optional[str]
    flow: Optional[str]
    user: Optional[str]
    why: Optional[RequestReason]


class RequestsCounted(TypedDict):
    """How many there were."""

    matched: int


class ResetAnswer(TypedDict):
    deleted: int
    made: int
    reset: bool


class RotatedWebhookSecret(TypedDict):
    """A secret, shown this once."""

    secret: str


class Shown(TypedDict):
    """The request that shows how a check came out."""

    at: str
    request: str
    sentence: str


SignInOutcome = Union["Authorized", "Redirected"]


class SnapshotAnswer(TypedDict):
    created_at: str
    name: str
    rows: int
    schema_version: int


class SnapshotList(TypedDict):
    snapshots: List[SnapshotAnswer]


class _StepObject(TypedDict):
    duration_ms: int
    request: MessageObject


class StepObject(_StepObject, total=False):
    """A request and its answer."""

    response: Optional[MessageObject]


class _SummaryRest(TypedDict):
    fail: int
    not_seen: int


_SummaryWords = TypedDict("_SummaryWords", {"pass": "int"}, total=False)


class Summary(_SummaryRest, _SummaryWords):
    """How many checks came out how."""


class TargetObject(TypedDict):
    """What it was done to. It may be gone by now; the name is that of then."""

    id: str
    kind: str
    name: str


TestLeadForm = Union[Dict[str, Any], str]


class TestObject(TypedDict, total=False):
    """A test lead that is to be sent."""

    lead: Optional[TestLeadForm]
    url: Optional[str]


class _TestedObject(TypedDict):
    exchange: ExchangeObject


class TestedObject(_TestedObject, total=False):
    """What came of a test lead."""

    status: Optional[int]


class _TokenOutcome(TypedDict):
    app: str
    changed: bool
    kind: str


class TokenOutcome(_TokenOutcome, total=False):
    """What became of it."""

    connection: Optional[str]


class Tokens(TypedDict):
    """Tokens as a sign-in at a button gives them."""

    access_token: str
    expires_in: int
    refresh_token: str


class _TokensWanted(TypedDict):
    app: str
    user: str


class TokensWanted(_TokensWanted, total=False):
    """Who wants tokens, for what, and for how long."""

    expires_in: Optional[int]
    scopes: Optional[List[str]]


class UsageDay(TypedDict):
    """What was counted of an application on one day, by UTC."""

    connections: int
    date: str
    errors: int
    refreshes: int


class UsageObject(TypedDict):
    """How much an application is used."""

    days: List[UsageDay]


class UserChange(TypedDict, total=False):
    """What is to be different; what is left out stays."""

    account: str
    disabled: bool
    email: str
    name: str
    password: str
    password_hash: str
    role: str


class _UserList(TypedDict):
    users: List[UserObject]


class UserList(_UserList, total=False):
    """A page of users, oldest first."""

    next: Optional[str]


class _UserObject(TypedDict):
    account: str
    created_at: str
    disabled: bool
    email: str
    id: str
    name: str
    role: str


class UserObject(_UserObject, total=False):
    """A person with a login."""

    magic: Optional[str]


class _WebhookAttempt(TypedDict):
    at: str
    duration_ms: int
    nr: int
    request: WebhookAttemptRequest


class WebhookAttempt(_WebhookAttempt, total=False):
    """One attempt to deliver a message."""

    error: Optional[str]
    response: Optional[WebhookAttemptResponse]


class WebhookAttemptRequest(TypedDict):
    """What was sent; the body is the message's payload."""

    headers: List[List[Any]]


class WebhookAttemptResponse(TypedDict):
    """What came back."""

    body: str
    headers: List[List[Any]]
    status: int


class WebhookChange(TypedDict, total=False):
    """What is to be different; what is left out stays."""

    disabled: bool
    events: List[str]
    url: str


class _WebhookDelivery(TypedDict):
    attempts: int
    created_at: str
    id: str
    status: str
    type: str


class WebhookDelivery(_WebhookDelivery, total=False):
    """A message, and how far it is."""

    next_attempt_at: Optional[str]


class _WebhookDeliveryDetails(TypedDict):
    attempts: int
    created_at: str
    id: str
    log: List[WebhookAttempt]
    payload: str
    status: str
    type: str


class WebhookDeliveryDetails(_WebhookDeliveryDetails, total=False):
    """A message with all that was tried."""

    next_attempt_at: Optional[str]


class _WebhookList(TypedDict):
    webhooks: List[WebhookObject]


class WebhookList(_WebhookList, total=False):
    """A page of webhooks, oldest first."""

    next: Optional[str]


class WebhookMessageMade(TypedDict):
    """A message that will be sent."""

    id: str


class _WebhookObject(TypedDict):
    created_at: str
    disabled: bool
    events: List[str]
    id: str


class WebhookObject(_WebhookObject, total=False):
    """Who is told of what happens to an application's connections."""

    app: Optional[str]
    disabled_why: Optional[str]
    failing_since: Optional[str]
    previous_secret_until: Optional[str]
    secret: Optional[str]
    url: Optional[str]


class WebhookReplayed(TypedDict):
    """How many are sent again."""

    replayed: int


class WebhookRotation(TypedDict, total=False):
    """How a secret is replaced."""

    overlap: Optional[str]


class _WebhookSpan(TypedDict):
    since: str


class WebhookSpan(_WebhookSpan, total=False):
    """Which messages are sent again."""

    status: Optional[str]
    until: Optional[str]
