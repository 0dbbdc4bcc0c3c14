"""Asking to be admitted, and the operator's answer."""
from flask import flash, redirect, render_template, request, url_for

from accounts import applications, invitations, people, permissions, security
from accounts.pages import bp
from core import http
from core.database import db
from core.errors import Invalid, NotSignedIn
from core.http import writes

ON_A_PAGE = 20
FIELDS = ("organisation_name", "country", "name", "email", "about")


@bp.app_context_processor
def waiting():
    """How many applications wait, for the masthead; None for who decides none."""
    def count():
        try:
            if not permissions.relations(security.viewer(), "organisation.admit"):
                return None
        except NotSignedIn:
            return None
        return applications.count()
    return {"applications_waiting": count}


@bp.get("/apply")
@security.permit("organisation.apply")
def application():
    """The form by which an organisation asks to be admitted."""
    return _form()


def _form(typed=None, errors=None, status=200):
    return render_template("accounts/apply.html", typed=typed or {}, errors=errors or {}, trades=applications.TRADES,
                           countries=applications.COUNTRIES), status


@bp.post("/apply")
@security.permit("organisation.apply")
@writes
def apply():
    """Ask. The answer is the same, whatever and whoever is here already."""
    typed = {name: request.form.get(name, "") for name in FIELDS} | {"trades": request.form.getlist("trades")}
    try:
        applications.apply(**typed)
    except Invalid as problem:
        db.session.rollback()
        return _form(typed, problem.errors, 422)
    return render_template("accounts/applied.html", email=typed["email"].strip())


@bp.get("/apply/<token>")
@security.permit("organisation.apply")
def confirmation(token):
    """What the letter leads to: a button, for programs that look at every link in a letter press none."""
    return render_template("accounts/confirm.html", application=applications.opened(token), token=token)


@bp.post("/apply/<token>")
@security.permit("organisation.apply")
@writes
def confirm_application(token):
    """The address is the applicant's."""
    with security.for_nobody():
        applications.confirm(token)
    return render_template("accounts/applied.html", email=None)


# ------------------------------------------------------------------ by operators

@bp.get("/applications")
@security.permit("organisation.admit")
def list_applications():
    """Who asks, who has waited longest first; what was decided; and every organisation, to suspend one."""
    return _page()


def _page(errors=None, about=None, status=200):
    page, organisations = http.page_asked(), people.organisations()
    found = db.session.scalars(applications.waiting().limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)).all()
    decided = db.session.scalars(applications.decided().limit(ON_A_PAGE)).all()
    return render_template(
        "accounts/applications.html", waiting=found[:ON_A_PAGE], more=len(found) > ON_A_PAGE, page=page,
        near={each.id: applications.near(each.organisation_name, organisations) for each in found[:ON_A_PAGE]},
        decided=decided, pending=invitations.pending_of([each.organisation_id for each in decided]),
        organisations=organisations, countries=applications.COUNTRIES, trades=applications.TRADES,
        errors=errors or {}, about=about), status


@bp.post("/applications/<id:application_id>/admission")
@security.permit("organisation.admit")
@writes
def admit(application_id):
    """Make the organisation, and invite its applicant."""
    try:
        found = applications.admit(application_id, security.viewer(), request.form.get("organisation_name"))
    except Invalid as problem:
        db.session.rollback()
        return _page(problem.errors, application_id, 422)
    flash(f"{found.organisation.name} is admitted. A letter tells {found.email}, with a link to begin.")
    return redirect(url_for(".list_applications"))


@bp.post("/applications/<id:application_id>/declining")
@security.permit("organisation.admit")
@writes
def decline(application_id):
    """Decline, with a reason."""
    try:
        found = applications.decline(application_id, security.viewer(), request.form.get("reason", ""))
    except Invalid as problem:
        db.session.rollback()
        return _page(problem.errors, application_id, 422)
    flash(f"Declined. A letter tells {found.email} why.")
    return redirect(url_for(".list_applications"))


@bp.post("/applications/<id:application_id>/sending")
@security.permit("organisation.admit")
@writes
def send_first_invitation(application_id):
    """Send the first invitation into an organisation that was admitted again."""
    found = applications.first_invitation(application_id)
    invitations.send_again(found)
    flash(f"Sent again to {found.email}.")
    return redirect(url_for(".list_applications", _anchor="decided"))


@bp.post("/organisations/<id:organisation_id>/suspension")
@security.permit("organisation.admit")
@writes
def suspend(organisation_id):
    """Let nobody act for an organisation."""
    found = applications.suspend(organisation_id, security.viewer())
    flash(f"Nobody acts for {found.name} any more.")
    return redirect(url_for(".list_applications", _anchor="organisations"))


@bp.post("/organisations/<id:organisation_id>/resumption")
@security.permit("organisation.admit")
@writes
def resume(organisation_id):
    """Let its people act for it again."""
    found = applications.resume(organisation_id)
    flash(f"The people of {found.name} act for it again.")
    return redirect(url_for(".list_applications", _anchor="organisations"))
