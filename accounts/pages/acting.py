"""For which of one's organisations one acts."""
from flask import flash, redirect, render_template, url_for

from accounts import people, security
from accounts.pages import bp, number
from core.errors import NotSignedIn
from core.http import writes


@bp.get("/acting")
@security.permit("act_for")
def choose_organisation():
    """Choose among one's organisations; for who acts for none, and who wants another."""
    if (person := security.person()) is None:
        raise NotSignedIn("Sign in first.")
    return render_template("accounts/acting.html", memberships=people.memberships(person.id), email=person.email)


@bp.post("/acting")
@security.permit("act_for")
@writes
def act_for():
    """Act for another of one's organisations from now on."""
    acting = security.act_for(number("organisation"))
    flash(f"You act for {acting.organisation_name} now.")
    return redirect(url_for("search_pages.home"))
