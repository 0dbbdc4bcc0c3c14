"""How fast is the question over all titles? Ratios taken in one run, results held against the engine and against SQL.

Each question is compared with a bare numpy sum over the bytes of the same columns, and with the same question in SQL
over interned sets on SQLite, same rows. Times are this thread's processor time, the median of several, the bare sum
measured beside each. Where all of a request is looked for, `available` is asked; the last column is `verdicts`, which
also tells what is partly free. SQL is asked only for what single sets decide; what it leaves open (shown) it would
still have to settle, so the factor flatters SQL. "series x": the same with a tenth of the titles series.
"""
import argparse
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from bench.laying import laid_from_database
from licensing.rights import availability, languages, media, territories
from licensing.rights.blocks import Block
from licensing.rights.columns import HOLDBACK, LICENCE, MANDATE
from licensing.rights.dates import FOREVER, Dates
from licensing.rights.holdings import Holdback, Holdings, Line, Share
from licensing.rights.ledger import AVAILABLE, PARTIAL, UNAVAILABLE, Ledger
from licensing.rights.scan import SAID

TODAY = date(2026, 11, 23)
SEED = 11
SQL_OPEN = -1


# ------------------------------------------------------------------ a world as in the trade

class World(NamedTuple):
    """Rows as arrays; the first three codes number the sets in the lists."""
    titles: np.ndarray
    shares: np.ndarray
    kinds: np.ndarray
    codes: np.ndarray  # rows x (territories, media, languages)
    starts: np.ndarray
    ends: np.ndarray
    exclusive: np.ndarray
    sets: tuple

    def rows(self):
        """As `Ledger.of_rows` takes them."""
        for titles, shares, kinds, *codes, starts, ends, exclusive in self.pieces():
            masks = (map(each.__getitem__, some) for each, some in zip(self.sets, codes, strict=True))
            yield from zip(titles, shares, kinds, *masks, starts, ends, exclusive, strict=True)

    def coded(self):
        """(title, line number, is it a mandate, three codes, start, end, is it none, exclusive)."""
        first = 0
        for titles, _, kinds, *codes, starts, ends, exclusive in self.pieces():
            yield from zip(titles, range(first, first + len(titles)), (kind == MANDATE for kind in kinds), *codes,
                           starts, ends, (kind != MANDATE for kind in kinds), exclusive, strict=True)
            first += len(titles)

    def pieces(self):
        """Columns as lists, a part of the rows at a time, as a database would give them."""
        columns = (self.titles, self.shares, self.kinds, *self.codes.T, self.starts, self.ends, self.exclusive)
        for first in range(0, len(self.titles), 10_000):
            yield [column[first:first + 10_000].tolist() for column in columns]


def sets_of_the_trade(rng):
    """(territories, media, languages): for each axis the whole, single leaves, groups, all but a few, lists."""
    leaves = [1 << number for number in territories.NUMBER.values()]
    groups = list(dict.fromkeys(territories.GROUPS.values()))
    lists = []
    for _ in range(500):
        some = _any_of(rng, leaves, 1, 10)
        group = groups[rng.integers(len(groups))]
        lists.append(group | some if rng.random() < 0.5 else group & ~some or some)
    where = [[territories.ALL], leaves, groups,
             [territories.ALL & ~_any_of(rng, leaves, 1, 8) for _ in range(180)], lists]
    media_leaves = [1 << number for number in media.NUMBER.values()]
    what = [[media.ALL], media_leaves, list(media.PARENTS.values()),
            [media.ALL & ~each for each in media_leaves[:6]], [_any_of(rng, media_leaves, 2, 8) for _ in range(40)]]
    spoken = [languages.WHOLE[code] for code in list(languages.WHOLE)[:40]]
    tongues = [[languages.ALL], spoken, [1 << number for number in list(languages.NUMBER.values())[:60]],
               [_any_of(rng, spoken, 2, 4) for _ in range(40)]]
    return where, what, tongues


def _any_of(rng, masks, least, most):
    found = 0
    for place in rng.integers(0, len(masks), rng.integers(least, most + 1)):
        found |= masks[place]
    return found


def _picked(rng, size, families, weights, skew=0.8):
    """Codes into all families end to end: a family by weight, in it the first most often (Zipf)."""
    family = rng.choice(len(families), size, p=weights)
    codes, first = np.zeros(size, dtype=np.int64), 0
    for number, members in enumerate(families):
        here = family == number
        chances = np.cumsum(1 / np.arange(1, len(members) + 1) ** skew)
        codes[here] = first + np.searchsorted(chances / chances[-1], rng.random(here.sum()))
        first += len(members)
    return codes


def world(size, series=0.0, seed=SEED) -> World:
    """`size` titles with about 2 mandate and 7 licence lines each; a part of them series of several shares."""
    rng = np.random.default_rng(seed)
    where, what, tongues = sets_of_the_trade(np.random.default_rng(3))
    first, last = date(2004, 1, 1).toordinal(), date(2034, 1, 1).toordinal()

    def lines(counts, of_territories, of_media, of_languages):
        titles = np.repeat(np.arange(1, size + 1), counts)
        many = len(titles)
        codes = np.column_stack([_picked(rng, many, where, of_territories), _picked(rng, many, what, of_media),
                                 _picked(rng, many, tongues, of_languages)])
        return titles, codes

    titles, codes = lines(np.minimum(rng.geometric(0.45, size), 8), [0.45, 0.07, 0.2, 0.2, 0.08],
                          [0.6, 0.1, 0.15, 0.1, 0.05], [0.8, 0.1, 0.02, 0.08])
    many = len(titles)
    starts = rng.integers(first, last - 4_000, many)
    ends = np.where(rng.random(many) < 0.35, FOREVER, starts + rng.integers(4, 26, many) * 365)
    renewed = np.flatnonzero((titles[1:] == titles[:-1]) & (rng.random(many - 1) < 0.25) & (ends[:-1] < last)) + 1
    codes[renewed] = codes[renewed - 1]
    ends[renewed] = ends[renewed - 1] + rng.integers(4, 12, len(renewed)) * 365
    starts[renewed] = ends[renewed - 1]
    mandates = (titles, np.full(many, MANDATE), codes, starts, ends, rng.random(many) < 0.85)

    titles, codes = lines(np.minimum(rng.gamma(0.7, 11, size).astype(int), 40), [0.03, 0.52, 0.3, 0.02, 0.13],
                          [0.05, 0.5, 0.25, 0.05, 0.15], [0.55, 0.3, 0.05, 0.1])
    many = len(titles)
    kinds = np.where(rng.random(many) < 0.03, HOLDBACK, LICENCE)
    codes[kinds == HOLDBACK, 2] = 0
    starts = rng.integers(first + 2_000, last, many)
    ends = starts + rng.integers(1, 13, many) * 182
    licences = (titles, kinds, codes, starts, ends, (kinds == HOLDBACK) | (rng.random(many) < 0.62))

    titles, kinds, codes, starts, ends, exclusive = map(np.concatenate, zip(mandates, licences, strict=True))
    order = np.lexsort((kinds != MANDATE, titles))
    sets = tuple([mask for family in families for mask in family] for families in (where, what, tongues))
    film = World(titles[order], np.zeros(len(order), dtype=np.int64), kinds[order], codes[order], starts[order],
                 ends[order], exclusive[order], sets)
    return _with_series(film, size, series, rng) if series else film


def _with_series(film, size, part, rng):
    """Some titles as series: each further share has the same mandates, fewer licences, some of them elsewhere."""
    shares_of = np.ones(size + 1, dtype=np.int64)
    chosen = rng.random(size + 1) < part
    shares_of[chosen] = 1 + np.minimum(rng.geometric(0.4, chosen.sum()), 6)
    rows = np.repeat(np.arange(len(film.titles)), shares_of[film.titles])
    begin = np.flatnonzero(np.append(True, rows[1:] != rows[:-1]))
    shares = np.arange(len(rows)) - np.repeat(begin, np.diff(np.append(begin, len(rows))))
    kept = (shares == 0) | (film.kinds[rows] == MANDATE) | (rng.random(len(rows)) < 0.7)
    rows, shares = rows[kept], shares[kept]
    codes = film.codes[rows]
    moved = np.flatnonzero((shares > 0) & (film.kinds[rows] != MANDATE) & (rng.random(len(rows)) < 0.2))
    codes[moved, 0] = codes[rng.permutation(moved), 0]
    order = np.lexsort((film.kinds[rows] != MANDATE, shares, film.titles[rows]))
    rows = rows[order]
    return World(film.titles[rows], shares[order], film.kinds[rows], codes[order], film.starts[rows], film.ends[rows],
                 film.exclusive[rows], film.sets)


# ------------------------------------------------------------------ questions

class Asked(NamedTuple):
    """`all_of_it`: titles on which all is free are looked for, else those on which anything is."""
    name: str
    request: Line
    all_of_it: bool
    goal: int
    today: date = TODAY

    def of(self, ledger):
        """(ids, is it a hit)."""
        if self.all_of_it:
            return ledger.available(self.request, self.today)
        ids, found = ledger.verdicts(self.request, self.today)
        return ids, found != UNAVAILABLE


def questions() -> list[Asked]:
    def line(where, what, tongues, starts_on, ends_on, exclusive=True):
        return Line(Block(where, what, languages.read(tongues), Dates.between(starts_on, ends_on)), exclusive)

    two_years = date(2027, 1, 1), date(2028, 12, 31)
    thirty = sum(1 << number for number in list(territories.NUMBER.values())[40:70])
    three = media.read(["svod", "pay_tv", "free_tv"])
    narrow = line(territories.read(["DE"]), media.read(["pay_tv"]), ["de"], *two_years)
    wide = line(thirty, three, ["*"], *two_years)
    world_one = line(territories.ALL, media.read(["svod"]), ["en"], *two_years)
    sparse = line(territories.ALL, media.ALL, ["*"], date(2005, 1, 1), date(2050, 12, 31))
    dense = line(territories.ALL, media.ALL, ["*"], date(2027, 1, 1), date(2027, 1, 31), exclusive=False)
    return [Asked("1 territory x 1 medium", narrow, True, 8), Asked("30 x 3, all of them", wide, True, 8),
            Asked("world x 1 medium", world_one, True, 10),
            Asked("world x all, sparse", sparse, True, 10, today=date(2005, 1, 1)),
            Asked("any of 30 x 3", wide, False, 15), Asked("any of world x all, dense", dense, False, 15)]


# ------------------------------------------------------------------ what the ledger is held against

def shares_of(world, title_id):
    """A title as the engine takes it."""
    first, last = np.searchsorted(world.titles, [title_id, title_id + 1])
    held = {}
    for row in range(first, last):
        block = Block(*(each[code] for each, code in zip(world.sets, world.codes[row].tolist(), strict=True)),
                      Dates(((int(world.starts[row]), int(world.ends[row])),)))
        lines = held.setdefault(int(world.shares[row]), ([], [], []))
        kind = int(world.kinds[row])
        lines[kind].append(Holdback(block) if kind == HOLDBACK else Line(block, bool(world.exclusive[row])))
    return [Share(Holdings(*map(tuple, lines))) for lines in held.values()]


def check_sample(world, asked, ids, found, size):
    """Assert that a sample, half of it from each verdict alike, has the verdict of the engine."""
    rng = np.random.default_rng(SEED)
    for verdict in (UNAVAILABLE, PARTIAL, AVAILABLE):
        those = np.flatnonzero(found == verdict)
        for place in rng.choice(those, min(size // 3, len(those)), replace=False):
            expected = availability.verdict(asked.request, shares_of(world, int(ids[place])))
            assert SAID[expected] == verdict, (asked.name, int(ids[place]), expected)


class Sql:
    """The same rows in SQLite, laid out by title, with interned sets."""

    def __init__(self, world, path):
        self.sets, self.db = world.sets, sqlite3.connect(path)
        self.db.executescript("""
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;
            CREATE TABLE line (title_id INTEGER, n INTEGER, mandate INTEGER, territories INTEGER, media INTEGER,
                               languages INTEGER, starts INTEGER, ends INTEGER, blocks INTEGER, exclusive INTEGER,
                               PRIMARY KEY (title_id, n)) WITHOUT ROWID;
            CREATE TEMP TABLE territories (id INTEGER PRIMARY KEY, whole INTEGER);
            CREATE TEMP TABLE media (id INTEGER PRIMARY KEY, whole INTEGER);
            CREATE TEMP TABLE languages (id INTEGER PRIMARY KEY, whole INTEGER);""")
        self.db.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", world.coded())
        self.db.commit()

    def pose(self, request):
        """Lay down which sets a request meets, and which hold all of it; returns what else its SQL is asked with."""
        for axis, masks in zip(("territories", "media", "languages"), self.sets, strict=True):
            wanted = getattr(request.block, axis)
            self.db.execute(f"DELETE FROM temp.{axis}")
            self.db.executemany(f"INSERT INTO temp.{axis} VALUES (?, ?)", [
                (number, wanted & ~mask == 0) for number, mask in enumerate(masks) if mask & wanted])
        (start, end), = request.block.dates.spans
        return {"start": start, "end": end, "exclusive": request.exclusive}

    def verdicts(self, request):
        """(ids, verdicts or SQL_OPEN) of titles with a mandate that meets the request; all others are UNAVAILABLE."""
        said = self.pose(request)
        return self.db.execute("""
            SELECT title_id, CASE WHEN shut THEN 0 WHEN blocked THEN -1 WHEN whole THEN 2 WHEN owned = 1 THEN 1
                                  ELSE -1 END
            FROM (SELECT title_id, sum(mandate) AS owned, sum(blocks) AS blocked,
                         max(blocks AND t.whole AND m.whole AND l.whole AND starts <= :start AND ends >= :end) AS shut,
                         max(mandate AND t.whole AND m.whole AND l.whole AND starts <= :start AND ends >= :end) AS whole
                  FROM line CROSS JOIN temp.territories t ON t.id = line.territories
                            CROSS JOIN temp.media m ON m.id = line.media
                            CROSS JOIN temp.languages l ON l.id = line.languages
                  WHERE starts < :end AND ends > :start
                        AND CASE WHEN mandate THEN exclusive >= :exclusive ELSE exclusive OR :exclusive END
                  GROUP BY title_id)
            WHERE owned""", said).fetchall()


def check_sql(asked, ids, found, answered):
    """Assert that SQL says the same wherever sets decide; returns the part of titles it leaves open."""
    said = np.zeros(len(ids), dtype=np.int8)
    titles, verdicts = np.array(answered, dtype=np.int64).reshape(-1, 2).T
    said[np.searchsorted(ids, titles)] = verdicts
    assert ((said == found) | (said == SQL_OPEN)).all(), asked.name
    return (said == SQL_OPEN).mean()


# ------------------------------------------------------------------ measuring

def spent(work):
    """(milliseconds of processor time of this thread, result)."""
    before = time.thread_time()
    result = work()
    return (time.thread_time() - before) * 1e3, result


def bare_sum(ledger):
    for column in ledger.columns:
        column.reshape(-1).view(np.uint8)[:column.nbytes // 8 * 8].view(np.uint64).sum()


def against_bare(ledger, mixed, asked, turns):
    """(ms of the question, of the bare sum, the median of their ratios, of those of the ledger with series to it)."""
    works = (lambda: asked.of(ledger), lambda: bare_sum(ledger), lambda: asked.of(mixed))
    for work in works:
        work()
    took, bare, other = zip(*([spent(work)[0] for work in works] for _ in range(turns)), strict=True)
    return (median(took), median(bare), median(a / b for a, b in zip(took, bare, strict=True)),
            median(b / a for a, b in zip(took, other, strict=True)))


def changing(world, ledger, turns=60):
    """ms of replace() and the next answer about that title, which shows it."""
    rng, times = random.Random(SEED), []
    request = questions()[0].request
    everything = Block(territories.ALL, media.ALL, languages.ALL, Dates.since(date(1900, 1, 1)))
    free = [Share(Holdings((Line(everything, True),)))]
    for _ in range(turns):
        title_id = rng.randint(1, int(world.titles[-1]))
        before = ledger.verdicts(request, TODAY, [title_id])[1][0]
        took, seen = spent(lambda title_id=title_id: (ledger.replace(title_id, free),
                                                      ledger.verdicts(request, TODAY, [title_id])[1][0])[1])
        assert seen == AVAILABLE
        times.append(took)
        ledger.replace(title_id, shares_of(world, title_id))
        assert ledger.verdicts(request, TODAY, [title_id])[1][0] == before
    return median(times)


def second_process(folder):
    """MB of its own that a process takes to open the ledger and answer, and MB it shares."""
    program = ("import sys; from datetime import date; from bench.ledger import *\n"
               "before = own_memory(); ledger = Ledger.open(sys.argv[1])\n"
               "for each in questions(): each.of(ledger)\n"
               "print(own_memory() - before)")
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def own_memory():
    """MB that this process shares with nobody (Linux)."""
    said = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8")
    return sum(int(row.split()[1]) for row in said.splitlines() if row.startswith("Private_Dirty")) / 1e3


# ------------------------------------------------------------------ the run

def table(rows):
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) if n == 0 else cell.rjust(width)
                               for n, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in rows)


def progress(words):
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def run(size, compiled):
    turns, sql_turns = (9, 1) if size >= 1_000_000 else (15, 3)
    progress(f"{size:,} titles: making the world")
    films = world(size)
    progress(f"{size:,} titles, {len(films.titles):,} lines: building")
    built, ledger = spent(lambda: Ledger.of_rows(films.rows(), compiled))
    rows = [("question", "found", "open to SQL", "ms", "bare ms", "x bare", "goal", "SQL ms", "SQL x", "series x",
             "verdicts ms")]
    with tempfile.TemporaryDirectory() as folder:
        saved, _ = spent(lambda: ledger.save(Path(folder) / "ledger"))
        ledger = Ledger.open(Path(folder) / "ledger", compiled)
        progress("loading the same rows into SQLite")
        sql = Sql(films, Path(folder) / "lines.sqlite")
        progress("making the world with series")
        mixed_world = world(size, series=0.1)
        mixed = Ledger.of_rows(mixed_world.rows(), compiled)
        for asked in questions():
            progress(asked.name)
            took, bare, ratio, slower = against_bare(ledger, mixed, asked, turns)
            whole, _ = spent(lambda asked=asked: ledger.verdicts(asked.request, asked.today))
            of_sql = [spent(lambda asked=asked: sql.verdicts(asked.request)) for _ in range(sql_turns)]
            ids, found = ledger.verdicts(asked.request, asked.today)
            _, hits = asked.of(ledger)
            assert (hits == (found == AVAILABLE if asked.all_of_it else found != UNAVAILABLE)).all()
            open_ = check_sql(asked, ids, found, of_sql[0][1])
            check_sample(films, asked, ids, found, 150)
            check_sample(mixed_world, asked, *mixed.verdicts(asked.request, asked.today), 150)
            sql_ms = median(each for each, _ in of_sql)
            rows.append((asked.name, f"{hits.mean():.1%}", f"{open_:.1%}", f"{took:.1f}", f"{bare:.2f}", f"{ratio:.1f}",
                         f"{asked.goal}", f"{sql_ms:,.0f}", f"{sql_ms / took:.0f}", f"{slower:.1f}", f"{whole:.1f}"))
        own = second_process(Path(folder) / "ledger")
        progress("writing the same rows into Slate's own tables")
        lay, megabytes = laid_from_database(films, Path(folder))
        progress("laying the ledger from them")
        from_rows, again = spent(lay)
        for asked in questions():
            assert all(map(np.array_equal, again.verdicts(asked.request, asked.today),
                           ledger.verdicts(asked.request, asked.today))), asked.name
        changed = changing(films, ledger)
    return "\n".join([
        f"{size:,} titles, {len(films.titles):,} lines ({len(mixed_world.titles):,} with series)", table(rows),
        f"one replace() and the next answer that shows it: {changed:.2f} ms (goal 1)",
        f"laid from a database of {megabytes:,.0f} MB in {from_rows / 1e3:.1f} s (goal 30)",
        f"columns {ledger.columns.nbytes / 1e6:.0f} MB, built from rows in memory in {built / 1e3:.1f} s, saved in "
        f"{saved / 1e3:.1f} s; of its own, a second process takes {own:.0f} MB", ""])


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--titles", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--numpy", action="store_true", help="without compiled code")
    given = parser.parse_args(argv)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    print(f"The ledger of rights, commit {commit or 'unknown'}; {'numpy alone' if given.numpy else 'compiled'}\n")
    for size in given.titles:
        print(run(size, not given.numpy), flush=True)
    print(f"greatest memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB "
          "(generator and SQLite included)")


if __name__ == "__main__":
    main()
