"""Applications: an organisation asks to be let in; its applicant shows that the address is theirs; an operator decides.

Whoever applies learns nothing of who is here already: the answer is the same for every organisation and address.
"""
import re
import secrets
import unicodedata
from datetime import timedelta
from difflib import SequenceMatcher
from enum import StrEnum

from babel import Locale
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import joinedload

from accounts import invitations, letters, notices, people, tokens
from accounts.models import Application, Invitation, Organisation, Trade
from accounts.notices import News
from accounts.permissions import Role, Viewer, relations
from core import clock, mail, outbox
from core.database import db
from core.errors import Conflict, Invalid, NotFound

TOPIC = "application"
LASTS = timedelta(days=7)  # the link; afterwards what was not confirmed is forgotten
MOST_OPEN = 3  # of one address: more would only send it letters
LONGEST = {"organisation_name": 200, "name": 200, "about": 1000}
TRADES = {Trade.SELLER: "Sells: we hold rights and license them", Trade.BUYER: "Buys: we show or distribute"}
FIRST_ROLES = {Trade.SELLER: Role.AGENT, Trade.BUYER: Role.BUYER, Trade.OPERATOR: Role.OPERATOR}  # and administrator
CALLED = {"HK": "Hong Kong", "MO": "Macao"}  # as the trade does
COUNTRIES = dict(sorted(((code, CALLED.get(code, name)) for code, name in Locale("en").territories.items()
                         if re.fullmatch("[A-Z]{2}", code) and code not in {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}),
                        key=lambda each: each[1]))
FORMS = re.compile(r"\b(?:ltd|limited|llc|inc|gmbh|ag|sa|sas|srl|spa|bv|ab|as|oy|plc|co|kk|company|corp|the|group)\b")
NEAR = 0.8  # of 1, by which two names are near-equal


class State(StrEnum):
    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    ADMITTED = "admitted"
    DECLINED = "declined"


LIFE = {(State.UNCONFIRMED, "confirm"): State.WAITING,
        (State.WAITING, "admit"): State.ADMITTED, (State.WAITING, "decline"): State.DECLINED}


def apply(*, organisation_name: str, country: str, trades, name: str, email: str, about: str) -> Application | None:
    """Ask to be let in; a letter goes to the address, and nothing else happens before its link is followed. None where
    enough letters went there. Raises Invalid for what no application can say, and for nothing else."""
    said = {"organisation_name": " ".join(organisation_name.split()), "name": " ".join(name.split()),
            "about": about.strip()}
    errors = {field: [f"Fill this in, with {LONGEST[field]:,} characters at most."]
              for field, words in said.items() if not words or len(words) > LONGEST[field]}
    if country not in COUNTRIES:
        errors["country"] = ["Choose a country."]
    if not trades or not set(trades) <= set(TRADES):
        errors["trades"] = ["Say whether you sell, buy or both."]
    try:
        email = people.address(email)
    except Invalid as problem:
        errors |= problem.errors
    if errors:
        raise Invalid(errors)
    undecided = select(func.count()).select_from(Application).where(
        Application.email == email, Application.state.in_((State.UNCONFIRMED.value, State.WAITING.value)))
    if db.session.scalar(undecided) >= MOST_OPEN:
        return None
    made = Application(**said, state=State.UNCONFIRMED.value, country=country, email=email, made_at=clock.now(),
                       trades=[each.value for each in TRADES if each in trades])
    db.session.add(made)
    db.session.flush()
    outbox.put(TOPIC, made.id)
    return made


def opened(secret: str) -> Application:
    """The application whose address a link confirms. Raises NotFound where it did already, or is too old."""
    found = db.session.scalar(select(Application).execution_options(populate_existing=True).where(
        Application.digest == tokens.digest(secret), Application.state == State.UNCONFIRMED.value,
        Application.made_at > clock.now() - LASTS))
    if found is None:
        raise NotFound("This link was used, or its seven days are over. If you have not heard from us, apply again.")
    return found


def confirm(secret: str):
    """The address is the applicant's: operators are told, and decide."""
    found = _locked(opened(secret).id)
    _take(found, "confirm")
    operators = [each for each in people.acting_for([each.id for each in people.organisations(Trade.OPERATOR)])
                 if relations(each, "organisation.admit")]
    words = f"{found.organisation_name} asks to be admitted"
    notices.tell(operators, "members", News(words, f"/applications#a{found.id}", [
        f"{found.name} <{found.email}> applies for it.", found.about], todo="You can admit or decline it now."))


def _take(application, action):
    """The one place where the state of an application changes. Raises Conflict."""
    to = LIFE.get((State(application.state), action))
    if to is None:
        raise Conflict(f"This application is {application.state} already.")
    application.state = to.value
    application.digest = None


def _locked(application_id: int) -> Application:
    """One that was confirmed, or is about to be; nobody else decides it meanwhile. Raises NotFound."""
    db.session.execute(update(Application).where(Application.id == application_id).values(state=Application.state)
                       .execution_options(synchronize_session=False))
    found = db.session.get(Application, application_id, populate_existing=True)
    if found is None:
        raise NotFound()
    return found


# ------------------------------------------------------------------ by the operator

def waiting():
    """A query for those to be decided, who has waited longest first."""
    return select(Application).where(Application.state == State.WAITING.value).order_by(Application.made_at,
                                                                                       Application.id)


def count() -> int:
    """How many are to be decided."""
    return db.session.scalar(select(func.count()).select_from(waiting().order_by(None).subquery()))


def decided():
    """A query for those that were, the latest first."""
    return (select(Application).where(Application.decided_at.is_not(None)).options(joinedload(Application.organisation))
            .order_by(Application.decided_at.desc(), Application.id.desc()))


def admit(application_id: int, viewer: Viewer, organisation_name: str | None = None) -> Application:
    """Make the organisation, under another name where one is given, and invite its applicant: as administrator, and to
    do what it does. Raises Conflict where it was decided meanwhile, Invalid where the name is taken."""
    found = _decide(application_id, "admit", viewer)
    name = " ".join((organisation_name or found.organisation_name).split())
    if not name or len(name) > LONGEST["organisation_name"]:
        raise Invalid({"organisation_name": ["Give it a name."]})
    if db.session.scalar(select(Organisation.id).where(func.lower(Organisation.name) == name.lower())):
        raise Invalid({"organisation_name": [f"There is an organisation called {name}. Give this one another name, or "
                                             "decline it and let the other invite the applicant."]})
    found.organisation = people.found(name, found.trades, found.country)
    invitations.offer(found.organisation, found.email, [Role.ADMIN, *(FIRST_ROLES[each] for each in found.trades)],
                      name=found.name, by_id=viewer.person_id)
    return found


def first_invitation(application_id: int) -> Invitation:
    """The invitation into an organisation that was admitted, and that nobody has joined yet. Raises NotFound."""
    found = db.session.get(Application, application_id)
    pending = invitations.pending_of([found.organisation_id] if found else [])
    if not pending:
        raise NotFound()
    return pending[found.organisation_id]


def decline(application_id: int, viewer: Viewer, reason: str) -> Application:
    """Decline, with a reason that the applicant reads. Raises Conflict where it was decided meanwhile."""
    if not (reason := reason.strip()) or len(reason) > LONGEST["about"]:
        raise Invalid({"reason": [f"Say why, in {LONGEST['about']:,} characters at most: the applicant reads it."]})
    found = _decide(application_id, "decline", viewer)
    found.reason = reason
    outbox.put(TOPIC, found.id)
    return found


def _decide(application_id, action, viewer):
    found = _locked(application_id)
    if found.state == State.UNCONFIRMED:
        raise NotFound()
    _take(found, action)
    found.decided_at, found.by_id = clock.now(), viewer.person_id
    return found


def near(name: str, others: list[Organisation], most: int = 5) -> list[Organisation]:
    """The organisations whose names are nearly this one, the nearest first: by letters, whatever the legal form, or
    where one name holds the other."""
    wanted, found = _bare(name), []
    for each in others:
        other = _bare(each.name)
        close = SequenceMatcher(None, wanted, other).ratio()
        if min(wanted, other, key=len) and (f" {wanted} " in f" {other} " or f" {other} " in f" {wanted} "):
            close = max(close, 0.9)
        if close >= NEAR:
            found.append((-close, each.name, each))
    return [each for *_, each in sorted(found, key=lambda every: every[:2])[:most]]


def _bare(name):
    plain = "".join(each for each in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(each))
    words = re.sub(r"[^\w]+", " ", plain.replace(".", ""))
    return " ".join(FORMS.sub(" ", words).split()) or " ".join(words.split())


def suspend(organisation_id: int, viewer: Viewer) -> Organisation:
    """Let nobody act for an organisation, from this moment. Raises Conflict for one's own."""
    found = people.organisation(organisation_id)
    if found.id == viewer.organisation_id:
        raise Conflict("You act for this organisation yourself.")
    found.suspended_at = found.suspended_at or clock.now()
    return found


def resume(organisation_id: int) -> Organisation:
    """Let its people act for it again."""
    found = people.organisation(organisation_id)
    found.suspended_at = None
    return found


# ------------------------------------------------------------------ by the worker

def sweep():
    """Forget what was never confirmed."""
    db.session.execute(delete(Application).where(Application.state == State.UNCONFIRMED.value,
                                                 Application.made_at < clock.now() - LASTS))


def post(application_ids, mailer: mail.Mailer, site: str):
    """Send the letters of some applications: the link that confirms the address, or why it was declined. Raises
    mail.Away. An address that takes no mail is not confirmed, and nobody waits for it."""
    for each in db.session.scalars(select(Application).where(Application.id.in_(application_ids))).all():
        try:
            if each.state == State.UNCONFIRMED:
                _ask_to_confirm(each, mailer, site)
            elif each.state == State.DECLINED:
                mailer.send(_letter(each, f"declined-{each.id}-{each.decided_at:%Y%m%d%H%M%S%f}", [
                    f"{each.organisation_name} was not admitted to Slate, for this reason:", each.reason],
                    f"{site}/apply"))
        except mail.Refused:
            pass


def draw(application: Application) -> str:
    """A new secret for the link; the one before confirms nothing any more."""
    secret = secrets.token_urlsafe(32)
    application.digest = tokens.digest(secret)
    db.session.flush()
    return secret


def _ask_to_confirm(application, mailer, site):
    secret = draw(application)
    mailer.send(_letter(application, f"application-{application.id}-{application.digest[:16]}", [
        f"Somebody, we think you, asks that {application.organisation_name} be admitted to Slate. Follow the link to "
        "confirm that this address is yours; it works for seven days.", "If it was not you, do nothing."],
        f"{site}/apply/{secret}"))


def _letter(application, key, said, link):
    return letters.plain(key=key, thread=f"application-{application.id}", name=application.name,
                         address=application.email, at=clock.now(), said=said, link=link,
                         subject=f"Your application for {application.organisation_name}")
