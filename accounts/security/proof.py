"""A fresh proof of who asks, before what cannot be taken back.

Whoever signed in, or proved it, within the minutes of the settings is not asked. A page that wants a proof shows its
form in place of its answer: what was typed is carried along, and the proof goes out with it to the very same address.
"""
import json
from dataclasses import replace

from flask import g, redirect, render_template, request, session, url_for
from flask_security import current_user
from flask_security.utils import validate_redirect_url

from accounts import sessions
from accounts.security import factors, trail
from accounts.security.guard import PROVED
from accounts.security.presence import KEY
from core import clock, http
from core.database import db
from core.errors import NotProven

PREFIX = http.PROOF  # of the fields of the proof itself
WORDS = {"password": "That is not your password. Try again.",
         "code": "That is not the code of this moment, or it was used already. Wait for the next one, then type it.",
         "passkey": "The passkey did not prove it. Try again, with a key that is listed under your account."}


def ways(person) -> list[str]:
    """How a person can prove it: by the second factors they set up, else by the password."""
    return [*["passkey"] * bool(person.webauthn), *["code"] * bool(person.tf_totp_secret)] or ["password"]


def take():
    """Look at the proof that came with a form, before anything else is done with it. One that does not hold is none:
    what needs it asks again, and says what for."""
    given = request.method == "POST" and g.session and next(
        (way for way in ways(current_user) if request.form.get(f"{PREFIX}{way}")), None)
    if given and g.viewer and not g.viewer.proven:
        if _check(given, request.form[f"{PREFIX}{given}"]).status_code != 200:
            g.proof_failed = given
            return
        session[PROVED] = clock.now().timestamp()
        g.viewer = replace(g.viewer, proven=True)


@http.writes
def _check(way, said):
    """A transaction of its own, so that a code counts as used, and a failure as noted, whatever comes after."""
    person = current_user._get_current_object()
    if way == "passkey":
        good = factors.passkey_proves(person, said, request.form.get(f"{PREFIX}state", ""))
    elif way == "code":
        good = factors.code_proves(person, said)
    else:
        good = factors.password_proves(person, said)
    if good:
        session[KEY] = sessions.renew(g.session.id)  # whoever has the key from before has nothing
    else:
        trail.failed(person, way)
    return "", 200 if good else 403


def ask(refusal):
    """In place of what was asked: the page that asks for a proof, or the way there and back."""
    if http.wants_json():
        return http.refused(refusal)
    db.session.rollback()
    if request.method == "GET":
        return redirect(url_for("accounts_pages.ask_for_proof", next=request.full_path.rstrip("?")))
    carried = [(name, value) for name, value in request.form.items(multi=True)
               if name != "csrf_token" and not name.startswith(PREFIX)]
    return _page(refusal, request.full_path.rstrip("?"), carried), 403


def page(refusal, onto: str | None):
    """The page that asks for a proof and then leads to another page."""
    return _page(refusal, url_for("accounts_pages.prove", next=onto), ())


def _page(refusal, action, carried):
    how = ways(current_user)
    options, state = factors.passkey_asked(current_user) if "passkey" in how else (None, None)
    failed = g.get("proof_failed")
    return render_template("accounts/security/proof.html", purpose=refusal.detail, action=action, carried=carried,
                           ways=how, failed=failed, wrong=WORDS.get(failed), state=state,
                           options=options and json.dumps(options))


def onward(path: str | None) -> str:
    """Where to go on after a proof: a page of ours, or the account."""
    return path if path and validate_redirect_url(path) else url_for("accounts_pages.account")


def init_app(app):
    app.before_request(take)
    app.register_error_handler(NotProven, ask)
