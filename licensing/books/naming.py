"""Which title a row means: by id, external id or identifier, or by any name it has, of one organisation's titles."""
from collections import defaultdict
from typing import NamedTuple

from rapidfuzz import fuzz, process
from sqlalchemy import select

from catalogue.models import Name, Title
from core.database import db
from licensing.books.columns import Wrong
from licensing.rights.axes import normalised

MOST_COMPARED, MOST_ASKED, NEAR = 300_000, 200, 75  # names; unknown names that nearest ones are sought for; of 100
AT_ONCE = 5_000


class Named(NamedTuple):
    id: int
    root_id: int
    name: str
    year: int | None


class Titles:
    """The titles that `names` and `marks` (ids of any kind) may mean, read once."""

    def __init__(self, organisation_id: int, names, marks):
        self._own = Title.organisation_id == organisation_id
        wanted = {normalised(name) for name in names}
        self._by_name, self._called = self._names(wanted)
        self._by_mark = self._marks(set(marks))
        ids = {each for some in (*self._by_name.values(), *self._by_mark.values()) for each in some}
        self._titles = {each.id: Named(*each) for each in _rows(
            select(Title.id, Title.root_id, Title.original_title, Title.year), Title.id, ids)}
        self._near = {}

    def _names(self, wanted):
        found, called = defaultdict(set), {}
        rows = db.session.execute(select(Name.title_id, Name.value).join(Title, Title.id == Name.title_id)
                                  .where(self._own).execution_options(yield_per=10_000)) if wanted else ()
        for title_id, value in rows:
            words = normalised(value)
            if words in wanted:
                found[words].add(title_id)
            if len(called) < MOST_COMPARED:
                called.setdefault(words, value)
        return found, called

    def _marks(self, marks):
        found = defaultdict(set)
        for title_id, external_id in _rows(select(Title.id, Title.external_id).where(self._own), Title.external_id,
                                           marks):
            found[external_id].add(title_id)
        ids = {int(mark): mark for mark in marks - found.keys() if mark.isascii() and mark.isdigit() and len(mark) < 10}
        for title_id, in _rows(select(Title.id).where(self._own), Title.id, ids):
            found[ids[title_id]].add(title_id)
        if left := {mark.casefold(): mark for mark in marks - found.keys()}:
            for title_id, identifiers in db.session.execute(
                    select(Title.id, Title.identifiers).where(self._own).execution_options(yield_per=10_000)):
                for each in (identifiers or {}).values():
                    if (mark := left.get(str(each).casefold())) is not None:
                        found[mark].add(title_id)
        return found

    def find(self, name: str | None, mark: str | None, year: int | None) -> tuple[Named, str | None]:
        """(the title, what to warn of). Raises Wrong, its text beginning with the field it is about."""
        named = self._by_name.get(normalised(name), set()) if name else set()
        if mark:
            if len(found := self._by_mark.get(mark, ())) != 1:
                raise Wrong(f"You list no title with the id {mark!r:.60}.",
                            str(next(iter(named))) if len(named) == 1 else "")
            title = self._titles[next(iter(found))]
            other = name and title.id not in named
            return title, f"{mark} is {title.name}; the row calls it {name:.100}." if other else None
        if not name:
            raise Wrong("The row names no title.")
        if not named:
            raise Wrong(f"You list no title called {name!r:.100}.", self._nearest(normalised(name)))
        several = [self._titles[each] for each in sorted(named)]
        fitting = [each for each in several if year is None or each.year == year]
        if not fitting:
            raise Wrong(f"{several[0].name} is of another year than {year}.",
                        " or ".join(str(each.year) for each in several if each.year))
        if len(fitting) > 1:
            raise Wrong(f"{len(fitting)} titles of yours are called {name!r:.100}; write the id of the one you mean.",
                        " or ".join(f"Title ID {each.id}" for each in fitting[:4]))
        return fitting[0], None

    def _nearest(self, words) -> str:
        if words not in self._near and len(self._near) < MOST_ASKED:
            found = process.extractOne(words, self._called.keys(), scorer=fuzz.ratio, score_cutoff=NEAR)
            self._near[words] = self._called[found[0]] if found else ""
        return self._near.get(words, "")


def _rows(query, column, values):
    values = list(values)
    for start in range(0, len(values), AT_ONCE):
        yield from db.session.execute(query.where(column.in_(values[start:start + AT_ONCE])))
