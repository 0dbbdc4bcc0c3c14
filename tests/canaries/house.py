"""A seller and a buyer in the demo world whose every confidential field holds a word of its own.

`build` makes them by the doors people use. What the world may see comes first, so that a twin without the rest
(`hidden=False`) gives it the same ids.
"""
import io
from datetime import timedelta

from sqlalchemy import select

from accounts import addresses, applications, mailings, people, security, tokens
from accounts.models import Passkey
from accounts.permissions import Role
from accounts.post import deliver
from accounts.sessions import Session
from catalogue.models import Franchise, Title
from core import clock
from core.database import db
from licensing.books import uploads
from licensing.books import worker as books_worker
from licensing.models import Licence, Mandate
from media import worker as media_worker
from media.models import Asset
from search import briefs, query, saved, worker
from tests.canaries.words import Canaries
from tests.conftest import Caller, a_line
from tests.licensing.sheets import COMMON, csv_of
from tests.media.files import FILM, PAPER, SOUND, WORDS, picture, sha256

POSTER = picture(size=(60, 90))
FILES = {"poster": ("image/png", POSTER), "still": ("image/png", POSTER), "screener": ("video/mp4", FILM),
         "trailer": ("video/mp4", FILM), "master": ("video/mp4", FILM), "document": ("application/pdf", PAPER),
         "audio": ("audio/wav", SOUND), "subtitle": ("text/vtt", WORDS), "art": ("image/png", POSTER)}
HOUSES = {"umbra": ("Umbra Pictures", "seller", "IE"), "meridian": ("Meridian Television", "buyer", "PT")}
STAFF = {"umbra": {"agent": [Role.AGENT], "rights": [Role.RIGHTS_MANAGER, Role.SIGNATORY], "admin": [Role.ADMIN],
                   "materials": [Role.MATERIALS], "finance": [Role.FINANCE], "signatory": [Role.SIGNATORY]},
         "meridian": {"buyer": [Role.BUYER, Role.SIGNATORY], "second": [Role.BUYER], "finance": [Role.FINANCE]},
         "lotus": {each.value: [each] for each in Role if each not in (Role.AGENT, Role.BUYER)},
         "sakura": {each.value: [each] for each in Role if each is not Role.BUYER},
         "market": {"admin": [Role.ADMIN], "finance": [Role.FINANCE]}}
SALES, DEAL, PAID = ("umbra:mandate.see",), ("umbra:offer.see", "meridian:offer.see"), (
    "umbra:offer.see", "umbra:money.see", "meridian:offer.see", "meridian:money.see")
WATCHING = ("meridian:asset.see",)  # who was let watch a screener
OWN, DELIVERED = ("umbra:title.see",), ("umbra:asset.send", "umbra:offer.see", "meridian:material.see")


class House:
    """The world while it is made: `canaries`, the people's callers, and the ids of what the tests look at."""

    def __init__(self, app, canaries: Canaries):
        self.app, self.canaries, self.callers, self.of, self.ids = app, canaries, {}, {}, {}

    def __call__(self, who, path, body=None, method="POST", status=(200, 201, 202, 204), **headers):
        if who not in self.callers:
            self.callers[who] = Caller(self.app, self.of.get(who, who))
        answer = self.callers[who].call(method, path, body, **headers)
        assert answer.status_code in status, (who, path, answer.status_code, answer.get_data(as_text=True)[:600])
        return answer.json

    def word(self, label, *readers, script="latin"):
        return self.canaries.word(label, *readers, script=script)

    def number(self, label, *readers):
        return self.canaries.number(label, *readers)

    def day(self, label, *readers):
        return str(self.canaries.day(label, *readers))

    def viewer(self, who):
        return people.viewer(people.find(self.of.get(who, who)).id)

    def send(self, who, path, kind, **more):
        """The id of a file that is ready."""
        type, data = FILES[kind]
        told = self(who, path, {"filename": more.pop("filename"), "content_type": type, "size": len(data),
                                "sha256": sha256(data), **({"kind": kind} if "assets" in path else {}), **more})
        made, upload = told.get("asset") or told.get("attachment"), told["upload"]
        with self.app.app_context():
            posted = self.app.test_client().post(upload["url"], data={**upload["fields"], "file": (
                io.BytesIO(data), "file")})
        assert posted.status_code == 204, posted.data
        self(who, f"/{'assets' if 'assets' in path else 'attachments'}/{made['id']}/completion", {})
        return made["id"]

    def attend(self):
        """What the worker does."""
        with self.app.app_context():
            while worker.turn(self.app.extensions["index"]):
                pass
            media_worker.catch_up(self.app.extensions["store"])
            books_worker.turn()
            deliver(self.app.extensions["mailer"], self.app.config["SITE"])
            mailings.deliver(self.app.extensions["mailer"], self.app.config["SITE"], security.links.of, 60)
            db.session.commit()


def build(app, canaries: Canaries, began, hidden=True) -> House:
    """Each stage a minute after the one before, and attended to by the worker."""
    house = House(app, canaries)
    stages = (_people, _application, _shown, *((_drafts, _media, _promises, _deals, _own_papers,
                                         _members) if hidden else (_deal_elsewhere,)))
    for minutes, stage in enumerate(stages):
        with clock.stopped_at(began + timedelta(minutes=minutes)):
            stage(house)
            house.attend()
    return house


def _people(house):
    with house.app.app_context():
        _enrol(house)
        db.session.commit()


def _enrol(house):
    hashed, demo = security.hashed("demo"), {"lotus": "Lotus Sales", "sakura": "Sakura TV", "market": "Market Office"}
    for name, trade, country in HOUSES.values():
        people.found(name, [trade], country)
    for key, staff in STAFF.items():
        organisation = people.organisation_named(demo.get(key) or HOUSES[key][0])
        house.ids[key] = str(organisation.id)
        for role, roles in staff.items():
            who = f"{role}@{key}"
            if key in demo:
                address, name = f"{role}.{key}@{key}.test", f"{role} of {key}"
            else:  # whom they deal with reads their names; their addresses nobody does
                address = f"{house.word('person.email', f'{key}:look_up')}@{key}.test"
                name = house.word("person.name", "umbra:look_up", "meridian:look_up",
                                  *["nordlys:offer.see"] * (key == "umbra"))
            person = people.enrol(address, name, hashed)
            people.join(person, organisation, roles)
            house.of[who] = address
            if key not in demo:
                _way_in(house, person)
    for key in ("nordlys", "harbour"):
        house.ids[key] = str(people.organisation_named({"nordlys": "Nordlys Distribution",
                                                        "harbour": "Harbour Pictures"}[key]).id)


def _members(house):
    """Whom the seller invites, and what its programs are called."""
    house("admin@umbra", "/invitations", {"roles": ["agent"], "email": house.word(
        "invitation.email", "umbra:member.manage", "umbra:audit.see") + "@umbra.test"})
    house("agent@umbra", "/tokens", {"expires_on": str(tokens.in_days(30)), "name": house.word(
        "api_token.name", "umbra:token.keep")})


def _way_in(house, person):
    """How and where somebody signs in, and the address they asked for: theirs alone to read."""
    db.session.add_all([
        Passkey(person=person, name=house.word("passkey.name", person.email), usage="first", sign_count=0,
                credential_id=f"{person.id}".encode(), public_key=b"", device_type="single_device", backup_state=False,
                lastuse_datetime=clock.now()),
        Session(person_id=person.id, digest=f"{person.id}", made_at=clock.now(), seen_at=clock.now(),
                program=house.word("session.program", person.email),
                address=house.word("session.address", person.email))])
    addresses.ask(person, f"{house.word('address_change.address', person.email)}@moved.test")


def _application(house):
    """Who asks to be let in is any operator's to read, in both worlds."""
    word = {name: house.word(f"application.{name}", "any:organisation.admit")
            for name in ("organisation_name", "name", "email", "about")}
    with house.app.app_context():
        asked = applications.apply(**{**word, "email": f"{word['email']}@new.test"}, country="IE", trades=["seller"])
        asked.state = applications.State.WAITING.value
        db.session.commit()


def _shown(house):
    """What everybody may see; of the rights in and out, only what they leave free."""
    def listed(key, name, kind="film", **more):
        body = {"kind": kind, "original_title": name, "original_language": "en", "status": "published", "year": 2024,
                "genres": ["Drama"], "countries": ["IE"], "languages": ["en"],
                "synopsis": {"en": f"A story of {name.lower()}."}, **more}
        house.ids[key] = house("agent@umbra", "/titles", body)["id"]
        return house.ids[key]

    film = listed("film", "Harvest of Glass")
    sequel = listed("sequel", "Harvest of Glass, Again")
    house("agent@umbra", f"/titles/{sequel}/links", {"kind": "sequel_of", "title_id": film})
    series = listed("series", "Paper Trains", "series")
    season = listed("season", "Paper Trains, season 1", "season", parent_id=series, number=1)
    for number in (1, 2):
        listed(f"episode{number}", f"Paper Trains 1.{number}", "episode", parent_id=season, number=number)
    for kind in ("poster", "trailer"):  # shown to all, but not what its seller calls it
        house.send("agent@umbra", f"/titles/{film}/assets", kind,
                   filename=f"{house.word('asset.filename', 'umbra:asset.send')}.bin")
    for buyer in ("buyer@sakura.test", "buyer@nordlys.test"):  # who will be told of what is new
        with house.app.app_context():
            saved.save(house.viewer(buyer), "Drama", query.Asked(), house.app.extensions["index"])
            db.session.commit()
    listed("orchard", "Quiet Orchard")
    for each in (film, sequel, series, house.ids["orchard"]):
        house("agent@umbra", f"/titles/{each}/mandates", {
            **a_line("World", "all", "2020-01-01", None), "contract": house.word("mandate.contract", *SALES),
            "licensor": house.word("mandate.licensor", *SALES), "floors": [
                {"territories": ["Iberia"], "amount": str(house.number("mandate.floors", *SALES)), "currency": "EUR"}]})
    house("agent@umbra", f"/titles/{film}/licences", {
        **a_line("FR", "svod", "2024-01-01", "2030-12-31"), "licensee": house.word("licence.licensee_name", *LICENCES),
        "contract": house.word("licence.contract", *LICENCES)})
    house("agent@umbra", f"/titles/{house.ids['episode1']}/licences", {
        **a_line("DE", "svod", "2024-01-01", "2030-12-31"), "licensee": house.word("licence.licensee_name", *LICENCES)})
    for hard, medium in ((True, "avod"), (False, "fast")):
        house("rights@umbra", f"/titles/{film}/holdbacks", {
            "territories": ["IT"], "media": [medium], "starts_on": "2026-01-01", "ends_on": "2030-12-31", "hard": hard,
            "note": house.word("holdback.note", *SALES)})


LICENCES = ("umbra:licence.see", "umbra:mandate.see")


def _deal_elsewhere(house):
    """In the twin: what the signed deals take from what is free, and nothing else of them."""
    for key in ("film", "orchard"):
        house("agent@umbra", f"/titles/{house.ids[key]}/licences", {**DEALS[key], "licensee": "Somebody"})


DEALS = {"film": a_line("PT", "svod,pay_tv", "2027-01-01", "2029-12-31", languages="pt,en"),
         "orchard": a_line("NO", "svod", "2027-01-01", "2029-12-31", languages="en")}


# ------------------------------------------------------------------ drafts

def _draft(house, kind="film", status="draft", **more):
    def words(column, *scripts):
        return [house.word(column, *OWN, script=script) for script in scripts]

    names = words("title_name.value", "han", "kana", "hangul", "cyrillic", "latin")
    body = {"kind": kind, "status": status, "original_language": "en",
            "original_title": f"{house.word('title.original_title', *OWN)} {house.word('title.original_title', *OWN)}",
            "titles": [{"language": tag, "value": name} for tag, name in zip(
                ("zh-Hans", "ja", "ko", "ru", "fr"), names, strict=True)],
            "genres": [*words("title.genres", "latin"), "Drama"], "countries": ["AQ"], "languages": ["mi", "en"],
            "tags": words("title.tags", "latin"), "external_id": house.word("title.external_id", *OWN),
            "synopsis": {"en": f"Of {words('title_synopsis.text', 'latin')[0]} and the sea."},
            "credits": [{"role": house.word("title_credit.role", *OWN), "name": house.word("title_credit.name", *OWN)}],
            "identifiers": {"imdb": f"tt{house.number('title.identifiers', *OWN)}"},
            **more}
    return house("agent@umbra", "/titles", body)["id"]


def _drafts(house):
    """Titles nobody else knows of: a film, a sequel of a known one, parts of a known series, one that was taken off."""
    draft = house.ids["draft"] = _draft(house, year=int(house.day("title.year", *OWN)[:4]))
    sequel = house.ids["draft_sequel"] = _draft(house)
    house("agent@umbra", f"/titles/{sequel}/links", {"kind": "sequel_of", "title_id": house.ids["film"]})
    house("agent@umbra", f"/titles/{house.ids['orchard']}/links", {"kind": "prequel_of", "title_id": draft})
    house.ids["draft_episode"] = _draft(house, "episode", parent_id=house.ids["season"], number=3)
    house.ids["draft_season"] = _draft(house, "season", parent_id=house.ids["series"], number=2)
    gone = house.ids["withdrawn"] = _draft(house, status="published")
    tag = house("agent@umbra", f"/titles/{gone}", method="GET") and house.callers["agent@umbra"].get(
        f"/titles/{gone}").headers["ETag"]
    house("agent@umbra", f"/titles/{gone}", {"status": "withdrawn"}, "PATCH", If_Match=tag)
    for each in (draft, gone):
        house("agent@umbra", f"/titles/{each}/mandates", {
            **a_line("World", "all", house.day("line.starts_on", *OWN), None, runs=777),
            "licensor": house.word("mandate.licensor", *SALES), "contract": house.word("mandate.contract", *SALES)})
    house("agent@umbra", f"/titles/{draft}/events", {
        "event": house.word("title_event.event", *OWN), "happens_on": house.day("title_event.happens_on", *OWN)})
    with house.app.app_context():
        owner = int(house.ids["umbra"])
        franchise = Franchise(organisation_id=owner, external_id=house.word("franchise.external_id", *OWN))
        db.session.add(franchise)
        db.session.flush()
        title = db.session.get(Title, int(draft))  # what comes by an import
        title.franchise_id = franchise.id
        title.episodes = [{"number": "1", "name": house.word("title.episodes", *OWN)}]
        for table in (Mandate, Licence):
            db.session.scalars(select(table).where(table.organisation_id == owner)).first().external_id = house.word(
                f"{table.__tablename__}.external_id", *SALES)
        db.session.commit()


# ------------------------------------------------------------------ films, papers, requests

def _media(house):
    for title in ("draft", "film"):
        for kind in FILES:
            if title == "film" and kind in ("poster", "still", "trailer"):
                continue  # shown to all
            house.ids[f"{title}_{kind}"] = house.send(
                "agent@umbra", f"/titles/{house.ids[title]}/assets", kind,
                filename=f"{house.word('asset.filename', *(DELIVERED if kind == 'master' else DELIVERED[:1]))}.bin",
                alt_text=house.word("asset.alt", *OWN, *(WATCHING if (title, kind) == ("film", "screener") else ())),
                **({"language": "pt"} if kind in ("audio", "subtitle") else {}))
    house.attend()
    house.send("agent@umbra", f"/titles/{house.ids['film']}/assets", "document", filename="x.pdf")
    with house.app.app_context():  # one that was not what it was said to be: the reason is what the worker found
        last = db.session.scalars(select(Asset).order_by(Asset.id.desc())).first()
        last.state, last.reason = "rejected", house.word("asset.reason", "umbra:asset.send")
        db.session.commit()
    screener = house.ids["film_screener"]
    house("agent@umbra", f"/assets/{screener}/grants", {
        "organisation": house.ids["meridian"], "starts_on": "2026-01-01", "max_views": 900,
        "ends_on": house.day("asset_grant.ends_on", "umbra:asset.grant", "meridian:asset.see")})
    address = f"{house.word('asset_grant.email', 'umbra:asset.grant')}@nowhere.test"
    house("agent@umbra", f"/assets/{screener}/grants", {
        "email": address, "starts_on": "2026-01-01", "ends_on": "2030-12-31"})
    play = house("buyer@meridian", f"/assets/{screener}/plays")["id"]
    house("buyer@meridian", f"/plays/{play}/progress", {"seconds": 777})
    asked = ("umbra:request.see", "meridian:request.see")
    for title, reply in (("sequel", True), ("orchard", False)):
        request = house("buyer@meridian", f"/titles/{house.ids[title]}/screener-requests", {
            "note": house.word("screener_request.note", *asked)})["id"]
        if reply:
            house("agent@umbra", f"/screener-requests/{request}/declining", {
                "reply": house.word("screener_request.reply", *asked)})



# ------------------------------------------------------------------ promises

def _promises(house):
    held = ("umbra:mandate.see", "meridian:title.see", *DEAL)
    house("agent@umbra", f"/titles/{house.ids['film']}/holds", {
        **a_line("ES", "svod", house.day("hold.starts_on", *held), house.day("hold.ends_on", *held)),
        "organisation": house.ids["meridian"], "expires_at": f"{house.day('hold.expires_at', *held)}T00:00:00Z"})
    house("agent@umbra", f"/titles/{house.ids['film']}/options", {
        "kind": "last_refusal", "organisation": house.ids["meridian"], "territories": ["GR"], "media": ["all"],
        "days": 777})
    house.attend()  # asks about the sequel
    asked = ("umbra:refusal.see", "meridian:refusal.see")
    refusal = house("buyer@meridian", "/refusals", method="GET")[0]["id"]
    house("buyer@meridian", f"/refusals/{refusal}/answer", {
        "answer": "pass", "note": house.word("refusal.note", *asked)})


# ------------------------------------------------------------------ deals

def _offer(house, key, side="buyer", other="meridian", who="buyer@meridian", readers=DEAL, line=None, price=None,
           **more):
    until = {} if line else {"valid_until": house.day("offer.valid_until", *readers)}  # there are not years enough
    told = house(who, "/offers", {
        ("seller" if side == "buyer" else "buyer"): house.ids["umbra" if side == "buyer" else other],
        "currency": "EUR", **until, "lines": [{**(line or DEALS[key]), "title_id": house.ids[key],
                   "price": str(price or house.number("offer_line.price", *readers))}], **more})
    return told["id"]


def _step(house, who, offer, action, **more):
    return house(who, f"/offers/{offer}/steps", {"action": action, **more})


def _deals(house):
    word, number, day = house.word, house.number, house.day
    buyer, agent, rights = "buyer@meridian", "agent@umbra", "rights@umbra"
    house(rights, "/approval-policy", {
        "exclusive": True, "below_floor": True, "years": 77, "warning": True, "encumbrance": True, "currency": "EUR",
        "amount": str(number("approval_policy.amount", "umbra:policy.see", "umbra:mandate.see"))}, "PUT")
    first, price = number("instalment.amount", *PAID), number("offer_line.price", *PAID)
    deal = house.ids["deal"] = _offer(house, "film", price=price, payment={
        "days": 77, "withholding_tax": word("offer_version.payment", *PAID), "instalments": [
            {"on": "signature", "amount": str(first)},
            {"on": "date", "day": day("instalment.due_on", *PAID), "amount": str(price - first)}]})
    paper = house.send(buyer, f"/offers/{deal}/attachments", "document",
                       filename=f"{word('asset.filename', *DEAL)}.pdf")
    house.attend()
    _step(house, buyer, deal, "submit", note=word("offer_step.note", *DEAL), attachments=[paper],
          internal_note=word("remark.text", "meridian:offer.see"))
    house(agent, f"/offers/{deal}/notes", {"text": word("remark.text", "umbra:offer.see")})
    house.send(agent, f"/offers/{deal}/attachments", "document", filename=f"{word('asset.filename', OFFER_OWN)}.pdf")
    _step(house, agent, deal, "accept", version=1, note=word("offer_step.note", *DEAL),
          internal_note=word("remark.text", "umbra:offer.see"))
    _step(house, rights, deal, "approve", note=word("offer_step.note", *DEAL))
    _step(house, agent, deal, "issue_memo",  # what governs goes on to the seller's next memo
           governing=word("memo.document", *DEAL, "nordlys:offer.see"))
    _step(house, buyer, deal, "sign")
    _step(house, rights, deal, "sign")
    house(agent, f"/offers/{deal}/long-form", {"state": "drafted", "note": word("long_form_step.note", *DEAL)})
    _materials(house, deal)
    _money(house, deal)
    line = {**DEALS["film"], "title_id": house.ids["film"]}
    _step(house, buyer, deal, "amend", note=word("offer_step.note", *DEAL), lines=[
        {**line, "ends_on": day("offer_line.ends_on", *DEAL), "price": str(number("offer_line.price", *DEAL))}],
        payment={"days": 77, "instalments": [{"on": "signature", "percent": "100"}]})
    _open_offers(house)
    _other_buyer(house)


OFFER_OWN = "umbra:offer.see"


def _materials(house, deal):
    readers = ("umbra:material.see", "meridian:material.see")
    house("agent@umbra", f"/offers/{deal}/materials", {
        "title_id": house.ids["film"], "kind": "art", "note": house.word("material_step.note", *readers),
        "due_on": house.day("material.due_on", *readers)})
    listed = house("agent@umbra", f"/offers/{deal}/materials?page_size=100", method="GET")
    master = next(each for each in listed if each["kind"] == "master")
    house("agent@umbra", f"/materials/{master['id']}/steps", {
        "action": "deliver", "asset_id": house.ids["film_master"]})
    house("buyer@meridian", f"/materials/{master['id']}/steps", {
        "action": "reject", "note": house.word("material_step.note", *readers)})


def _money(house, deal):
    first = house("rights@umbra", f"/offers/{deal}/instalments", method="GET")[0]["id"]
    paid = house("rights@umbra", f"/instalments/{first}/payments", {
        "paid_on": str(clock.today()), "amount": "5", "withheld": "7",
        "reference": house.word("payment.reference", *PAID)})
    house("rights@umbra", f"/payments/{paid['payments'][-1]['id']}/undoing", {
        "note": house.word("payment.undone_note", *PAID)})
    house("rights@umbra", f"/instalments/{first}/payments", {
        "paid_on": str(clock.today()), "reference": house.word("payment.reference", *PAID)})


def _open_offers(house):
    """One in each way to wait or to end, over other rights."""
    buyer, agent, word = "buyer@meridian", "agent@umbra", house.word

    def line(territory, **more):
        return a_line(territory, "svod", "2027-01-01", house.day("offer_line.ends_on", *DEAL), **more)

    _offer(house, "film", line=line("SE"), readers=("meridian:offer.see",))  # drafts: each its author's alone
    _offer(house, "film", "seller", who=agent, line=line("FI"), readers=("umbra:offer.see",))
    named = {"event": house.word("offer_line.tba", *DEAL), "not_before": "2028-01-01", "not_after": "2029-01-01"}
    waits = _offer(house, "film", line={**a_line("CY", "svod", "2027-01-01"), "ends_tba": named})
    _step(house, buyer, waits, "submit")
    pending = house.ids["pending"] = _offer(house, "film", line=line("IT", exclusive=False) | {"media": ["fast"]})
    _step(house, buyer, pending, "submit")
    iberia = _offer(house, "film", line=line("ES") | {"media": ["pay_tv"]})
    _step(house, buyer, iberia, "submit")
    soft = house.ids["soft"] = _offer(house, "sequel", line=line("GR"))
    _step(house, buyer, soft, "submit")
    house(agent, f"/offers/{pending}/overrides", {"note": word("override.reason", "umbra:offer.see")})
    _step(house, agent, iberia, "accept", version=1)
    refused = _offer(house, "film", line=line("DK"))
    _step(house, buyer, refused, "submit")
    _step(house, agent, refused, "decline", note=house.word("offer_step.note", *DEAL))
    proposed = _offer(house, "sequel", "seller", who=agent, line=line("PL"))
    _step(house, agent, proposed, "submit", note=house.word("offer_step.note", *DEAL))
    house(buyer, f"/offers/{proposed}/steps", {"action": "counter", "note": word("offer_step.note", *DEAL), "lines": [
        {**line("PL"), "title_id": house.ids["sequel"], "price": str(house.number("offer_line.price", *DEAL)),
         "pricing": {"kind": "guarantee", "share": "33.37", "share_of": "net"}}]},
          Idempotency_Key=word("idempotency_key.key"))


def _other_buyer(house):
    """A deal with somebody else, who may read it, and of the rest nothing."""
    parties, buyer = ("umbra:offer.see", "nordlys:offer.see"), "buyer@nordlys.test"
    deal = house.ids["other"] = _offer(house, "orchard", who=buyer, readers=parties)
    house(buyer, f"/offers/{deal}/notes", {"text": house.word("remark.text", "nordlys:offer.see")})
    _step(house, buyer, deal, "submit", note=house.word("offer_step.note", *parties))
    for who, action in (("agent@umbra", "accept"), ("rights@umbra", "approve"), ("agent@umbra", "issue_memo"),
                        (buyer, "sign"), ("rights@umbra", "sign")):
        _step(house, who, deal, action, version=1)


# ------------------------------------------------------------------ what nobody else has to do with

def _own_papers(house):
    mine, index = house.of["buyer@meridian"], house.app.extensions["index"]
    house("buyer@meridian", "/basket", {
        **a_line("LV", "svod", house.day("basket_line.starts_on", mine), None), "title_id": house.ids["film"]})
    book = csv_of({"Title": house.word("books_row.cells", "umbra:books.load"), **COMMON,
                   "Licensee": house.word("books_upload.content", "umbra:books.load")})
    loads = "umbra:books.load"
    with house.app.app_context():
        for holds in ("licences", None):  # one that is read, and one of which it is not known what it holds
            uploads.send(house.viewer("agent@umbra"), content=book, holds=holds,
                         filename=f"{house.word('books_upload.filename', loads)}.csv")
        for who in ("buyer@meridian", "agent@umbra"):
            saved.save(house.viewer(who), house.word("saved_search.name", house.of[who]),
                       query.Asked(q=house.word("saved_search.asked", house.of[who])), index)
        buyer = int(house.ids["meridian"])
        wanted = f"Drama of {house.word('brief.text', 'umbra:brief.keep')}, SVOD, Portugal, 2027 to 2029"
        brief, _ = briefs.create(house.viewer("agent@umbra"), wanted, buyer)
        briefs.open_up(brief)
        house.ids["brief_token"] = brief.token
        db.session.commit()
    house("admin@umbra", "/webhooks", {
        "url": f"https://{house.word('webhook.url', 'umbra:webhook.keep')}.example.com/", "events": ["offer.step"]})
