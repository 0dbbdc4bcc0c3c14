"""Every title at once: a process's ledger, opened from a file or laid from rows, and exact as of the last commit.

The worker saves the ledger now and then; every process maps that file into memory, so that all share it, and replays
what changed since. A file is trusted only where the database knows it: its token is written there after the rows that
the file was laid from were read, so a database that was set back, or is another one, does not have it.
"""
import gc
import threading
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, islice
from secrets import token_hex

import numpy as np
from sqlalchemy import BigInteger, Integer, cast, extract, func, literal_column, null, or_, select, text
from sqlalchemy.orm import Session

from catalogue import changes
from catalogue.models import Title
from core import clock
from core.database import reading
from licensing import counting, terms
from licensing.models import Holdback, Licence, Line, SavedLedger, TermSet
from licensing.rights import languages
from licensing.rights.columns import HOLDBACK, LICENCE, MANDATE, Coded
from licensing.rights.dates import FOREVER
from licensing.rights.ledger import Dictionary, Ledger, by_field, rows_of

AT_A_TIME = 300  # rows read, which stay in a processor's cache until they are numbers in an array
TOGETHER = 300  # such arrays, made columns in one go
SETS, DAYS, ROLES = 1 << 21, 1 << 22, 1 << 3  # more than there are: so many fit beside each other in 63 bits
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
        with self._lock:
            if not self._is_current(engine):
                with reading(), Session(_of_one_snapshot(engine)) as session:  # its own: nothing uncommitted
                    self._bring_up_to_date(session)
            return question(self._ledger)

    def _is_current(self, engine) -> bool:
        """Whether it is known without a session, which takes as long as an answer."""
        return (self._ledger is not None and changes.nothing_since(engine, self._mark)
                and not (self._outgrown and self._newer()))

    def _newer(self) -> dict | None:
        """What the newest file says of itself, where it is not the one that is open."""
        said = Ledger.saved(self._folder) if self._folder else None
        return said if said != self._file else None

    def _bring_up_to_date(self, session):
        if self._ledger is None and not self._open(session):
            self._mark, self._file = changes.mark(session), None
            with _no_collecting():
                dictionary = Dictionary()
                self._ledger = Ledger.of_parts(_parts(session, dictionary), dictionary)
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
        if (said := self._newer()) is None or not _trusted(said, session):
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


def _of_one_snapshot(engine):
    """An engine whose transactions see one state of the database, from their first statement on."""
    return engine if engine.dialect.name == "sqlite" else engine.execution_options(isolation_level="REPEATABLE READ")


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


def _parts(session, dictionary):
    """All that counts, coded: most titles' lines as they are, the rest by `counting`."""
    lines, odd = [], []
    for part, special in _lines(session, dictionary):
        lines.append(part)
        odd.append(special)
    special = np.unique(np.concatenate([*odd, np.fromiter(session.scalars(_special()), np.int64)]))
    yield from (part.without(special) for part in lines)
    yield from (dictionary.coded(fields).without(special) for fields in _holdbacks(session))
    for start in range(0, len(special), AT_ONCE):
        some = counting.shares(session, special[start:start + AT_ONCE].tolist(), claims=False)
        yield from map(dictionary.coded, by_field(
            row for title_id, shares in some.items() for row in rows_of(title_id, shares)))


def _special():
    """Titles of which a line by itself does not say what counts, for other reasons than are in the line (`_odd`):
    they are in a hierarchy, or a holdback waits for a date."""
    below = select(Title.root_id).where(Title.parent_id.is_not(None))
    held = select(Holdback.title_id).where(Holdback.counts_until.is_(None), Holdback.tba != null())
    return select(Title.id).where(or_(Title.root_id.in_(below), Title.id.in_(held)))


_odd = or_(Line.runs.is_not(None), Line.tba != null(), Line.leaves != null(), Line.hereafter, Line.future)


def _lines(session, dictionary):
    """(the lines coded, which of their titles have one of runs, open dates or later media), some at a time.

    They are nearly all there is, so the database makes three numbers of each, and nothing else is made of them here
    but arrays.
    """
    keys = Line.territories_key, Line.media_key, Line.languages_key
    where, what, spoken = sets = [_numbered_sets(session).subquery() for _ in keys]
    start, end = _days(session, Line)
    role = sum(cast(each, Integer) * bit for each, bit in (
        (Line.exclusive, 1), (Line.licence_id.is_not(None), 2), (_odd, 4)))
    query = select(Line.title_id, (where.c.number * SETS + what.c.number) * SETS + spoken.c.number,
                   (start * DAYS + end) * ROLES + role).where(Line.counts_until.is_(None))
    for key, each in zip(keys, sets, strict=True):
        query = query.join(each, each.c.key == key)
    roles = np.array([dictionary.roles[kind, exclusive, None, None]
                      for kind in (MANDATE, LICENCE) for exclusive in (False, True)])
    interned = dictionary.territories, dictionary.media, dictionary.languages
    meant = _meant(session, dict(zip(terms.AXES, interned, strict=True)))
    for titles, packed, dated in _in_numbers(session, query):
        role = dated % ROLES
        numbers = np.stack([meant[packed // SETS ** 2], meant[packed // SETS % SETS], meant[packed % SETS],
                            roles[role % 4]], axis=1)
        days = np.stack([dated // ROLES // DAYS, dated // ROLES % DAYS], axis=1)
        yield Coded(titles, np.zeros(len(titles), np.int32), role % 4 >= 2, numbers.astype(dictionary.dtype),
                    days.astype(np.int32)), titles[role >= 4]


def _in_numbers(session, query):
    """The fields of a query of whole numbers as arrays, many rows at a time; from the driver's own cursor, because
    what SQLAlchemy makes of a row would take as long as all else that is done here."""
    connection = session.connection()
    cursor = connection.connection.cursor(*([] if connection.dialect.name == "sqlite" else ["lines"]))  # on the server
    with closing(cursor):
        cursor.execute(str(query.compile(connection, compile_kwargs={"literal_binds": True})))
        pieces = iter(partial(cursor.fetchmany, AT_A_TIME), [])
        while some := [np.fromiter(chain.from_iterable(rows), np.int64).reshape(len(rows), -1)
                       for rows in islice(pieces, TOGETHER)]:
            yield np.concatenate(some).T


def _numbered_sets(session):
    """The key of every set and a number for it, which means something within one snapshot."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    number = literal_column("rowid", BigInteger) if sqlite else func.row_number().over(order_by=TermSet.key)
    return select(TermSet.key, number.label("number"))


def _meant(session, interned):
    """What a dictionary calls the sets that `_numbered_sets` numbers, by that number. `interned` are its axes."""
    numbers = {key: number for key, number in session.execute(_numbered_sets(session))}
    meant, keys = np.zeros(max(numbers.values(), default=0) + 1, dtype=np.int64), list(numbers)
    if len(meant) > SETS:  # a number too large would run into its neighbour, and the answers would be wrong
        raise OverflowError(f"{len(meant):,} sets of terms; the ledger is laid from {SETS:,} at most")
    for start in range(0, len(keys), AT_ONCE):
        for key, mask in terms.sets(keys[start:start + AT_ONCE], session).items():
            meant[numbers[key]] = interned[key.partition(":")[0]][mask]
    return meant


def _days(session, table):
    """Start and end as half-open ordinals, in SQL; both databases count days as astronomers do."""
    if session.get_bind().dialect.name == "sqlite":
        start, last = (cast(func.julianday(day) - 1721424.5, BigInteger) for day in (table.starts_on, table.ends_on))
    else:
        start, last = (cast(extract("julian", day), BigInteger) - 1721425 for day in (table.starts_on, table.ends_on))
    return start, func.coalesce(last + 1, FOREVER)


def _holdbacks(session):
    """Hard holdbacks, field by field."""
    query = (select(Holdback.title_id, Holdback.territories_key, Holdback.media_key, *_days(session, Holdback),
                    Licence.licensee_id, Licence.licensee_name)
             .outerjoin(Licence, Licence.id == Holdback.licence_id)
             .where(Holdback.counts_until.is_(None), Holdback.hard))
    for rows in session.connection().execute(query, execution_options={"yield_per": AT_ONCE}).partitions():
        sets = terms.sets({key for row in rows for key in row[1:3]}, session)
        yield from by_field(
            (title_id, 0, HOLDBACK, sets[where], sets[what], languages.ALL, start, end, True, None,
             name if licensee is None else licensee)
            for title_id, where, what, start, end, licensee, name in rows)
