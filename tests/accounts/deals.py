"""What is agreed, and what follows from it, in every state: the records of the matrix between two houses."""
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from catalogue import titles
from core import clock
from core.database import db
from licensing import drafts, holds, promises, terms
from licensing.delivery.models import Material
from licensing.delivery.states import State as MaterialState
from licensing.models import Holdback, Licence, Mandate, Offer, OfferLine, Version
from licensing.money import instalments, payments
from licensing.money.models import Instalment
from licensing.paper.models import Memo
from licensing.refusals import asked
from licensing.refusals.models import Refusal
from licensing.refusals.models import State as Answered
from media.models import Kind, State
from seed import line
from tests.accounts.files import announced
from tests.accounts.record import Record

DAY = timedelta(days=1)


def records(houses):
    """{kind: [Record]}; `houses.offer` is one that its two parties talk about."""
    found = {}
    _offers(houses, found)
    _rights(houses, found)
    _materials(houses, found)
    _money(houses, found)
    _refusals(houses, found)
    return found


def _offers(houses, found):
    proposed = drafts.create(houses.agent, currency="EUR", buyer_id=houses.ids["sakura"], lines=[
        {**line("JP", "svod", "2027-01-01", "2027-12-31"), "title_id": houses.title, "price": 100}])
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
        sides = {"seller": houses.of[each.seller_id], "buyer": houses.of[each.buyer_id]}
        if each.state == "draft":
            sides["buyer" if each.started_by == "seller" else "seller"] = None
        found["offer"].append(Record(each.state, {"offer_id": each.id, "line_id": lines[each.id]}, **sides))
    houses.offer = next(each for each in some if each.state == "submitted")
    absent = {"seller": None, "buyer": None}
    for kind, there in (("deal", signed), ("memo", memos)):
        found[kind] = [each if each.ids["offer_id"] in there else replace(each, **absent)
                       for each in found["offer"]]


def _rights(houses, found):
    harbour = houses.ids["harbour"]
    tide = db.session.scalar(select(Mandate.title_id).where(Mandate.organisation_id == harbour).limit(1))
    title = db.session.get(titles.Title, tide)
    titles.lock([tide])
    said = terms.read(line("BR", "avod", "2027-01-01", "2027-12-31"))
    for hard in (True, False):
        promises.hold_back(title, said, hard=hard, binds=promises.LICENSOR)
    ended = promises.end_holdback(promises.hold_back(title, said, hard=True, binds=promises.LICENSOR),
                                  clock.today())
    live, released, over = (holds.record(title, said, organisation_id=houses.ids["sakura"],
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
                               own="harbour", seller="harbour", buyer=houses.of.get(each.licensee_id))
                        for each in licences]


def _materials(houses, found):
    paper = announced(houses, Kind.DOCUMENT, State.READY)
    rows = db.session.scalars(select(Material).join(Material.offer).where(Offer.state.in_(("signed", "active")))
                              .order_by(Material.id)).all()
    found["material"], found["file"] = [], []
    for row, state in zip(rows, MaterialState, strict=False):
        row.state = state.value
        if state == MaterialState.OPEN:
            row.kind, row.language = "dub", None
        if state in (MaterialState.DELIVERED, MaterialState.ACCEPTED, MaterialState.REJECTED):
            row.asset_id, row.answer_by = paper.id, clock.today() + 9 * DAY
        there = {"seller": houses.of[row.offer.seller_id], "buyer": houses.of[row.offer.buyer_id]}
        made = Record(state, {"material_id": row.id}, **there)
        found["material"].append(made)
        found["file"].append(made if row.asset_id else replace(made, seller=None, buyer=None))
    assert len(found["material"]) == len(MaterialState)


def _money(houses, found):
    manager = houses.viewers["rights@harbour"]
    rows, stood = db.session.scalars(select(Instalment).order_by(Instalment.id)).all(), {}
    for row in rows:
        stood.setdefault(instalments.standing(row).value, row)
    open_one = stood.get("due") or stood.get("overdue") or stood["waiting"]
    paid = [payments.pay(payments.lock(open_one.id, manager), manager, paid_on=clock.today(), amount="1")
            for _ in range(2)]
    payments.undo(paid[1], manager, "By mistake.")

    def sides(row):
        return {"seller": houses.of[row.seller_id], "buyer": houses.of[row.buyer_id]}
    found["instalment"] = [Record(state, {"instalment_id": row.id}, **sides(row)) for state, row in stood.items()]
    found["payment"] = [Record("undone" if each.undone_at else "marked", {"payment_id": each.id},
                               **sides(open_one)) for each in paid]


def _refusals(houses, found):
    """What is asked of holders: not answered yet, passed, and lapsed."""
    tide = db.session.scalar(select(promises.Option.title_id).limit(1))
    title = db.session.get(titles.Title, tide)
    for house in ("sakura", "skyway"):
        promises.option(title, terms.read(line("PE", "all", "2022-01-01", None)), kind="first_refusal",
                        organisation_id=houses.ids[house], days=20)
    for pair in asked.to_ask():
        asked.ask(pair)
    rows = db.session.scalars(select(Refusal).order_by(Refusal.id)).all()
    states = (Answered.ASKED, Answered.PASSED, Answered.LAPSED)
    found["refusal"] = []
    for row, state in zip(rows, states, strict=False):
        row.state = state.value
        found["refusal"].append(Record(state, {"refusal_id": row.id}, seller=houses.of[row.seller_id],
                                       buyer=houses.of[row.holder_id]))
    assert len(found["refusal"]) == len(states)
