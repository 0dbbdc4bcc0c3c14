"""The account page, and leaving."""
from flask import redirect, render_template, url_for

from accounts import notices, people, security, tokens
from accounts.models import Person
from accounts.pages import bp
from core.database import db
from core.http import writes


@bp.get("/account")
@security.permit("look_up")
def account():
    """Who you are here, and for whom you act."""
    return account_page()


def account_page(errors=None, typed=None, made=None, secret=None, status=200):
    """The page; with what is wrong with a token that was asked for, or with the one that was just made."""
    viewer = security.viewer()
    typed = typed or {"expires_on": tokens.in_days(90).isoformat(), "scopes": ["read"]}
    return render_template(
        "accounts/account.html", person=db.session.get(Person, viewer.person_id), choices=notices.choices(viewer),
        kinds=notices.KINDS, refusal=notices.refusal(viewer), memberships=people.memberships(viewer.person_id),
        tokens=tokens.listing(viewer), scopes=tokens.useful(viewer), reach=tokens.SAID, last_day=tokens.last_day,
        is_over=tokens.is_over, errors=errors or {}, typed=typed, made=made, secret=secret), status


@bp.post("/sign-out")
@security.permit("open")
@writes
def sign_out():
    """Leave."""
    security.sign_out()
    return redirect(url_for("security.login"))
