"""One's own API tokens, on the account page."""
from datetime import date

from flask import flash, redirect, request, url_for

from accounts import security, tokens
from accounts.pages import bp
from accounts.pages.oneself import account_page
from core.database import db
from core.errors import Invalid
from core.http import writes


@bp.post("/account/tokens")
@security.permit("token.keep")
@writes
def make_token():
    """A new token: the page that follows shows it, and no other ever does."""
    typed = {"name": request.form.get("name", ""), "scopes": request.form.getlist("scopes"),
             "expires_on": request.form.get("expires_on", "")}
    try:
        made, secret = tokens.issue(security.viewer(), **{**typed, "expires_on": _day(typed["expires_on"])})
    except Invalid as problem:
        db.session.rollback()
        return account_page(token={"errors": problem.errors, "typed": typed}, status=422)
    return account_page(token={"made": made, "secret": secret}, status=201)


def _day(text):
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid({"expires_on": ["Write a day as 2027-01-31."]}) from None


@bp.post("/account/tokens/<id:token_id>/removal")
@security.permit("token.keep")
@writes
def revoke_token(token_id):
    """Revoke a token."""
    tokens.revoke(security.viewer(), token_id)
    flash("Revoked: it calls nothing any more.")
    return redirect(url_for(".account", _anchor="tokens"))
