"""The account page, and leaving."""
from flask import g, redirect, render_template, request, url_for

from accounts import addresses, notices, security, sessions
from accounts.models import Person
from accounts.pages import bp
from core.database import db
from core.http import writes


@bp.get("/account")
@security.permit("look_up")
def account():
    """Who you are here, for whom you act, how you sign in and where you are."""
    return account_page()


def account_page(errors=None, typed=""):
    """The page, with what is wrong with an address that was typed."""
    viewer = security.viewer()
    person = db.session.get(Person, viewer.person_id)
    return render_template(
        "accounts/account.html", person=person, choices=notices.choices(viewer), kinds=notices.KINDS,
        refusal=notices.refusal(viewer), sessions=sessions.listing(person.id, security.presence.limits()),
        here=g.session and g.session.id, change=addresses.asked(person), errors=errors or {}, typed=typed,
        changed=request.args.get("password") == "changed")


@bp.post("/sign-out")
@security.permit("open")
@writes
def sign_out():
    """Leave."""
    security.sign_out()
    return redirect(url_for("security.login"))
