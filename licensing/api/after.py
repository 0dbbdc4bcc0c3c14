"""Licences as a table and as a calendar."""
from flask import Response

from accounts import security
from licensing.after import calendar, windows
from licensing.api import bp
from licensing.schemas.after import WindowsQuery


@bp.get("/licences.csv")
@security.permit("licence.see")
@bp.arguments(WindowsQuery, location="query")
@bp.response(200, content_type="text/csv")
def licence_table(query):
    """The lines of your licences, as seller or as buyer, as a spreadsheet."""
    viewer = security.viewer()
    return Response(windows.table(windows.listing(viewer, **query), viewer), mimetype="text/csv")


@bp.get("/licences.ics")
@security.permit("licence.see")
@bp.arguments(WindowsQuery(only=("side", "words")), location="query")
@bp.response(200, content_type="text/calendar")
def licence_calendar(query):
    """The windows of your licences and mandates as a calendar of all-day events."""
    viewer = security.viewer()
    return Response(calendar.text(f"Slate: {viewer.organisation_name}", windows.events(viewer, **query)),
                    mimetype="text/calendar")
