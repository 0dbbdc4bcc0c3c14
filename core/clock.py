"""Time. The only module that asks what time it is.

Instants are UTC datetimes. A *day* of a right has no zone; today is the date in the installation's
zone, never the server's (domain.md, axis 4).
"""
from contextlib import contextmanager
from datetime import UTC, date, datetime, time

_zone = UTC
_stopped_at: datetime | None = None


def configure(zone):
    """Set the installation's zone, in which `today` is read."""
    global _zone
    _zone = zone


def now() -> datetime:
    return _stopped_at or datetime.now(UTC)


def today() -> date:
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The day an instant falls on, in the installation's zone."""
    return moment.astimezone(_zone).date()


def begins(day: date) -> datetime:
    """The instant at which a day begins."""
    return datetime.combine(day, time(), _zone)


@contextmanager
def stopped_at(moment: datetime):
    """Let it be `moment` for a while: for rehearsing what a later day brings."""
    global _stopped_at
    before, _stopped_at = _stopped_at, moment
    try:
        yield
    finally:
        _stopped_at = before
