"""Every process learns of every change, whatever the order of commits."""
import pytest
from sqlalchemy.orm import Session

import seed
from accounts import people
from catalogue import changes, titles
from core.database import db, reading
from licensing import avails, mandates, terms
from licensing.rights.ledger import AVAILABLE
from tests.conftest import both, make_app


def a_title(name="A"):
    house = people.organisation_named("House") or people.found("House", ["seller"])
    return titles.create(house.id, kind="film", original_title=name, titles=[], status="published")


@both
def test_a_change_is_seen_once_it_is_committed(app):
    with app.app_context():
        title = a_title()
        with reading(), Session(db.engine) as other:
            before = changes.mark(other)
        db.session.commit()
        with reading(), Session(db.engine) as other:
            seen, mark = changes.since(other, before)
        assert seen == {title.id}
        with reading(), Session(db.engine) as other:
            assert changes.since(other, mark)[0] <= {title.id}, "seeing one twice does no harm"


@pytest.mark.postgresql
@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_change_committed_later_with_a_lower_id_is_not_missed(app):
    with app.app_context():
        first, second = a_title("A"), a_title("B")
        db.session.commit()
        ids = first.id, second.id
        db.session.remove()
        with Session(db.engine) as reader, Session(db.engine) as slow, Session(db.engine) as quick:
            place = changes.mark(reader)
            reader.rollback()
            for session, title_id in ((slow, ids[0]), (quick, ids[1])):
                session.connection().exec_driver_sql(
                    "INSERT INTO change (title_id, xid) VALUES (%s, pg_current_xact_id()::text::bigint)", (title_id,))
            quick.commit()
            seen, place = changes.since(reader, place)
            assert ids[1] in seen and ids[0] not in seen
            reader.rollback()
            slow.commit()
            assert ids[0] in changes.since(reader, place)[0], "the lower id was committed later"


@both
def test_another_process_answers_exactly_in_its_next_answer(app, backend, tmp_path):
    with app.app_context():
        title = a_title()
        db.session.commit()
        title_id = title.id
        url = db.engine.url.render_as_string(hide_password=False)
        asked = terms.read(seed.line("HK", "svod", "2027-01-01", "2029-12-31"))
        other = make_app(url, tmp_path / "other")

        def elsewhere():
            with other.app_context(), reading():
                ids, verdicts = avails.verdicts(asked, [title_id])
                db.session.rollback()
                return verdicts.tolist()

        assert elsewhere() == [0]
        titles.lock([title_id])
        mandates.record(title, terms.read(seed.line("World", "all", "2020-01-01", None)))
        assert elsewhere() == [0], "what is not committed does not count"
        db.session.commit()
        assert elsewhere() == [AVAILABLE]
        with other.app_context():
            db.engine.dispose()


def test_filter_and_title_page_and_engine_agree_on_a_thousand_random_questions(world):
    """One engine, asked through every door."""
    import random

    from licensing.rights import ledger
    words = {ledger.AVAILABLE: "available", ledger.PARTIAL: "partial", ledger.UNAVAILABLE: "unavailable"}
    rng = random.Random(7)
    with world.app_context():
        everything = db.session.scalars(db.select(titles.Title.id)).all()
        for _ in range(40):
            asked = terms.read(seed.line(
                ",".join(rng.sample(["HK", "TW", "JP", "DE", "CH", "Nordics", "World", "KR"], rng.randint(1, 3))),
                ",".join(rng.sample(["svod", "free_tv", "pay_tv", "airline", "all"], rng.randint(1, 2))),
                f"{rng.randint(2025, 2029)}-01-01", rng.choice([None, "2030-06-30", "2031-12-31"]),
                rng.random() < 0.5, rng.choice(["*", "en", "fr:dub"])))
            ids, verdicts = avails.verdicts(asked, everything)
            said = dict(zip(ids.tolist(), verdicts.tolist(), strict=True))
            one_by_one = {title_id: avails.ask(title_id, asked) for title_id in rng.sample(everything, 12)}
            together = avails.ask_all(list(one_by_one), asked)
            for title_id, answer in one_by_one.items():
                assert words[said[title_id]] == answer.verdict
                assert together[title_id] == answer
