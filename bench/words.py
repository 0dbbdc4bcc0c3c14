"""How fast is the search by words? Against SQLite FTS5 with the same documents, in one run, hits held equal.

FTS5 is given the very terms that our index is given, so that a question means the same to both; it is asked for the
first twenty by rank, the number of hits, and the counts of six facets, from a table beside it. Ours is
`query.sift` and `query.counts`: visibility and the log of changes are in it. Where rights are asked, FTS5 is joined to
the rows of rights in SQL, as bench.ledger lays them; what single sets leave open there it would still have to settle.
The times are this thread's processor time, taken in turn; "whole" is `query.find` by the clock: with the twenty rows,
what matched in them, and what is free of each. In generated titles the words follow Zipf's law, and a third of the
names are Chinese; the corpus has real names in many languages, and the rights that its import gives it. Goals are those
of 100,000 titles: with fewer, all that SQL does takes less than a call of Python.
"""
import argparse
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median, quantiles

import numpy as np

from accounts import people
from bench import report
from bench.fulltext import SEED, Fts, asked, rows_of
from bench.laying import laid_from_database
from bench.ledger import questions, spent, world
from bench.report import Table, duration, header, rate, ratio, say, show, spread
from bench.world import BUYER, CORPUS, application, folder, make_world
from catalogue import titles
from catalogue.models import Title
from core.database import db, reading
from licensing import avails
from licensing.book import Book
from licensing.terms import Terms
from search import documents, query
from search.engine import Document

CHANGES, MIXED = 60, 200
SQL_QUESTIONS = 8  # of those with a line: SQL takes seconds for each
KINDS, LANGUAGES, COUNTRIES = ("film", "series", "special"), ("en", "fr", "yue", "ja", "ko"), ("HK", "JP", "FR", "US")
GENRES = ("Drama", "Crime", "Comedy", "Romance", "Horror", "Documentary", "Family", "War")
SPAWN = multiprocessing.get_context("spawn")


def generated(size):
    """Generated titles: (document of the index, row of facets)."""
    rng = np.random.default_rng(SEED)
    syllables = [a + b for a in "bdfgklmnprstv" for b in "aeiou"]
    words = np.array(sorted({"".join(rng.choice(syllables, rng.integers(2, 5))) for _ in range(40_000)}))
    rng.shuffle(words)
    chances = 1 / np.arange(1, len(words) + 1) ** 0.9
    drawn = iter(rng.choice(words, size * 52, p=chances / chances.sum()).tolist())
    signs = np.array([chr(code) for code in range(0x4E00, 0x4E00 + 300)])
    often = 1 / np.arange(1, len(signs) + 1) ** 0.7
    written = iter(rng.choice(signs, size * 4, p=often / often.sum()).tolist())

    def some(many):
        return " ".join(next(drawn) for _ in range(many))

    for number in range(1, size + 1):
        pick = random.Random(number)
        year = pick.randint(1950, 2026)
        names = [some(pick.randint(2, 4)).title()] + (["".join(next(written) for _ in range(4))] * (number % 3 == 0))
        genre = pick.choice(GENRES)
        yield (Document(number, "0", names=names, people=[some(2).title() for _ in range(4)], synopsis=[some(35)],
                        keywords=[genre, str(year)], codes=[f"bench:{number}"], year=year),
               (number, pick.choice(KINDS), genre, pick.choice(COUNTRIES), pick.choice(LANGUAGES),
                f"{year // 10}0s", "1"))


# ------------------------------------------------------------------ measuring

def compare(app, viewer, fts, kinds):
    """Rows of the table: ours and FTS5's, warm and cold, hits equal."""
    index = app.extensions["index"]
    for kind, pairs in kinds.items():
        ours, theirs, cold, whole = [], [], [], []
        for words, match in pairs:
            said = query.Asked(q=words)

            def work(said=said):
                sifted = query.sift(said, viewer, index)
                return sifted.table.ids[sifted.ranked], query.counts(sifted)
            took, (ids, facets) = spent(work)
            cold.append(took / 1e3)
            for _ in range(3):
                ours.append(spent(work)[0] / 1e3)
                took, (_, (total, counted)) = spent(lambda match=match: fts.ask(match))
                theirs.append(took / 1e3)
            hits = {each for each, in fts.db.execute("SELECT rowid FROM docs WHERE docs MATCH ?", [match])}
            assert set(ids.tolist()) == hits and total == len(ids), (kind, words, len(ids), total)
            for name in ("kind", "language", "decade"):
                counted[name].pop(None, None)  # of titles that have none
                assert facets[name] == counted[name], (kind, words)
            whole.append(timed(lambda said=said: query.find(said, viewer, index)))
        yield {"what": kind, **spread(ours), "FTS5": duration(median(theirs)), "ratio": ratio(median(ours),
               median(theirs)), "goal": "2x", "cold": duration(median(cold)), "whole p95": p95(whole),
               "n": len(pairs)}


def compare_free(app, viewer, fts, kinds, line):
    """The same with the line."""
    index, request = app.extensions["index"], line.line()
    for kind, goal in (("one term", 20), ("two terms", 10)):
        ours, theirs, whole = [], [], []
        for place, (words, match) in enumerate(kinds[kind]):
            said = query.Asked(q=words, line=line)

            def work(said=said):
                sifted = query.sift(said, viewer, index)
                query.counts(sifted)
                return set(sifted.table.ids[sifted.ranked].tolist())
            query.find(said, viewer, index)
            whole.append(timed(lambda said=said: query.find(said, viewer, index)))
            if place < SQL_QUESTIONS:
                took, ids = sorted((spent(work) for _ in range(3)), key=lambda each: each[0])[1]
                ours.append(took / 1e3)
                took, (free, open_) = spent(lambda match=match: fts.ask_free(match, request))
                theirs.append(took / 1e3)
                assert free <= ids <= free | open_, (kind, words)
        yield {"what": f"{kind}, 30 territories x 3 media", **spread(ours), "FTS5": duration(median(theirs)),
               "ratio": ratio(median(theirs), median(ours)) + " faster", "goal": f"{goal}x faster",
               "in all": ratio(sum(theirs), sum(ours)), "whole p95": p95(whole), "n": len(whole)}


def others(app, viewer, kinds):
    """A typo, and suggestions."""
    index, rng = app.extensions["index"], random.Random(SEED)
    typos, suggested = [], []
    for words, _ in kinds["one term"]:
        place = rng.randrange(1, len(words) - 1)
        wrong = words[:place] + words[place + 1] + words[place] + words[place + 2:]
        typos.append(timed(lambda wrong=wrong: query.find(query.Asked(q=wrong), viewer, index)))
        suggested.append(timed(lambda words=words: query.suggestions(words[:4], viewer, index)))
    yield {"what": "a typo, whole", **spread(typos), "goal": "p95 60 ms", "n": len(typos)}
    yield {"what": "suggestions, whole", **spread(suggested), "goal": "p95 15 ms", "n": len(suggested)}


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p95(seconds):
    return duration(quantiles(seconds, n=20)[-1])


def remembering(url, place, kinds, line, person_id, pipe):
    """Another process: MB of memory it has when it has asked everything."""
    app = application(url, Path(place))
    index = app.extensions["index"]
    with app.app_context(), reading():
        viewer = people.viewer(person_id)
        for each in (None, line):
            for words in (words for pairs in kinds.values() for words, _ in pairs):
                query.find(query.Asked(q=words, line=each), viewer, index)
    pipe.send(resident())


def changing(url, place, pipe):
    """Another process: five changes a second, each told when it was committed."""
    app = application(url, Path(place))
    rng = random.Random(SEED)
    with app.app_context():
        ids = db.session.scalars(db.select(Title.id)).all()
        while not pipe.poll(0.2):
            word = f"zq{rng.randrange(10**9)}"
            title = db.session.get(Title, rng.choice(ids))
            titles.revise(title, original_title=f"{word} harbour")
            db.session.commit()
            pipe.send((word, time.time()))
            db.session.remove()


def under_change(app, viewer, kinds, url, place):
    """Questions while the worker follows five changes a second, and how long each change took to be found."""
    index = app.extensions["index"]
    mixed = [query.Asked(q=words) for pairs in zip(*kinds.values(), strict=True) for words, _ in pairs][:MIXED]
    quiet = [timed(lambda said=said: query.find(said, viewer, index)) for said in mixed]
    ours, theirs = SPAWN.Pipe()
    writer = SPAWN.Process(target=changing, args=(url, str(place), theirs))
    follower = subprocess.Popen([sys.executable, "-m", "flask", "--app", "wsgi", "work"], cwd=report.ROOT, env={
        **os.environ, "DATABASE_URL": url, "SLATE_INSTANCE": str(place),
        "INDEX_FOLDER": str(place / "index")}, stdout=subprocess.DEVNULL)
    try:
        writer.start()
        first, _ = ours.recv()
        while not len(index.find(first)):  # the worker is still starting
            time.sleep(0.05)
        while ours.poll():
            ours.recv()
        busy, lags, waiting = [], [], {}
        for said in mixed:
            db.session.remove()
            busy.append(timed(lambda said=said: query.find(said, viewer, index)))
            while ours.poll():
                word, at = ours.recv()
                waiting[word] = at
            for word in [word for word in waiting if len(index.find(word))]:
                lags.append(time.time() - waiting.pop(word))
            time.sleep(0.05)
    finally:
        ours.send("stop")
        writer.join(10)
        follower.terminate()
        follower.wait()
    yield {"what": "all of these, whole, quiet", **spread(quiet), "n": len(quiet)}
    yield {"what": "  with five changes a second", **spread(busy), "n": len(busy), "goal": "2x of p95",
           "ratio": ratio(quantiles(busy, n=20)[-1], quantiles(quiet, n=20)[-1])}
    yield {"what": "  from commit to being found", **spread(lags), "n": len(lags), "goal": "p95 1 s"}


def measure(app, viewer, films, made, place):
    """(rows of the table, MB of a process that asked all of these)."""
    url, index = app.config["SQLALCHEMY_DATABASE_URI"], app.extensions["index"]
    say("the same into FTS5")
    fts = Fts(films, place / "fts.db", made)
    kinds = asked(fts, made)
    wide = next(each.request for each in questions() if each.name == "30 x 3, all of them")
    line = Terms.of_line(wide)
    with reading():
        query.find(query.Asked(q="warm"), viewer, index)
        avails.verdicts(line)
        say("asking")
        rows = [*compare(app, viewer, fts, kinds), *compare_free(app, viewer, fts, kinds, line),
                *others(app, viewer, kinds)]
    memory, theirs = SPAWN.Pipe()
    asking = SPAWN.Process(target=remembering, args=(url, str(place), kinds, line, viewer.person_id, theirs))
    asking.start()
    memory = memory.recv()
    asking.join()
    say("five changes a second")
    os.sync()  # a commit would wait for all that the making of this world left to be written
    db.session.remove()
    with reading():  # as a request that searches does: else each question would take SQLite's one writer
        rows += under_change(app, viewer, kinds, url, place)
    return rows, memory


def of_size(size):
    say(f"{size:,} titles: making the world")
    films, made = possible(world(size)), list(generated(size))
    with folder() as place:
        laid_from_database(films, place)
        app = application(f"sqlite:///{place / 'slate.db'}", place)
        index = app.extensions["index"]
        with app.app_context():
            house = people.organisation_named("House")
            buyers = people.found("Buyers", ["buyer"])
            person = people.enrol("buyer@bench.test", "Buyer", None)
            people.join(person, buyers, ["buyer"])
            db.session.commit()
            viewer = people.viewer(person.id)
            assert house.id == 1
            db.session.execute(db.text("UPDATE title SET root_id = id"))
            _name(made)
            say("indexing")
            took, count = spent(lambda: index.rebuild(document for document, _ in made))
            single = [timed(lambda document=document: index.replace([document])) for document, _ in made[:CHANGES]]
            rows, memory = measure(app, viewer, films, made, place)
            index.close()
            db.session.remove()
            db.engine.dispose()
    return Table(f"search by words, {size:,} titles, {len(films.titles):,} lines", rows, [
        f"indexing {rate(count, took / 1e3)} a core (goal 1,000/s); one title {duration(median(single))}, p95 "
        f"{p95(single)} (goals 20 and 200 ms)",
        f"a process that asked all of these has {memory:,.0f} MB (goal 600)"])


def of_corpus():
    with make_world() as made_of, made_of.app.app_context():
        viewer, _ = made_of.person(BUYER)
        films = Book().ask(db.engine, rows_of)
        seen = {title.id: title for title in db.session.scalars(db.select(Title).where(titles.visible(viewer)))}
        made = [(document, _facets(seen[document.id])) for document in documents.every() if document.id in seen]
        db.session.remove()
        rows, memory = measure(made_of.app, viewer, films, made, made_of.folder)
    return Table(f"search by words, the corpus: {len(made):,} titles, {len(films.titles):,} lines", rows, [
        f"a process that asked all of these has {memory:,.0f} MB (goal 600)"])


def _facets(title):
    """One of each facet, as `FACETS`: a table with one column for each is the quickest that SQL has."""
    return (title.id, title.kind, *(next(iter(each), None) for each in (title.genres, title.countries)),
            title.original_language, title.year and f"{title.year // 10}0s", str(title.organisation_id))


def possible(films):
    """Without the lines that end before they begin: the ledger, which knows no better, counts them as nothing."""
    kept = films.ends > films.starts
    return films._replace(**{name: getattr(films, name)[kept] for name in films._fields if name != "sets"})


def _name(made):
    """The generated titles as rows: what is shown of a hit."""
    link = db.session.connection()
    update = ("UPDATE title SET original_title = ?, kind = ?, genres = json_array(?), countries = json_array(?),"
              " original_language = ?, year = ? WHERE id = ?")
    link.exec_driver_sql(update, [(document.names[0], kind, genre, country, language, document.year, number)
                                  for document, (number, kind, genre, country, language, *_) in made])
    link.exec_driver_sql("INSERT INTO title_name (title_id, position, value, kind) VALUES (?, ?, ?, 'original')", [
        (document.id, place, value) for document, _ in made for place, value in enumerate(document.names)])
    db.session.commit()


def resident():
    """MB of memory this process has."""
    said = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(said.split("VmRSS:")[1].split()[0]) / 1e3


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m bench.words", description=__doc__)
    parser.add_argument("--titles", type=int, nargs="*", default=[10_000, 100_000], help="of generated worlds")
    parser.add_argument("--corpus", action=argparse.BooleanOptionalAction, default=CORPUS.is_dir())
    given = parser.parse_args(argv)
    for size in given.titles:
        print(header(size, 0), flush=True)
        show([of_size(size)])
    if given.corpus:
        show([of_corpus()])
    print(f"greatest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB; {date.today()}")


if __name__ == "__main__":
    main()
