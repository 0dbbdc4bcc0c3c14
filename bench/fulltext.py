"""What the search by words is held against: SQLite FTS5 with the same terms and the same rows of rights; and the
questions that both are asked."""
import random
import sys
from bisect import bisect_left
from itertools import count, takewhile

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bench.ledger import SQL_OPEN, Sql, World
from licensing.rights.columns import Role
from licensing.rights.ledger import AVAILABLE
from search import analysis, matching, spelling
from search.index import schema

SEED, QUESTIONS = 7, 60
FACETS = ("kind", "genre", "country", "language", "decade", "seller")
FEWEST = 5  # hits in names: with fewer our search goes on to look for other words, which FTS5 does not


def rows_of(ledger) -> World:
    """The rows of a ledger as SQL takes them. It knows no shares: titles of several are left out."""
    columns, dictionary = ledger.columns, ledger.dictionary
    counts = np.diff(columns.cuts[2 * columns.shares.astype(np.int64)].astype(np.int64))
    titles, alone = np.repeat(columns.ids, counts), np.repeat(np.diff(columns.shares) == 1, counts)
    roles = [Role(*role) for role in dictionary.roles]
    kinds, exclusive = np.array([(role.kind, role.exclusive) for role in roles]).T[:, columns.numbers[:, 3]]
    rows = (titles, np.zeros(len(titles), dtype=np.int64), kinds, columns.numbers[:, :3], *columns.days.T,
            exclusive.astype(bool))
    return World(*(each[alone] for each in rows), tuple(
        map(list, (dictionary.territories, dictionary.media, dictionary.languages))))


class Fts:
    """The same titles in FTS5, the facets in a table beside it, the rows of rights in the same database."""

    def __init__(self, films, path, made):
        self.sql = Sql(films, path)
        self.db = self.sql.db
        self.db.executescript(f"""
            CREATE VIRTUAL TABLE docs USING fts5({", ".join(matching.FIELDS)},
                tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'");
            CREATE TABLE facet (id INTEGER PRIMARY KEY, {", ".join(f"{name} TEXT" for name in FACETS)});
            CREATE TEMP TABLE hit (id INTEGER PRIMARY KEY);""")
        self.db.executemany(f"INSERT INTO docs (rowid, {', '.join(matching.FIELDS)}) VALUES (?, ?, ?, ?, ?)", (
            (document.id, *(" ".join(schema.words("\n".join(getattr(document, name))))
                            for name in matching.FIELDS)) for document, _ in made))
        self.db.executemany("INSERT INTO facet VALUES (?, ?, ?, ?, ?, ?, ?)", (row for _, row in made))
        self.db.execute("INSERT INTO docs (docs) VALUES ('optimize')")
        self.db.commit()

    def ask(self, match):
        """(first twenty, number of hits, facets)."""
        self._collect(match)
        first = self.db.execute("SELECT rowid FROM docs WHERE docs MATCH ? ORDER BY rank LIMIT 20", [match]).fetchall()
        return first, self._count()

    def ask_free(self, match, line):
        """(all hits on which the line is free, those that SQL leaves open)."""
        self._collect(match)
        found = dict(self.verdicts(line))
        self.db.execute("DELETE FROM temp.hit WHERE id NOT IN (SELECT value FROM json_each(?))",
                        [str([each for each, said in found.items() if said == AVAILABLE])])
        self.db.execute("SELECT rowid FROM docs WHERE docs MATCH ? AND rowid IN (SELECT id FROM temp.hit)"
                        " ORDER BY rank LIMIT 20", [match]).fetchall()
        self._count()
        return ({each for each, said in found.items() if said == AVAILABLE},
                {each for each, said in found.items() if said == SQL_OPEN})

    def verdicts(self, request):
        """As `Sql.verdicts`, of the hits alone."""
        said = self.sql.pose(request)
        return self.db.execute("""
            SELECT id, CASE WHEN NOT EXISTS (
                SELECT 1 FROM line CROSS JOIN temp.territories t ON t.id = line.territories
                    CROSS JOIN temp.media m ON m.id = line.media CROSS JOIN temp.languages l ON l.id = line.languages
                WHERE title_id = hit.id AND mandate AND t.whole AND m.whole AND l.whole
                      AND starts <= :start AND ends >= :end AND exclusive >= :exclusive)
              THEN -1 WHEN NOT EXISTS (
                SELECT 1 FROM line CROSS JOIN temp.territories t ON t.id = line.territories
                    CROSS JOIN temp.media m ON m.id = line.media CROSS JOIN temp.languages l ON l.id = line.languages
                WHERE title_id = hit.id AND blocks AND starts < :end AND ends > :start
                      AND (exclusive OR :exclusive))
              THEN 2 ELSE 0 END FROM temp.hit""", said).fetchall()

    def _collect(self, match):
        self.db.execute("DELETE FROM temp.hit")
        self.db.execute("INSERT INTO temp.hit SELECT rowid FROM docs WHERE docs MATCH ?", [match])

    def _count(self):
        total = self.db.execute("SELECT count(*) FROM temp.hit").fetchone()[0]
        return total, {name: dict(self.db.execute(
            f"SELECT {name}, count(*) FROM temp.hit JOIN facet USING (id) GROUP BY {name}")) for name in FACETS}


# ------------------------------------------------------------------ questions

def asked(fts, made):
    """{kind: [(our words, FTS5's)]}, drawn from the names."""
    rng = random.Random(SEED)
    names = [name for document, _ in made for name in document.names]
    spelt = [words for words in map(_spelt, names) if words]
    unspaced = [run for run in map(_run, names) if run]
    wholes = {}
    for name in names:
        wholes.setdefault(analysis.whole(name), []).append(set(schema.words(name)))
    starts = sorted({term for document, _ in made for field in ("names", "people", "keywords")
                     for text in getattr(document, field) for term in schema.words(text)})

    def enough(match):
        return fts.db.execute("SELECT count(*) FROM (SELECT 1 FROM docs WHERE docs MATCH ? LIMIT ?)", [
            f"{{names}} : ({match})", FEWEST]).fetchone()[0] == FEWEST

    def elsewhere(words):
        """Whether it is a whole name but for a typo or a space, which our search would find as well."""
        whole, terms = analysis.whole(words), set(schema.words(words))
        most = spelling.allowed(whole) if words.isascii() else 0
        return any(away or not all(terms <= each for each in wholes[name]) for name, away, _ in process.extract(
            whole, list(wholes), scorer=OSA.distance, score_cutoff=most, limit=None))

    def some(beginning):
        """Whether our search goes through all terms that begin so."""
        first = bisect_left(starts, beginning)
        return bisect_left(starts, beginning + chr(sys.maxunicode), first) - first <= matching.EXPANSIONS

    def one():
        word = rng.choice(rng.choice(spelt))
        return word, word

    def two():
        words = rng.sample(rng.choice(several), 2)
        return " ".join(words), " AND ".join(words)

    def phrase():
        words = f'"{" ".join(rng.choice(several)[:2])}"'
        return words, words

    def prefix():
        beginning = next(filter(some, (rng.choice(rng.choice(spelt))[:4] for _ in count())))
        return f"{beginning}*", f"{{names people keywords}} : {beginning}*"

    def chinese():
        run = rng.choice(unspaced)
        return run, " AND ".join(schema.words(run))

    several, found = [words for words in spelt if len(words) > 1], {}
    for kind, make in (("one term", one), ("two terms", two), ("a phrase", phrase), ("a prefix", prefix),
                       ("Chinese", chinese)):
        found[kind], tries = [], 0
        while len(found[kind]) < QUESTIONS:
            tries += 1
            question = make()
            if enough(question[1]) and not elsewhere(question[0]) or tries > 200 * QUESTIONS:
                found[kind].append(question)
    return found


def _spelt(name):
    """The first words of a name that stand side by side, of letters alone."""
    return [token.term for token in takewhile(
        lambda token: not token.paired and token.term.isalpha() and len(token.term) > 2, analysis.tokens(name))]


def _run(name):
    """The first two characters of a name that is written without spaces."""
    first = next(iter(analysis.tokens(name)), None)
    return name[first.start:first.end] if first and first.paired and len(first.term) > 1 else None
