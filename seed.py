"""The small known world: two sellers, three buyers, an operator, and deals in every state.

Built through the domain's own verbs, so that it can hold nothing a person could not have entered.
"""
from datetime import date, timedelta

from sqlalchemy import delete, inspect, select
from sqlalchemy.exc import OperationalError

from accounts import applications, editions, invitations, notices, people, security
from accounts.notices import Notice
from accounts.permissions import Role
from catalogue import links, titles
from catalogue.models import LinkKind, Title
from core import clock
from core.database import db
from core.outbox import OutboxRow
from licensing import clockwork, contracts, drafts, holds, mandates, offers, promises, terms
from licensing.models import Offer
from licensing.money import instalments, payments
from licensing.workflow import State
from search import briefs

PASSWORD = "demo"  # noqa: S105 - known to all on purpose, and refused in production
PEOPLE = {
    "agent@harbour.test": "Harbour Pictures, sales agent",
    "rights@harbour.test": "Harbour Pictures, rights manager and signatory",
    "agent@lotus.test": "Lotus Sales, sales agent",
    "rights@lotus.test": "Lotus Sales, rights manager and signatory",
    "buyer@nordlys.test": "Nordlys Distribution, buyer and signatory",
    "buyer@sakura.test": "Sakura TV, buyer and signatory",
    "buyer@skyway.test": "Skyway Inflight, buyer and signatory",
    "operator@market.test": "Market Office, operator",
    "admin@harbour.test": "Harbour Pictures and Nordlys Distribution, administrator",
}
ORGANISATIONS = {"harbour": ("Harbour Pictures", "seller", "HK"), "lotus": ("Lotus Sales", "seller", "TW"),
                 "nordlys": ("Nordlys Distribution", "buyer", "NO"), "sakura": ("Sakura TV", "buyer", "JP"),
                 "skyway": ("Skyway Inflight", "buyer", "SG"), "market": ("Market Office", "operator", "HK")}
ROLES = {"agent": [Role.AGENT], "rights": [Role.RIGHTS_MANAGER, Role.SIGNATORY], "buyer": [Role.BUYER, Role.SIGNATORY],
         "operator": [Role.OPERATOR, Role.ADMIN], "admin": [Role.ADMIN]}
ELSEWHERE = {"admin@harbour": "nordlys"}  # who belongs to a second organisation, with the same roles


def load() -> bool:
    """Make the world, unless it is there already. Returns whether it was made; the caller commits."""
    if people.find("agent@harbour.test"):
        return False
    who = _people()
    with clock.stopped_at(clock.now() - timedelta(days=800)):  # their rights were recorded before any deal
        harbour = _harbour(who)
        _lotus(who)
    _promises(who, harbour)
    _market(who)
    _offers(who, harbour)
    _morning(who, harbour)
    _asking_in(who)
    _long_read(who)
    briefs.create(who["agent@harbour"], "Drama in Cantonese, SVOD, Taiwan and Singapore, 2027 to 2029, exclusive",
                  people.organisation_named("Nordlys Distribution").id)
    return True


def refuse(app):
    """Stop where the demo people can sign in: everybody knows their password. For production. Raises SystemExit."""
    with app.app_context():
        url = db.engine.url.render_as_string(hide_password=True)
        try:
            found = inspect(db.engine).has_table("person") and people.known(PEOPLE)
        except OperationalError as problem:
            raise SystemExit(f"The database {url} does not answer, and Slate does not start before it has looked there "
                             f"for people with a known password: {problem.orig}. Look at DATABASE_URL.") from None
        finally:
            db.session.remove()
            db.engine.dispose()
    if found:
        raise SystemExit(f"The demo world is in the database {url}: {', '.join(found)} can sign in with the password "
                         f"“{PASSWORD}”. Set DATABASE_URL to a database that it was never loaded into.")


def _people():
    hashed = security.hashed(PASSWORD)
    known = {key: people.found(name, [trade], country) for key, (name, trade, country) in ORGANISATIONS.items()}
    who = {}
    for email, words in PEOPLE.items():
        role, _, domain = email.partition("@")
        person = people.enrol(email, words.partition(", ")[2].capitalize(), hashed)
        people.join(person, known[domain.removesuffix(".test")], ROLES[role])
        if (key := email.removesuffix(".test")) in ELSEWHERE:
            people.join(person, known[ELSEWHERE[key]], ROLES[role])
        who[key] = people.viewer(person.id)
    return who


def _asking_in(who):
    """One organisation waits to be admitted, with a name near another's; one person is invited."""
    with clock.stopped_at(clock.now() - timedelta(days=2)):
        asked = applications.apply(
            organisation_name="Nordlys Distribution Sweden", country="SE", trades=["buyer"], name="Astrid Lund",
            email="astrid@nordlys-sweden.test", about="We show Nordic and Asian films in forty cinemas.")
        applications.confirm(applications.draw(asked))
    invitations.invite(who["admin@harbour"], "finance@harbour.test", [Role.FINANCE])


def line(territories, media, starts_on, ends_on, exclusive=True, languages="*"):
    """The line of api.md from words separated by commas and ISO dates; None is perpetuity."""
    return {"territories": territories.split(","), "media": media.split(","), "languages": languages.split(","),
            "starts_on": date.fromisoformat(starts_on), "ends_on": ends_on and date.fromisoformat(ends_on),
            "exclusive": exclusive}


def _list(organisation_id, original, language, kind, year, english=None, other=(), **rest) -> Title:
    names = ([{"language": "en", "value": english, "kind": "translated"}] if english else []) + [
        {"language": tag, "value": value, "kind": "translated"} for tag, value in other]
    return titles.create(organisation_id, kind=kind, original_title=original, original_language=language, year=year,
                         titles=names, status="published", **rest)


def _mandate(title, *args, **rest):
    titles.lock([title.id])
    said = {name: rest.pop(name) for name in ("contract", "licensor", "floors") if name in rest}
    return mandates.record(title, terms.read(line(*args, **rest)), **said)


def _licence(title, licensee, *args, contract=None, **rest):
    titles.lock([title.id])
    return contracts.grant(title.organisation_id, [(title, terms.read(line(*args, **rest)))], licensee_id=None,
                           licensee_name=licensee, contract=contract, recording=True)


def _harbour(who):
    house = who["agent@harbour"].organisation_id
    tide = _list(house, "潮信", "yue", "film", 2022, "The Tide Keeps Time", [("zh-Hans", "潮信"), ("ja", "潮の便り")],
                 countries=["HK"], genres=["Drama", "Crime"], languages=["yue"], runtime_minutes=104,
                 synopsis={"en": "A harbour pilot hides a fugitive in the typhoon shelter and learns that the sea "
                                 "keeps its own books.",
                           "zh-Hant": "領港員在避風塘收留逃犯，才明白大海自有一本帳。"})
    backflow = _list(house, "潮信 II：回流", "yue", "film", 2025, "The Tide Keeps Time II: Backflow",
                     [("zh-Hans", "潮信2：回流")], countries=["HK", "TW"], genres=["Drama", "Crime"], languages=["yue"],
                     runtime_minutes=112, synopsis={
                         "en": "A harbour pilot who has outlived her harbour is called back to read one last tide, "
                               "and finds that her log book, and her daughter, have been keeping different time."})
    undertow = _list(house, "潮信 III", "yue", "film", 2027, "The Tide Keeps Time III: Undertow", countries=["HK"],
                     genres=["Drama"], languages=["yue"], synopsis={"en": "The third tide. In development."})
    links.create(backflow, LinkKind.SEQUEL, tide)
    links.create(undertow, LinkKind.SEQUEL, backflow)
    _mandate(tide, "World", "all", "2022-01-01", None, contract="HP-2021-04", licensor="Blue Ferry Films")
    _mandate(backflow, "World,-CN,-JP", "all", "2025-01-01", "2034-12-31", contract="HP-2024-11",
             licensor="Blue Ferry Films", floors=[{"territories": ["Nordics"], "amount": "20000", "currency": "EUR"}])
    _mandate(undertow, "World", "all", "2027-01-01", None, contract="HP-2026-02", licensor="Blue Ferry Films")
    _licence(backflow, "Alpenkanal", "CH", "svod", "2025-06-01", "2028-12-31", contract="HP-D-031")
    _licence(backflow, "Gulf Wings", "World,-CN,-JP", "airline", "2025-03-01", "2027-02-28", exclusive=False,
             contract="HP-D-027")
    _licence(tide, "Formosa Stream", "TW", "svod", "2024-07-01", "2028-06-30", contract="HP-D-012")

    tea = _list(house, "渡口茶室", "yue", "series", 2026, "The Ferry Tea House", [("zh-Hans", "渡口茶室")],
                countries=["HK"], genres=["Drama", "Comedy"], languages=["yue"],
                synopsis={"en": "Eight evenings in a tea house on a landing stage that closes with each tide."})
    links.create(tea, LinkKind.SPIN_OFF, tide)
    _mandate(tea, "World", "all", "2026-01-01", "2035-12-31", contract="HP-2025-07")
    episodes = {}
    for season_number, count in ((1, 4), (2, 3)):
        season = titles.create(house, kind="season", original_title=f"渡口茶室 第{season_number}季", parent=tea,
                               number=season_number, original_language="yue", year=2025 + season_number,
                               status="published", titles=[{"language": "en", "kind": "translated",
                                                            "value": f"The Ferry Tea House, season {season_number}"}])
        for number in range(1, count + 1):
            episodes[season_number, number] = titles.create(
                house, kind="episode", original_title=f"渡口茶室 {season_number}.{number}", parent=season,
                number=number, original_language="yue", year=2025 + season_number, runtime_minutes=45,
                status="published", titles=[])
    _licence(episodes[1, 3], "Taipei Night TV", "TW", "svod", "2026-06-01", "2028-03-31", contract="HP-D-040")

    salt = _list(house, "Das Salz der Häuser", "de", "film", 2023, "The Salt of Houses", countries=["DE", "AT"],
                 genres=["Drama"], languages=["de"], runtime_minutes=97,
                 synopsis={"en": "Ebb and tide have eaten the dike; three sisters vote on whether to mend it."})
    _mandate(salt, "World", "all", "2024-01-01", "2031-12-31", contract="HP-2023-19")
    # domain.md's worked case: free TV in DE is gone until the end of 2027, AT is free.
    _licence(salt, "Kanal Mitte", "DE", "free_tv", "2024-01-01", "2027-12-31", contract="HP-D-019")
    night = _list(house, "珠江夜航", "yue", "film", 2024, "Night Boat on the Pearl", countries=["MO", "PT"],
                  genres=["Documentary"], languages=["yue", "pt"], runtime_minutes=86,
                  synopsis={"en": "A year on the last night ferry between Macao and the islands of the estuary."})
    # domain.md's worked case: two mandates back to back answer a request across both.
    _mandate(night, "World", "all", "2025-01-01", "2027-12-31", contract="HP-2024-08")
    _mandate(night, "World", "all", "2028-01-01", "2030-12-31", contract="HP-2027-01")
    titles.create(house, kind="film", original_title="未定", original_language="yue", status="draft", year=2027,
                  titles=[{"language": "en", "value": "Not Yet Named", "kind": "translated"}])
    return {"tide": tide, "backflow": backflow, "salt": salt, "night": night, "tea": tea, "undertow": undertow}


def _promises(who, of):
    """A hard and a soft holdback, two holds in their order, and a first refusal that encumbers the sequel."""
    titles.lock([of["salt"].id, of["night"].id])
    promises.hold_back(of["salt"], terms.read(line("DE,AT", "avod,fast", "2026-01-01", "2027-12-31")), hard=True,
                       binds=promises.LICENSOR, note="Protects the free TV run")
    promises.hold_back(of["night"], terms.read(line("MO", "pay_tv", "2027-01-01", "2027-12-31")), hard=False,
                       binds=promises.LICENSOR, note="The festival asks for a quiet year")
    for buyer in ("buyer@sakura", "buyer@skyway"):
        holds.record(of["backflow"], terms.read(line("HK,TW", "svod", "2027-01-01", "2029-12-31")),
                     organisation_id=who[buyer].organisation_id, expires_at=clock.now() + timedelta(days=30))
    promises.option(of["tide"], terms.read(line("Nordics", "all", "2022-01-01", None)), kind="first_refusal",
                    organisation_id=who["buyer@nordlys"].organisation_id, days=20)


def _market(who):
    """A market in the spring, at which all but Sakura TV take part."""
    year = clock.today().year + 1
    market = editions.create(who["operator@market"], name="Pearl River Screenings", year=year,
                             starts_on=date(year, 3, 9), ends_on=date(year, 3, 13))
    for each in ("agent@harbour", "agent@lotus", "buyer@nordlys", "buyer@skyway"):
        editions.admit(market, who[each].organisation_id)


def _lotus(who):
    house = who["agent@lotus"].organisation_id
    snow = _list(house, "雪線の駅", "ja", "series", 2024, "The Snowline Station",
                 [("ja-Latn", "Sessen no eki"), ("zh-Hant", "雪線車站")], countries=["JP"], genres=["Drama"],
                 languages=["ja"], runtime_minutes=52,
                 synopsis={"en": "A station master waits for the tide of winter travellers, and for one of them.",
                           "ja": "駅長は冬の旅人の波を、そしてその中の一人を待っている。"})
    winter = _list(house, "겨울의 온도", "ko", "film", 2023, "The Temperature of Winter", [("ja", "冬の温度")],
                   countries=["KR"], genres=["Drama"], languages=["ko"], runtime_minutes=118,
                   synopsis={"en": "On a tideland at minus twelve, two salvage divers stop speaking."})
    lantern = _list(house, "燈籠街", "cmn", "film", 2021, "Lantern Street", [("zh-Hans", "灯笼街")], countries=["TW"],
                    genres=["Crime", "Thriller"], languages=["cmn", "nan"], runtime_minutes=101,
                    synopsis={"en": "A retired forger repaints one sign too many in old Tainan."})
    _mandate(snow, "Asia", "svod,avod,fast", "2025-01-01", "2030-12-31", contract="LS-11")
    _mandate(winter, "World,-KR", "all", "2024-01-01", "2032-12-31", contract="LS-09")
    _licence(winter, "Victoria Plus", "HK", "svod", "2025-01-01", "2030-12-31", contract="LS-D-3")
    _mandate(lantern, "World", "all", "2022-01-01", "2031-12-31", exclusive=False, contract="LS-04")
    gap = _list(house, "여름 우체국", "ko", "film", 2022, "The Summer Post Office", countries=["KR"],
                genres=["Comedy"], languages=["ko"], runtime_minutes=94,
                synopsis={"en": "A post office on an island opens six weeks a year; the letters do not."})
    _mandate(gap, "Asia", "all", "2024-01-01", "2027-06-30", contract="LS-06")
    _mandate(gap, "Asia", "all", "2028-01-01", "2031-12-31", contract="LS-07")


# ------------------------------------------------------------------ offers in every state

def _offers(who, of):
    """One offer in each state, each over rights of its own, led there by the steps people take."""
    buyers = [who["buyer@nordlys"], who["buyer@sakura"], who["buyer@skyway"]]
    places = ["IS", "NO", "SE", "FI", "DK", "EE", "LV", "LT", "IE", "PT", "GR", "MT", "CY", "RO", "BG", "HR", "SI",
              "SK", "HU", "PL", "LU"]
    for place, (state, path) in enumerate(PATHS.items()):
        buyer, title = buyers[place % 3], (of["backflow"], of["salt"], of["night"])[place % 3]
        past = state in (State.EXPIRED, State.ACTIVE)
        starts = "2025-01-01" if past else "2027-03-01"
        ends = "2025-12-31" if state is State.EXPIRED else "2029-12-31" if place % 2 else "2028-12-31"
        said = {**line(places[place], "svod,pay_tv", starts, ends, exclusive=place % 2 == 0), "title_id": title.id,
                "pricing": GUARANTEE if place % 5 == 3 else None}
        ago = {State.EXPIRED: 700, State.ACTIVE: 690, State.LAPSED: 120}.get(state, 30 - place)
        moment = clock.now() - timedelta(days=ago)
        with clock.stopped_at(moment):
            asks = path and path[0][1] == "request"
            offer = drafts.create(buyer, currency="EUR", seller_id=title.organisation_id,
                                 valid_until=clock.today() + timedelta(days=40),
                                 lines=[{**said, "price": None if asks else 9000 + 1000 * place}],
                                 payment=IN_THREE)
        _walk(offer, path, who, buyer, said, moment)
        assert offer.state == state, f"the path to {state} leads to {offer.state}"
        if state is State.ACTIVE:  # what fell due on signature has come in
            manager = who["rights@harbour"]
            first = instalments.of_offer(offer.id, manager)[0]
            payments.pay(payments.lock(first.id, manager), manager, paid_on=first.reached_on + timedelta(days=20),
                         withheld="200", reference="SEPA 4711")


def _morning(who, of):
    """Two deals more that wait for approval: one meets a soft holdback, one lost its rights to another deal."""
    agent = who["agent@harbour"]
    for buyer, title, said, price in (
            (who["buyer@skyway"], of["night"], line("MO", "pay_tv", "2027-07-01", "2028-06-30", False), 7000),
            (who["buyer@nordlys"], of["salt"], line("CZ,UA", "free_tv", "2027-01-01", "2031-12-31"), 18000)):
        with clock.stopped_at(clock.now() - timedelta(days=2)):
            offer = drafts.create(buyer, currency="EUR", seller_id=title.organisation_id,
                                  lines=[{**said, "title_id": title.id, "price": price}])
            for viewer, action in ((buyer, "submit"), (agent, "accept")):
                offers.advance(offers.lock(offer.id, viewer), viewer, action, version=1)
    _licence(of["salt"], "Dnipro TV", "UA", "free_tv", "2026-06-01", "2028-03-31", contract="HP-D-044")


def _long_read(who):
    """What happened more than two weeks ago was read, and its mail has come, long since."""
    old = list(db.session.scalars(select(Notice.id).where(Notice.at < clock.now() - timedelta(days=14))))
    for viewer in who.values():
        notices.see(viewer, upto=max(old, default=0))
    db.session.execute(delete(OutboxRow).where(OutboxRow.topic == notices.TOPIC, OutboxRow.subject_id.in_(old)))


S, A, R, B = "seller", "agent@harbour", "rights@harbour", None  # None is the buyer
TO_AGREED = [(B, "submit"), (A, "counter"), (B, "accept")]
TO_APPROVED = [*TO_AGREED, (R, "approve")]
TO_SIGNED = [*TO_APPROVED, (A, "issue_memo"), (B, "sign"), (R, "sign")]
PATHS = {
    State.DRAFT: [],
    State.REQUESTED: [(B, "request")],
    State.SUBMITTED: [(B, "submit")],
    State.COUNTERED: [(B, "submit"), (A, "counter")],
    State.ON_HOLD: [(B, "submit"), (A, "park")],
    State.PENDING_APPROVAL: TO_AGREED,
    State.CHANGES_REQUESTED: [*TO_AGREED, (R, "request_changes")],
    State.APPROVED: TO_APPROVED,
    State.MEMO_ISSUED: [*TO_APPROVED, (A, "issue_memo")],
    State.SIGNED_ONE: [*TO_APPROVED, (A, "issue_memo"), (B, "sign")],
    State.SIGNED: TO_SIGNED,
    State.ACTIVE: [*TO_SIGNED, ("clock", "tick")],
    State.EXPIRED: [*TO_SIGNED, ("clock", "tick"), ("later", "tick")],
    State.DECLINED: [(B, "submit"), (A, "decline")],
    State.WITHDRAWN: [(B, "submit"), (B, "withdraw")],
    State.LAPSED: [(B, "submit"), ("later", "tick")],
    State.SUPERSEDED: [*TO_APPROVED, (A, "issue_memo"), ("system", "supersede")],
    State.REJECTED: [*TO_AGREED, (R, "reject")],
    State.TERMINATED: [*TO_SIGNED, (R, "terminate")],
    State.REVERTED: [*TO_SIGNED, (R, "revert")],
}
GUARANTEE = {"kind": "guarantee", "share": "30", "share_of": "net"}
IN_THREE = {"days": 30, "withholding_tax": "Tax withheld at source is the licensor’s; certificate within 60 days.",
            "instalments": [{"on": "signature", "percent": "20"}, {"on": "delivery", "percent": "50"},
                            {"on": "acceptance", "percent": "30"}]}
NOTES = {"counter": "Two thousand more, and we are there.", "decline": "We keep these for a day-and-date release.",
         "request_changes": "The floor for this territory is higher.", "reject": "Below the floor.",
         "terminate": "The first instalment never came.", "revert": "Handed back by agreement.",
         "submit": "For our autumn line-up.", "request": "What would you ask for this?"}


def _walk(offer: Offer, path, who, buyer, said, moment):
    for number, (actor, action) in enumerate(path, 1):
        at = moment + timedelta(hours=5 * number)
        if actor == "later":
            at = moment + timedelta(days=60 if offer.state == State.SUBMITTED else 400)
        elif actor == "clock":
            at = moment + timedelta(days=30)
        with clock.stopped_at(min(at, clock.now())):
            if action == "tick":
                clockwork.tick(offer.id)
                continue
            if action == "supersede":
                offers.supersede(offer, "A licence over the same rights was signed first.")
                continue
            viewer = buyer if actor is B else who[actor]
            offers.lock(offer.id, viewer)
            lines = [{**said, "price": (offer.current.lines[0].price or 0) + 2000}] if action == "counter" else None
            offers.advance(offer, viewer, action, note=NOTES.get(action), lines=lines, version=offer.number)
