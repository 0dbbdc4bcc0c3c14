"""Endpoints: which addresses an organisation has told, and of what."""
from datetime import timedelta

from sqlalchemy import and_, delete, func, select

from accounts.models import Organisation
from accounts.permissions import Relation, Role, Viewer, allows
from accounts.webhooks import signing
from accounts.webhooks.models import Delivery, Endpoint
from core import audit, clock
from core.database import db
from core.errors import Conflict, Invalid, NotFound
from core.outbound import Outbound, Refused

EVENTS = {  # event → what it is, as people choose it on the page
    "offer.step": "A step was taken in an offer of yours, by either side or by the clock",
    "avails.changed": "What is free of a title you may see may have changed",
    "title.published": "A title was published that you may see",
}
MOST = 10  # of one organisation
FORMER_COUNTS = timedelta(days=1)


def create(viewer: Viewer, seal: signing.Seal, outbound: Outbound, *, url: str, events) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is shown this once. Raises Invalid or Conflict."""
    if db.session.scalar(select(func.count()).select_from(Endpoint).where(own(viewer))) >= MOST:
        raise Conflict(f"An organisation has {MOST} webhooks at most; remove one first.")
    secret = signing.new_secret()
    endpoint = Endpoint(organisation_id=viewer.organisation_id, url=_url(url, outbound), events=_events(events),
                        active=True, secret=seal.close(secret), person_id=viewer.person_id, made_at=clock.now())
    db.session.add(endpoint)
    db.session.flush()
    return endpoint, secret


def revise(endpoint: Endpoint, outbound: Outbound, *, url=None, events=None, active=None):
    """Change what is given. Switched on again, what still waits is sent at once."""
    if url is not None:
        endpoint.url = _url(url, outbound)
    if events is not None:
        endpoint.events = _events(events)
    if active is not None and active != endpoint.active:
        endpoint.active = active
        endpoint.failures, endpoint.failing_since, endpoint.not_before, endpoint.why_off = 0, None, None, None
    db.session.flush()


def renew_secret(endpoint: Endpoint, seal: signing.Seal) -> str:
    """A new secret, shown this once. The former one signs, too, for a day, so that the receiver can change over."""
    secret = signing.new_secret()
    endpoint.former_secret, endpoint.former_until = endpoint.secret, clock.now() + FORMER_COUNTS
    endpoint.secret = seal.close(secret)
    audit.note("secret made anew", "webhook", endpoint.id, organisation_id=endpoint.organisation_id)
    db.session.flush()
    return secret


def remove(endpoint: Endpoint):
    """With everything it was told."""
    db.session.execute(delete(Delivery).where(Delivery.webhook_id == endpoint.id)
                       .execution_options(synchronize_session=False))
    db.session.delete(endpoint)
    db.session.flush()


def own(viewer: Viewer):
    """The condition under which an endpoint is this viewer's to keep."""
    kept = allows(viewer, "webhook.keep", Relation.OWN)
    return (Endpoint.organisation_id == viewer.organisation_id) & kept


def listing(viewer: Viewer):
    """A query for the viewer's endpoints, the oldest first."""
    return select(Endpoint).where(own(viewer)).order_by(Endpoint.id)


def get(endpoint_id: int, viewer: Viewer) -> Endpoint:
    """One of them, or NotFound."""
    if found := db.session.scalar(select(Endpoint).where(Endpoint.id == endpoint_id, own(viewer))):
        return found
    raise NotFound()


def living():
    """The condition under which an endpoint is told: on, and of an organisation that is not suspended."""
    return and_(Endpoint.active, Endpoint.organisation.has(Organisation.suspended_at.is_(None)))


def listened(event: str) -> bool:
    """Whether anybody is told of an event at all: where nobody is, nothing is written for it."""
    return any(event in events for events in db.session.scalars(select(Endpoint.events).where(living())))


def listening(event: str, organisation_ids=None) -> list[Endpoint]:
    """Every endpoint that is told of an event, of all organisations or of these."""
    query = select(Endpoint).where(living()).order_by(Endpoint.organisation_id, Endpoint.id)
    if organisation_ids is not None:
        query = query.where(Endpoint.organisation_id.in_(organisation_ids))
    return [each for each in db.session.scalars(query) if event in each.events]


def reader(endpoint: Endpoint) -> Viewer:
    """An endpoint's organisation as who asks: for what it may be told, it is asked whether the organisation may see it.
    It is no person, and takes no part in what only one person may see."""
    theirs = endpoint.organisation
    return Viewer(0, theirs.name, "", theirs.id, theirs.name, frozenset({Role.ADMIN}), frozenset(theirs.trades))


def _url(url, outbound) -> str:
    try:
        outbound.check(url.strip())
    except Refused as problem:
        raise Invalid({"url": [str(problem)]}) from None
    return url.strip()


def _events(events) -> list[str]:
    if unknown := sorted(set(events) - set(EVENTS)):
        raise Invalid({"events": [f"There is no event {unknown[0]!r:.60}; there are: {', '.join(EVENTS)}."]})
    if not events:
        raise Invalid({"events": ["Choose one event at least."]})
    return [each for each in EVENTS if each in events]
