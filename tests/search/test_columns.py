"""The columns brought up to date change by change are the columns made anew."""
import random
from types import SimpleNamespace

import numpy as np
import pytest

from accounts.permissions import Role, Viewer
from search import columns
from search.columns import Columns
from tests.scale import at

KINDS, TONGUES, PLACES, GENRES = ["film", "series"], ["zh", "ja", None], ["HK", "JP", "TW"], ["Crime", "Noir", "Drama"]
VIEWERS = [Viewer(1, "B", "b@b.test", 1, "Buyer", frozenset(Role), frozenset({"buyer"})),
           Viewer(2, "S", "s@s.test", 7, "Seller", frozenset(Role), frozenset({"seller"}))]
AUDIENCES = {1: [2, 5, 1000], 2: []}  # by person


def a_row(rng, title_id):
    return SimpleNamespace(
        id=title_id, organisation_id=rng.choice([7, 8]), status=rng.choice(["published", "published", "draft"]),
        audience_id=rng.choice([None, 1, 2, 900]),
        kind=rng.choice(KINDS), original_language=rng.choice(TONGUES), year=rng.choice([None, 1994, 2003, 2026]),
        countries=rng.sample(PLACES, rng.randint(0, 2)), genres=rng.sample(GENRES, rng.randint(0, 2)),
        original_title=rng.choice(["Tide", "tide", "Harbour", "Åland", "潮信"]))


def told(table, viewer):
    """All that can be asked, by title and not by row."""
    size = len(table.ids)
    seen = table.visible(viewer, AUDIENCES[viewer.person_id])(np.arange(size))
    rows = np.flatnonzero(seen)
    chosen = {(name, word): table.ids[getattr(table, name).having([word], size) & seen].tolist()
              for name, words in (("kind", KINDS), ("country", PLACES), ("genre", GENRES), ("decade", ["1990s"]))
              for word in words}
    newest = table.newest[seen[table.newest]]
    return (table.ids[seen].tolist(), table.year[seen].tolist(), table.ids[newest].tolist(), table.ids[seen][np.argsort(
        table.by_title[seen])].tolist(), chosen, {name: getattr(table, name).counts(rows) for name in columns.WORDS})


def test_a_change_is_put_in_as_if_all_were_made_anew():
    rng = random.Random(5)
    truth = {number: a_row(rng, number) for number in range(1, 40)}
    table, last = Columns(list(truth.values())), 39
    for _ in range(at(ci=100, long=2_000)):
        before = [told(table, viewer) for viewer in VIEWERS]
        gone = set(rng.sample(sorted(truth), rng.choice([0, 0, 1]))) if len(truth) > 20 else set()
        changed = {each: a_row(rng, each) for each in rng.sample(sorted(truth), rng.randint(0, 3)) if each not in gone}
        for _ in range(rng.choice([0, 1, 2])):
            last += rng.randint(1, 3)
            changed[last] = a_row(rng, last)
        then = table.changed([changed[each] for each in sorted(changed)], gone)
        assert [told(table, viewer) for viewer in VIEWERS] == before, "who reads the old state reads on"
        table, truth = then, {each: row for each, row in {**truth, **changed}.items() if each not in gone}
        anew = Columns([truth[each] for each in sorted(truth)])
        for viewer in VIEWERS:
            assert told(table, viewer) == told(anew, viewer)
        wanted = rng.sample(range(1, last + 3), 5)
        assert table.ids[table.places(wanted)].tolist() == [each for each in wanted if each in table.ids]


def test_a_new_title_below_the_last_has_no_place():
    """Two transactions of PostgreSQL may commit in another order than they took their numbers."""
    rng = random.Random(5)
    with pytest.raises(ValueError):
        Columns([a_row(rng, 5)]).changed([a_row(rng, 4)], gone=())
