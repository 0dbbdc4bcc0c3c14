"""Everyone who could ask, and every record they could ask for, in every state: the demo world and what it lacks.

Made by the domain's own verbs as far as they reach; a state that time or a worker would bring is written as a row.
"""
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from accounts import members, people, security, tokens
from accounts.permissions import Role, Viewer, relations
from catalogue import titles
from core.database import db
from licensing import basket, terms
from licensing.books import uploads
from licensing.books.models import State as BooksState
from search import briefs, query, saved
from seed import line
from tests.accounts import deals, files, memberships
from tests.accounts.record import Record
from tests.conftest import Caller
from tests.test_pages import Visitor

HOUSES = ("harbour", "lotus", "nordlys", "sakura", "skyway")  # two sell, three buy
STRAY = "stray@nowhere.test"  # signs in, and belongs nowhere
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Who:
    """One of the ten: somebody of one role in one house; a stranger, or one without a house, has neither."""
    email: str | None
    house: str | None = None
    role: Role | None = None

    @property
    def buys(self):
        return self.house in HOUSES[2:]

    def held(self, action):
        """The relations under which the table lets this role do something."""
        trades = frozenset({"buyer" if self.buys else "seller", "operator"})
        return relations(Viewer(0, "", self.email, 0, "", frozenset({self.role}), trades), action)


EVERYBODY = [Who(f"{role.value.replace('_', '-')}@{house}.test", house, role) for house in HOUSES for role in Role]
STRANGER, HOMELESS = Who(None), Who(STRAY)


class Houses:
    """The world, and how each of its people calls it."""

    def __init__(self, app):
        self.app, self.tokens = app, {}
        self.caller = cache(self._caller)
        self.visitor = cache(lambda who: Visitor(app, who.email))
        with app.app_context():
            self._people()
            self.records = self._records()
            db.session.commit()

    def id(self, house):
        return str(self.ids[house])

    @staticmethod
    def viewer(email):
        return people.viewer(people.find(email).id)

    def let_in(self, who, api):
        """Have somebody's token ready, or their session and what its forms carry."""
        if api:
            self.caller(who)
        elif who not in self.tokens:
            self.tokens[who] = self.visitor(who).token("/apply")  # a form that everybody may see
            assert self.tokens[who], f"No form for {who}."

    def _caller(self, who):
        if who != HOMELESS:
            return Caller(self.app, who.email)
        caller = Caller(self.app)
        caller.headers["Authorization"] = f"Bearer {self.former}"
        return caller

    def _people(self):
        words = {"agent@harbour": "harbour", "agent@lotus": "lotus", "buyer@nordlys": "nordlys",
                 "buyer@sakura": "sakura", "buyer@skyway": "skyway"}
        self.viewers = {email: people.viewer(people.find(f"{email}.test").id) for email in (
            *words, "rights@harbour")}
        self.ids = {house: self.viewers[email].organisation_id for email, house in words.items()}
        self.of = {number: house for house, number in self.ids.items()}
        for number in self.of:
            house = people.organisation(number)
            house.trades = [*house.trades, "operator"]  # as well: an operator's role means something in each
        secret = security.hashed("demo")
        for who in EVERYBODY:
            if people.find(who.email) is None:
                people.join(people.enrol(who.email, who.role, secret), people.organisation(self.ids[who.house]),
                            [who.role])
            else:  # of the demo world, where some have two roles
                people.find(who.email).memberships[0].roles = [who.role.value]
        stray = people.enrol(STRAY, "Stray", secret)
        people.join(stray, people.organisation(self.ids["harbour"]), [Role.AGENT])
        db.session.flush()
        self.former = tokens.issue_whole(stray)  # who belonged here, and has left
        members.leave(self.viewer(STRAY))
        db.session.flush()

    def _records(self):
        self.agent, self.buyer = self.viewers["agent@harbour"], self.viewers["buyer@sakura"]
        self.store = self.app.extensions["store"]
        found = memberships.records(self)
        found["title"] = self._titles(found["edition"][0].ids["edition_id"])
        found |= deals.records(self)
        found |= files.records(self, found["title"])
        self._kept(found)
        for kind, some in found.items():
            assert some, f"There is no {kind} in this world."
        return found

    def _titles(self, edition_id):
        made = [self.film(status) for status in ("published", "draft", "withdrawn")]
        self.title = made[0].id
        found = [Record(each.status, {"title_id": each.id}, own="harbour", published=each.status == "published")
                 for each in made]
        for said, shown in (({"kind": "organisations", "organisations": [self.ids["sakura"]]}, ("sakura",)),
                            ({"kind": "market", "edition": edition_id}, memberships.TAKE_PART)):
            found.append(Record(f"shown to {said['kind']}", {"title_id": self.film("published", said).id},
                                own="harbour", shown=shown))
        return found

    def film(self, status, audience=None):
        return titles.create(self.ids["harbour"], kind="film", original_title=f"海霧 {status}", status=status,
                             original_language="yue", titles=[], audience=audience)

    def _kept(self, found):
        """What a person or a house keeps for itself."""
        tide = db.session.get(titles.Title, self.title)
        lines = [basket.add(tide, terms.read(line(where, "svod", "2027-01-01", "2027-12-31")), self.buyer)
                 for where in ("PE", "CL")]
        found["line"] = [Record("there", {"line_id": each.id}, person="buyer@sakura.test") for each in lines]
        searches = [saved.save(self.viewers[email], "Ferries", query.Asked(q="ferry"), self.app.extensions["index"])
                    for email in ("agent@harbour", "buyer@sakura")]
        found["search"] = [Record("there", {"search_id": each.id}, person=f"{email}.test")
                           for each, email in zip(searches, ("agent@harbour", "buyer@sakura"), strict=True)]
        found["brief"] = []
        for words in ("kept", "shown"):
            made, _ = briefs.create(self.agent, "Drama in Cantonese, SVOD, Taiwan, 2027 to 2029", self.ids["nordlys"])
            if words == "shown":
                briefs.open_up(made)
            found["brief"].append(Record(words, {"brief_id": made.id, }, own="harbour"))
        found["upload"] = []
        for state in BooksState:
            made = uploads.send(self.agent, filename="books.csv", content=b"title\n", holds="mandates")
            made.state = state.value
            found["upload"].append(Record(state, {"upload_id": made.id}, own="harbour"))

