"""Codes of an app, and the recovery codes that go with second factors."""
from flask import flash, redirect, render_template, request, url_for

from accounts import mailings, permissions, security
from accounts.models import Person
from accounts.pages import bp
from accounts.security import factors
from core import audit
from core.database import db
from core.errors import Invalid
from core.http import writes


def _oneself() -> Person:
    return db.session.get(Person, security.viewer().person_id)


@bp.get("/account/codes")
@security.permit("sign_in.change")
def codes():
    """The picture that an app scans, and the field for its first code."""
    permissions.check_proof(security.viewer(), "sign_in.change")
    return render_template("accounts/security/codes.html", shown=factors.new_codes(_oneself()), errors={})


@bp.post("/account/codes")
@security.permit("sign_in.change")
@writes
def set_codes():
    """From now on a code is asked for; the recovery codes are shown this once."""
    person, state = _oneself(), request.form.get("state", "")
    try:
        made = factors.set_codes(person, state, request.form.get("code", ""))
    except Invalid as problem:
        return render_template("accounts/security/codes.html", shown=factors.again(person, state),
                               errors=problem.errors), 422
    audit.note("set up codes", "person", person.id)
    mailings.put("factor_changed", person)
    return render_template("accounts/security/recovery_codes.html", made=made, first=True)


@bp.post("/account/codes/removal")
@security.permit("sign_in.change")
@writes
def remove_codes():
    """No code is asked for any more."""
    person = _oneself()
    factors.no_codes(person)
    audit.note("removed codes", "person", person.id)
    mailings.put("factor_changed", person)
    flash("No code is asked for any more when you sign in.")
    return redirect(url_for(".account", _anchor="sign-in"))


@bp.post("/account/recovery-codes")
@security.permit("sign_in.change")
@writes
def make_recovery_codes():
    """New ones, shown this once; those before are void."""
    person = _oneself()
    made = factors.new_recovery_codes(person)
    audit.note("made recovery codes", "person", person.id)
    mailings.put("factor_changed", person)
    return render_template("accounts/security/recovery_codes.html", made=made, first=False)
