"""The worker's share in webhooks: many receivers are called beside each other, few of one organisation, so that one
who answers slowly keeps nobody else waiting."""
import math
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError

from accounts.webhooks import deliveries, signing
from core import clock, outbox
from core.database import db, reading
from core.outbound import Failed, Outbound, Refused

CALLERS, OF_ONE = 24, 2  # calls at once: in all, and of one organisation
TURN_SECONDS = 5         # for one receiver, until others have their turn
SWEEP_EVERY_SECONDS = 3600


@dataclass(frozen=True)
class Sender:
    """What it takes to send: the way out, and what opens the secrets."""
    outbound: Outbound
    seal: signing.Seal


def attend(endpoint_id: int, sender: Sender) -> int:
    """Send what waits for one endpoint until it fails, or others have their turn. Returns how much was taken. No
    transaction is open while it is called. Commits."""
    taken, until = 0, time.monotonic() + TURN_SECONDS
    while time.monotonic() < until and _one(endpoint_id, sender):
        taken += 1
    return taken


def _one(endpoint_id, sender) -> bool:
    with reading():
        parcel = deliveries.next_of(endpoint_id)
        db.session.rollback()
    if parcel is None:
        return False
    answer, problem = None, ""
    try:
        known = [sender.seal.open(each) for each in parcel.sealed]
        answer = sender.outbound.post(parcel.url, parcel.body.encode(), {
            "Content-Type": "application/json", "User-Agent": "Slate-Webhooks/1",
            **signing.headers(known, parcel.key, int(clock.now().timestamp()), parcel.body)})
    except (Failed, Refused, signing.Unreadable) as failure:
        problem = str(failure)
    taken = deliveries.record(parcel.delivery_id, answer, problem)
    db.session.commit()
    return taken


def deliver(sender: Sender) -> int:
    """Send what is due, one receiver after the other. Returns how much was taken."""
    with reading():
        due = deliveries.due()
        db.session.rollback()
    return sum(attend(endpoint_id, sender) for endpoint_id, _ in due)


class Crew:
    """Those who call, each in a thread of its own; `within` opens what a thread needs to use the database."""

    def __init__(self, sender: Sender, within, say=print):
        self._sender, self._within, self._say = sender, within, say
        self._busy, self._swept = {}, -math.inf  # endpoint → its organisation
        self._lock = threading.Lock()

    def turn(self):
        """Let somebody call each endpoint for which something is due, as far as there is somebody."""
        with reading():
            due = deliveries.due()
            db.session.rollback()
        for endpoint_id, organisation_id in due:
            with self._lock:
                of_one = Counter(self._busy.values())[organisation_id]
                if endpoint_id in self._busy or of_one >= OF_ONE or len(self._busy) >= CALLERS:
                    continue
                self._busy[endpoint_id] = organisation_id
            threading.Thread(target=self._call, args=[endpoint_id], daemon=True).start()
        if time.monotonic() - self._swept > SWEEP_EVERY_SECONDS:
            self._swept = time.monotonic()
            deliveries.sweep()
            db.session.commit()

    def _call(self, endpoint_id):
        try:
            with self._within():
                try:
                    attend(endpoint_id, self._sender)
                except OperationalError as problem:
                    self._say(f"A webhook waits: {problem.orig}")
                    time.sleep(outbox.AWAY_SECONDS)
                except Exception:  # what nobody foresaw keeps no other webhook waiting
                    self._say(f"Webhook {endpoint_id} failed: {traceback.format_exc()}")
                    time.sleep(outbox.AWAY_SECONDS)
                finally:
                    db.session.remove()
        finally:
            with self._lock:
                del self._busy[endpoint_id]


def work(sender: Sender, within, follow, say=print):
    """Send until the process ends. `follow` writes the deliveries of what many may see, and commits."""
    crew = Crew(sender, within, say)

    def turn():
        follow()
        crew.turn()
    outbox.forever("Webhooks wait", say, turn)
