"""Terms: what one line says, between the words people write and the sets the engine computes with."""
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache

from sqlalchemy import event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core import clock
from core.database import db
from core.errors import Invalid
from licensing import wording
from licensing.models import OfferLine, TermSet, Version
from licensing.rights import languages, media, territories
from licensing.rights.axes import Unreadable
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates
from licensing.rights.holdings import Line

AXES = {"territories": territories, "media": media, "languages": languages}
WRITTEN = "term sets"  # in the session's info: keys this session has made sure of
FIRST_DAY, LAST_DAY = date(1800, 1, 1), date(2999, 12, 31)
_sets: dict[str, int] = {}  # term set key → bit set; keys are made of the content, so this can never be stale


@dataclass(frozen=True)
class Terms:
    """A line as sets. `territories`, `media`, `languages` are bit sets; both dates are inclusive."""
    territories: int
    media: int
    languages: int
    starts_on: date
    ends_on: date | None
    exclusive: bool
    written: dict = field(compare=False)
    hereafter: bool = False
    future: bool = False
    runs: int | None = None
    tba: dict | None = None
    written_on: date | None = field(default=None, compare=False)  # said where its names mean something else today

    def line(self, ref=None) -> Line:
        """The same for the engine."""
        return Line(Block(self.territories, self.media, self.languages,
                          Dates.between(self.starts_on, self.ends_on)), self.exclusive, ref, self.runs)

    @classmethod
    def of_line(cls, line: Line) -> "Terms":
        """Back from the engine: names in their shortest form."""
        starts_on, ends_on = line.block.dates.window
        masks = {axis: getattr(line.block, axis) for axis in AXES}
        return cls(**masks, starts_on=starts_on, ends_on=ends_on, exclusive=line.exclusive,
                   written={axis: AXES[axis].short(mask) for axis, mask in masks.items()}, runs=line.runs)

    def as_json(self) -> dict:
        """The line of api.md, with the names as they were written."""
        return {**self.written, "starts_on": self.starts_on.isoformat(),
                "ends_on": self.ends_on and self.ends_on.isoformat(), "exclusive": self.exclusive,
                "hereafter": self.hereafter, "future": self.future, **({"runs": self.runs} if self.runs else {}),
                **{f"{end}_tba": said for end, said in (self.tba or {}).items()}}

    def as_typed(self) -> dict:
        """The same with names that mean today what the line means, for forms and addresses that are read again."""
        moved = {axis: AXES[axis].short(getattr(self, axis)) for axis in wording.since(self)
                 if axis != "media" or not self.hereafter}  # later media are in it either way
        return {**self.as_json(), **moved}

    def again(self) -> dict:
        """The same for `read`, whose days are days."""
        tba = {f"{end}_tba": {**said, **{name: date.fromisoformat(said[name]) for name in ("not_before", "not_after")}}
               for end, said in (self.tba or {}).items()}
        return {**self.as_typed(), "starts_on": self.starts_on, "ends_on": self.ends_on, **tba}

    def keys(self) -> tuple[str, ...]:
        """The keys of its three sets, as rows name them."""
        return tuple(_set(axis, getattr(self, axis))[0] for axis in AXES)

    def columns(self) -> dict:
        """What a row of a line stores. Writes the sets it names, if they are new."""
        write_sets(self)
        return {**{f"{axis}_key": _set(axis, getattr(self, axis))[0] for axis in AXES},
                "starts_on": self.starts_on, "ends_on": self.ends_on, "exclusive": self.exclusive,
                "written": self.written, "hereafter": self.hereafter, "future": self.future, "runs": self.runs,
                "tba": self.tba}


def read(data: dict) -> Terms:
    """From the line of api.md, its shape already checked. Raises Invalid, naming each field that is wrong."""
    masks, errors = {}, {}
    for axis, module in AXES.items():
        try:
            masks[axis] = module.read(data[axis])
        except Unreadable as problem:
            errors[axis] = [str(problem)]
    tba = {end: data[f"{end}_tba"] for end in ("starts", "ends") if data.get(f"{end}_tba")}
    # Until the event has its date, what is stored is the widest window; who asks narrows it where that is right.
    starts_on = tba["starts"]["not_before"] if "starts" in tba else data["starts_on"]
    ends_on = tba["ends"]["not_after"] if "ends" in tba else data.get("ends_on")
    if not FIRST_DAY <= starts_on <= LAST_DAY:
        errors["starts_on"] = [f"A start lies between {FIRST_DAY} and {LAST_DAY}."]
    if ends_on and ends_on < starts_on:
        errors["ends_on"] = ["The end lies before the start. Both days are included, so they may be equal."]
    elif ends_on and ends_on > LAST_DAY:
        errors["ends_on"] = [f"An end lies before {LAST_DAY}; leave it empty for perpetuity."]
    if errors:
        raise Invalid(errors)
    return Terms(**masks, starts_on=starts_on, ends_on=ends_on, exclusive=data.get("exclusive", False),
                 written={axis: list(data[axis]) for axis in AXES},
                 hereafter=data.get("hereafter", False), future=data.get("future", False), runs=data.get("runs"),
                 tba={end: {**said, "not_before": said["not_before"].isoformat(),
                            "not_after": said["not_after"].isoformat()} for end, said in tba.items()} or None)


def of_row(row) -> Terms:
    """The terms a stored line says."""
    masks = sets({row.territories_key, row.media_key, row.languages_key})
    said = Terms(masks[row.territories_key], masks[row.media_key], masks[row.languages_key], row.starts_on,
                 row.ends_on, row.exclusive, row.written, row.hereafter, row.future, row.runs, row.tba)
    return replace(said, written_on=_written_on(row)) if wording.since(said) else said


def _written_on(row) -> date:
    """The day the names of a line were read: where it was ended and replaced, that of the first; of a licence made
    here, that of the version both signed."""
    record = getattr(row, "licence", None) or getattr(row, "mandate", None) or row
    if isinstance(row, OfferLine):
        moment = db.session.scalar(select(Version.created_at).where(Version.id == row.version_id))
    elif getattr(record, "offer_id", None):
        moment = db.session.scalar(select(func.max(Version.created_at)).where(
            Version.offer_id == (record.amendment_id or record.offer_id)))
    else:
        moment = record.recorded_at
    return clock.day_of(moment)


@event.listens_for(Session, "after_soft_rollback")
def _forget(session, _transaction):
    """What a rolled back transaction wrote is not there."""
    session.info.pop(WRITTEN, None)


def label(row) -> str:
    """A stored line in words."""
    return wording.line(of_row(row))


def parts(row) -> list[str]:
    """A stored line as [media, territories, languages, window, exclusivity]."""
    return wording.parts(of_row(row))


def redefined(row) -> dict[str, dict]:
    """{axis: {also, no_longer}}: the leaves that the names of a stored line say today beside its own, or do not say."""
    return {axis: {"also": AXES[axis].codes(moved.also), "no_longer": AXES[axis].codes(moved.gone)}
            for axis, moved in wording.since(of_row(row)).items()}


def sets(keys, session=None) -> dict[str, int]:
    """Bit sets by key; one query for those not met before."""
    missing = {key for key in keys if key not in _sets}
    if missing:
        for key, codes in (session or db.session).execute(
                select(TermSet.key, TermSet.codes).where(TermSet.key.in_(missing))):
            _sets[key] = AXES[key.partition(":")[0]].read(codes)
    return {key: _sets[key] for key in keys}


def write_sets(*all_said: Terms):
    """Write the sets that these terms name, as far as they are new. Two writers of one set at once do no harm.

    They are written in one order everywhere, and whoever writes more than one line writes the sets of all of them
    first: in the order of the lines, two transactions could each wait for a set of the other.
    """
    written = db.session.info.setdefault(WRITTEN, set())
    named = dict(_set(axis, getattr(said, axis)) for said in all_said for axis in AXES)
    if fresh := sorted(named.keys() - written):
        dialect = postgresql if db.session.get_bind().dialect.name == "postgresql" else sqlite
        db.session.execute(dialect.insert(TermSet.__table__).on_conflict_do_nothing(),
                           [{"key": key, "codes": list(named[key])} for key in fresh])
        written.update(fresh)


@lru_cache(maxsize=10_000)
def _set(axis, mask) -> tuple[str, tuple[str, ...]]:
    """The key of a set, and its codes."""
    codes = AXES[axis].codes(mask)
    return TermSet.key_of(axis, codes), tuple(codes)
