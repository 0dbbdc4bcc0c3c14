"""Market editions: those one takes part in, and for their operator who is admitted."""
import re

from flask import flash, redirect, render_template, request, url_for
from marshmallow import ValidationError

from accounts import editions, people, permissions, security
from accounts.pages import bp
from accounts.permissions import Relation
from accounts.schemas import EditionSchema
from core import http
from core.database import db
from core.errors import Invalid, NotFound

MOST = 200  # editions on the page


@bp.get("/markets")
@security.permit("edition.see")
def markets():
    """The editions one runs or takes part in; for an operator the form that begins one."""
    return _markets()


def _markets(errors=None, status=200):
    viewer = security.viewer()
    found = db.session.scalars(editions.listing(viewer).limit(MOST)).all()
    return render_template("accounts/markets.html", editions=found, sizes=editions.sizes([each.id for each in found]),
                           errors=errors or {}, typed=request.form,
                           runs=permissions.allows(viewer, "edition.run", Relation.OWN)), status


@bp.post("/markets")
@security.permit("edition.run")
@http.writes
def create_market():
    """Begin an edition."""
    typed = {name: value.strip() for name, value in request.form.items() if name != "csrf_token"}
    try:
        made = editions.create(security.viewer(), **EditionSchema().load(typed))
    except ValidationError as problem:
        return _markets(problem.normalized_messages(), 422)
    except Invalid as problem:
        return _markets(problem.errors, 422)
    flash("Begun. Now admit who takes part.")
    return redirect(url_for(".market", edition_id=made.id))


@bp.get("/markets/<id:edition_id>")
@security.permit("edition.run")
def market(edition_id):
    """Who takes part in an edition, and who else could."""
    edition = editions.own(edition_id, security.viewer())
    inside = editions.participants(edition)
    ids = {each.id for each in inside} | {edition.organisation_id}
    return render_template("accounts/market.html", edition=edition, inside=inside,
                           others=[each for each in people.organisations() if each.id not in ids])


@bp.post("/markets/<id:edition_id>/participants")
@security.permit("edition.run")
@http.writes
def admit_to_market(edition_id):
    """Admit those that are ticked."""
    edition = editions.own(edition_id, security.viewer())
    chosen = {int(each) for each in request.form.getlist("organisation") if re.fullmatch("[0-9]{1,9}", each)}
    for each in sorted(chosen):
        editions.admit(edition, each)
    flash(f"{len(chosen)} admitted." if chosen else "Nobody was ticked.")
    return redirect(url_for(".market", edition_id=edition_id))


@bp.post("/markets/<id:edition_id>/participants/removal")
@security.permit("edition.run")
@http.writes
def dismiss_from_market(edition_id):
    """Let one of them take part no more."""
    edition = editions.own(edition_id, security.viewer())
    said = request.form.get("organisation", "")
    if not re.fullmatch("[0-9]{1,9}", said):
        raise NotFound()
    editions.dismiss(edition, int(said))
    flash("It takes part no more, and sees nothing more of what is shown there.")
    return redirect(url_for(".market", edition_id=edition_id))
