"""Buyers, sellers and managers at play: hundreds of steps in any order over the real application.

After every step no right is sold twice, every licence lay inside its mandates, every offer has followed the table of
its life, no version that was sent has changed, and `flask check` is content.
"""
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy.orm import selectinload

from accounts.models import ApiToken
from core import clock
from core.database import db
from licensing import checks, differences
from licensing.models import Offer, Version
from licensing.workflow import ACTIONS, FINAL, TABLE, State
from search import worker
from tests.conftest import YEARS, Caller, a_line
from tests.licensing import deals
from tests.scale import LONG, at

BUYERS, SELLERS = ("buyer@sakura.test", "buyer@nordlys.test"), ("agent@harbour.test", "rights@harbour.test")
PEOPLE = (*BUYERS, *SELLERS, "rights@lotus.test")
MOVES = {(row.state, row.action, row.to) for row in TABLE} | {(State.ON_HOLD, "resume", State.COUNTERED)}
LINES = st.builds(a_line, st.sampled_from(["JP", "KR", "JP,KR", "Asia"]), st.sampled_from(["svod", "pay_tv", "all"]),
                  st.sampled_from(["2027-01-01", "2028-01-01"]), st.sampled_from(["2027-12-31", "2029-12-31"]),
                  st.booleans()).filter(lambda line: line["starts_on"] < line["ends_on"])
TITLES = st.lists(st.integers(0, 2), min_size=1, max_size=3)
PRICES = st.one_of(st.none(), st.integers(1, 9).map(lambda thousands: str(thousands * 1000)))
FORWARD = ("submit", "accept", "approve", "issue_memo", "sign")
seen = {"steps": 0, "signed": 0}


def machine(fresh):
    """Who plays on an application of their own each time."""

    class Playing(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.app, self.callers, self.versions = fresh(seeded=True), {}, {}
            self.days = self.instants = 0
            with self.app.app_context():
                made = [deals.title(name=name) for name in ("一", "二", "三")]
                self.titles, self.seller = [str(each.id) for each in made], str(made[0].organisation_id)
                self.offers, self.first = [], db.session.scalar(db.select(db.func.max(Offer.id))) + 1
                db.session.commit()
            self.began = clock.now()

        def now(self):
            """A little later each time: no two things happen at one instant."""
            self.instants += 1
            return self.began + timedelta(days=self.days, milliseconds=self.instants)

        def ask(self, email, method, path, body=None):
            """An answer; whatever is asked, it is no accident."""
            if email not in self.callers:
                self.callers[email] = Caller(self.app, email)
                with self.app.app_context():  # four years may go by, and no token lasts as long
                    db.session.execute(db.update(ApiToken).values(expires_at=self.began + YEARS))
                    db.session.commit()
            with clock.stopped_at(self.now()):
                answer = self.callers[email].call(method, path, body)
            assert answer.status_code in (200, 201, 204, 403, 404, 409, 422), (path, body, answer.get_data(True))
            seen["steps"] += 1
            return answer

        def lines(self, titles, line, price):
            return [{**line, "title_id": self.titles[each], "price": price} for each in titles]

        @rule(email=st.sampled_from(PEOPLE), titles=TITLES, line=LINES, price=PRICES,
              valid=st.sampled_from([None, 0, 40, 400]), sends=st.booleans())
        def draft(self, email, titles, line, price, valid, sends):
            other = {"seller": self.seller} if email in BUYERS else {"buyer": self.buyer()}
            until = {} if valid is None else {"valid_until": str(
                (self.began + timedelta(days=self.days + valid)).date())}
            made = self.ask(email, "POST", "/offers", {**other, **until, "currency": "EUR",
                                                       "lines": self.lines(titles, line, price)})
            if made.status_code == 201:
                self.offers.append(made.json["id"])
                if sends:
                    self.ask(email, "POST", f"/offers/{made.json['id']}/steps",
                             {"action": "submit" if price else "request"})

        def buyer(self):
            return self.ask(BUYERS[0], "GET", "/me").json["organisations"][0]["id"]

        @rule(data=st.data(), titles=TITLES, line=LINES, price=PRICES)
        def move(self, data, titles, line, price):
            """A step that somebody may take."""
            if not self.offers:
                return
            offer = data.draw(st.sampled_from(self.offers[-6:]))
            ways = [(email, action) for email in PEOPLE
                    for action in (self.ask(email, "GET", f"/offers/{offer}").json.get("actions") or ())]
            forward = [way for way in ways if way[1] in FORWARD]
            if ways:
                email, action = data.draw(st.sampled_from(forward * 3 + ways))
                self.step(email, offer, action, titles, line, price, 0)

        @rule(data=st.data())
        def go_through_with_it(self, data):
            """All that leads to a signature, one after the other, as far as it comes."""
            if self.offers:
                offer = data.draw(st.sampled_from(self.offers[-6:]))
                for action in FORWARD:
                    for email in PEOPLE:
                        if action in (self.ask(email, "GET", f"/offers/{offer}").json.get("actions") or ()):
                            self.step(email, offer, action, [], {}, None, 0)

        @rule(data=st.data(), email=st.sampled_from(PEOPLE), action=st.sampled_from(ACTIONS), titles=TITLES, line=LINES,
              price=PRICES, off=st.sampled_from([0, 0, -1, 1]))
        def try_anything(self, data, email, action, titles, line, price, off):
            """A step that may be another's, or come at the wrong time, or name another version."""
            if self.offers:
                self.step(email, data.draw(st.sampled_from(self.offers)), action, titles, line, price, off)

        def step(self, email, offer, action, titles, line, price, off):
            shown = self.ask(email, "GET", f"/offers/{offer}")
            number = shown.json["version"] if shown.status_code == 200 else 1
            body = {"action": action, "version": number + off, "note": "Because."}
            if action in ("counter", "propose"):
                body |= {"lines": self.lines(titles, line, price)}
            self.ask(email, "POST", f"/offers/{offer}/steps", body)

        @rule(email=st.sampled_from(BUYERS), titles=TITLES, line=LINES, price=PRICES)
        def fill_and_send_a_basket(self, email, titles, line, price):
            for each in titles:
                self.ask(email, "POST", "/basket", {**line, "title_id": self.titles[each]})
            lines = self.ask(email, "GET", "/basket").json
            sent = self.ask(email, "POST", "/basket/sending", {"offers": [{
                "seller": self.seller, "as": "submit" if price else "request", "currency": "EUR",
                "price_of_all": price, "lines": [{"id": each["id"]} for each in lines]}]})
            self.offers += [each["id"] for each in sent.json] if sent.status_code == 201 else []

        @rule(email=st.sampled_from(BUYERS), title=st.integers(0, 2), line=LINES, turns=st.booleans())
        def hold(self, email, title, line, turns):
            organisation = self.ask(email, "GET", "/me").json["organisations"][0]["id"]
            expires = self.began + timedelta(days=self.days + 20)
            made = self.ask(SELLERS[0], "POST", f"/titles/{self.titles[title]}/holds", {
                **line, "organisation": organisation, "expires_at": expires.isoformat()})
            if turns and made.status_code == 201:
                turned = self.ask(email, "POST", f"/holds/{made.json['id']}/offer", {"currency": "EUR"})
                self.offers += [turned.json["id"]] if turned.status_code == 201 else []

        @rule(title=st.integers(0, 2), line=LINES)
        def record_a_deal_done_elsewhere(self, title, line):
            self.ask(SELLERS[1], "POST", f"/titles/{self.titles[title]}/licences", {**line, "licensee": "Elsewhere"})

        @rule(title=st.integers(0, 2), year=st.sampled_from([2028, 2029]), again=st.booleans())
        def end_a_mandate(self, title, year, again):
            found = self.ask(SELLERS[1], "GET", f"/titles/{self.titles[title]}/mandates").json
            self.ask(SELLERS[1], "POST", f"/mandates/{found[-1]['id']}/ending", {"from": f"{year}-01-01"})
            if again:
                self.ask(SELLERS[1], "POST", f"/titles/{self.titles[title]}/mandates",
                         a_line("World", "all", "2020-01-01", None))

        @rule(days=st.sampled_from([1, 30, 200]))
        def let_time_pass(self, days):
            self.days = min(self.days + days, 1500)

        @invariant()
        def all_is_well(self):
            with self.app.app_context(), clock.stopped_at(self.now()):
                while worker.turn(self.app.extensions["index"]):
                    pass
                assert checks.sold_twice() == [] and checks.outside_mandates() == []
                for offer in db.session.scalars(db.select(Offer).where(Offer.id >= self.first).options(
                        selectinload(Offer.steps), selectinload(Offer.versions).selectinload(Version.lines))):
                    self.followed(offer)
                db.session.rollback()
                checked = self.app.test_cli_runner().invoke(args=["check"])
                assert checked.exit_code == 0, checked.output

        def followed(self, offer):
            was = State.DRAFT
            for each in offer.steps:
                assert each.from_state == was and was not in FINAL, (offer.id, each.action)
                assert (each.from_state, each.action, each.to_state) in MOVES, (offer.id, each.action, each.to_state)
                was = each.to_state
            assert offer.state == was
            assert [version.number for version in offer.versions] == list(range(1, offer.number + 1))
            assert offer.author == offer.current.side
            for version in offer.versions if was != State.DRAFT else ():
                said = [differences.said(line, offer.currency) for line in version.lines]
                assert self.versions.setdefault((offer.id, version.number), said) == said, "a version never changes"
            seen["signed"] += any(each.to_state == State.SIGNED for each in offer.steps)

    return Playing


def test_hundreds_of_steps_in_any_order(fresh):
    phases = [Phase.generate] if LONG else [Phase.generate, Phase.shrink]
    run_state_machine_as_test(lambda: machine(fresh)(), settings=settings(
        max_examples=at(ci=2, long=12), stateful_step_count=at(ci=30, long=200), deadline=None, database=None,
        derandomize=not LONG, suppress_health_check=list(HealthCheck), phases=phases))
    print(seen)
    assert seen["steps"] > at(ci=30, long=5000)
    assert not LONG or seen["signed"], "nobody signed anything: they play too badly to prove much"
