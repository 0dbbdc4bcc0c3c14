"""Who may ask what of each record: what must be answered by the table of permissions, and how it is asked."""
import re

from accounts.permissions import OPEN, Relation
from tests.accounts.houses import EVERYBODY, HOMELESS, HOUSES, STRANGER
from tests.accounts.routes import BODIES, QUERIES, ROUTES

SEES = {  # kind of record → the action by which it is seen
    "title": "title.see", "mandate": "mandate.see", "holdback": "mandate.see", "hold": "mandate.record",
    "held": "mandate.record", "licence": "licence.see", "offer": "offer.see", "memo": "offer.see",
    "paper": "offer.see", "deal": "material.see", "material": "material.see", "file": "material.see",
    "instalment": "money.see", "payment": "money.see", "asset": "asset.see", "film": "asset.see",
    "grant": "asset.see", "play": "asset.see", "request": "request.see", "refusal": "refusal.see",
    "line": "basket.keep", "search": "search.save", "brief": "brief.keep", "upload": "books.load",
    "application": "organisation.admit", "admitted": "organisation.admit", "organisation": "organisation.admit",
    "member": "member.see", "invitation": "member.manage", "edition": "edition.run", "participant": "edition.run",
    "token": "token.keep", "session": "session.end", "webhook": "webhook.keep", "delivery": "webhook.keep"}
FILES = ("asset", "film", "grant")
BEYOND = {200, 201, 202, 204, 302, 303, 409, 412, 422, 428}  # done, or refused for another reason than who asks
UNTOLD = re.compile(rb'(name="csrf_token" value|nonce)="[^"]*"')  # what differs from answer to answer
OF_THE_MOMENT = ("Date", "Set-Cookie", "Content-Length", "Content-Security-Policy")
ODD = {"token": "no-such", "kind": "csv", "key": "kept/none", "filename": "none.css"}
RIVALS = HOUSES[:2]


# ------------------------------------------------------------------ what must be

def must(route, who, record):
    """signed out, may not, not there, done; or further: theirs to ask for, and the record's life decides."""
    if who.role is None:
        return "signed out"
    if not who.held(route.action):
        return "may not"
    if route.kind == "-":
        return "done"
    held = who.held(route.decides)
    if record is None:  # decided by what their house does
        stands = {Relation.ANY, Relation.BUYER} if who.buys else {Relation.OWN, Relation.SELLER}
        return "done" if stands & held and (route.kind == "buying") == who.buys else "may not"
    stands, sees = record.stands(who), seen(route.kind, who, record)
    if route.decides == "offer.negotiate" and route.kind == "title":  # one sells one's own, and buys another's
        stands = {Relation.SELLER} if who.house == record.own else {Relation.BUYER} if sees and who.buys else set()
    if route.unsafe and record.changed_by not in (None, who.house):
        held = set()
    may = sees if route.kind in FILES and route.action == "asset.see" else bool(stands & held)
    if may or (sees and route.further):
        return "further" if route.further else "done"
    return "may not" if sees else "not there"


def seen(kind, who, record):
    """Whether a record is somebody's to see."""
    stands, held = record.stands(who), who.held(SEES[kind])
    if kind in FILES:  # its senders see it in every state, everybody what is shown to all, and some by grant
        sends = stands & who.held("asset.send") & {Relation.OWN}
        return bool(sends or stands & held & ({Relation.GRANTED} if record.unsent else set(Relation)))
    return bool(stands & held or kind == "held" and Relation.BUYER in stands)


def records_of(houses, route):
    return houses.records.get(route.kind, [None])


def askers(record):
    """Everybody of the houses it concerns, of a rival of theirs, and of a buyer it does not concern."""
    if record is None:
        return [who for who in EVERYBODY if who.house in ("harbour", "sakura")]
    near = {record.own, record.seller, record.buyer, *record.granted, *record.shown} | {
        who.house for who in EVERYBODY if who.email == record.person}
    far = [house for house in HOUSES if house not in near and house not in RIVALS][:1]
    return [who for who in EVERYBODY if who.house in {*near, *RIVALS, *far}]


def cases(houses):
    """(route, who, record): all there is to be tried, but for routes that are open to everyone."""
    for route in ROUTES.values():
        if route.action not in OPEN:
            some = records_of(houses, route)
            yield from ((route, who, record) for record in some for who in askers(record))
            yield from ((route, who, some[0]) for who in (STRANGER, HOMELESS))
            if some[0]:
                yield from ((route, who, some[0].missing()) for who in askers(None))


# ------------------------------------------------------------------ asking

def ask(houses, route, who, record):
    """The answer."""
    ids = {**ODD, **(record.ids if record else {})}
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids[found[1]]), route.path) + QUERIES.get(route.name, "")
    body = BODIES.get(route.name, lambda *_: {})(houses, ids) if route.unsafe else None
    if route.api:
        caller = houses.caller(who)
        return caller.client.open(path, method=route.method, json=body, headers={**caller.headers, "If-Match": "*"})
    client = houses.visitor(who).client
    if not route.unsafe:
        return client.get(path)
    if "json" in body:
        return client.post(path, json=body["json"], headers={"X-CSRFToken": houses.tokens[who]})
    return client.post(path, data={**body, "csrf_token": houses.tokens[who]})


def is_right(route, who, verdict, answer):
    away = "/acting" if who == HOMELESS else "/sign-in"
    sent_away = answer.status_code == 302 and answer.location.startswith(away)
    if verdict == "signed out":
        return answer.status_code == 401 if route.api else sent_away
    if verdict == "done":
        return answer.status_code in BEYOND and not sent_away
    if verdict == "further":
        return answer.status_code in BEYOND | {403} and not sent_away
    return answer.status_code == {"may not": 403, "not there": 404}[verdict]


def told(answer):
    """All that an answer says, but for what differs from answer to answer."""
    headers = {name: value for name, value in answer.headers if name not in OF_THE_MOMENT
               and "ratelimit" not in name.lower()}
    return answer.status_code, headers, UNTOLD.sub(rb"\1", answer.get_data())
