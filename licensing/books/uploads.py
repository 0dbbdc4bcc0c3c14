"""Books that a seller sends: read, tried dry, and loaded as chosen. The worker does what takes long, batch by batch.

Loading good rows commits after each batch, and a worker that was killed goes on behind the last; loading all or
nothing is one transaction, tried dry again before it, so that it is short.
"""
import json
import subprocess
import sys
from itertools import chain
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import joinedload

from accounts.permissions import Relation, Viewer, allows
from catalogue import titles
from core import audit, clock
from core.database import db, reading
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from licensing import contracts, mandates
from licensing.books import columns, judging, rows
from licensing.books.columns import Kind, Unmatched
from licensing.books.models import Effect, Mode, Row, State, Status, Upload
from licensing.books.rows import Entry

MOST_BYTES = 10_000_000
ENCODINGS = {"": "found out", "utf-8": "UTF-8", "cp1252": "Windows-1252 (Western Europe)", "shift_jis": "Shift-JIS",
             "euc_kr": "EUC-KR", "gb18030": "GB 18030", "big5": "Big5"}
BATCH = 500  # rows, or those of one hierarchy
READER, BOUNDED = Path(__file__).with_name("reader.py"), Path(__file__).parents[2] / "media" / "bounded.py"
SECONDS, MEMORY = 30, 800_000_000  # of the processor; bytes. The largest honest book takes half of either
PATIENCE = 120  # seconds by the clock on the wall
UNDER_WAY = (State.SENT, State.CHECKING, State.LOADING)


# ------------------------------------------------------------------ sending, reading back

def send(viewer: Viewer, *, filename: str, content: bytes, holds: str | None = None, encoding: str = "") -> Upload:
    """Take a file; the worker reads it and tries it dry. Raises Invalid."""
    if not filename or not content:
        raise Invalid({"file": ["Choose a file, XLSX or CSV, that is not empty."]})
    if len(content) > MOST_BYTES:
        raise Invalid({"file": [f"A file has {MOST_BYTES // 1_000_000} MB at most. Send it in parts."]})
    if holds and holds not in list(Kind):
        raise Invalid({"holds": [f"A file holds {' or '.join(Kind)}; leave it open where its sheets say it."]})
    if encoding not in ENCODINGS:
        raise Invalid({"encoding": [f"One of {', '.join(filter(None, ENCODINGS))}, or nothing."]})
    made = Upload(organisation_id=viewer.organisation_id, person_id=viewer.person_id, content=content,
                  filename="".join(char if char.isprintable() else " " for char in filename)[-200:].strip() or "books",
                  holds=holds or None, encoding=encoding, sent_at=clock.now())
    db.session.add(made)
    db.session.flush()
    audit.note("sent", "books", made.id, after={"filename": made.filename, "bytes": len(content)},
               organisation_id=made.organisation_id)
    return made


def get(upload_id: int, viewer: Viewer) -> Upload:
    """Books of the viewer's own organisation, or NotFound."""
    found = db.session.scalar(select(Upload).where(Upload.id == upload_id, _own(viewer))
                              .options(joinedload(Upload.person)))
    if found is None:
        raise NotFound()
    return found


def listing(viewer: Viewer):
    """A query for the books an organisation has sent, newest first."""
    return select(Upload).where(_own(viewer)).order_by(Upload.id.desc()).options(joinedload(Upload.person))


def _own(viewer):
    if not allows(viewer, "books.load", Relation.OWN):
        raise NotAllowed("Books are a seller’s: your role does not allow this.")
    return Upload.organisation_id == viewer.organisation_id


def rows_of(upload: Upload, status: str | None = None):
    """A query for the rows of an upload, as they stand in the file; those of one status."""
    query = select(Row).where(Row.upload_id == upload.id).order_by(Row.id)
    return query.where(Row.status == status) if status else query


def counts(upload: Upload) -> dict[str, int]:
    """How many rows have each status, and each effect."""
    found = dict.fromkeys((*Status, *Effect), 0)
    for status, effect, number in db.session.execute(select(Row.status, Row.effect, func.count()).where(
            Row.upload_id == upload.id).group_by(Row.status, Row.effect)):
        for each in filter(None, (status, effect)):
            found[each] += number
    return {str(each): number for each, number in found.items()}


def load(upload: Upload, mode: str) -> Upload:
    """Ask for what was tried dry to be recorded: all or nothing, or only the good rows. Raises Conflict, Invalid."""
    if mode not in list(Mode):
        raise Invalid({"mode": ["Choose all, or good rows only."]})
    if mode == Mode.ALL and counts(upload)["error"]:
        raise Conflict("Some rows are wrong, so not all can be loaded. Mend them and send the file again, or load only "
                       "the good rows.")
    begun = db.session.execute(update(Upload).where(Upload.id == upload.id, Upload.state == State.CHECKED.value).values(
        state=State.LOADING.value, mode=mode, done=0, reached=0, note=None))
    if not begun.rowcount:
        raise Conflict("These books are not waiting to be loaded.")
    audit.note("load", "books", upload.id, before={"state": State.CHECKED},
               after={"state": State.LOADING, "mode": mode}, organisation_id=upload.organisation_id)
    db.session.refresh(upload)
    return upload


# ------------------------------------------------------------------ the worker's part

def due() -> list[int]:
    """Books that something is to be done with, the oldest first."""
    return db.session.scalars(select(Upload.id).where(Upload.state.in_([each.value for each in UNDER_WAY]))
                              .order_by(Upload.id)).all()


def attend(upload_id: int, commit):
    """Do what is due with one upload, to its end. `commit` ends each part; a killed worker's part is done anew."""
    upload = db.session.get(Upload, upload_id)
    if upload.state == State.SENT:
        _read(upload, commit)
    if upload.state == State.CHECKING:
        _try(upload, commit)
        _write(upload_id, [], state=State.CHECKED.value)
    elif upload.state == State.LOADING:
        (_load_all if upload.mode == Mode.ALL else _load_good)(upload, commit)
    commit()


def give_up(upload_id: int):
    """Something failed that nobody foresaw: say so, and leave the upload where its sender can go on."""
    upload = db.session.get(Upload, upload_id)
    loading = upload.state == State.LOADING
    upload.state = (State.CHECKED if loading else State.UNREADABLE).value
    upload.note = "Something went wrong on our side. " + (
        "What was recorded stays; load again for the rest." if loading and upload.mode == Mode.GOOD else
        "Nothing was recorded." + (" Load it again." if loading else " Send it again."))


def _read(upload, commit):
    content, name, encoding = upload.content, upload.filename, upload.encoding
    commit()  # nobody waits for a transaction while a file is read
    try:
        found = unpacked(content, name, encoding)
        sheets, kept = _sheets(found["sheets"], name, upload.holds)
    except (Unfit, Unmatched) as problem:
        upload.state, upload.note, upload.content = State.UNREADABLE.value, str(problem), None
        return
    db.session.execute(delete(Row).where(Row.upload_id == upload.id))
    db.session.execute(Row.__table__.insert(), [
        {"upload_id": upload.id, "sheet": sheet, "number": number, "cells": cells, "remarks": []}
        for sheet, number, cells in kept])
    upload.state, upload.sheets, upload.note, upload.content = State.CHECKING.value, sheets, found["note"], None
    upload.total, upload.done, upload.reached = len(kept), 0, 0
    commit()


class Unfit(Exception):
    """The text is a sentence for who sent the file."""


def command(name: str, encoding: str) -> list[str]:
    """The words that run the reader, which reads a file from its standard input."""
    return [sys.executable, "-I", "-B", str(BOUNDED), str(SECONDS), str(MEMORY), "0", sys.executable, "-I", "-B",
            str(READER), name, encoding]


def unpacked(content: bytes, name: str, encoding: str) -> dict:
    """What a file holds, read by a program of its own within limits. Raises Unfit."""
    try:
        done = subprocess.run(command(name, encoding), input=content, capture_output=True, timeout=PATIENCE, env={})  # noqa: S603
    except subprocess.TimeoutExpired:
        raise Unfit("This file takes longer to read than any list of rights should.") from None
    if done.returncode < 0 or b"MemoryError" in done.stderr:
        raise Unfit("This file takes more to read than any list of rights should.")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise Unfit(said[-1] if said and "Traceback" not in said[0] else "This file cannot be read.")
    return json.loads(done.stdout)


def _sheets(found, filename, holds):
    """(sheets with their columns, [(place of the sheet, number, cells)]). Raises Unmatched."""
    sheets, kept, skipped = [], [], []
    for sheet in found:
        kind = columns.kind_named(sheet["name"]) or holds or columns.kind_named(filename)
        if not sheet["rows"]:
            continue
        if not kind:
            skipped.append(sheet["name"])
            continue
        header = columns.header(sheet["rows"], Kind(kind))
        kept += [(len(sheets), number, cells) for number, cells in sheet["rows"] if number > header.number]
        sheets.append({"name": sheet["name"], "kind": str(kind), "header": header.texts, "places": header.places,
                       "ignored": header.ignored})
    if not sheets:
        raise Unmatched("Say whether this file holds mandates or licences" + (
            f": the name of {' or '.join(map(repr, skipped[:3]))} does not tell." if skipped else ": it is empty."))
    if not kept:
        raise Unmatched("There are columns, but no row below them.")
    return sheets, kept


def _entries(upload) -> list[Entry]:
    """All rows as far as they can be read by themselves. Who writes is not kept waiting meanwhile."""
    db.session.rollback()
    with reading():
        entries = rows.read(upload, db.session.scalars(rows_of(upload)).all())
        db.session.rollback()
    db.session.expunge_all()
    return entries


def _batches(entries, reached: int):
    """Lists of rows of whole hierarchies that come after the root `reached`."""
    batch = []
    for family in rows.families(entries):
        if family[0].title.root_id > reached:
            batch += family
            if len(batch) >= BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _try(upload, commit):
    """The dry run: say of each row what it would do."""
    upload_id, reached = upload.id, upload.reached
    entries = _entries(upload)
    wrong = [each for each in entries if not rows.good(each)]
    ahead = sum(1 for each in entries if rows.good(each) and each.title.root_id <= reached)
    _write(upload_id, wrong, done=len(wrong) + ahead)
    commit()
    for batch in _batches(entries, reached):
        with reading():
            judging.judge(batch)
            db.session.rollback()
        _write(upload_id, batch, reached=batch[-1].title.root_id, done=Upload.done + len(batch))
        commit()
        db.session.expunge_all()


def _load_good(upload, commit):
    """Record batch after batch; what cannot be recorded stays behind, with the reason."""
    upload_id, reached = upload.id, upload.reached
    entries = _entries(upload)
    rest = [each for each in entries if not rows.good(each)]
    ahead = sum(1 for each in entries if rows.good(each) and each.title.root_id <= reached)
    _write(upload_id, rest, done=len(rest) + ahead)
    commit()
    for batch in _batches(entries, reached):
        titles.lock([each.title_id for each in batch])
        _record(batch)
        _write(upload_id, batch, reached=batch[-1].title.root_id, done=Upload.done + len(batch))
        commit()
        db.session.expunge_all()
    _finish(upload_id)


def _load_all(upload, commit):
    """Try it dry again, with progress; then record it all in one transaction, or nothing."""
    upload_id = upload.id
    if upload.done < upload.total:
        _try(upload, commit)
    entries = _entries(db.session.get(Upload, upload_id))
    good = all(map(rows.good, entries)) and not _wrong(upload_id)
    if good:
        titles.lock([each.title_id for each in entries])
        for batch in _batches(entries, 0):
            _record(batch)
            _write(upload_id, batch)
            db.session.expunge_all()
        good = all(each.status is not Status.ERROR for each in entries)
    if good:
        _finish(upload_id)
        return
    db.session.rollback()
    _write(upload_id, [each for each in entries if each.status is Status.ERROR], state=State.CHECKED.value,
           note="Nothing was recorded: since it was tried, some rows have become wrong.")


def _wrong(upload_id) -> bool:
    return db.session.scalar(select(Row.id).where(Row.upload_id == upload_id, Row.status == Status.ERROR.value)
                             .limit(1)) is not None


def _record(batch: list[Entry]):
    """Write the good rows of whole hierarchies, whose locks the caller holds."""
    judging.judge(batch)
    fresh = [each for each in batch if each.effect is Effect.NEW]
    mandates.record_all([each for each in fresh if each.kind is Kind.MANDATES])
    licences = [each for each in fresh if each.kind is Kind.LICENCES]
    if refused := contracts.grant_all(batch[0].organisation_id, licences) if licences else {}:
        raise RuntimeError(f"{len(refused)} rows were judged free and then refused")
    for entry in fresh:
        entry.effect = Effect.RECORDED


def _write(upload_id: int, entries: list[Entry], **values):
    """Keep what was found of rows, and how far the upload is."""
    if entries:
        db.session.execute(update(Row), [
            {"id": each.id, "status": each.status.value, "effect": each.effect and each.effect.value,
             "remarks": sorted(each.remarks, key=lambda remark: (len(remark["cell"]), remark["cell"]))}
            for each in entries])
    if values:
        db.session.execute(update(Upload).where(Upload.id == upload_id).values(**values)
                           .execution_options(synchronize_session=False))


def _finish(upload_id):
    _write(upload_id, [], state=State.LOADED.value, done=Upload.total, loaded_at=clock.now())
    upload = db.session.get(Upload, upload_id, populate_existing=True)
    audit.note("loaded", "books", upload_id, before={"state": State.LOADING},
               after={"state": State.LOADED, "mode": upload.mode, **counts(upload)},
               organisation_id=upload.organisation_id)


def written(upload: Upload):
    """Everything of an upload for a workbook: [(sheet, its rows)]."""
    found = db.session.scalars(rows_of(upload)).all()
    return [(sheet, [row for row in found if row.sheet == place]) for place, sheet in enumerate(upload.sheets)]


def remarks(row: Row) -> str:
    """Why a row is not simply good, in words."""
    return " ".join(chain.from_iterable((each["why"], *([f"{each['other']}."] if each.get("other") else []))
                                        for each in row.remarks))
