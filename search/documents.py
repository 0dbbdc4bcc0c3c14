"""From titles to documents of the index: reads the truth from the tables, every time."""
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from catalogue.models import Title
from core.database import db
from search.engine import Document

BATCH = 500


def of(title_ids) -> list[Document]:
    """The documents of those of the titles that exist."""
    return [_document(title) for title in db.session.scalars(
        select(Title).where(Title.id.in_(title_ids))
        .options(selectinload(Title.names), selectinload(Title.synopses), selectinload(Title.credits)))]


def every():
    """Every document, in batches' worth of memory, ordered by id."""
    last = 0
    while ids := db.session.scalars(select(Title.id).where(Title.id > last).order_by(Title.id).limit(BATCH)).all():
        yield from of(ids)
        db.session.expunge_all()
        last = ids[-1]


def stamps() -> dict[int, str]:
    """What the index should hold: title id → stamp."""
    return {title_id: str(revision) for title_id, revision in db.session.execute(select(Title.id, Title.revision))}


def _document(title: Title) -> Document:
    return Document(
        id=title.id, stamp=str(title.revision),
        names=[name.value for name in title.names] or [title.original_title],
        people=[credit.name for credit in title.credits],
        synopsis=[each.text for each in title.synopses] + [each["name"] for each in title.episodes if each.get("name")],
        keywords=[*title.tags, *title.genres, *([str(title.year)] if title.year else [])],
        codes=[*title.identifiers.values(), *([title.external_id] if title.external_id else [])],
        year=title.year or 0)
