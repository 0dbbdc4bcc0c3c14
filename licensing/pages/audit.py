"""Who did what in one's own organisation: a page with filters, and the same as a table."""
import json
from datetime import UTC, date, timedelta

from flask import Response, render_template, request
from sqlalchemy import select

from accounts import people, security
from accounts.permissions import Relation, allows
from core import clock, http, sheets
from core.audit import AuditRow
from core.database import db
from core.errors import NotAllowed
from licensing.pages import ON_A_PAGE, bp

SUBJECTS = ("offer", "mandate", "licence", "holdback", "hold", "option", "title", "title event", "books", "material",
            "membership", "invitation", "application", "organisation", "person", "token", "webhook")
FIELDS = ("id", "at", "who", "from", "action", "subject", "subject_id", "before", "after", "link", "hash")
MOST_ROWS = 100_000  # of one table


@bp.get("/audit")
@security.permit("audit.see")
def audit():
    """Who did what, newest first."""
    asked, errors = _asked()
    page = http.page_asked()
    found = db.session.scalars(_rows(asked).limit(ON_A_PAGE + 1).offset((page - 1) * ON_A_PAGE)).all()
    typed = {name: value for name, value in request.args.items() if value and name != "page"}
    return render_template(
        "licensing/audit.html", rows=found[:ON_A_PAGE], more=len(found) > ON_A_PAGE, page=page, typed=typed,
        errors=errors, subjects=SUBJECTS, people=people.members(security.viewer().organisation_id), words=_words)


@bp.get("/audit.csv")
@security.permit("audit.see")
def audit_table():
    """The same, as CSV."""
    asked, _ = _asked()
    rows = db.session.scalars(_rows(asked).limit(MOST_ROWS))
    table = sheets.table(FIELDS, ([
        row.id, row.at.isoformat(), row.who or "", row.origin, row.action, row.subject, row.subject_id or "",
        _json(row.before), _json(row.after), row.place or "", row.hash or ""] for row in rows))
    answer = Response(table, content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename="slate-audit.csv")
    return answer


def _own():
    viewer = security.viewer()
    if not allows(viewer, "audit.see", Relation.OWN):
        raise NotAllowed("Your role does not allow this.")
    return AuditRow.organisation_id == viewer.organisation_id


def _rows(asked):
    query = select(AuditRow).where(_own()).order_by(AuditRow.id.desc())
    if asked.get("person"):
        query = query.where(AuditRow.person_id == asked["person"])
    if asked.get("subject"):
        query = query.where(AuditRow.subject == asked["subject"])
    if asked.get("subject_id"):
        query = query.where(AuditRow.subject_id == asked["subject_id"])
    if asked.get("since"):
        query = query.where(AuditRow.at >= clock.begins(asked["since"]))
    if asked.get("until"):
        query = query.where(AuditRow.at < clock.begins(asked["until"] + timedelta(days=1)))
    return query


def _asked():
    """(what the address asks for, {field: why it cannot be read}); what cannot be read is left out."""
    asked, errors = {}, {}
    for name in ("person", "subject_id"):
        if text := request.args.get(name, "").strip():
            if text.isascii() and text.isdigit() and len(text) < 10:
                asked[name] = int(text)
            else:
                errors[name] = ["Write its number."]
    for name in ("since", "until"):
        if text := request.args.get(name, "").strip():
            try:
                asked[name] = date.fromisoformat(text)
                clock.begins(asked[name] + timedelta(days=1)).astimezone(UTC)
            except (ValueError, OverflowError):
                errors[name] = ["Write a day as 2027-01-31."]
                asked.pop(name, None)
    if (text := request.args.get("subject", "")) in SUBJECTS:
        asked["subject"] = text
    return asked, errors


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _words(value) -> list[tuple[str, str]]:
    """[(name, text)] of what was before or after."""
    return [(name.replace("_", " "), each if isinstance(each, str) else _shown(each))
            for name, each in (value or {}).items()]


def _shown(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_shown(each)}" for name, each in value.items())
    return ", ".join(map(_shown, value)) if isinstance(value, list) else "–" if value is None else str(value)
