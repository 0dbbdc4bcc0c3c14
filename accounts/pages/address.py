"""One's address: asking for another, and agreeing to it at both."""
from flask import flash, redirect, render_template, request, url_for

from accounts import addresses, security
from accounts.models import Person
from accounts.pages import bp
from accounts.pages.oneself import account_page
from core import audit
from core.database import db
from core.errors import Invalid
from core.http import writes


@bp.post("/account/address")
@security.permit("sign_in.change")
@writes
def ask_for_address():
    """Ask for another address. Nothing changes before it is confirmed at both."""
    person, typed = db.session.get(Person, security.viewer().person_id), request.form.get("address", "")
    try:
        addresses.ask(person, typed)
    except Invalid as problem:
        return account_page(errors=problem.errors, typed=typed, status=422)
    audit.note("asked for another address", "person", person.id)
    flash("Two letters are on their way, to your old address and to the new one. Open the link in each.")
    return redirect(url_for(".account", _anchor="address"))


@bp.post("/account/address/withdrawal")
@security.permit("sign_in.change")
@writes
def withdraw_address():
    """Think better of it."""
    addresses.give_up(db.session.get(Person, security.viewer().person_id))
    flash("Your address stays as it is.")
    return redirect(url_for(".account", _anchor="address"))


@bp.get("/account/address/<token>")
@security.permit("open")
def address_asked(token):
    """What the link in a letter is about. Opening it changes nothing: programs open links, too."""
    key, side = security.links.read_address(token)
    return render_template("accounts/security/address.html", change=addresses.find(key), side=side, token=token)


@bp.post("/account/address/<token>")
@security.permit("open")
@writes
def confirm_address(token):
    """Agree, as whoever reads mail there."""
    key, side = security.links.read_address(token)
    change = addresses.find(key)
    done = addresses.confirm(change, side)
    audit.note(f"confirmed the change at the {side} address", "person", change.person_id)
    return render_template("accounts/security/address.html", change=change, side=side, done=done, agreed=True)
