"""Every title at once: a process's ledger, opened from a file or laid from rows, and exact as of the last commit.

The worker saves the ledger now and then; every process maps that file into memory, so that all share it, and replays
what changed since. A file is trusted only where the database knows it: its token is written there after the rows that
the file was laid from were read, so a database that was set back, or is another one, does not have it.
"""
import gc
import threading
from contextlib import contextmanager
from datetime import date
from secrets import token_hex

from sqlalchemy import Integer, String, func, null, or_, select, text, type_coerce
from sqlalchemy.orm import Session

from catalogue import changes
from catalogue.models import Title
from core import clock
from core.database import reading
from licensing import counting, terms
from licensing.models import Holdback, Licence, Line, SavedLedger
from licensing.rights import languages
from licensing.rights.columns import HOLDBACK
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
            with _no_collecting():
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


@contextmanager
def _no_collecting():
    """Millions of rows pass through as tuples, none in a cycle: looking for cycles would take a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _pieces(session):
    """All that counts, as `Ledger.of_pieces` takes it: most titles' lines as they are, the rest by `counting`."""
    special = set(session.scalars(_special()))
    yield from _plain_lines(session, special)
    yield from _plain_holdbacks(session, special)
    special = sorted(special)
    for start in range(0, len(special), AT_ONCE):
        some = counting.shares(session, special[start:start + AT_ONCE], claims=False)
        yield from by_field(row for title_id, shares in some.items() for row in rows_of(title_id, shares))


def _special():
    """Titles of which a line by itself does not say what counts: with a hierarchy, runs, open dates or media."""
    several = select(Title.root_id).group_by(Title.root_id).having(func.count() > 1)
    odd = select(Title.root_id).join(Line, Line.title_id == Title.id).where(Line.counts_until.is_(None), or_(
        Line.runs.is_not(None), Line.tba != null(), Line.leaves != null(), Line.hereafter, Line.future))
    held = select(Title.root_id).join(Holdback, Holdback.title_id == Title.id).where(
        Holdback.counts_until.is_(None), Holdback.tba != null())
    return select(Title.id).where(Title.root_id.in_(several.union(odd, held)))


def _plain_lines(session, special):
    """The lines of all other titles, field by field."""
    first, last = _Days(0), _Days(1)
    for titles, starts, ends, is_licence, *keys, exclusive in _plain(
            session, special, Line, Line.licence_id.is_not(None), Line.territories_key, Line.media_key,
            Line.languages_key, type_coerce(Line.exclusive, Integer)):
        sets = terms.sets(set().union(*keys), session)
        yield (titles, [0] * len(titles), is_licence, *([sets[key] for key in column] for column in keys),
               [first[day] for day in starts], [last[day] for day in ends], exclusive)


def _plain_holdbacks(session, special):
    """Their hard holdbacks."""
    first, last = _Days(0), _Days(1)
    for titles, starts, ends, *keys, hard, licensee_ids, names in _plain(
            session, special, Holdback, Holdback.territories_key, Holdback.media_key, Holdback.hard,
            Licence.licensee_id, Licence.licensee_name):
        sets = terms.sets(set().union(*keys), session)
        yield from by_field(
            (title_id, 0, HOLDBACK, sets[where], sets[what], languages.ALL, first[start], last[end], True, None,
             name if licensee is None else licensee)
            for title_id, start, end, where, what, counts, licensee, name in zip(
                titles, starts, ends, *keys, hard, licensee_ids, names, strict=True) if counts)


def _plain(session, special, table, *fields):
    """What counts of a table, of all titles that are not special: titles, starts, ends and the fields, each piece a
    tuple for each. There are millions: so dates come as the driver has them, and rows in the order they lie in."""
    query = (select(table.title_id, type_coerce(table.starts_on, String), type_coerce(table.ends_on, String), *fields)
             .where(table.counts_until.is_(None)))
    if table is Holdback:
        query = query.outerjoin(Licence, Licence.id == Holdback.licence_id)
    rows = session.connection().execute(query, execution_options={"yield_per": AT_ONCE})
    for some in rows.partitions():
        fields = list(zip(*some, strict=True))
        if not special.isdisjoint(fields[0]):
            fields = list(zip(*(row for row in zip(*fields, strict=True) if row[0] not in special), strict=True))
        if fields:
            yield fields


class _Days(dict):
    """Day numbers of dates, as a database gives them: as dates, or as text. None is FOREVER."""

    def __init__(self, later):
        super().__init__({None: FOREVER})
        self._later = later

    def __missing__(self, day):
        self[day] = number = (day if isinstance(day, date) else date.fromisoformat(day)).toordinal() + self._later
        return number
