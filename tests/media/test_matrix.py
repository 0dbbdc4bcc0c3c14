"""A byte for someone without a grant: never. Every kind, role, company and state of a grant, at every door.

The tables are what must be. A cell says what may be had: `watch` (a play gives an address), `file` (so does the file
itself), `-` nothing. At a door that gives nothing neither an address nor a key of the object is read.
"""
import re
from datetime import timedelta

import pytest
from sqlalchemy import delete

from accounts import people, security
from accounts.permissions import Role
from core import clock
from core.database import db
from media import assets
from media.models import FILMS, SHOWN, Asset, Grant, Kind, Play, Rendition, State
from tests.core.test_storage import REFUSED, spoilt
from tests.media.test_assets import AGENT, BUYER, MANAGER, OPERATOR, RIVAL, TITLE, Studio
from tests.scale import at
from tests.stores import Place, Serving, bucket_of
from tests.test_pages import Visitor, text

PEOPLE = {  # column of the tables → who signs in
    "agent": AGENT, "manager": MANAGER, "signs": "signs@harbour.test",  # of the house that lists the title
    "rival": RIVAL,                                                     # agent of another house
    "buyer": BUYER, "second": "second@sakura.test",                     # of the organisation that is granted
    "other": "buyer@nordlys.test", "market": OPERATOR, "nobody": None}

SCREENER = """
                              agent  manager  signs  rival  buyer  second  other  market  nobody
no grant                      file   file     -      -      -      -       -      -       -
not begun                     file   file     -      -      -      -       -      -       -
live                          file   file     -      -      watch  watch   -      -       -
live, may download            file   file     -      -      file   file    -      -       -
over                          file   file     -      -      -      -       -      -       -
every view used               file   file     -      -      -      -       -      -       -
taken back                    file   file     -      -      -      -       -      -       -
for the buyer alone           file   file     -      -      watch  -       -      -       -
for another person            file   file     -      -      -      watch   -      -       -
for another organisation      file   file     -      -      -      -       watch  -       -
for the seller's own house    file   file     watch  -      -      -       -      -       -
"""
OTHER_KINDS = """
                              agent  manager  signs  rival  buyer  second  other  market  nobody
picture or trailer            file   file     file   file   file   file    file   file    -
anything else                 file   file     -      -      -      -       -      -       -
"""  # in every state of a grant: a grant opens screeners and nothing else


def read(table):
    """{(row, column): cell}"""
    columns, *rows = [re.split(r"\s{2,}", line.strip()) for line in table.strip().splitlines()]
    return {(name, column): cell for name, *cells in rows for column, cell in zip(columns, cells, strict=True)}


def terms(state, ids):
    """A grant in that state, as columns; None where there is none."""
    today, day = clock.today(), timedelta(days=1)
    live = {"organisation_id": ids["sakura"], "starts_on": today, "ends_on": today}
    return {
        "no grant": None,
        "not begun": {**live, "starts_on": today + day, "ends_on": today + 9 * day, "download": True},
        "live": live,
        "live, may download": {**live, "download": True},
        "over": {**live, "starts_on": today - 9 * day, "ends_on": today - day, "download": True},
        "every view used": {**live, "max_views": 2, "views": 2, "download": True},
        "taken back": {**live, "ended_at": clock.now(), "download": True},
        "for the buyer alone": {**live, "organisation_id": None, "person_id": ids[BUYER],
                                "acting_for_id": ids["sakura"]},
        "for another person": {**live, "organisation_id": None, "person_id": ids[PEOPLE["second"]],
                               "acting_for_id": ids["sakura"]},
        "for another organisation": {**live, "organisation_id": ids["nordlys"]},
        "for the seller's own house": {**live, "organisation_id": ids["harbour"]},
    }[state]


@pytest.fixture
def house(world):
    """The demo world with somebody who only signs at the seller's, a second buyer, and one ready asset of each kind."""
    house = Studio(world, Place(world.extensions["store"]))
    with world.app_context():
        house.ids = {name: people.viewer(people.find(f"{who}@{name}.test").id).organisation_id for who, name in (
            ("agent", "harbour"), ("buyer", "sakura"), ("buyer", "nordlys"))}
        for email, role in ((PEOPLE["signs"], Role.SIGNATORY), (PEOPLE["second"], Role.BUYER)):
            name = email.partition("@")[2].removesuffix(".test")
            people.join(people.enrol(email, "Somebody", security.hashed("demo")), people.organisation(house.ids[name]),
                        [role])
        house.ids |= {email: people.find(email).id for email in PEOPLE.values() if email}
        db.session.commit()
    house.assets = {kind: house.announce(kind)["asset"]["id"] for kind in Kind}
    with world.app_context():
        house.keys = {}
        for kind, asset_id in house.assets.items():
            asset = db.session.get(Asset, int(asset_id))
            asset.state, house.keys[kind] = State.READY.value, asset.key
            if kind in SHOWN - {Kind.TRAILER}:
                asset.renditions = [Rendition(name="72.webp", width=72, height=72, size=1)]
        db.session.commit()
    house.visitors = {name: Visitor(world, email) for name, email in PEOPLE.items()}
    return house


def grant(house, state, kinds):
    """Let that be the only grant, on the assets of these kinds. Written as rows: the domain grants screeners alone."""
    with house.app.app_context():
        db.session.execute(delete(Play))
        db.session.execute(delete(Grant))
        said = terms(state, house.ids)
        for asset_id in [house.assets[kind] for kind in kinds if said]:
            db.session.add(Grant(asset_id=int(asset_id), by_id=house.ids[AGENT], created_at=clock.now(), **said))
        db.session.commit()


def had(house, kind, who) -> str:
    """What somebody has of an asset at all doors: file, watch or nothing. Fails where the doors disagree."""
    asset, key, caller, visitor = house.assets[kind], house.keys[kind], house(PEOPLE[who]), house.visitors[who]
    doors = {"url": caller.get(f"/assets/{asset}/url"), "play": caller.post(f"/assets/{asset}/plays"),
             "download": visitor.get(f"/media/{asset}/download")}
    if kind in FILMS and who != "nobody":  # without a sign-in there is no form whose token could be sent
        doors["player"] = visitor.submit(f"/media/{asset}/plays", {}, form="/account")
    given = {name for name, answer in doors.items() if key in text(answer) or key in (answer.location or "")}
    assert given == {name for name, answer in doors.items() if answer.status_code in (200, 201) or (
        name == "download" and answer.status_code == 302 and who != "nobody")}, (kind, who, doors)
    assert ("url" in given) == ("download" in given), (kind, who, given)
    assert "player" not in doors or ("play" in given) == ("player" in given), (kind, who, given)
    return "file" if "url" in given else "watch" if "play" in given else "-"


def shown(house, who) -> set:
    """The kinds whose objects are named on any page or in any answer that only looks."""
    looked = [house.visitors[who].get(path) for path in (
        f"/titles/{TITLE}", f"/titles/{TITLE}/media", "/your-screeners", "/screeners", f"/titles/{TITLE}/grants")]
    looked += [house(PEOPLE[who]).get(f"/titles/{TITLE}/assets?page_size=100")]
    for asset in house.assets.values():
        looked.append(house.visitors[who].get(f"/media/{asset}"))
    return {kind for kind, key in house.keys.items() for answer in looked if key in text(answer)}


def test_the_matrix_of_kind_role_company_and_grant(house, monkeypatch):
    screener, others = read(SCREENER), read(OTHER_KINDS)
    states, wrong = dict.fromkeys(state for state, _ in screener), []
    assert all({column for _, column in table} == set(PEOPLE) for table in (screener, others))
    for state in states:
        grant(house, state, Kind)
        kinds = at(ci=list(Kind) if state == "live, may download" else [Kind.SCREENER], long=list(Kind))
        for who in PEOPLE:
            for kind in kinds:
                row = "picture or trailer" if kind in SHOWN else "anything else"
                must = screener[state, who] if kind == Kind.SCREENER else others[row, who]
                if (found := had(house, kind, who)) != must:
                    wrong.append(f"{state}, {who}, {kind}: has {found}, must have {must}")
            if state in at(ci=("live", "over"), long=states):
                open_to_all = {kind for kind in SHOWN if who != "nobody"}
                if (named := shown(house, who)) != open_to_all:
                    wrong.append(f"{state}, {who}: pages name {sorted(named)}")
    assert not wrong, "\n".join(wrong)
    # it bites: with the days of a grant left out of the rule, a cell is another
    grant(house, "over", [Kind.SCREENER])
    monkeypatch.setattr(assets, "granted", lambda viewer: Grant.organisation_id == viewer.organisation_id)
    assert had(house, Kind.SCREENER, "buyer") == "file" != screener["over", "buyer"]


# ------------------------------------------------------------------ raw addresses

@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def studio(request, world):
    if request.param == "folder":
        with Serving(world) as serving:
            yield Studio(world, Place(world.extensions["store"], serving.base))
    else:
        world.extensions["store"] = bucket_of(request.getfixturevalue("ceph"))
        yield Studio(world, Place(world.extensions["store"]))


def test_an_address_opens_its_own_object_for_five_minutes_and_nothing_else(studio, request):
    """Of every kind in the folder, of a screener and a poster on the real gateway."""
    kinds = list(Kind) if request.node.callspec.params["studio"] == "folder" else [Kind.SCREENER, Kind.POSTER]
    sent = {kind: studio.send(kind) for kind in kinds}
    studio.work()
    with studio.app.app_context():
        keys = {kind: db.session.get(Asset, int(asset)).kept for kind, asset in sent.items()}
        store = studio.place.store
        true = {kind: b"".join(store.read(key)) for kind, key in keys.items()}
        sakura = people.viewer(people.find(BUYER).id).organisation_id
    today = str(clock.today())
    given = studio(AGENT).post(f"/assets/{sent[Kind.SCREENER]}/grants", {
        "organisation": str(sakura), "starts_on": today, "ends_on": today}).json["id"]
    addresses = {kind: studio.reached(studio(AGENT).get(f"/assets/{asset}/url").json["url"])
                 for kind, asset in sent.items()}
    play = studio(BUYER).post(f"/assets/{sent[Kind.SCREENER]}/plays").json
    watched = studio.reached(play["url"])
    assert clock.now().isoformat() < play["expires_at"] <= (clock.now() + timedelta(seconds=300)).isoformat()
    ask = studio.place.ask
    assert ask("GET", watched).body == true[Kind.SCREENER]
    for kind, url in addresses.items():
        assert ask("GET", url).body == true[kind], kind
        for each in {*spoilt(url), *(url.replace(keys[kind], other) for other in keys.values())} - {url}:
            answer = ask("GET", each)
            assert answer.status in REFUSED | {404} and answer.body not in true.values(), each
        for method in ("PUT", "POST", "DELETE", "HEAD"):
            assert ask(method, url, b"mine" if method in ("PUT", "POST") else None).status in REFUSED, (kind, method)
    # a grant taken back: no new address, and the old one lives no longer than it was signed for
    assert studio(AGENT).delete(f"/assets/{sent[Kind.SCREENER]}/grants/{given}").status_code == 204
    assert studio(BUYER).post(f"/assets/{sent[Kind.SCREENER]}/plays").status_code == 404
    assert studio(BUYER).post(f"/plays/{play['id']}/progress", {"seconds": 1}).status_code == 404
    if studio.place.base:  # the folder goes by our clock; the gateway's expiry is shown in tests/core/test_storage.py
        with clock.stopped_at(clock.now() + timedelta(seconds=301)):
            for url in (watched, *addresses.values()):
                assert ask("GET", url).status in REFUSED
    assert {name: b"".join(store.read(key)) for name, key in keys.items()} == true
