"""The account page, and leaving."""
from flask import redirect, render_template, url_for

from accounts import notices, security
from accounts.models import Person
from accounts.pages import bp
from core.database import db
from core.http import writes


@bp.get("/account")
@security.permit("look_up")
def account():
    """Who you are here, and for whom you act."""
    viewer = security.viewer()
    return render_template("accounts/account.html", person=db.session.get(Person, viewer.person_id),
                           choices=notices.choices(viewer), kinds=notices.KINDS, refusal=notices.refusal(viewer))


@bp.post("/sign-out")
@security.permit("open")
@writes
def sign_out():
    """Leave."""
    security.sign_out()
    return redirect(url_for("security.login"))
