"""What a list of found titles keeps as one turns its pages."""
import pytest
from sqlalchemy import event

from accounts import people
from catalogue import titles
from catalogue.models import Title
from core.database import db
from search import query, worker

MANY, SIZE = 130, 20


@pytest.mark.parametrize("sort", query.SORTS)
def test_each_title_stands_on_one_page_also_while_others_write(world, sort):
    index = world.extensions["index"]
    with world.app_context():
        house = people.organisation_named("Harbour Pictures")
        viewer = people.viewer(people.find("buyer@nordlys.test").id)
        made = [titles.create(house.id, kind="film", original_title="Pier Nine", titles=[], status="published",
                              year=2000 + number % 3).id for number in range(MANY)]
        db.session.commit()
        worker.catch_up(index)

        def page(number):
            return query.find(query.Asked(q="pier nine", sort=sort, page=number, page_size=SIZE), viewer, index)
        shown = []
        for number in range(1, page(1).pages + 1):
            found = page(number)
            assert found.total == MANY
            shown += [hit.title.id for hit in found.hits]
            titles.revise(db.session.get(Title, made[number * 7]), synopsis={"en": f"Told {number} times."})
            db.session.commit()
            worker.catch_up(index)
        assert sorted(shown) == made
        assert shown == [hit.title.id for number in range(1, page(1).pages + 1) for hit in page(number).hits]
        assert page(8).hits == [] and page(8).total == MANY


def test_the_titles_shown_are_read_by_their_numbers(world):
    """SQLite once went through all that are published to read twenty, which took longer than all else at 100,000."""
    plans = []

    def plan(_connection, cursor, statement, parameters, *_):
        if statement.startswith("SELECT title."):
            plans.append([row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)])
    with world.app_context():
        viewer = people.viewer(people.find("buyer@nordlys.test").id)
        query.find(query.Asked(), viewer, world.extensions["index"])  # all are read once, into the columns
        event.listen(db.engine, "before_cursor_execute", plan)
        found = query.find(query.Asked(), viewer, world.extensions["index"])
        event.remove(db.engine, "before_cursor_execute", plan)
    assert len(found.hits) > 10 and plans
    for each in plans:
        assert each[0].startswith("SEARCH title USING INTEGER PRIMARY KEY"), each
