"""Idempotency keys: the first committed answer to a request that named one is kept for a day, without its secrets."""
import hashlib
import json
from datetime import datetime, timedelta

from flask import Response, current_app, g, request
from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from core import clock
from core.database import UtcDateTime, db
from core.errors import Invalid
from core.http import text

API = "/api/"
KEPT_FOR = timedelta(hours=24)
MOST = 255  # characters of a key


class IdempotencyKey(db.Model):
    """The first committed answer to a request that named a key, kept for 24 hours: of one person acting for one
    organisation."""
    __tablename__ = "idempotency_key"
    person_id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    status: Mapped[int | None]
    headers: Mapped[str | None]
    body: Mapped[str | None]


def shows_once(*fields: str):
    """Mark a view whose answer shows secrets in these fields: a token, an address that opens something.

    They are shown in the first answer and never kept: a replay of it has null in their place, and whoever lost the
    first answer asks anew.
    """
    def mark(view):
        view.shows_once = frozenset(fields)
        return view
    return mark


def claim() -> Response | None:
    """Store the key of this request, or answer with what the same request was answered before."""
    if not (key := _key()):
        return None
    if len(key) > MOST:
        raise Invalid({"Idempotency-Key": [f"A key is {MOST} characters at most."]})
    if problem := text.unfit(key):
        raise Invalid({"Idempotency-Key": [problem]})
    asker = {"person_id": g.viewer.person_id, "organisation_id": g.viewer.organisation_id}
    fingerprint = hashlib.sha256(b"\0".join(
        (request.method.encode(), request.full_path.encode(), request.get_data()))).hexdigest()
    known = db.session.scalar(select(IdempotencyKey).filter_by(**asker, key=key))
    if known and known.made_at < clock.now() - KEPT_FOR:
        db.session.execute(delete(IdempotencyKey).filter_by(**asker, key=key))
        db.session.expunge(known)
        known = None
    if known is None:
        db.session.execute(IdempotencyKey.__table__.insert().values(
            **asker, key=key, fingerprint=fingerprint, made_at=clock.now()))
        return None
    if known.fingerprint != fingerprint:
        raise Invalid({"Idempotency-Key": ["This key was used for another request. Use a new one."]})
    response = Response(known.body, known.status, json.loads(known.headers))
    response.headers["Idempotent-Replay"] = "true"
    db.session.rollback()
    return response


def keep(response: Response):
    """Keep the answer for the key of this request, in the same transaction."""
    if key := _key():
        kept = {name: response.headers[name] for name in ("Content-Type", "ETag", "Location")
                if name in response.headers}
        db.session.execute(IdempotencyKey.__table__.update().where(
            IdempotencyKey.person_id == g.viewer.person_id,
            IdempotencyKey.organisation_id == g.viewer.organisation_id, IdempotencyKey.key == key).values(
            status=response.status_code, headers=json.dumps(kept), body=_without_secrets(response)))


def _without_secrets(response) -> str:
    secrets = getattr(current_app.view_functions[request.endpoint], "shows_once", None)
    if not secrets:
        return response.get_data(as_text=True)
    said = response.get_json()
    return json.dumps({name: None if name in secrets else value for name, value in said.items()}, ensure_ascii=False)


def sweep():
    """Forget answers older than a day."""
    db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.made_at < clock.now() - KEPT_FOR))


def _key():
    return request.headers.get("Idempotency-Key") if request.path.startswith(API) else None
