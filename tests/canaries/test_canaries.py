import time
from collections import Counter

import pytest

from core import clock
from tests.canaries import columns
from tests.canaries.crawl import Crawl, Person, in_turn, routes, told
from tests.canaries.house import build
from tests.canaries.words import Canaries


def test_build(fresh):
    from core.database import db
    app = fresh(seeded=True)
    canaries = Canaries()
    began = clock.now()
    house = build(app, canaries, began)
    with app.app_context():
        held = columns.holding(canaries.finder())
        ids = columns.ids()
        unused = set(canaries.labels) - set().union(*held.values())
        print("not in any table", {canaries.labels[w] for w in unused})
    crawl = Crawl(canaries)
    told(crawl, app)
    print(crawl.answers)
    with clock.stopped_at(began.replace(microsecond=0) + __import__("datetime").timedelta(hours=1)):
      everyone = [None, *(f"{a}.test" for a in ("agent@harbour", "rights@harbour", "agent@lotus", "rights@lotus", "buyer@nordlys", "buyer@sakura", "buyer@skyway", "operator@market")), *house.of.values()]
      for email in everyone:
        p = Person(app, email)
        t, n = time.process_time(), crawl.answers
        for method, path in in_turn(routes(app, ids)):
            crawl.read(p, path)
        print(email, crawl.answers - n, (time.process_time() - t) / (crawl.answers - n))
        for k, v in Counter((l[3], l[1].split("?")[0]) for l in crawl.leaks if l[0] == str(p)).most_common(40):
            print("   LEAK", v, k)
    print(crawl.answers, crawl.kinds)
    print("never seen:", Counter(canaries.labels[w] for w in set(canaries.labels) - set(crawl.seen)))
