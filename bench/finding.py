"""How quickly titles are found: by words, with and without the line, in a process that is warm and in a new one."""
import multiprocessing
import random
import statistics
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import select

from bench.answering import one_by_one
from bench.report import Table, ratio, say, spread, steps
from bench.world import BUYER, LINE, LINE_WORDS, SEED, Caller, World, application, wire
from catalogue import titles
from catalogue.models import Name, Title
from core.database import db, reading
from licensing import asking
from licensing.rights.availability import Verdict
from search import analysis

QUESTIONS, PROCESSES = 200, 3  # of each kind · new ones, for the cold figures
PAGES, PAGE_SIZE = 20, 20  # without words every question is the same one, so it turns pages
SHORTEST = 3  # letters of a word worth searching for


def searching(world: World):
    """Search over HTTP, warm and cold."""
    viewer, token = world.person(BUYER)
    caller, reference = Caller(world.app, token), _Reference(world, viewer)
    kinds, rows, everything = _questions(world), [], {False: [], True: []}
    for kind, questions in kinds.items():
        requests, finds = _ask(caller, reference, kind, questions)
        for lined in (False, True):
            row = {"what": "  and the line" if lined else kind, **spread(requests[lined]),
                   **spread(finds[lined], "find "), "n": f"{len(questions):,}"}
            rows.append(row | {"ratio": ratio(*(statistics.median(requests[each]) for each in (True, False)))}
                        if lined else row)
            everything[lined] += requests[lined]
    rows += [{"what": "  and the line" if lined else "all of these", **spread(times), "n": f"{len(times):,}"}
             for lined, times in everything.items()]
    yield Table(f"search, warm: whole requests over HTTP, and query.find within them; the line is {LINE_WORDS}", rows,
                ["ratio: with the line to without; every answer equals its hits asked one by one"])
    yield Table("search, cold: the first question of a new process, of one word",
                list(_cold(world, caller, kinds["one word"][0], statistics.median(everything[False]))),
                ["ratio: to the warm median; the files are in the system's cache"])


def _ask(caller, reference, kind, questions):
    """({with the line?: seconds of each request}, the same of query.find alone), the answers checked.

    With and without the line are asked in turn, now one first and now the other, so that caches and noise
    are alike for both.
    """
    requests, finds = {False: [], True: []}, {False: [], True: []}
    for number, question in enumerate(steps(f"search: {kind}", questions)):
        answers = {}
        for lined in (False, True) if number % 2 else (True, False):
            answers[lined], seconds = caller.call("GET", _path(question, lined))
            requests[lined].append(seconds)
            finds[lined].append(answers[lined]["took_ms"] / 1000)
        reference.check(question, answers)
    return requests, finds


def _path(question, lined):
    words, page = question
    line = asking.address(wire(LINE)) if lined else {}
    return f"/search?{urlencode({'q': words, 'page': page, 'page_size': PAGE_SIZE, **line})}"


# ------------------------------------------------------------------ questions

def _questions(world) -> dict[str, list[tuple[str, int]]]:
    """(words, page) of each kind, drawn from the names in the corpus."""
    draw = random.Random(SEED)
    with world.app.app_context(), reading():
        names = db.session.scalars(select(Name.value).order_by(Name.id)).all()
        db.session.remove()
    kinds = {"one word": _one_word, "two words": _two_words, "a phrase": _phrase, "Chinese, Japanese, Korean": _run}
    found = {}
    for kind, made_of in kinds.items():
        found[kind] = []
        while len(found[kind]) < QUESTIONS:
            if words := made_of(draw.choice(names), draw):
                found[kind].append((words, 1))
    return {**found, "no words": [("", draw.randint(1, PAGES)) for _ in range(QUESTIONS)]}


def _words(name):
    return [each for each in analysis.tokens(name) if not each.paired and len(each.term) >= SHORTEST]


def _one_word(name, draw):
    words = _words(name)
    return draw.choice(words).term if words else None


def _two_words(name, draw):
    words = sorted({each.term for each in _words(name)})
    return " ".join(draw.sample(words, 2)) if len(words) > 1 else None


def _phrase(name, draw):
    """Two words that stand side by side."""
    tokens = analysis.tokens(name)
    pairs = [(one, other) for one, other in zip(tokens, tokens[1:], strict=False)
             if not (one.paired or other.paired) and len(one.term) >= SHORTEST]
    return f'"{" ".join(each.term for each in draw.choice(pairs))}"' if pairs else None


def _run(name, draw):
    """Two to four characters in a row, of a script that is indexed by pairs."""
    tokens = analysis.tokens(name)
    starts = [place for place, each in enumerate(tokens) if each.paired and len(each.term) > 1]
    if not starts:
        return None
    first = last = draw.choice(starts)
    for following in tokens[first + 1:first + 3]:
        if following.paired and following.start == tokens[last].end - 1:
            last += 1
    return name[tokens[first].start:tokens[last].end]


# ------------------------------------------------------------------ what the answers must be

class _Reference:
    """The same hits of the same words, each asked by itself."""

    def __init__(self, world, viewer):
        self.world = world
        self.free = {each for each, verdict in one_by_one(world).items() if verdict is Verdict.AVAILABLE}
        with world.app.app_context(), reading():
            rows = db.session.execute(select(Title.id, Title.year).where(titles.visible(viewer))).all()
            db.session.remove()
        self.newest_first = [row.id for row in sorted(rows, key=lambda row: (-(row.year or 0), -row.id))]
        self.seen = set(self.newest_first)

    def check(self, question, answers):
        """`answers` are those without the line and with it."""
        words, page = question
        found = self.world.index.find(words).tolist() if words else self.newest_first
        hits = [each for each in found if each in self.seen]
        assert hits, f"{words!r} is part of a name and finds nothing"
        for lined, answer in answers.items():
            expected = [each for each in hits if each in self.free] if lined else hits
            shown = [int(item["id"]) for item in answer["items"]]
            assert answer["total"] == len(expected), (question, lined, answer["total"], len(expected))
            assert shown == expected[(page - 1) * PAGE_SIZE:page * PAGE_SIZE], (question, lined)
            assert not lined or all(item["avails"]["verdict"] == "available" for item in answer["items"]), question


# ------------------------------------------------------------------ cold

def _cold(world, caller, question, warm):
    """A row for the first question without the line, and with it; the answers equal the warm ones."""
    say(f"search: cold, {2 * PROCESSES} new processes")
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as new:
        for lined in (False, True):
            path = _path(question, lined)
            expected, _ = caller.call("GET", path)
            times = []
            for _ in range(PROCESSES):
                answer, seconds = new.apply(first_answer, (world.url, world.folder, caller.token, path))
                assert {**answer, "took_ms": 0} == {**expected, "took_ms": 0}
                times.append(seconds)
            yield {"what": "with the line: the ledger, too" if lined else "opens the index, reads the columns",
                   **spread(times), "n": PROCESSES, "ratio": ratio(statistics.median(times), warm)}


def first_answer(url: str, folder: Path, token: str, path: str) -> tuple[dict, float]:
    """What a process that has asked nothing yet answers, and in how many seconds."""
    return Caller(application(url, folder), token).call("GET", path)
