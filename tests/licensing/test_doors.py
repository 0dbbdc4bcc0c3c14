"""One engine answers everywhere: every door is asked the same random questions about the same random catalogue."""
import csv
import io
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import seed
from accounts import people
from catalogue import titles
from catalogue.models import Title
from core import clock
from core.database import db
from core.errors import Conflict
from licensing import asking, avails, contracts, counting, drafts, drawings, mandates, offers, promises, terms
from licensing.models import Licence
from licensing.rights import availability, languages, ledger
from licensing.rights.availability import Code, Verdict
from tests.conftest import Caller, both
from tests.scale import at
from tests.test_pages import Visitor

PLACES = ["HK", "TW", "SG", "CA-QC", "CA", "DE", "Nordics", "World", "World,-DE"]
MEDIA = ["svod", "free_tv", "pay_tv", "television", "airline", "all"]
TONGUES = ["*", "*", "fr", "fr:dub", "en:original,zh-Hant:sub"]
QUESTIONS = at(ci=30, long=1_000)
SAID = {ledger.AVAILABLE: Verdict.AVAILABLE, ledger.PARTIAL: Verdict.PARTIAL, ledger.UNAVAILABLE: Verdict.UNAVAILABLE}


def some_terms(rng, **more):
    starts = f"{rng.randint(2024, 2030)}-0{rng.randint(1, 9)}-01"
    ends = None if rng.random() < 0.2 else f"{int(starts[:4]) + rng.randint(0, 4)}-{rng.choice(['09-30', '12-31'])}"
    line = seed.line(",".join(rng.sample(PLACES[:-2], 2)) if rng.random() < 0.7 else rng.choice(PLACES),
                     ",".join(rng.sample(MEDIA, rng.randint(1, 2))), starts, ends, rng.random() < 0.5,
                     rng.choice(TONGUES))
    return terms.read({**line, **more})


def a_catalogue(rng, house, buyers):
    """Films and series with mandates, licences, holdbacks and runs, as a house would record them."""
    made = []
    for number in range(12):
        kind = "series" if number % 3 == 0 else "film"
        title = titles.create(house.id, kind=kind, original_title=f"{kind} {number}", titles=[], status="published")
        family = [title]
        if kind == "series":
            season = titles.create(house.id, kind="season", original_title="S", titles=[], parent=title,
                                   status="published")
            family += [season, *(titles.create(house.id, kind="episode", original_title=f"E{n}", titles=[],
                                               parent=season, status="published") for n in range(3))]
        titles.lock([title.id])
        for _ in range(rng.randint(1, 3)):
            mandates.record(rng.choice(family[:2]), some_terms(rng, runs=rng.choice([None, None, 3])))
        if rng.random() < 0.6:
            mandates.record(title, terms.read(seed.line("World", "all", "2020-01-01", None)))
        for _ in range(rng.randint(0, 5)):
            with suppress(Conflict):
                contracts.grant(house.id, [(rng.choice(family), some_terms(rng))], recording=True,
                                licensee_id=rng.choice(buyers).organisation_id, licensee_name="Somebody")
        if rng.random() < 0.6:
            licence = db.session.scalar(db.select(Licence).where(Licence.organisation_id == house.id)
                                        .order_by(Licence.id.desc()).limit(1))
            bound = licence is not None and rng.random() < 0.4
            promises.hold_back(rng.choice(family), some_terms(rng), hard=rng.random() < 0.7,
                               binds=promises.LICENSEE if bound else promises.LICENSOR,
                               licence_id=licence.id if bound else None)
        made += family
    return made


def _free_in_the_spreadsheet(browser, title, asked):
    """The blocks that the table names, read back as anybody would read them."""
    address = f"/titles/{title.id}/rights.csv"
    with ThreadPoolExecutor(1) as elsewhere:  # outside of this application context, which knows nobody
        response = elsewhere.submit(browser.client.get, address, query_string=asking.address(asked.as_json())).result()
    assert response.status_code == 200, response.get_data(as_text=True)[-800:]
    rows = list(csv.DictReader(io.StringIO(response.get_data(as_text=True).removeprefix("\ufeff"))))
    return [terms.read({**{axis: row[axis].split(",") for axis in terms.AXES},
                        "starts_on": date.fromisoformat(row["starts_on"]),
                        "ends_on": row["ends_on"] and date.fromisoformat(row["ends_on"]) or None}).line().block
            for row in rows]


def _by_name(block):
    """A block with the languages that can be named: less than all are listed ones."""
    return block if block.languages == languages.ALL else replace(block, languages=block.languages & languages.LISTED)


@both
def test_every_door_gives_the_same_answer_block_for_block(fresh):
    app = fresh(seeded=True)
    rng, caller, browser = random.Random(11), Caller(app, "buyer@sakura.test"), Visitor(app, "buyer@sakura.test")
    with app.app_context():
        house = people.organisation_named("Harbour Pictures")
        buyers = [people.viewer(people.find(f"buyer@{name}.test").id) for name in ("sakura", "nordlys")]
        catalogue = [title.id for title in a_catalogue(rng, house, buyers)]
        db.session.commit()
        seen, buyer = set(), buyers[0]
        for _ in range(QUESTIONS):
            title = db.session.get(Title, rng.choice(catalogue))
            asked = some_terms(rng)
            answer = avails.ask(title.id, asked, buyer.organisation_id)
            seen.add(answer.verdict)

            ids, verdicts = avails.verdicts(asked, catalogue, buyer.organisation_id)  # search
            assert SAID[verdicts[ids.tolist().index(title.id)]] == answer.verdict
            shown = caller.post(f"/titles/{title.id}/avails", asked.as_json()).json  # the title's page and the API
            said = avails.described(answer, asked, title, buyer)
            assert (shown["verdict"], shown["free"], shown["reasons"], shown["alternatives"]) == (
                said["verdict"], said["free"], said["reasons"], said["alternatives"])
            assert _free_in_the_spreadsheet(browser, title, asked) == [_by_name(each) for each in answer.free]  # export
            box = asked.line().block
            drawn = drawings.draw(title, buyer, asked, box.territories, box.media)  # grid, timeline and map
            state = drawn.views.cell(box.territories, box.media).state
            limited = any(reason.code == Code.LIMITED_BY_CHILDREN for reason in answer.reasons)
            assert (state == "free") == (answer.verdict == Verdict.AVAILABLE)
            assert (state == "part") == (answer.verdict == Verdict.PARTIAL) or (state == "part" and limited)
            offer = drafts.create(buyer, currency="EUR", seller_id=house.id, lines=[
                {**asked.as_json(), "starts_on": asked.starts_on, "ends_on": asked.ends_on, "title_id": title.id,
                 "price": 1}])
            (checked,) = offers.answers(offer, buyer).values()  # the offer
            assert checked["free"] == said["free"] and checked["verdict"] == said["verdict"]
            refused = contracts.refused([(title, asked)], licensee=buyer.organisation_id)  # signing
            if asked.starts_on >= clock.today():
                assert bool(refused) == (answer.verdict != Verdict.AVAILABLE)
                assert not refused or refused[0][2].free == answer.free
            db.session.rollback()
        assert seen == set(Verdict), "the questions must reach every verdict"


@both
def test_grant_amend_terminate_and_ask_keep_every_invariant(fresh):
    """A house at work: whatever it does, nothing is sold twice, and what is granted is granted inside its mandates."""
    from licensing import checks
    app = fresh(seeded=True)
    for run in range(at(ci=1, long=30)):
        rng = random.Random(run)
        with app.app_context():
            house = people.organisation_named("Harbour Pictures")
            buyers = [people.viewer(people.find(f"buyer@{name}.test").id) for name in ("sakura", "nordlys")]
            catalogue = a_catalogue(rng, house, buyers)
            for _ in range(at(ci=20, long=100)):
                title, asked = rng.choice(catalogue), some_terms(rng)
                titles.lock([title.id])
                free = avails.granting(title.id, asked).verdict == Verdict.AVAILABLE
                try:
                    licence = contracts.grant(house.id, [(title, asked)], licensee_id=None, licensee_name="X",
                                              recording=True)
                    assert free
                    assert avails.granting(title.id, asked, leaving_out=licence.id).verdict == Verdict.AVAILABLE
                except Conflict:
                    assert not free
                if rng.random() < 0.3 and (some := db.session.scalars(db.select(Licence).where(
                        Licence.organisation_id == house.id)).all()):
                    ended, day = rng.choice(some), clock.today() + timedelta(rng.randint(-300, 900))
                    if contracts.reaches(ended, day):
                        titles.lock([line.title_id for line in ended.lines])
                        contracts.terminate(ended, day)
            assert checks.sold_twice() == []
            assert checks.outside_mandates() == []
            db.session.commit()


def test_shares_are_read_with_a_fixed_number_of_queries(world):
    from sqlalchemy import event
    with world.app_context():
        everything = db.session.scalars(db.select(Title.id)).all()
        counting.shares(db.session, everything)
        counts = []
        for some in (everything[:1], everything):
            statements = []
            event.listen(db.engine, "before_cursor_execute",
                         listener := lambda *args, into=statements: into.append(args[2]))
            counting.shares(db.session, some)
            event.remove(db.engine, "before_cursor_execute", listener)
            counts.append(len(statements))
        assert counts[1] <= 8, counts


def test_what_an_outsider_reads_is_the_same_for_one_deal_and_for_three():
    block = terms.read(seed.line("HK,TW", "svod", "2027-01-01", "2029-12-31")).line().block
    reason = availability.Reason(availability.Code.RIGHTS_OUT, (block,), refs=(("line", 1),))
    assert availability.merged([reason]) == availability.merged([reason, reason, reason])
