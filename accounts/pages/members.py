"""Who belongs to one's organisation, and who is invited."""
from flask import flash, redirect, render_template, request, url_for

from accounts import invitations, members, security
from accounts.pages import bp
from accounts.permissions import Relation, allows, fitting
from core.database import db
from core.errors import Conflict, Invalid
from core.http import writes


@bp.get("/members")
@security.permit("member.see")
def list_members():
    """Who belongs here, with which roles; for administrators, the forms to change it."""
    return _page()


def _page(errors=None, about=None, typed=None, status=200):
    """`errors` are of the form about one membership, or of the invitation where `about` is None."""
    viewer = security.viewer()
    manages = allows(viewer, "member.manage", Relation.OWN)
    return render_template(
        "accounts/members.html", members=members.listing(viewer), manages=manages, said=members.SAID,
        roles=fitting(viewer.trades), open=invitations.listing(viewer) if manages else [], is_over=invitations.is_over,
        errors=errors or {}, about=about, typed=typed or {}), status


def _tried(act, about=None):
    """Back to the page: with what was done in a sentence, or with what is wrong."""
    try:
        flash(act())
        return redirect(url_for(".list_members"))
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        errors = problem.errors if isinstance(problem, Invalid) else {"": [problem.detail]}
        typed = {"email": request.form.get("email", ""), "roles": request.form.getlist("roles")}
        return _page(errors, about, typed, problem.status)


@bp.post("/members/<id:membership_id>/roles")
@security.permit("member.manage")
@writes
def change_member(membership_id):
    """Give a member exactly the roles that are ticked."""
    def change():
        members.change(security.viewer(), membership_id, request.form.getlist("roles"))
        return "The roles are changed, from now on."
    return _tried(change, membership_id)


@bp.post("/members/<id:membership_id>/removal")
@security.permit("member.manage")
@writes
def remove_member(membership_id):
    """End a membership."""
    def remove():
        person = members.remove(security.viewer(), membership_id)
        return f"{person.name or person.email} can do nothing here any more."
    return _tried(remove, membership_id)


@bp.post("/members/leaving")
@security.permit("member.leave")
@writes
def leave():
    """Leave the organisation one acts for."""
    viewer = security.viewer()
    try:
        members.leave(viewer)
    except Conflict as problem:
        db.session.rollback()
        return _page({"": [problem.detail]}, "leaving", status=problem.status)
    flash(f"You have left {viewer.organisation_name}.")
    return redirect(url_for(".choose_organisation"))


@bp.post("/invitations")
@security.permit("member.manage")
@writes
def invite():
    """Invite an address."""
    def send():
        made = invitations.invite(security.viewer(), request.form.get("email", ""), request.form.getlist("roles"))
        return f"Invited: a link is on its way to {made.email}."
    return _tried(send)


@bp.post("/invitations/<id:invitation_id>/sending")
@security.permit("member.manage")
@writes
def send_invitation(invitation_id):
    """Send an invitation again, with a new link."""
    found = invitations.get(security.viewer(), invitation_id)
    invitations.send_again(found)
    flash(f"Sent again to {found.email}. The link of the former letter opens nothing any more.")
    return redirect(url_for(".list_members", _anchor="invited"))


@bp.post("/invitations/<id:invitation_id>/removal")
@security.permit("member.manage")
@writes
def revoke_invitation(invitation_id):
    """Take an invitation back."""
    invitations.revoke(security.viewer(), invitation_id)
    flash("Taken back: its link opens nothing any more.")
    return redirect(url_for(".list_members", _anchor="invited"))
