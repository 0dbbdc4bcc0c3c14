"""An organisation's whole data as one file: JSON as it is read, or a workbook. No more of it is held than some rows,
however much there is, and all of it is of one moment."""
import json
import tempfile
from contextlib import contextmanager

from sqlalchemy import Engine

from accounts.permissions import Viewer
from accounts.takeout.tables import PARTS
from core import audit, clock, sheets
from core.database import db, reading

AT_ONCE = 200  # rows
PIECE = 1 << 16  # bytes
FORMS = {"json": "application/json", "xlsx": sheets.XLSX}


def take_out(viewer: Viewer, form: str):
    """The bytes of the whole data of the viewer's organisation, in pieces that are made as they are fetched, after the
    transaction that notes it: nobody who writes waits for them."""
    audit.note("data taken out", "organisation", viewer.organisation_id, after={"as": form})
    engine, house = db.engine, viewer.organisation_id
    return (each.encode() for each in as_json(engine, house)) if form == "json" else as_xlsx(engine, house)


def filename(form: str) -> str:
    return f"slate-{clock.today()}.{form}"


@contextmanager
def _moment(engine: Engine):
    """A connection of its own that only reads, and sees one moment."""
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(stream_results=True, yield_per=AT_ONCE, **options) as link:
        with reading():
            link.begin()
        yield link


def as_json(engine: Engine, organisation_id: int):
    """The pieces of {organisation_id, made_at, tables: {name: [row]}}. Ids are strings, as over the API; money is
    written in full, instants are UTC."""
    head = json.dumps({"organisation_id": str(organisation_id), "made_at": clock.now().isoformat()})
    yield f'{head[:-1]}, "tables": {{'
    with _moment(engine) as link:
        for place, part in enumerate(PARTS.values()):
            yield f'{"," * bool(place)}\n"{part.name}": ['
            names = [(each.name, each.name == "id" or each.name.endswith("_id")) for each in part.columns]
            before = "\n"
            for rows in link.execute(part.query(organisation_id)).partitions():
                yield before + ",\n".join(_object(names, row) for row in rows)
                before = ",\n"
            yield "]"
    yield "}}\n"


def _object(names, row) -> str:
    return json.dumps({name: str(value) if is_id and value is not None else value
                       for (name, is_id), value in zip(names, row, strict=True)}, ensure_ascii=False, default=_plain)


def _plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def as_xlsx(engine: Engine, organisation_id: int):
    """The pieces of a workbook with a sheet for each table. It lies in a file that has no name until it is whole."""
    with tempfile.TemporaryFile() as file:
        with _moment(engine) as link:
            sheets.write(file, ((part.name, [each.name for each in part.columns], _rows(link, part, organisation_id))
                                for part in PARTS.values()))
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _rows(link, part, organisation_id):
    for row in link.execute(part.query(organisation_id)):
        yield [json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value for value in row]
