"""Rows of books as lines of the domain: what each says, and what is wrong with it, cell by cell."""
from collections import defaultdict
from dataclasses import dataclass, field

from core import clock
from core.errors import Invalid
from licensing import terms
from licensing.books import columns
from licensing.books.columns import COLUMNS, Kind, Wrong
from licensing.books.models import Effect, Row, Status, Upload
from licensing.books.naming import Named, Titles
from licensing.terms import Terms

ERROR, WARNING = Status.ERROR.value, Status.WARNING.value


@dataclass
class Entry:
    """One row. `title` and `terms` are None where it is wrong."""
    id: int
    kind: Kind
    organisation_id: int
    place: str  # "row 14", with its sheet where there are several
    number: int
    cells: dict[str, str]  # by field
    letters: dict[str, str]  # field → A, B …
    title: Named | None = None
    terms: Terms | None = None
    said: dict = field(default_factory=dict)
    effect: Effect | None = None
    remarks: list[dict] = field(default_factory=list)

    @property
    def opening(self) -> str:
        """Its place at the beginning of a sentence."""
        return self.place[:1].upper() + self.place[1:]

    @property
    def title_id(self) -> int:
        return self.title.id

    @property
    def party(self) -> str | None:
        return self.said.get("licensee" if self.kind is Kind.LICENCES else "licensor")

    licensee = licensor = party

    @property
    def contract(self) -> str | None:
        return self.said.get("contract")

    @property
    def external_id(self) -> str | None:
        return self.said.get("external_id")

    @property
    def status(self) -> Status:
        kinds = {remark["kind"] for remark in self.remarks}
        return Status.ERROR if ERROR in kinds else Status.WARNING if WARNING in kinds else Status.OK

    def say(self, kind: str, about: str, why: str, nearest: str = "", **more):
        """`about` is a field; `more` names the line it is at odds with."""
        letter = self.letters.get(about)
        self.remarks.append({"kind": kind, "field": COLUMNS[about].label, "why": why, "nearest": nearest,
                             "cell": f"{letter}{self.number}" if letter else "", **more})


def read(upload: Upload, rows: list[Row]) -> list[Entry]:
    """Every row as far as it can be read by itself; the good ones have a title and terms."""
    entries = [_entry(upload, row) for row in rows]
    for entry in entries:
        _cells(entry)
    titles = Titles(upload.organisation_id, {each.said["title"] for each in entries if each.said.get("title")},
                    {each.said["title_id"] for each in entries if each.said.get("title_id")})
    for entry in entries:
        _title(entry, titles)
    _once(entries)
    return entries


def _entry(upload, row) -> Entry:
    sheet = upload.sheets[row.sheet]
    places = sheet["places"]
    cells = {name: row.cells[place] if place < len(row.cells) else "" for name, place in places.items()}
    where = f"row {row.number}" + (f" of {sheet['name']}" if len(upload.sheets) > 1 else "")
    return Entry(row.id, Kind(sheet["kind"]), upload.organisation_id, where, row.number, cells,
                 {name: columns.letter(place) for name, place in places.items()})


def _cells(entry):
    """Read each cell; terms where all of them can be read."""
    for name, text in entry.cells.items():
        try:
            entry.said[name] = columns.value(name, text)
        except Wrong as problem:
            entry.say(ERROR, name, problem.why, problem.nearest)
    if entry.remarks:
        return
    said = {name: entry.said.get(name) for name in (*terms.AXES, "starts_on", "ends_on", "runs")}
    flags = {name: bool(entry.said.get(name)) for name in ("exclusive", "hereafter", "future")}
    try:
        entry.terms = terms.read({**said, **flags})
    except Invalid as problem:
        for name, why in problem.errors.items():
            swapped = name == "ends_on" and said["ends_on"] < said["starts_on"]
            entry.say(ERROR, name, why[0], f"from {said['ends_on']} to {said['starts_on']}" if swapped else "")
        return
    if said["ends_on"] and said["ends_on"] < clock.today():
        entry.say(WARNING, "ends_on", "All of its window lies in the past.")


def _title(entry, titles):
    name, mark = entry.said.get("title"), entry.said.get("title_id")
    try:
        entry.title, other = titles.find(name, mark, entry.said.get("year"))
    except Wrong as problem:
        entry.say(ERROR, "title_id" if mark else "title", problem.why, problem.nearest)
        return
    if other:
        entry.say(WARNING, "title", other, entry.title.name)


def good(entry: Entry) -> bool:
    """Whether it can be judged against what is recorded."""
    return entry.terms is not None and entry.title is not None and entry.status is not Status.ERROR


def _once(entries):
    """A row that an earlier one said already changes nothing; a reference that stands for something else is wrong."""
    seen, references = {}, {}
    for entry in filter(good, entries):
        first = seen.setdefault((key(entry), entry.external_id), entry)
        if first is not entry:
            entry.effect = Effect.SAME
            entry.say(WARNING, "title", f"It says the same as {first.place}.")
        elif entry.external_id:
            whose = (entry.kind, entry.external_id, entry.title_id if entry.kind is Kind.MANDATES else None)
            if (first := references.setdefault(whose, entry)) is not entry:
                entry.say(ERROR, "external_id", f"{first.opening} has this reference, and says something "
                                                "else.")


def key(entry: Entry) -> tuple:
    """What makes a line this one, whoever recorded it. Where runs are counted, a licence that names none has one."""
    said = entry.terms
    runs = said.runs or 1 if entry.kind is Kind.LICENCES else said.runs
    return (entry.kind, entry.title_id, *said.keys(), said.starts_on, said.ends_on, said.exclusive, said.hereafter,
            said.future, runs, (entry.party or "").casefold(), (entry.contract or "").casefold())


def families(entries: list[Entry]) -> list[list[Entry]]:
    """The rows that can be judged, by hierarchy, ascending; in each the mandates first, then as they stand."""
    found = defaultdict(list)
    for entry in filter(good, entries):
        found[entry.title.root_id].append(entry)
    return [sorted(found[root], key=lambda each: each.kind is Kind.LICENCES) for root in sorted(found)]
