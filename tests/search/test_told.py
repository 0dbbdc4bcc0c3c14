"""News of a saved search is told by the bell and by mail: once until its owner looks, and to nobody else."""
from sqlalchemy import select

from accounts.notices import Notice
from core.database import db
from search import query, saved
from tests.search.test_saved import BUYER, a_title, looked_at, viewer


def test_news_of_a_search_is_told_once_until_it_is_looked_at(world):
    def notices():
        return db.session.scalars(select(Notice).where(Notice.kind == "searches").order_by(Notice.id)).all()

    with world.app_context():
        made = saved.save(viewer(BUYER), "Waltzes", query.Asked(q="waltz"), world.extensions["index"])
        db.session.commit()
        for name in ("Lighthouse Waltz", "霧 Waltz"):
            a_title(name)
            looked_at(world)
        [told] = notices()
        assert told.subject == "New in your saved search “Waltzes”" and told.body["said"] == ["Lighthouse Waltz"]
        assert (told.path, told.person_id) == (f"/searches#s{made.id}", viewer(BUYER).person_id)
        saved.see(made)
        db.session.commit()
        a_title("Winter Waltz")
        looked_at(world)
        assert [each.body["said"] for each in notices()] == [["Lighthouse Waltz"], ["Winter Waltz"]]
        assert notices()[0].seen_at
