"""Rows of books against what is recorded: what they would change, and what they collide with.

The dry run and loading ask the same question here; loading asks it again under the locks of the titles.
"""
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from core.database import db
from licensing import avails, terms, wording
from licensing.ahead import Ahead
from licensing.books import rows
from licensing.books.columns import Kind
from licensing.books.models import Effect
from licensing.books.rows import ERROR, WARNING, Entry
from licensing.models import Licence, Line, Mandate
from licensing.rights import languages, media, territories
from licensing.terms import Terms

AT_ONCE = 5_000
NEAREST = {  # of an alternative: the field it changes, and what to write there
    "without_territories": ("territories", lambda said: ", ".join(territories.short(said.territories))),
    "without_media": ("media", lambda said: ", ".join(media.short(said.media))),
    "later_start": ("starts_on", lambda said: said.starts_on.isoformat()),
    "earlier_end": ("ends_on", lambda said: said.ends_on.isoformat()),
    "fewer_languages": ("languages", lambda said: ", ".join(languages.short(said.languages))),
    "non_exclusive": ("exclusive", lambda _: "no")}
ABOUT = {"NO_EXCLUSIVE_RIGHTS_IN": "exclusive", "RUNS_EXHAUSTED": "runs"}  # fields, where no alternative says one


@dataclass
class _Same:
    """A recorded line that says what a row says."""
    external_id: str | None
    ended: object = None  # when, where it counts no more


def judge(entries: list[Entry]):
    """Say of each row what it changes and what stands in its way. Whole families, the mandates of each first."""
    title_ids = {each.title_id for each in entries}
    ahead, known = Ahead(title_ids, claims=True), _Recorded(entries, title_ids)
    refused, advised = [], []
    for entry in entries:
        if entry.effect is Effect.SAME or known.settles(entry):
            continue
        if entry.kind is Kind.MANDATES:
            ahead.mandate(entry.title_id, entry.terms, ("row", entry.id))
        else:
            entry.terms = ahead.counted(entry.title_id, entry.terms)
            answer, advice = ahead.judge(entry.title_id, entry.terms)
            if answer is not None:
                refused.append((entry, answer))
                continue
            ahead.licence(entry.title_id, entry.terms, ("row", entry.id))
            if advice:
                advised.append((entry, advice))
        entry.effect = Effect.NEW
    _explain(refused, advised, {each.id: each for each in entries})


class _Recorded:
    """The lines recorded on some titles, by what they say, and by their references."""

    def __init__(self, entries, title_ids):
        self._same, self._references = {}, {}
        for row in _lines(Line.title_id, title_ids):
            self._keep(row)
        marks = {each.external_id for each in entries if each.kind is Kind.LICENCES and each.external_id}
        own = Licence.organisation_id == entries[0].organisation_id
        for row in _lines(Licence.external_id, marks, own):  # a licence's reference is one of the organisation's
            self._keep(row)

    def _keep(self, row):
        party, contract, external_id = row.party
        kind = Kind.LICENCES if row.licence_id else Kind.MANDATES
        runs = row.runs or 1 if row.licence_id else row.runs
        key = (kind, row.title_id, row.territories_key, row.media_key, row.languages_key, row.starts_on, row.ends_on,
               row.exclusive, row.hereafter, row.future, runs, (party or "").casefold(), (contract or "").casefold())
        same = self._same.setdefault(key, {}).setdefault(external_id, _Same(external_id, row.counts_until))
        same.ended = same.ended and row.counts_until  # where one of them counts, it counts
        if external_id:
            whose = (kind, external_id, row.title_id if kind is Kind.MANDATES else None)
            self._references.setdefault(whose, {})[key] = row

    def settles(self, entry: Entry) -> bool:
        """Whether a row is recorded already, or its reference stands for something else: then it says so."""
        key, mark = rows.key(entry), entry.external_id
        found = self._same.get(key, {})
        same = (found.get(mark) or found.get(None)) if mark else next(iter(found.values()), None)
        if same:
            entry.effect = Effect.SAME
            if same.ended:
                entry.say(WARNING, "external_id" if mark else "contract",
                          f"It was recorded before, and ended on {wording.day(same.ended.date())}; loading it again "
                          "changes nothing. To record it anew, give it another reference.")
            return True
        whose = (entry.kind, mark, entry.title_id if entry.kind is Kind.MANDATES else None)
        if mark and (others := self._references.get(whose)):
            row = next(iter(others.values()))
            entry.say(ERROR, "external_id", "This reference is recorded with other terms, and what is recorded is "
                      "never edited. End that line first, or give this row another reference.",
                      other=f"Recorded: {_label(row)}", title_id=row.title_id)
            return True
        return False


class _Row:
    """A line as recorded, with its party, contract and reference."""

    def __init__(self, line, *party):
        self.line, self.party = line, party

    def __getattr__(self, name):
        return getattr(self.line, name)


def _lines(column, values, *conditions):
    values = list(values)
    query = (select(Line, Mandate.licensor, Mandate.contract, Mandate.external_id, Licence.licensee_name,
                    Licence.contract, Licence.external_id)
             .outerjoin(Mandate, Mandate.id == Line.mandate_id).outerjoin(Licence, Licence.id == Line.licence_id)
             .where(*conditions).order_by(Line.id))
    for start in range(0, len(values), AT_ONCE):
        for line, *party in db.session.execute(query.where(column.in_(values[start:start + AT_ONCE]))):
            yield _Row(line, *(party[3:] if line.licence_id else party[:3]))


def _explain(refused, advised, entries):
    """Say why rows are refused, with the line each collides with, and what is worth knowing of the others."""
    reasons = [*(reason for _, answer in refused for reason in answer.reasons),
               *(reason for _, advice in advised for reason in advice)]
    refs = {ref for reason in reasons for ref in reason.refs}
    known, others = avails.behind(refs), {}
    for line in _by_ids({number for kind, number, *_ in refs if kind == "line"}):
        deal = f"licence to {line.licence.licensee_name}" if line.licence else "mandate"
        contract = (line.licence or line.mandate).contract
        others["line", line.id] = (f"Recorded: {deal}{f', {contract}' if contract else ''}: {_label(line)}",
                                   line.title_id)
    for kind, number, *_ in refs:
        if kind == "row":
            entry = entries[number]
            known[kind, number] = {"deal": {"licensee": entry.party, "exclusive": entry.terms.exclusive}}
            others[kind, number] = (f"{entry.opening} of this file: {wording.line(entry.terms)}",
                                    entry.title_id)
    for entry, answer in refused:
        about, nearest = _nearest(answer)
        for reason in answer.reasons:
            if reason.blocking:
                _say(entry, ERROR, about or ABOUT.get(str(reason.code), "territories"), reason, nearest, known, others)
    for entry, advice in advised:
        for reason in advice:
            _say(entry, WARNING, "territories", reason, "", known, others)


def _say(entry, kind, about, reason, nearest, known, others):
    other = next((others[ref] for ref in reason.refs if ref in others), None)
    entry.say(kind, about, wording.reason(reason, avails.known_of(reason, known)), nearest,
              **({"other": other[0], "title_id": other[1]} if other else {}))


def _nearest(answer):
    """(field, value) of the first alternative that one cell can say."""
    for each in answer.alternatives:
        field, written = NEAREST[str(each.kind)]
        return field, written(Terms.of_line(each.request))
    return None, ""


def _by_ids(ids):
    return db.session.scalars(select(Line).where(Line.id.in_(ids)).options(
        joinedload(Line.licence), joinedload(Line.mandate))).all() if ids else []


def _label(row) -> str:
    return terms.label(getattr(row, "line", row))
