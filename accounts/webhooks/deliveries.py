"""What endpoints are told: written with the change, sent after the commit, tried again later each time, for days.

`tell` writes a delivery for each endpoint in the transaction of the change itself, so that nobody is told of what was
rolled back, and nothing is lost with a process: a delivery is its own row of what must follow. It goes out at least
once: who is killed between the answer and the commit sends it again under the same id. Of what many organisations may
see, only that it happened is put down (`catalogue.webhooks`), and the deliveries are written by the worker.
"""
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update

from accounts import notices, people
from accounts.permissions import Role, Viewer
from accounts.webhooks import endpoints
from accounts.webhooks.models import Delivery, Endpoint, State
from core import clock
from core.database import db
from core.errors import Conflict, NotFound
from core.outbound import Answer

TEST = "test"
LONGEST_PAUSE = timedelta(hours=1)             # of one delivery
LONGEST_WAIT = timedelta(minutes=5)            # of an endpoint that fails: whatever it is sent
GIVEN_UP_AFTER = OFF_AFTER = timedelta(days=3)
KEPT_FOR = timedelta(days=30)
LONGEST_ANSWER = 300
AT_ONCE = 500  # endpoints looked at in a turn


@dataclass(frozen=True)
class Parcel:
    """A delivery as it goes out; `sealed` are the secrets that sign it, the newest first."""
    delivery_id: int
    url: str
    key: str
    body: str
    sealed: list[str]


# ------------------------------------------------------------------ telling

def tell(organisation_ids, event: str, data: dict):
    """Tell every endpoint of some organisations that listens, if the present transaction commits. `data` is what each
    of them may see."""
    for endpoint in endpoints.listening(event, organisation_ids):
        put(endpoint.id, event, data)


def put(endpoint_id: int, event: str, data: dict) -> Delivery:
    """Tell one endpoint."""
    body = json.dumps({"type": event, "timestamp": clock.now().isoformat().replace("+00:00", "Z"), "data": data},
                      ensure_ascii=False, separators=(",", ":"))
    delivery = Delivery(webhook_id=endpoint_id, key=f"msg_{secrets.token_hex(16)}", event=event, body=body,
                        made_at=clock.now(), not_before=clock.now())
    db.session.add(delivery)
    return delivery


def try_out(endpoint: Endpoint) -> Delivery:
    """Tell an endpoint nothing in particular, to see whether it answers. Raises Conflict where it is off."""
    _check_on(endpoint)
    delivery = put(endpoint.id, TEST, {})
    db.session.flush()
    return delivery


def send_again(delivery: Delivery):
    """Send the same once more, under the same id. Raises Conflict where the endpoint is off."""
    _check_on(delivery.endpoint)
    delivery.state, delivery.not_before = State.WAITING.value, clock.now()
    db.session.execute(update(Endpoint).where(Endpoint.id == delivery.webhook_id).values(not_before=None)
                       .execution_options(synchronize_session=False))
    db.session.flush()


def _check_on(endpoint):
    if not endpoint.active:
        raise Conflict("This webhook is off. Switch it on first.")


# ------------------------------------------------------------------ reading

def listing(endpoint: Endpoint, state: str | None = None):
    """A query for what an endpoint was told, the latest first."""
    query = select(Delivery).where(Delivery.webhook_id == endpoint.id).order_by(Delivery.id.desc())
    return query.where(Delivery.state == state) if state else query


def get(delivery_id: int, viewer: Viewer) -> Delivery:
    """One delivery to an endpoint of the viewer's, or NotFound."""
    if found := db.session.scalar(select(Delivery).join(Delivery.endpoint).where(
            Delivery.id == delivery_id, endpoints.own(viewer))):
        return found
    raise NotFound()


# ------------------------------------------------------------------ sending, by the worker

def due() -> list[tuple[int, int]]:
    """(endpoint, organisation) for which something is to be sent now, the longest waiting first."""
    now = clock.now()
    return [tuple(row) for row in db.session.execute(
        select(Endpoint.id, Endpoint.organisation_id)
        .join(Delivery, (Delivery.webhook_id == Endpoint.id) & (Delivery.state == State.WAITING.value))
        .where(endpoints.living(), or_(Endpoint.not_before.is_(None), Endpoint.not_before <= now),
               Delivery.not_before <= now)
        .group_by(Endpoint.id, Endpoint.organisation_id).order_by(func.min(Delivery.not_before)).limit(AT_ONCE))]


def next_of(endpoint_id: int) -> Parcel | None:
    """What an endpoint is sent next: what was tried least, then the oldest, so that one delivery that is never taken
    holds up no other."""
    now = clock.now()
    delivery = db.session.scalar(
        select(Delivery).join(Delivery.endpoint).where(
            Endpoint.id == endpoint_id, endpoints.living(), Delivery.state == State.WAITING.value,
            or_(Endpoint.not_before.is_(None), Endpoint.not_before <= now), Delivery.not_before <= now)
        .order_by(Delivery.attempts, Delivery.id).limit(1))
    if delivery is None:
        return None
    endpoint = delivery.endpoint
    former = [endpoint.former_secret] if endpoint.former_until and endpoint.former_until > now else []
    return Parcel(delivery.id, endpoint.url, delivery.key, delivery.body, [endpoint.secret, *former])


def record(delivery_id: int, answer: Answer | None, problem: str = "") -> bool:
    """Write down what became of an attempt. Returns whether it was taken.

    An endpoint that fails waits as a whole, a little longer each time, so that one that is gone costs next to nothing;
    one that has failed for days is switched off, and the administrators are told.
    """
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is None:  # it was removed meanwhile
        return False
    now, taken = clock.now(), answer is not None and 200 <= answer.status < 300
    delivery.attempts, delivery.tried_at = delivery.attempts + 1, now
    delivery.status = answer and answer.status
    delivery.answer = _shown(answer.text if answer else problem)
    if taken:
        delivery.state = State.SENT.value
        _write(delivery.webhook_id, failures=0, failing_since=None, not_before=None)
        return True
    if answer and 300 <= answer.status < 400:
        delivery.answer = "It answered with a redirect, which is not followed. Name the address it leads to."
    if now - delivery.made_at >= GIVEN_UP_AFTER:
        delivery.state = State.GIVEN_UP.value
    delivery.not_before = now + _pause(delivery.attempts, LONGEST_PAUSE)
    _failed(delivery.endpoint, now)
    return False


def _failed(endpoint, now):
    since, failures = endpoint.failing_since or now, endpoint.failures + 1
    _write(endpoint.id, failures=failures, failing_since=since, not_before=now + _pause(failures, LONGEST_WAIT))
    if endpoint.active and now - since >= OFF_AFTER:
        why = f"It took nothing since {since.day} {since:%B %Y, %H:%M} UTC, in {failures} attempts."
        _write(endpoint.id, active=False, why_off=why, revision=Endpoint.revision + 1)
        admins = [each for each in people.acting_for([endpoint.organisation_id]) if Role.ADMIN in each.roles]
        notices.tell(admins, "webhooks", notices.News(
            "A webhook was switched off", f"/webhooks/{endpoint.id}", [endpoint.url, why],
            todo="Mend the receiver, then switch the webhook on again."))


def _write(endpoint_id, **values):
    """Past the record's revision: it is not what people change."""
    db.session.execute(update(Endpoint).where(Endpoint.id == endpoint_id).values(**values)
                       .execution_options(synchronize_session=False))


def _pause(times, longest) -> timedelta:
    return min(timedelta(seconds=2 ** min(times, 12)), longest)


def _shown(text) -> str:
    """What somebody's server said, in one line that can be seen."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:LONGEST_ANSWER]


def sweep():
    """Forget what was told a month ago."""
    db.session.execute(delete(Delivery).where(Delivery.made_at < clock.now() - KEPT_FOR,
                                              Delivery.state != State.WAITING.value)
                       .execution_options(synchronize_session=False))
