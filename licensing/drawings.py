"""A title's rights as drawings for a viewer: one question, of all media in the whole world, and its words.

The seller sees which deal stands in the way; everybody else reads reasons merged to one per code.
"""
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from accounts.permissions import Viewer
from catalogue.models import Title
from core import clock
from licensing import asking, avails, terms, wording
from licensing.rights import availability, languages, media, territories, views
from licensing.rights.availability import Code
from licensing.rights.blocks import Block
from licensing.rights.dates import Dates
from licensing.terms import Terms

YEARS_ASKED, YEARS_AFTER = 3, 2  # where nobody says an end; what is drawn beyond the end that was asked
MARKS = {Code.ENCUMBERED: "R", Code.SOFT_HOLDBACK: "S", Code.TENTATIVE: "T"}  # a hold is marked by its rank
WHYS = 3


def supposed(typed: dict) -> dict:
    """The line that is drawn where only some of it was asked: from today, for three years, in every language."""
    starts_on = typed["starts_on"] or clock.today().isoformat()
    try:
        last = date(min(max(date.fromisoformat(starts_on), clock.today()).year + YEARS_ASKED, 2999), 12, 31)
    except ValueError:
        last = None  # what cannot be read is refused with its own words
    ends_on = typed["ends_on"] if typed["ends_on"] != "" else last and last.isoformat()
    return {**typed, "languages": typed["languages"] or ["*"], "starts_on": starts_on, "ends_on": ends_on}


def draw(title: Title, viewer: Viewer, asked: Terms, where: int, what: int) -> "Drawings":
    """The drawings of a title's rights. `where` and `what` are the territories and media that were named, if any."""
    starts_on, ends_on = min(asked.starts_on, clock.today()).replace(month=1, day=1), asked.ends_on
    if ends_on:
        ends_on = min(date(min(ends_on.year + YEARS_AFTER, 9998), 12, 31), terms.LAST_DAY)
    wide = replace(asked, territories=territories.ALL, media=media.ALL, starts_on=starts_on, ends_on=ends_on)
    answer = avails.ask(title.id, wide, avails.licensee(viewer, title))
    if avails.owns(title, viewer):
        known = avails.behind({ref for reason in answer.reasons for ref in reason.refs})
    else:
        answer, known = replace(answer, reasons=tuple(availability.merged(answer.reasons))), {}
    return Drawings(answer, asked, Block(where, what, asked.languages, Dates.between(asked.starts_on, asked.ends_on)),
                    known)


@dataclass
class Drawings:
    """Grid, timeline and map as a page shows them."""
    answer: availability.Answer
    terms: Terms
    asked: Block
    known: dict

    @cached_property
    def views(self):
        return views.Views(self.answer, self.asked)

    @cached_property
    def _whole(self) -> str:
        """The part of an address that every question of this page shares."""
        said = self.terms.as_json()
        return urlencode({"languages": ",".join(said["languages"]), "starts_on": said["starts_on"],
                          "ends_on": said["ends_on"] or asking.PERPETUITY, "exclusive": str(said["exclusive"]).lower()})

    # -------------------------------------------------------------- as the page shows them

    @cached_property
    def heads(self):
        """(label, columns below it) over the grid; none where it would say the same as the column."""
        return [("" if label == "Festival" else "Sub." if label == "Subscription" else label, count)
                for label, count in views.heads()]

    @cached_property
    def columns(self):
        """{short, label, asked} of each medium."""
        return [{"short": wording.COLUMNS.get(key, media.label(1 << media.NUMBER[key])),
                 "label": media.label(1 << media.NUMBER[key]), "asked": bool(self.asked.media >> media.NUMBER[key] & 1)}
                for key in views.COLUMNS]

    @cached_property
    def grid(self):
        """Rows in groups that stand together: the asked, then region by region."""
        groups = {}
        for row in self.views.grid():
            cells = [self._cell(cell, row, media.label(cell.media), row.asked and bool(cell.media & self.asked.media))
                     for cell in row.cells]
            marks, mark = {cell["mark"] for cell in cells}, None
            if len(marks) == 1:  # what is to be minded in every medium is marked once, at the name
                mark, cells = marks.pop(), [{**cell, "mark": None} for cell in cells]
            groups.setdefault((row.asked, row.region), []).append({**self._row(row), "mark": mark, "cells": cells})
        return list(groups.values())

    @cached_property
    def timeline(self):
        """A row of pieces on the axis for each territory, what it says of the window and of all that is drawn."""
        rows = []
        for row in self.views.timeline():
            pieces = [{"state": "part" if state == views.CHILDREN else state, "x": start, "width": width}
                      for state, start, width in self.views.pieces(row.spans)]
            whole = [span for span in row.spans if span.state != "past"]
            rows.append({**self._row(row), "pieces": pieces, "all": wording.spans(whole) or wording.STATES["past"],
                         **self._cell(row.cells[0], row, self.what, row.asked)})
        return rows

    @cached_property
    def world(self):
        """[(region, tiles)]."""
        regions = {}
        for tile in self.views.world():
            regions.setdefault(tile.region, []).append({
                **self._cell(tile.cell, tile, self.what, tile.asked), "code": tile.code, "name": tile.name,
                "column": tile.column, "row": tile.row})
        return list(regions.items())

    @cached_property
    def counts(self):
        """(state, word, tiles) of the states that are on the map, in the order of the key."""
        found = Counter(tile["state"] for _, tiles in self.world for tile in tiles)
        return [(state, word, found[state]) for state, word in wording.KEYS.items() if found[state]]

    @cached_property
    def twin(self):
        """(region, state, word, names) of the map as a table."""
        return [(region, state, word, [tile["name"] for tile in tiles if tile["state"] == state])
                for region, tiles in self.world for state, word in wording.KEYS.items()
                if any(tile["state"] == state for tile in tiles)]

    @cached_property
    def keys(self):
        """(state, word) of the states that are in the grid or on the axis."""
        found = {cell["state"] for rows in self.grid for row in rows for cell in row["cells"]}
        found |= {piece["state"] for row in self.timeline for piece in row["pieces"]}
        return [(state, word) for state, word in wording.KEYS.items() if state in found]

    @cached_property
    def marks(self):
        """The marks that are in the grid, with their words."""
        found = {each["mark"] for rows in self.grid for row in rows for each in (row, *row["cells"]) if each["mark"]}
        return [(mark, wording.MARKS.get(mark) or wording.rank(int(mark)).lower()) for mark in sorted(found)]

    @cached_property
    def years(self):
        return self.views.years()

    @cached_property
    def lines(self):
        """Where the asked window begins and ends on the axis, and today."""
        (start, end), today = self.asked.dates.spans[0], clock.today().toordinal()
        first, last = self.views.axis
        return {"start": self.views.place(start), "end": self.views.place(end),
                "today": self.views.place(today) if first < today < last else None}

    @property
    def what(self):
        return media.label(self.views.media)

    @property
    def window(self):
        return wording.window(self.terms.starts_on, self.terms.ends_on)

    @property
    def how(self):
        return ("exclusively" if self.terms.exclusive else "non-exclusively") + (
            "" if self.terms.languages == languages.ALL else f", in {languages.label(self.terms.languages)}")

    def _row(self, row):
        return {"name": row.name, "count": row.count, "asked": row.asked}

    def _cell(self, cell, of, what, asked):
        """{state, year, text, url, asked, mark} of a box; the text is a whole sentence."""
        who = f"{of.name} ({of.count})" if getattr(of, "count", 1) > 1 else of.name
        says = wording.states(cell)
        whys, mark = self._whys(cell)
        return {"state": cell.state, "says": says, "text": f"{who}, {what}: {'. '.join([says, *whys])}",
                "year": cell.turns_on and f"{cell.turns_on:%y}", "asked": asked, "mark": mark,
                "url": f"{self._whole}&territories={self._named(cell.territories)}&media={self._media(cell.media)}"}

    def _whys(self, cell):
        """(what stands behind a cell, in a few words; its mark)."""
        if cell.territories.bit_count() > 1:  # a reason may name only some of them
            return self._told(cell)
        key = self.views.kind(cell.territories, cell.media)
        if key not in self._known_whys:
            self._known_whys[key] = self._told(cell)
        return self._known_whys[key]

    @cached_property
    def _known_whys(self):
        return {}

    def _told(self, cell):
        box = Block(cell.territories, cell.media, self.asked.languages, self.views.window & self.views.ahead)
        if not box:
            return [], None
        told, mark = [], None
        for reason in self.answer.reasons:
            if reason.code == Code.IN_PAST or not any(block.meets(box) for block in reason.blocks):
                continue
            known = avails.known_of(reason, self.known)
            if not reason.blocking:
                mark = mark or MARKS.get(reason.code) or str(known["hold"]["rank"])
            if known or not reason.blocking or any(span.state in ("part", views.CHILDREN) for span in cell.spans):
                told.append(wording.why(reason, box, known))
        told = list(dict.fromkeys(told))
        return told[:WHYS] + ([f"and {len(told) - WHYS} more reasons"] if len(told) > WHYS else []), mark

    def _named(self, mask):
        if mask not in self._names:
            group = next((key for key, members in territories.GROUPS.items() if members == mask), None)
            self._names[mask] = group or ",".join(territories.short(mask))
        return self._names[mask]

    @cached_property
    def _names(self):
        return {}

    @staticmethod
    def _media(mask):
        return ",".join(media.short(mask))
