"""The account page, and leaving."""
from flask import g, redirect, render_template, request, url_for

from accounts import addresses, applications, notices, people, security, sessions, tokens
from accounts.models import Person
from accounts.pages import bp
from core.database import db
from core.http import writes


@bp.get("/account")
@security.permit("look_up")
def account():
    """Who you are here, for whom you act, how you sign in and where you are."""
    return account_page()


def account_page(errors=None, typed="", token=None, status=200):
    """The page; with what is wrong with an address that was typed. `token` is what is wrong with a token that was asked
    for, or the one that was just made: {errors, typed, made, secret}."""
    viewer = security.viewer()
    person = db.session.get(Person, viewer.person_id)
    asked = {"typed": {"expires_on": tokens.in_days(90).isoformat(), "scopes": ["read"]}, "errors": {},
             **(token or {})}
    return render_template(
        "accounts/account.html", person=person, choices=notices.choices(viewer), kinds=notices.KINDS,
        refusal=notices.refusal(viewer), memberships=people.memberships(person.id), tokens=tokens.listing(viewer),
        countries=applications.COUNTRIES,
        scopes=tokens.useful(viewer), reach=tokens.SAID, last_day=tokens.last_day, is_over=tokens.is_over,
        token=asked, sessions=sessions.listing(person.id, security.presence.limits()),
        here=g.session and g.session.id, change=addresses.asked(person), errors=errors or {}, typed=typed,
        changed=request.args.get("password") == "changed"), status


@bp.post("/sign-out")
@security.permit("open")
@writes
def sign_out():
    """Leave, and let the browser forget what it kept of us; the cookie stays, for the next form's token is in it."""
    security.sign_out()
    return redirect(url_for("security.login")), {"Clear-Site-Data": '"cache", "storage"'}
