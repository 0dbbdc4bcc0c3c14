"""The list of licences, for the side that sold and the side that bought; as a table and as a calendar."""
from flask import Response, render_template, request

from accounts import security
from core import http
from core.database import db
from core.errors import Invalid
from licensing import terms
from licensing.after import alerts, calendar, windows
from licensing.pages import ON_A_PAGE, bp
from licensing.schemas import load
from licensing.schemas.after import WindowsQuery

STANDINGS = {"current": "In force or coming", "in_force": "In force", "coming": "Coming", "ended": "Ended",
             "all": "All"}
SIDES = {"all": "Sold and bought", "sold": "Sold", "bought": "Bought"}


def _asked(*names):
    """The filters of the address; those that cannot be read raise Invalid."""
    wanted = {name: value.strip() for name, value in request.args.items() if name in names and value.strip()}
    return load(WindowsQuery(), wanted), wanted


@bp.get("/licences")
@security.permit("licence.see")
def licences():
    """Your licences, what ends first before the others, and what you are told of before it ends."""
    viewer, page, errors = security.viewer(), http.page_asked(), {}
    try:
        said, typed = _asked("side", "standing", "q", "ends_by")
    except Invalid as problem:
        said, typed, errors = load(WindowsQuery(), {}), request.args.to_dict(), problem.errors
    query = windows.listing(viewer, **said)
    total = db.session.scalar(db.select(db.func.count()).select_from(query.order_by(None).subquery()))
    shown = db.session.scalars(query.limit(ON_A_PAGE).offset((page - 1) * ON_A_PAGE)).all()
    soon, soon_total = alerts.showing(viewer)
    return render_template(
        "licensing/licences.html", rows=windows.rows(shown, viewer), total=total, page=page,
        pages=-(-total // ON_A_PAGE), said=said, typed=typed, errors=errors, sides=SIDES, standings=STANDINGS,
        kept={name: value for name, value in typed.items() if name != "page"}, soon=soon, soon_total=soon_total,
        days_left=alerts.days_left, line_words=terms.parts), 422 if errors else 200


@bp.get("/licences.csv")
@security.permit("licence.see")
def licence_table():
    """The same list as a spreadsheet."""
    viewer = security.viewer()
    said, _ = _asked("side", "standing", "q", "ends_by")
    return Response(windows.table(windows.listing(viewer, **said), viewer), mimetype="text/csv", headers={
        "Content-Disposition": "attachment; filename=slate-licences.csv"})


@bp.get("/licences.ics")
@security.permit("licence.see")
def licence_calendar():
    """The windows as a calendar."""
    viewer = security.viewer()
    said, _ = _asked("side", "q")
    found = windows.events(viewer, said["side"], said["words"])
    return Response(calendar.text(f"Slate: {viewer.organisation_name}", found), mimetype="text/calendar", headers={
        "Content-Disposition": "attachment; filename=slate-windows.ics"})
