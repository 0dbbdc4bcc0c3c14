"""Everyone who could ask, and every record they could ask for, in every state: the demo world and what it lacks.

Made by the domain's own verbs as far as they reach; a state that time or a worker would bring is written as a row.
"""
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from sqlalchemy import func, select

from accounts import members, people, security, tokens
from accounts.permissions import Role, Viewer, relations
from catalogue import titles
from core import clock
from core.database import db
from licensing import basket, drafts, holds, promises, remarks, terms
from licensing.books import uploads
from licensing.books.models import State as BooksState
from licensing.delivery.models import Material
from licensing.delivery.states import State as MaterialState
from licensing.models import Holdback, Licence, Mandate, Offer, OfferLine, Step, Version
from licensing.money import instalments, payments
from licensing.money.models import Instalment
from licensing.paper.models import Memo
from licensing.refusals import asked
from licensing.refusals.models import Refusal
from licensing.refusals.models import State as Answered
from media import assets, grants, requests
from media.models import FILMS, SHOWN, Kind, Play, State
from search import briefs, query, saved
from seed import line
from tests.accounts import memberships
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
        self._offers(found)
        self._rights(found)
        self._materials(found)
        self._money(found)
        self._files(found)
        self._papers(found)
        self._kept(found)
        self._refusals(found)
        for kind, some in found.items():
            assert some, f"There is no {kind} in this world."
        return found

    def _titles(self, edition_id):
        made = [self._title(status) for status in ("published", "draft", "withdrawn")]
        self.title = made[0].id
        found = [Record(each.status, {"title_id": each.id}, own="harbour", published=each.status == "published")
                 for each in made]
        for said, shown in (({"kind": "organisations", "organisations": [self.ids["sakura"]]}, ("sakura",)),
                            ({"kind": "market", "edition": edition_id}, memberships.TAKE_PART)):
            found.append(Record(f"shown to {said['kind']}", {"title_id": self._title("published", said).id},
                                own="harbour", shown=shown))
        return found

    def _title(self, status, audience=None):
        return titles.create(self.ids["harbour"], kind="film", original_title=f"海霧 {status}", status=status,
                             original_language="yue", titles=[], audience=audience)

    def _offers(self, found):
        proposed = drafts.create(self.agent, currency="EUR", buyer_id=self.ids["sakura"], lines=[
            {**line("JP", "svod", "2027-01-01", "2027-12-31"), "title_id": self.title, "price": 100}])
        one_each = dict(db.session.execute(select(Offer.state, func.max(Offer.id)).group_by(Offer.state)).all())
        one_each["draft"] = db.session.scalar(select(func.min(Offer.id)).where(Offer.state == "draft"))
        some = db.session.scalars(select(Offer).where(Offer.id.in_([*one_each.values(), proposed.id])).order_by(
            Offer.id)).all()
        lines = dict(db.session.execute(select(Version.offer_id, func.max(OfferLine.id)).join(Version.lines).group_by(
            Version.offer_id)).all())
        signed = set(db.session.scalars(select(Licence.offer_id)))
        memos = set(db.session.scalars(select(Memo.offer_id)))
        found["offer"] = []
        for each in some:
            sides = {"seller": self.of[each.seller_id], "buyer": self.of[each.buyer_id]}
            if each.state == "draft":
                sides["buyer" if each.started_by == "seller" else "seller"] = None
            found["offer"].append(Record(each.state, {"offer_id": each.id, "line_id": lines[each.id]}, **sides))
        self.offer = next(each for each in some if each.state == "submitted")
        absent = {"seller": None, "buyer": None}
        for kind, there in (("deal", signed), ("memo", memos)):
            found[kind] = [each if each.ids["offer_id"] in there else replace(each, **absent)
                           for each in found["offer"]]

    def _rights(self, found):
        harbour = self.ids["harbour"]
        tide = db.session.scalar(select(Mandate.title_id).where(Mandate.organisation_id == harbour).limit(1))
        title = db.session.get(titles.Title, tide)
        titles.lock([tide])
        said = terms.read(line("BR", "avod", "2027-01-01", "2027-12-31"))
        for hard in (True, False):
            promises.hold_back(title, said, hard=hard, binds=promises.LICENSOR)
        ended = promises.end_holdback(promises.hold_back(title, said, hard=True, binds=promises.LICENSOR),
                                      clock.today())
        live, released, over = (holds.record(title, said, organisation_id=self.ids["sakura"],
                                             expires_at=clock.now() + DAY, rank=rank) for rank in (1, 2, 3))
        holds.release(released, "Released.")
        over.expires_at = clock.now() - DAY
        db.session.flush()
        for kind, model, ids in (("mandate", Mandate, []), ("holdback", Holdback, [ended.id])):
            rows = db.session.scalars(select(model).where(model.organisation_id == harbour).order_by(model.id).limit(3))
            found[kind] = [Record(f"{kind} {each}", {f"{kind}_id": each}, own="harbour")
                           for each in [row.id for row in rows] + ids]
        found["hold"] = [Record(state, {"hold_id": each.id}, own="harbour", seller="harbour", buyer="sakura")
                         for state, each in (("live", live), ("released", released), ("over", over))]
        found["held"] = found["hold"]
        licences = db.session.scalars(select(Licence).where(Licence.organisation_id == harbour)).all()
        found["licence"] = [Record("elsewhere" if each.licensee_id is None else "signed", {"licence_id": each.id},
                                   own="harbour", seller="harbour", buyer=self.of.get(each.licensee_id))
                            for each in licences]

    def _materials(self, found):
        paper = self._asset(Kind.DOCUMENT, State.READY)
        rows = db.session.scalars(select(Material).join(Material.offer).where(Offer.state.in_(("signed", "active")))
                                  .order_by(Material.id)).all()
        found["material"], found["file"] = [], []
        for row, state in zip(rows, MaterialState, strict=False):
            row.state = state.value
            if state == MaterialState.OPEN:
                row.kind, row.language = "dub", None
            if state in (MaterialState.DELIVERED, MaterialState.ACCEPTED, MaterialState.REJECTED):
                row.asset_id, row.answer_by = paper.id, clock.today() + 9 * DAY
            there = {"seller": self.of[row.offer.seller_id], "buyer": self.of[row.offer.buyer_id]}
            made = Record(state, {"material_id": row.id}, **there)
            found["material"].append(made)
            found["file"].append(made if row.asset_id else replace(made, seller=None, buyer=None))
        assert len(found["material"]) == len(MaterialState)

    def _money(self, found):
        manager = self.viewers["rights@harbour"]
        rows, stood = db.session.scalars(select(Instalment).order_by(Instalment.id)).all(), {}
        for row in rows:
            stood.setdefault(instalments.standing(row).value, row)
        open_one = stood.get("due") or stood.get("overdue") or stood["waiting"]
        paid = [payments.pay(payments.lock(open_one.id, manager), manager, paid_on=clock.today(), amount="1")
                for _ in range(2)]
        payments.undo(paid[1], manager, "By mistake.")
        self.standings = set(stood)

        def sides(row):
            return {"seller": self.of[row.seller_id], "buyer": self.of[row.buyer_id]}
        found["instalment"] = [Record(state, {"instalment_id": row.id}, **sides(row)) for state, row in stood.items()]
        found["payment"] = [Record("undone" if each.undone_at else "marked", {"payment_id": each.id},
                                   **sides(open_one)) for each in paid]

    def _asset(self, kind, state, title_id=None):
        sorts = {Kind.POSTER: "image/png", Kind.SCREENER: "video/mp4", Kind.TRAILER: "video/mp4",
                 Kind.DOCUMENT: "application/pdf"}
        title = db.session.get(titles.Title, title_id or self.title)
        made = assets.create(title, self.agent, self.store, kind=kind.value, filename="a.bin",
                             content_type=sorts[kind], size=1000, sha256="0" * 64)
        made.state = state.value
        db.session.flush()
        return made

    def _files(self, found):
        """Every state of a file that everybody sees, and of one that wants a grant; every state of a grant."""
        _, draft, _, chosen, _ = (each.ids["title_id"] for each in found["title"])
        today, day = clock.today(), DAY
        found["asset"], found["film"], found["grant"], found["play"] = [], [], [], []

        def add(asset, words, **more):
            seen = asset.state == State.READY and asset.kind in SHOWN
            made = Record(f"{asset.kind} {words}", {"asset_id": asset.id}, own="harbour",
                          unsent=not seen, published=seen and not asset.title.audience_id
                          and asset.title.status == "published", **more)
            if asset.state == State.DELETED:
                made = replace(made, own=None, published=False)
            found["asset"].append(made)
            found["film"].append(made if asset.kind in FILMS else replace(made, own=None, published=False))
            return made

        for kind in (Kind.POSTER, Kind.TRAILER, Kind.DOCUMENT):
            for state in State:
                add(self._asset(kind, state), state)
        add(self._asset(Kind.POSTER, State.READY, draft), "of a draft")
        for kind in (Kind.POSTER, Kind.TRAILER):
            add(self._asset(kind, State.READY, chosen), "of a title shown to one house", shown=("sakura",))
        self.screener = self._asset(Kind.SCREENER, State.READY).id
        for words, said in (
                ("without a grant", None), ("granted", {}), ("granted with download", {"download": True}),
                ("to come", {"starts_on": today + day}),
                ("over", {"starts_on": today - 9 * day, "ends_on": today - day}),
                ("used up", {"max_views": 1}), ("taken back", {})):
            asset = self._asset(Kind.SCREENER, State.READY)
            if said is None:
                add(asset, words)
                continue
            given = grants.give(asset, self.agent, organisation_id=self.ids["sakura"],
                                **{"starts_on": today, "ends_on": today + 9 * day, **said})
            given.ended_at = clock.now() if words == "taken back" else None
            live = words not in ("to come", "over", "taken back")
            made = add(asset, words, granted=("sakura",) if live else ())
            found["grant"].append(replace(made, ids={"asset_id": asset.id, "grant_id": given.id}))
            whose = "buyer@sakura.test"
            play = Play(asset_id=asset.id, grant_id=given.id, person_id=people.find(whose).id, seconds=1,
                        started_at=clock.now(), told_at=clock.now())
            db.session.add(play)
            db.session.flush()
            found["play"].append(Record(words, {"play_id": play.id}, person=whose if live else "nobody@nowhere.test"))
        found["request"] = []
        for number, words in enumerate(("open", "declined", "granted")):
            title = self._title("published")
            made = requests.create(title, self.buyer)
            if words == "declined":
                requests.decline(made, self.agent, "Not yet.")
            elif words == "granted":
                requests.grant(made, self.agent, self._asset(Kind.SCREENER, State.READY, title.id), starts_on=today,
                               ends_on=today)
            found["request"].append(Record(f"{number} {words}", {"request_id": made.id}, own="harbour",
                                           seller="harbour", buyer="sakura"))

    def _papers(self, found):
        """Papers of an offer: announced by either side, ready, gone out, deleted."""
        sides = {"seller": "harbour", "buyer": self.of[self.offer.buyer_id]}
        step = db.session.scalar(select(func.max(Step.id)).where(Step.offer_id == self.offer.id))
        found["paper"] = []
        for house, state, gone in (("harbour", State.UPLOADING, False), ("harbour", State.READY, False),
                                   ("harbour", State.READY, True), ("harbour", State.DELETED, False),
                                   (sides["buyer"], State.UPLOADING, False), (sides["buyer"], State.READY, True)):
            viewer = self.agent if house == "harbour" else self.viewers[f"buyer@{house}"]
            made = remarks.announce(self.offer, viewer, self.store, filename="terms.pdf", size=1000,
                                    content_type="application/pdf", sha256="0" * 64)
            made.asset.state, made.step_id = state.value, step if gone else None
            db.session.flush()
            seen = {side: each for side, each in sides.items() if (gone or each == house) and state != State.DELETED}
            found["paper"].append(Record(f"{house} {state} {'sent' if gone else 'kept'}", {"attachment_id": made.id},
                                         **seen, changed_by=house))

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

    def _refusals(self, found):
        """What is asked of holders: not answered yet, passed, and lapsed."""
        tide = db.session.scalar(select(promises.Option.title_id).limit(1))
        title = db.session.get(titles.Title, tide)
        for house in ("sakura", "skyway"):
            promises.option(title, terms.read(line("PE", "all", "2022-01-01", None)), kind="first_refusal",
                            organisation_id=self.ids[house], days=20)
        for pair in asked.to_ask():
            asked.ask(pair)
        rows = db.session.scalars(select(Refusal).order_by(Refusal.id)).all()
        states = (Answered.ASKED, Answered.PASSED, Answered.LAPSED)
        found["refusal"] = []
        for row, state in zip(rows, states, strict=False):
            row.state = state.value
            found["refusal"].append(Record(state, {"refusal_id": row.id}, seller=self.of[row.seller_id],
                                           buyer=self.of[row.holder_id]))
        assert len(found["refusal"]) == len(states)
