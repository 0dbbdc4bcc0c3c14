"""What of titles and rights is noted by `core.audit`, and what it is called there. Importing it is all it takes."""
from accounts.models import ApiToken, Application, Invitation, Membership, Organisation, Person
from accounts.webhooks.models import Endpoint
from catalogue.models import Status, Title
from core import audit
from core.database import db
from licensing.delivery.models import Material, MaterialStep
from licensing.models import Hold, Holdback, Licence, Line, Mandate, Offer, Option, Step, TitleEvent

ENDED = "counts_until"
LINE = ("recorded_at", "counts_from", "territories_key", "media_key", "languages_key", "leaves", "id")


def _own(row):
    return row.organisation_id


def _counted(row, what, before, after):
    """A line is recorded, and ended once."""
    return {"created": "recorded", "changed": "ended" if after.get(ENDED) else "changed"}.get(what, what)


def _record(line):
    """The record a line is of: as it was given with the line, else read; lazily nothing is read in a flush."""
    given = line.__dict__.get("licence") or line.__dict__.get("mandate")
    return given or db.session.get(*((Licence, line.licence_id) if line.licence_id else (Mandate, line.mandate_id)))


def _published(title, what, before, after):
    """A draft is nobody's business yet."""
    return None if what == "created" and title.status == Status.DRAFT else title.status


def _of_token(token):
    """Whose organisation's it is; of one that goes with its membership it says who ends that."""
    membership = token.__dict__.get("membership") or db.session.get(Membership, token.membership_id)
    return membership and membership.organisation_id


def _invited(invitation, what, before, after):
    """The first time, again, or not any more."""
    if what == "created":
        return "invited"
    return "taken back" if after.get("revoked_at") else "sent again"


def _suspended(organisation, what, before, after):
    if what == "changed" and "suspended_at" in after:
        return "suspended" if organisation.suspended_at else "resumed"
    return "founded" if what == "created" else what


def _seller(step):
    """Whose an offer is where the clock moves it: its seller's."""
    return db.session.get(Offer, step.offer_id).seller_id


def _licensor(step):
    return _seller(db.session.get(Material, step.material_id))


audit.watch(Step, "offer", organisation=_seller, subject_id=lambda step: step.offer_id,
            action=lambda step, what, before, after: step.action if what == "created" else None,
            only=("from_state", "to_state", "version", "side", "note"))
audit.watch(MaterialStep, "material", organisation=_licensor, subject_id=lambda step: step.material_id,
            action=lambda step, what, before, after: step.action if what == "created" else None,
            only=("to_state", "side", "note", "asset_id"))
audit.watch(Line, lambda line: "licence" if line.licence_id else "mandate", action=_counted, without=LINE,
            organisation=lambda line: _record(line).organisation_id,
            subject_id=lambda line: line.licence_id or line.mandate_id)
audit.watch(Holdback, "holdback", organisation=_own, action=_counted, without=LINE)
audit.watch(Hold, "hold", organisation=_own, action=_counted, without=LINE)
audit.watch(Option, "option", organisation=_own, action=_counted, without=LINE)
audit.watch(TitleEvent, "title event", organisation=lambda row: db.session.get(Title, row.title_id).organisation_id)
audit.watch(Title, "title", organisation=_own, action=_published, only=("status",))
audit.watch(Membership, "membership", organisation=lambda row: row.organisation_id or row.organisation.id)
audit.watch(Person, "person", organisation=lambda row: None, only=("email", "name", "active"))
audit.watch(ApiToken, "token", without=("last_used_on",), organisation=_of_token)
audit.watch(Invitation, "invitation", organisation=lambda row: row.organisation_id, action=_invited,
            only=("email", "roles", "organisation_id", "expires_at", "revoked_at"))
audit.watch(Organisation, "organisation", organisation=lambda row: row.id, action=_suspended,
            only=("name", "suspended_at"))
audit.watch(Application, "application", organisation=lambda row: None, only=("state", "reason"),
            action=lambda row, what, before, after: row.state if what == "changed" else None)
audit.watch(Endpoint, "webhook", organisation=_own, only=("url", "events", "active"))
