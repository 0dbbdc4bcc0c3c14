"""Files of titles and of offers, in every state: the records of the matrix that are sent, granted and played."""
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select

from accounts import people
from catalogue import titles
from core import clock
from core.database import db
from licensing import remarks
from licensing.models import Step
from media import assets, grants, requests
from media.models import FILMS, SHOWN, Kind, Play, State
from tests.accounts.record import Record

DAY = timedelta(days=1)


def records(houses, films):
    """{kind: [Record]}; `films` are the records of titles."""
    found = {}
    _files(houses, found, films)
    _papers(houses, found)
    return found


def announced(houses, kind, state, title_id=None):
    sorts = {Kind.POSTER: "image/png", Kind.SCREENER: "video/mp4", Kind.TRAILER: "video/mp4",
             Kind.DOCUMENT: "application/pdf"}
    title = db.session.get(titles.Title, title_id or houses.title)
    made = assets.create(title, houses.agent, houses.store, kind=kind.value, filename="a.bin",
                         content_type=sorts[kind], size=1000, sha256="0" * 64)
    made.state = state.value
    db.session.flush()
    return made


def _files(houses, found, films):
    """Every state of a file that everybody sees, and of one that wants a grant; every state of a grant."""
    _, draft, _, chosen, _ = (each.ids["title_id"] for each in films)
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
        nobodys = replace(made, own=None, published=False, shown=())
        found["film"].append(made if asset.kind in FILMS else nobodys)
        return made

    for kind in (Kind.POSTER, Kind.TRAILER, Kind.DOCUMENT):
        for state in State:
            add(announced(houses, kind, state), state)
    add(announced(houses, Kind.POSTER, State.READY, draft), "of a draft")
    for kind in (Kind.POSTER, Kind.TRAILER):
        add(announced(houses, kind, State.READY, chosen), "of a title shown to one house", shown=("sakura",))
    houses.screener = announced(houses, Kind.SCREENER, State.READY).id
    for words, said in (
            ("without a grant", None), ("granted", {}), ("granted with download", {"download": True}),
            ("to come", {"starts_on": today + day}),
            ("over", {"starts_on": today - 9 * day, "ends_on": today - day}),
            ("used up", {"max_views": 1}), ("taken back", {})):
        asset = announced(houses, Kind.SCREENER, State.READY)
        if said is None:
            add(asset, words)
            continue
        given = grants.give(asset, houses.agent, organisation_id=houses.ids["sakura"],
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
        title = houses.film("published")
        made = requests.create(title, houses.buyer)
        if words == "declined":
            requests.decline(made, houses.agent, "Not yet.")
        elif words == "granted":
            requests.grant(made, houses.agent, announced(houses, Kind.SCREENER, State.READY, title.id), starts_on=today,
                           ends_on=today)
        found["request"].append(Record(f"{number} {words}", {"request_id": made.id}, own="harbour",
                                       seller="harbour", buyer="sakura"))


def _papers(houses, found):
    """Papers of an offer: announced by either side, ready, gone out, deleted."""
    sides = {"seller": "harbour", "buyer": houses.of[houses.offer.buyer_id]}
    step = db.session.scalar(select(func.max(Step.id)).where(Step.offer_id == houses.offer.id))
    found["paper"] = []
    for house, state, gone in (("harbour", State.UPLOADING, False), ("harbour", State.READY, False),
                               ("harbour", State.READY, True), ("harbour", State.DELETED, False),
                               (sides["buyer"], State.UPLOADING, False), (sides["buyer"], State.READY, True)):
        viewer = houses.agent if house == "harbour" else houses.viewers[f"buyer@{house}"]
        made = remarks.announce(houses.offer, viewer, houses.store, filename="terms.pdf", size=1000,
                                content_type="application/pdf", sha256="0" * 64)
        made.asset.state, made.step_id = state.value, step if gone else None
        db.session.flush()
        seen = {side: each for side, each in sides.items() if (gone or each == house) and state != State.DELETED}
        found["paper"].append(Record(f"{house} {state} {'sent' if gone else 'kept'}", {"attachment_id": made.id},
                                     **seen, changed_by=house))
