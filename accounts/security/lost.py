"""For whoever lost what makes their codes, and the recovery codes with it: they begin anew with their password."""
from accounts import mailings, sessions
from accounts.models import Person
from accounts.security import factors, trail
from core import audit
from core.database import db


def reset(person: Person, why: str):
    """Forget a person's codes, recovery codes and passkeys, end their sessions, and tell them by letter. `why` goes
    into the audit: who asked, and how it was made sure that it was them."""
    had = {"codes": bool(person.tf_totp_secret), "recovery codes": len(person.mf_recovery_codes or ()),
           "passkeys": [each.name for each in person.webauthn]}
    for each in list(person.webauthn):
        db.session.delete(each)
    db.session.flush()
    db.session.expire(person, ["webauthn"])
    factors.no_codes(person)
    sessions.end_all(person.id)
    audit.note("reset second factors", "person", person.id, before=had, after={"why": why},
               organisation_id=trail.organisation(person))
    mailings.put("factors_reset", person)
