"""When rights are licensed, the other open offers over them are checked again, and their parties read what is left."""
import pytest
from sqlalchemy import select

from accounts.notices import Notice
from core import outbox
from core.database import db
from licensing import contracts, drafts, offers, overtaken, terms
from licensing.models import Offer
from licensing.workflow import State
from search import worker
from seed import line
from tests.conftest import Caller, both
from tests.licensing.deals import AGENT, BUYER, MANAGER, OTHER, RIVAL, agreed, step, title, viewer


@pytest.fixture
def world(world):
    """The demo world, with nothing left to check."""
    with world.app_context():
        overtaken.follow()
    return world


def offered(film, places="JP", exclusive=True, buyer=OTHER, media="svod", more=()):
    said = [{**line(places, media, "2027-01-01", "2029-12-31", exclusive=exclusive), "title_id": film.id, "price": 900},
            *({**line("JP", "svod", "2027-01-01", "2029-12-31"), "title_id": each.id, "price": 900} for each in more)]
    made = drafts.create(viewer(buyer), currency="USD", seller_id=viewer(AGENT).organisation_id, lines=said)
    step(made, buyer, "submit")
    return made.id


def told(offer_id, email):
    """What a person was told of rights of an offer, as one text each."""
    return ["\n".join([each.subject, *each.body["said"], each.body["todo"]]) for each in db.session.scalars(
        select(Notice).where(Notice.kind == "rights", Notice.path == f"/offers/{offer_id}",
                             Notice.person_id == viewer(email).person_id))]


def state(offer_id):
    db.session.expire_all()
    return db.session.get(Offer, offer_id).state


def sign(*films):
    """Sakura signs Japan, SVOD, exclusively, of these titles; the worker then turns."""
    offer = agreed(*((film, "*") for film in films))
    step(offer, MANAGER, "sign")
    db.session.commit()
    return offer.id


@both
def test_what_is_left_is_told_and_what_is_wholly_gone_is_superseded(world):
    with world.app_context():
        film, second = title(), title(name="第二")
        wider = offered(film, "JP,KR")
        gone = offered(film, "JP", exclusive=False)
        half = offered(film, "JP", more=[second])
        elsewhere, other_media = offered(film, "KR"), offered(film, "JP", media="free_tv")
        draft = drafts.create(viewer(OTHER), currency="USD", seller_id=viewer(AGENT).organisation_id, lines=[
            {**line("JP", "svod", "2027-01-01", "2029-12-31"), "title_id": film.id, "price": 1}]).id
        db.session.commit()
        done = sign(film)
        assert state(gone) == State.SUBMITTED, "it follows the commit"
        worker.turn(world.extensions["index"])
        assert [state(each) for each in (wider, gone, half, elsewhere, other_media, draft, done)] == [
            State.SUBMITTED, State.SUPERSEDED, State.SUBMITTED, State.SUBMITTED, State.SUBMITTED, State.DRAFT,
            State.SIGNED]
        [to_buyer], [to_seller] = told(wider, OTHER), told(wider, AGENT)
        for words in (to_buyer, to_seller):
            assert "Still free: South Korea · SVOD · all languages · 1 Jan 2027–31 Dec 2029." in words, words
            assert "Without Japan: South Korea" in words
        assert "Sakura TV" in to_seller and "You can counter with what is left." in to_seller
        assert "Sakura" not in to_buyer and "Licensed: Japan, SVOD" in to_buyer
        assert all(words in told(half, OTHER)[0] for words in ("第二: All of it, the whole", "Nothing of it is"))
        assert not any(told(each, who) for each in (elsewhere, other_media, draft, done)
                       for who in (OTHER, AGENT, BUYER))
        last = db.session.get(Offer, gone).steps[-1]
        assert (last.action, last.side) == ("supersede", "system") and "licensed in another deal" in last.note
        for email in (OTHER, AGENT):
            assert db.session.scalars(select(Notice.subject).where(
                Notice.path == f"/offers/{gone}", Notice.person_id == viewer(email).person_id,
                Notice.subject.contains("is superseded"))).all()


def test_what_is_left_only_non_exclusively_is_told_and_not_ended(world):
    with world.app_context():
        film = title()
        wants = offered(film, "JP")
        titles_line = terms.read(line("JP", "svod", "2027-01-01", "2029-12-31", exclusive=False))
        db.session.commit()
        offers.titles.lock([film.id])
        contracts.grant(film.organisation_id, [(film, titles_line)], licensee_id=None, licensee_name="Elsewhere",
                        viewer=viewer(AGENT), recording=True)
        db.session.commit()
        overtaken.follow()
        assert state(wants) == State.SUBMITTED
        assert "It could be instead: Non-exclusively." in told(wants, OTHER)[0]
        assert "Elsewhere" in told(wants, AGENT)[0] and "Elsewhere" not in told(wants, OTHER)[0]


def test_a_series_overtakes_its_episodes_and_an_episode_a_series(world):
    with world.app_context():
        series = title("series", "連続")
        episodes = [title("episode", f"第{number}話", parent=series) for number in (1, 2)]
        whole, one = offered(series, "JP"), offered(episodes[1], "JP")
        db.session.commit()
        sign(episodes[0])
        overtaken.follow()
        assert len(told(whole, OTHER)) == 1 and told(one, OTHER) == []
        words = told(whole, OTHER)[0]
        assert "Not free on every part of it: Japan, SVOD" in words and "It is about 第1話." in words
        assert (state(whole), state(one)) == (State.SUBMITTED, State.SUBMITTED), "the other episode is left"
        sign(episodes[1])
        overtaken.follow()
        assert (state(whole), state(one)) == (State.SUPERSEDED, State.SUPERSEDED)


def test_every_open_state_is_checked_and_no_other(world):
    assert set(overtaken.OPEN) == {"requested", "submitted", "countered", "on_hold", "pending_approval",
                                   "changes_requested", "approved", "memo_issued", "signed_one"}
    with world.app_context():
        film = title()
        waiting = agreed((film, "*"), buyer=OTHER)  # one signature is missing
        db.session.commit()
        offers.supersede(db.session.get(Offer, offered(film)), "Over.")
        db.session.commit()
        sign(film)
        overtaken.follow()
        assert state(waiting.id) == State.SUPERSEDED


def test_it_is_told_once_however_often_it_is_begun(world):
    with world.app_context():
        film = title()
        wider = offered(film, "JP,KR")
        db.session.commit()
        sign(film)
        [row] = db.session.scalars(select(outbox.OutboxRow).filter_by(topic=overtaken.TOPIC)).all()
        overtaken.check(row.subject_id)  # and the process dies before the commit
        assert len(told(wider, OTHER)) == 1
        db.session.rollback()
        assert told(wider, OTHER) == []
        assert overtaken.follow() == 1 and overtaken.follow() == 0
        assert len(told(wider, OTHER)) == 1


def test_a_signature_that_is_rolled_back_overtakes_nothing(world):
    with world.app_context():
        film = title()
        wider = offered(film, "JP,KR")
        offer = agreed((film, "*"))
        db.session.commit()
        step(offer, MANAGER, "sign")
        db.session.rollback()
        assert overtaken.follow() == 0 and told(wider, OTHER) == []


def test_whoever_signs_then_is_told_over_the_api_that_the_offer_is_over(world):
    with world.app_context():
        film = title()
        late = agreed((film, "*"), buyer=OTHER).id
        db.session.commit()
        sign(film)
        overtaken.follow()
    answer = Caller(world, MANAGER).post(f"/offers/{late}/steps", {"action": "sign"})
    assert answer.status_code == 409 and "superseded" in answer.json["detail"]
    assert Caller(world, RIVAL).get(f"/offers/{late}").status_code == 404


@pytest.mark.parametrize("places", ["KR", "JP,KR"])
def test_how_much_is_asked_does_not_grow_with_offers_over_other_titles(world, places):
    from sqlalchemy import event

    with world.app_context():
        film = title()
        offered(film, places)
        db.session.commit()

        def statements():
            sign(film)
            seen = []
            listen = lambda *args: seen.append(args[2])  # noqa: E731
            event.listen(db.engine, "before_cursor_execute", listen)
            overtaken.follow()
            event.remove(db.engine, "before_cursor_execute", listen)
            return len(seen)

        few = statements()
        film = title()
        offered(film, places)
        for _ in range(20):
            offered(title(), "JP")
        db.session.commit()
        assert statements() <= few + 5
