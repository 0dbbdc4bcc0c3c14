import time

import pytest

from core import clock
from tests.canaries.house import build
from tests.canaries.words import Canaries
from tests.canaries import columns

def test_build(fresh):
    from core.database import db
    app = fresh(seeded=True)
    canaries = Canaries()
    with clock.stopped_at(clock.now()):
        house = build(app, canaries)
    with app.app_context():
        held = columns.holding(canaries.finder())
        for t in db.metadata.sorted_tables:
            rest = [c.name for c in t.columns if not held.get(f"{t.name}.{c.name}") and not c.foreign_keys and not c.primary_key]
            print(t.name, ":", ", ".join(rest))
        unused = set(canaries.labels) - set().union(*held.values())
        print("not in any table", {canaries.labels[w] for w in unused})
