"""How often somebody may ask: one table, counted by person, organisation and address.

The numbers are several times what a busy person or a stand with fifty people behind one address needs, and far below
what makes others wait. They count in each process by itself, unless LIMITS_STORE names a store that the processes
share; where that does not answer, each goes on counting by itself. LIMITS_TIMES stretches them all.
"""
import functools
import hashlib
import ipaddress
import math
import threading
import time
from typing import NamedTuple

from flask import current_app, g, request, session
from flask_limiter import ApplicationLimit, Limiter
from limits.storage import RedisStorage, Storage

from core import clock
from core.errors import TooMany

SIGN_IN, WRITE, SEARCH, UPLOAD, PAPER = "sign in", "write", "search", "upload", "paper"
SECURITY = "security"  # the blueprint of Flask-Security: whatever is sent to it tries to prove who somebody is
NAMED = {"security.login", "security.recover"}  # of these the two whose form says for whom
PROOF = "proof-"  # with which the fields begin that prove it once more, on any other form
FREE = {"stored", "health"}  # a signed address was counted when it was asked for; probes must not be told to wait
SAFE = {"GET", "HEAD", "OPTIONS"}
PATIENCE = 0.25   # seconds that the shared store may take to answer
AWAY_SECONDS = 5  # until it is asked again, where it did not


# ------------------------------------------------------------------ who is counted

def by_address() -> str:
    """Where the request comes from; of IPv6 the network, for one house has 2 ** 64 addresses."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "nowhere"
    return str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False))


def by_person() -> str | None:
    return str(g.viewer.person_id) if g.get("viewer") else None


def by_organisation() -> str | None:
    return str(g.viewer.organisation_id) if g.get("viewer") else None


def by_account() -> str | None:
    """The account that somebody tries to be, whether or not there is one: so a limit tells nothing of that. Never what
    a form says that does not ask for it: who guesses would say another each time."""
    said = by_person() or (request.form.get("email") if request.endpoint in NAMED else session.get("tf_user_id"))
    return said and hashlib.sha256(str(said).strip().casefold().encode()).hexdigest()


def by_account_here() -> str | None:
    return f"{account} {by_address()}" if (account := by_account()) else None


# ------------------------------------------------------------------ how often

class Row(NamedTuple):
    kind: str | None  # of request; None is every one
    who: callable
    times: int
    seconds: int


MINUTE, HOUR = 60, 3600
TABLE = (
    Row(None, by_address, 6_000, MINUTE),
    Row(None, by_person, 900, MINUTE),
    Row(None, by_organisation, 4_500, MINUTE),
    Row(WRITE, by_person, 300, MINUTE),
    Row(WRITE, by_organisation, 1_500, MINUTE),
    Row(SEARCH, by_person, 300, MINUTE),     # suggestions while one types are searches
    Row(SEARCH, by_organisation, 1_500, MINUTE),
    Row(UPLOAD, by_person, 120, MINUTE),
    Row(UPLOAD, by_organisation, 600, MINUTE),
    Row(PAPER, by_person, 60, MINUTE),       # what is drawn or written anew for each who asks: PDF, workbooks
    Row(PAPER, by_address, 300, MINUTE),
    Row(SIGN_IN, by_address, 120, MINUTE),
    Row(SIGN_IN, by_account_here, 10, 5 * MINUTE),
    Row(SIGN_IN, by_account, 100, HOUR),     # from everywhere: high enough that nobody is shut out from far away easily
)


class Counts(Storage):
    """What this process has counted. The one that comes with `limits` starts a thread at nearly every request, and
    loses counts where two come at once."""
    STORAGE_SCHEME = ["process"]
    MOST = 50_000  # counts, before those of windows that ended are forgotten

    def __init__(self, uri=None, wrap_exceptions=False, **_):
        super().__init__(uri, wrap_exceptions)
        self._counted, self._lock = {}, threading.Lock()  # key → [how often, until when]

    @property
    def base_exceptions(self):
        return ValueError

    def incr(self, key, expiry, amount=1) -> int:
        now = clock.now().timestamp()
        with self._lock:
            if len(self._counted) > self.MOST:
                self._counted = {name: each for name, each in self._counted.items() if each[1] > now}
            counted = self._counted.get(key)
            if counted is None or counted[1] <= now:
                counted = self._counted[key] = [0, now + expiry]
            counted[0] += amount
            return counted[0]

    def get(self, key) -> int:
        counted = self._counted.get(key)
        return counted[0] if counted and counted[1] > clock.now().timestamp() else 0

    def get_expiry(self, key) -> float:
        counted = self._counted.get(key)
        return counted[1] if counted else clock.now().timestamp()

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        had, self._counted = len(self._counted), {}
        return had

    def clear(self, key):
        self._counted.pop(key, None)


class Shared(RedisStorage):
    """What all processes have counted, in a Redis; while that does not answer, what this process counts by itself.

    In place of the fallback that comes with Flask-Limiter: there of several requests that meet the end of the store
    at once only the first falls back, and a store that is stalled stalls every request.
    """
    STORAGE_SCHEME = ["redis", "rediss"]

    def __init__(self, uri, **more):
        super().__init__(uri, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, **more)
        redis = self.dependency
        self.storage.set_retry(redis.retry.Retry(redis.backoff.NoBackoff(), 1))  # a connection may be of before
        self._own, self._away_until = Counts(), None

    def incr(self, key, expiry, amount=1) -> int:
        return self._ask(super().incr, self._own.incr, key, expiry, amount)

    def get(self, key) -> int:
        return self._ask(super().get, self._own.get, key)

    def get_expiry(self, key) -> float:
        return self._ask(super().get_expiry, self._own.get_expiry, key)

    def _ask(self, shared, own, *args):
        if self._away_until is not None:
            if time.monotonic() < self._away_until:
                return own(*args)
            self._away_until = time.monotonic() + AWAY_SECONDS  # one request sees whether it is back, no other waits
        try:
            answer = shared(*args)
        except self.base_exceptions as problem:
            if self._away_until is None:
                current_app.logger.warning("Requests are counted by each process: %s", problem)
            self._away_until = time.monotonic() + AWAY_SECONDS
            return own(*args)
        self._away_until = None
        return answer


def counts_as(kind: str):
    """Mark a view as one of a kind of its own in the table."""
    def mark(view):
        view.counts_as = kind
        return view
    return mark


def _kind() -> str | None:
    if request.blueprint == SECURITY:
        return None if request.method in SAFE else SIGN_IN
    if any(name.startswith(PROOF) for name in request.form):
        return SIGN_IN
    kind = getattr(current_app.view_functions.get(request.endpoint), "counts_as", None)
    return kind or (None if request.method in SAFE else WRITE)


class Applying(ApplicationLimit):
    """The rows of the table that count for this request. Each is read once, not anew at every request."""

    def __init__(self, times: int, answer, table=TABLE):
        super().__init__(limit_provider="")
        self.rows = [(row, limit) for row in table for limit in ApplicationLimit(
            limit_provider=f"{row.times * times} per {row.seconds} seconds", key_function=row.who,
            scope=f"{row.kind or 'all'}-{row.who.__name__}", on_breach=functools.partial(_refuse, answer, row))]

    def __iter__(self):
        kind = _kind()
        return iter([limit for row, limit in self.rows if row.kind in (None, kind) and row.who()])


def init_app(app, answer):
    """Count from here on; called when it is known who asks (`g.viewer`). `answer` makes a refusal an answer."""
    limiter = Limiter(by_address, application_limits=[Applying(app.config["LIMITS_TIMES"], answer)],
                      strategy="fixed-window", storage_uri=app.config["LIMITS_STORE"], key_prefix="slate")
    limiter.request_filter(lambda: request.blueprint in FREE)
    limiter.init_app(app)


def _refuse(answer, row, reached):
    """Refuse without work: the page does not say who is signed in, for that takes a look into the database."""
    g.viewer = None
    seconds = min(max(1, reached.reset_at - int(clock.now().timestamp())), row.seconds)
    what = {None: "requests", SIGN_IN: "attempts", WRITE: "changes", SEARCH: "searches", UPLOAD: "uploads",
            PAPER: "documents"}[row.kind]
    many, of = (seconds, "second") if seconds < 120 else (math.ceil(seconds / 60), "minute")
    return answer(TooMany(f"Too many {what} in a short time. Try again in {many} {of}{'s' * (many != 1)}.", seconds))
