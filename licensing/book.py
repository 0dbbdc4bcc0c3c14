"""Every title at once: a process's ledger, opened from a file or laid from rows, and exact as of the last commit.

The worker saves the ledger now and then; every process maps that file into memory, so that all share it, and replays
what changed since. A file is trusted only where the database knows it: its token is written there after the rows that
the file was laid from were read, so a database that was set back, or is another one, does not have it.
"""
import threading
from datetime import date
from secrets import token_hex

from sqlalchemy import Integer, String, func, null, or_, select, text, type_coerce
from sqlalchemy.orm import Session

from catalogue import changes
from catalogue.models import Title
from core import clock
from core.database import reading
from licensing import counting, terms
from licensing.models import Holdback, Line, SavedLedger
from licensing.rights.dates import FOREVER
from licensing.rights.ledger import Ledger, by_field, rows_of

AT_ONCE = 5_000  # titles or rows: SQLite takes some 30,000 parameters in one statement
WORTH_SAVING = 10_000  # changed titles: they are kept by each process for itself, and are slower to ask
FORMAT = 1  # of the file; one of another format is laid anew


class Book:
    """One process's ledger over all titles, brought up to date from the change log before each answer.

    `folder` is where the file is, None for none.
    """

    def __init__(self, folder=None):
        self._lock, self._folder = threading.Lock(), folder
        self._ledger, self._mark, self._file = None, None, None  # of the file: what it says of itself

    def ask(self, engine, question):
        """What `question(ledger)` answers, on the ledger as of the last commit."""
        with self._lock, reading(), Session(engine) as session:  # its own snapshot: never what is uncommitted
            self._bring_up_to_date(session)
            return question(self._ledger)

    def _bring_up_to_date(self, session):
        if self._ledger is None and not self._open(session):
            self._mark, self._file = changes.mark(session), None
            self._ledger = Ledger.of_pieces(_pieces(session))
            return
        if self._outgrown:
            self._open(session)
        changed, self._mark = changes.since(session, self._mark)
        family = _family(session, changed)
        for start in range(0, len(family), AT_ONCE):
            some = counting.shares(session, family[start:start + AT_ONCE], claims=False)
            for title_id, shares in some.items():
                self._ledger.replace(title_id, shares)

    @property
    def _outgrown(self):
        """Whether there is no file below the changes, or so many changes that a new file pays."""
        return self._file is None or self._ledger.changed >= WORTH_SAVING

    # -------------------------------------------------------------- the file

    def _open(self, session) -> bool:
        """Open the newest file, if the database knows it and it is not the one that is open."""
        said = Ledger.saved(self._folder) if self._folder else None
        if said is None or said == self._file or not _trusted(said, session):
            return False
        ledger = Ledger.open(self._folder)
        if ledger.mark != said:  # a newer one came in between
            return self._open(session)
        self._ledger, self._file, self._mark = ledger, said, changes.Mark(said["place"])
        return True

    def wants_saving(self, engine) -> bool:
        """Whether there is no file to trust, or so much has changed that a new one pays."""
        return self._folder is not None and self.ask(engine, lambda _: self._outgrown)

    def save(self, session):
        """Write a new file, and its token in `session`, whose owner commits: then all trust the file, this book too.

        Where the commit fails, or the process dies before it, the file stays unknown and is never opened.
        """
        token = token_hex(16)
        self.ask(session.get_bind(), lambda ledger: ledger.save(
            self._folder, {"format": FORMAT, "token": token, "place": self._mark.place}))
        session.add(SavedLedger(token=token, server=_server(session), saved_at=clock.now()))


def _trusted(said, session) -> bool:
    """Whether this database, on this server, is the one that a file with this mark was laid from."""
    known = session.get(SavedLedger, said["token"]) if said["format"] == FORMAT else None
    return known is not None and known.server == _server(session)


def _server(session) -> str:
    """Which PostgreSQL this is: marks are transaction numbers, and those of another server mean nothing here."""
    if session.get_bind().dialect.name == "sqlite":
        return ""
    return session.scalar(text("SELECT system_identifier::text FROM pg_control_system()"))


# ------------------------------------------------------------------ from rows

def _family(session, title_ids) -> list[int]:
    """These titles, and all that share a hierarchy with one of them."""
    roots = select(Title.root_id).where(Title.id.in_(title_ids))
    return list(session.scalars(select(Title.id).where(Title.root_id.in_(roots)))) if title_ids else []


def _pieces(session):
    """All that counts, as `Ledger.of_pieces` takes it: most titles' lines as they are, the rest by `counting`."""
    yield from _plain(session)
    special = session.scalars(_special().order_by(Title.id)).all()
    for start in range(0, len(special), AT_ONCE):
        some = counting.shares(session, special[start:start + AT_ONCE], claims=False)
        yield from by_field(row for title_id, shares in some.items() for row in rows_of(title_id, shares))


def _special():
    """Titles of which a line by itself does not say what counts: with a hierarchy, holdbacks, runs or open dates."""
    several = select(Title.root_id).group_by(Title.root_id).having(func.count() > 1)
    odd = select(Title.root_id).join(Line, Line.title_id == Title.id).where(Line.counts_until.is_(None), or_(
        Line.runs.is_not(None), Line.tba != null(), Line.leaves != null(), Line.hereafter, Line.future))
    held = select(Title.root_id).join(Holdback, Holdback.title_id == Title.id).where(Holdback.counts_until.is_(None))
    return select(Title.id).where(Title.root_id.in_(several.union(odd, held)))


class _Days(dict):
    """Day numbers of dates, as a database gives them: as dates, or as text. None is FOREVER."""

    def __init__(self, later):
        super().__init__({None: FOREVER})
        self._later = later

    def __missing__(self, day):
        self[day] = number = (day if isinstance(day, date) else date.fromisoformat(day)).toordinal() + self._later
        return number


def _plain(session):
    """The lines of all other titles, field by field."""
    raw = {axis: type_coerce(getattr(Line, f"{axis}_key"), String) for axis in terms.AXES}
    rows = session.execute(
        select(Line.title_id, Line.licence_id.is_not(None), *raw.values(), type_coerce(Line.starts_on, String),
               type_coerce(Line.ends_on, String), type_coerce(Line.exclusive, Integer))
        .where(Line.counts_until.is_(None), Line.title_id.not_in(_special()))
        .order_by(Line.title_id, Line.licence_id.is_not(None)), execution_options={"yield_per": AT_ONCE})
    first, last = _Days(0), _Days(1)
    for some in rows.partitions():
        titles, kinds, *keys, starts, ends, exclusive = zip(*some, strict=True)
        sets = terms.sets(set().union(*keys), session)
        yield (titles, [0] * len(titles), kinds, *([sets[key] for key in column] for column in keys),
               [first[day] for day in starts], [last[day] for day in ends], exclusive)
