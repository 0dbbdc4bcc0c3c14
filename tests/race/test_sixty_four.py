"""Sixty-four at once, at every door, over rights that all overlap: one of them wins, whoever it is.

Signatures and deals done elsewhere come by web and API, exclusive; a service that shows the title comes by import and
by command line, not exclusive, but it is one and the same licence. So of all who want a right exactly one is granted
it. Beside them others ask for another territory of the same titles, and every one of those is granted.
"""
from collections import Counter
from itertools import cycle, islice, permutations

import pytest

import seed
from accounts import people
from catalogue import titles
from core.database import db
from licensing import checks, mandates, terms
from licensing.models import Line
from licensing.rights import languages, territories
from tests.conftest import both
from tests.race.crowd import BY_FILE, LOST, SELLER, THERE, WON, Order, crowd
from tests.scale import LONG, at

ROUNDS = 120  # at full numbers: each overlap twenty times, on both databases
CONTROL_ROUNDS = at(ci=1, long=10)
SIDES = ["signature by API", "record by web", *BY_FILE, "signature by web", "record by API", *BY_FILE]
CONTENDERS = list(islice(cycle(SIDES), 64))
FEW = 16  # are enough to be sold the same right, and do not wait for each other as long
BESIDE = ["signature by API", "signature by web", "record by API", "record by web", *BY_FILE, *BY_FILE]
DOORS = CONTENDERS + BESIDE
BUYERS = cycle(["buyer@sakura.test", "buyer@nordlys.test", "buyer@skyway.test"])
LEADERS = ["API", "web", "import", "command line"]  # whose way is the shortest changes from round to round
WANTED = "HK"
ELSEWHERE = [code for code in territories.codes(territories.read(["World"])) if code != WANTED]
TONGUES = [each["code"] for each in languages.vocabulary() if len(each["code"]) == 2 and each["code"] != "fr"]


# ------------------------------------------------------------------ how they overlap: (title, line) for each place

def by_one_territory(made, place):
    return [(made["film"], seed.line(f"{WANTED},{ELSEWHERE[place]}", "svod", "2027-01-01", "2029-12-31"))]


def by_one_day(made, place):
    """Whoever begins on the day on which others end shares with them that day alone."""
    dates = [("2028-06-30", "2029-12-31"), ("2027-01-01", "2028-06-30")][place // 2 % 2]
    return [(made["film"], seed.line(WANTED, "svod", *dates))]


def by_one_language_use(made, place):
    return [(made["film"], seed.line(WANTED, "svod", "2027-01-01", "2029-12-31",
                                     languages=f"fr-FR:dub,{TONGUES[place]}:sub"))]


def series_against_episode(made, place):
    return [(made[("series", "season", "episode")[place % 3]], seed.line(WANTED, "svod", "2027-01-01", "2029-12-31"))]


def two_titles_in_opposite_order(made, place):
    """Whoever locks in the order of the lines, or writes their new sets of territories in it, deadlocks here."""
    pair = [(made[each], seed.line(f"{WANTED},{ELSEWHERE[(made['film'] + step) % 100 + 120]}", "svod", "2027-01-01",
                                   "2029-12-31")) for step, each in enumerate(("film", "series"))]
    return pair[::-1] if place // 4 % 2 else pair


def three_of_five_titles_in_any_order(made, place):
    """All want the film, and two more titles each: no two offers name the same titles in the same order."""
    line = seed.line(WANTED, "svod", "2027-01-01", "2029-12-31")
    if not place:  # by file one row is loaded without the other
        return [(made["film"], line)]
    others = list(permutations(["series", "second", "third", "fourth"], 2))[place % 12]
    three = ["film", *others]
    return [(made[each], line) for each in three[place % 3:] + three[:place % 3]]


OVERLAPS = [by_one_territory, by_one_day, by_one_language_use, series_against_episode, two_titles_in_opposite_order,
            three_of_five_titles_in_any_order]


def some_titles(app, number):
    """A film and three more, and a series with a season and its episode, under mandates for everything.
    {what: id}, {id: name}"""
    with app.app_context():
        house = people.organisation_named(SELLER)

        def made(kind, parent=None, name=""):
            return titles.create(house.id, kind=kind, original_title=f"Race {number}", titles=[], parent=parent,
                                 status="published", external_id=f"race:{number}:{kind}{name}:{parent and parent.id}")

        film, series = made("film"), made("series")
        season = made("season", series)
        episode = made("episode", season)
        more = {name: made("film", name=name) for name in ("second", "third", "fourth")}
        titles.lock([film.id, series.id, *(each.id for each in more.values())])
        for title in (film, series, *more.values()):
            mandates.record(title, terms.read(seed.line("World", "all", "2020-01-01", None)))
        db.session.commit()
        them = {"film": film, "series": series, "season": season, "episode": episode, **more}
        return {what: title.id for what, title in them.items()}, {
            title.id: title.external_id for title in them.values()}


def orders(app, number):
    """Who asks for what in a round: the contenders, then those beside them."""
    overlap = OVERLAPS[number % len(OVERLAPS)]
    made, names = some_titles(app, number)

    def order(door, asked):
        lines = [{**line, "title_id": title_id, "price": 1} for title_id, line in asked]
        if len(lines) > 1:
            door = door.replace("record", "signature")  # an offer names many titles, a deal done elsewhere one
        return Order(door, next(BUYERS), lines, names, "")

    rivals = [order(door, overlap(made, 0 if door in BY_FILE else place + 1)) for place, door in enumerate(CONTENDERS)]
    film = made["film"]
    return rivals + [order(door, [(film, seed.line(ELSEWHERE[100 + place], "svod", "2027-01-01", "2029-12-31"))])
                     for place, door in enumerate(BESIDE)]


def rounds(app):
    if LONG:
        return range(ROUNDS)
    with app.app_context():
        return [2] if db.engine.dialect.name == "sqlite" else [1, 5]


@both
def test_one_of_sixty_four_wins_whatever_the_door_and_the_overlap(fresh):
    app, winners, written = fresh(seeded=True), Counter(), 0
    with crowd(app, DOORS, first=orders(app, -1)) as them:
        before = lines(app)
        for number in rounds(app):
            asked = orders(app, number)
            answers = them.fire(asked, leads=LEADERS[number % len(LEADERS)])
            said = [words for words, _ in answers]
            rivals, beside = said[:len(CONTENDERS)], said[len(CONTENDERS):]
            assert [refusals for _, refusals in answers if refusals] == [], "no deadlock, nothing tried again"
            assert set(beside) == {WON}, (number, beside)
            assert set(rivals) <= {WON, LOST, THERE} and rivals.count(WON) == 1, (number, Counter(rivals))
            winner = asked[rivals.index(WON)].door
            assert winner in BY_FILE or THERE not in rivals
            winners[next(each for each in LEADERS if each in winner)] += 1
            written += sum(len(order.lines) for order, words in zip(asked, said, strict=True) if words == WON)
    assert lines(app) - before == written, "what was granted is in the books, and nothing else"
    with app.app_context():
        assert checks.sold_twice() == []
        assert checks.outside_mandates() == []
    print(dict(winners))
    assert not LONG or len(winners) == 4, winners


@pytest.mark.parametrize("backend", at(ci=["sqlite"], long=["sqlite", pytest.param(
    "postgresql", marks=pytest.mark.postgresql)]), indirect=True)
def test_without_lock_and_guard_the_sixty_four_are_sold_the_same_right(fresh):
    """The positive control: a race that cannot be lost proves nothing."""
    app, twice = fresh(seeded=True), 0
    with crowd(app, CONTENDERS[:FEW], first=orders(app, -1), control=True) as them:
        for number in range(CONTROL_ROUNDS):
            answers = them.fire(orders(app, number)[:FEW])
            twice += [said for said, _ in answers].count(WON) > 1
    assert twice > CONTROL_ROUNDS / 2, twice  # not always: on a busy machine one may be done before the next begins
    with app.app_context():
        assert len(checks.sold_twice()) >= twice, "flask check must see it"


def lines(app):
    with app.app_context():
        return db.session.scalar(db.select(db.func.count()).select_from(Line).where(Line.licence_id.is_not(None)))
