"""What a letter leads to: joining an organisation that invites."""
from flask import flash, redirect, render_template, request, url_for

from accounts import invitations, members, people, security
from accounts.pages import bp
from core.database import db
from core.errors import Invalid
from core.http import writes


@bp.get("/invitations/<token>")
@security.permit("invitation.answer")
def invitation(token):
    """Who invites, to do what; and how to accept, for who is signed in, could be, or is nobody yet."""
    return _page(token)


def _page(token, errors=None, status=200):
    found, person = invitations.opened(token), security.person()
    return render_template(
        "accounts/invitation.html", invitation=found, token=token, said=members.SAID, person=person,
        known=person is None and people.find(found.email) is not None, errors=errors or {},
        name=request.form.get("name", found.name)), status


@bp.post("/invitations/<token>")
@security.permit("invitation.answer")
@writes
def accept_invitation(token):
    """Join: as who is signed in, or as a new person with a name and a password."""
    person = security.person()
    try:
        with security.for_nobody():
            found = invitations.claim(token)
            someone = person or invitations.enrol(found, request.form.get("name", ""),
                                                  security.chosen(request.form.get("password", "")))
            joined = invitations.accept(found, someone)
    except Invalid as problem:
        db.session.rollback()
        return _page(token, problem.errors, problem.status)
    security.act_for(joined.organisation_id) if person else security.sign_in(someone, joined.organisation_id)
    flash(f"Welcome to {joined.organisation_name}: you act for it now.")
    return redirect(url_for("search_pages.home"))
