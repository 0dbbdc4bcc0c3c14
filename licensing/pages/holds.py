"""Holds from the pages of a title: recorded, released, turned into an offer."""
from datetime import date, datetime, timedelta

from flask import flash, redirect, request, url_for

from accounts import security
from catalogue import titles
from core import clock, http
from core.database import db
from core.errors import Conflict, Invalid
from licensing import asking, holds, terms
from licensing.pages import bp
from licensing.pages.titles import rights_page
from licensing.schemas import load
from licensing.schemas.promises import HoldFormSchema, TurningSchema


@bp.post("/titles/<id:title_id>/holds")
@security.permit("mandate.record")
@http.writes
def record_hold(title_id):
    """Hold something for one buyer; it expires when the last day that was named is over."""
    shown = titles.get(title_id, security.viewer(), "mandate.record")
    typed = {**asking.line(request.form), **{name: request.form.get(name, "") for name in ("organisation", "last_day")}}
    try:
        said = load(HoldFormSchema(), typed)
        titles.lock([shown.id])
        held = holds.record(shown, terms.read(said), organisation_id=said["organisation"],
                            expires_at=_over(said["last_day"]))
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        errors = problem.errors if isinstance(problem, Invalid) else {"": [problem.detail]}
        return rights_page(titles.get(title_id, security.viewer()), errors, typed, "hold", problem.status)
    flash(f"Held for {held.holder.name} to the end of that day.")
    return redirect(url_for(".rights", title_id=title_id, _anchor="holds"))


def _over(last_day: date) -> datetime:
    """The instant at which a day is over, where the installation is."""
    return clock.begins(min(last_day, terms.LAST_DAY) + timedelta(days=1))


@bp.post("/holds/<id:hold_id>/release")
@security.permit("mandate.record")
@http.writes
def release_hold(hold_id):
    """Release a hold."""
    held = holds.get(hold_id, security.viewer())
    titles.lock([held.title_id])
    holds.release(held, "Released by its seller.")
    flash(f"Released. {held.holder.name} has no hold on these rights any more.")
    return redirect(url_for(".rights", title_id=held.title_id, _anchor="holds"))


@bp.post("/holds/<id:hold_id>/offer")
@security.permit("offer.draft")
@http.writes
def turn_hold(hold_id):
    """Turn a hold into a draft."""
    viewer = security.viewer()
    held = holds.get(hold_id, viewer, by_holder=True)
    titles.lock([held.title_id])
    said = load(TurningSchema(), {"currency": request.form.get("currency") or "USD"})
    offer = holds.turn(held, viewer, said["currency"])
    return redirect(url_for(".offer", offer_id=offer.id))
