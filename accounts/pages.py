"""The account page, and leaving."""
from flask import Blueprint, redirect, render_template, url_for

from accounts import security
from accounts.models import Person
from core.database import db
from core.http import writes

bp = Blueprint("accounts_pages", __name__)


@bp.get("/account")
@security.permit("look_up")
def account():
    """Who you are here, and for whom you act."""
    person = db.session.get(Person, security.viewer().person_id)
    return render_template("accounts/account.html", person=person)


@bp.post("/sign-out")
@security.permit("open")
@writes
def sign_out():
    """Leave."""
    security.sign_out()
    return redirect(url_for("security.login"))
