"""Why a title matched: the words of a query, marked where they stand in it."""
from typing import NamedTuple

from markupsafe import Markup, escape

from catalogue.models import Title
from search import analysis, grammar, matching
from search.grammar import Unsearchable

EXCERPT = 160  # characters of a synopsis shown around what matched


class Highlight(NamedTuple):
    """Text with <mark> around what matched, and its language."""
    text: Markup
    language: str | None


class Marks:
    """The words of one query."""

    def __init__(self, text: str):
        try:
            self._wanted = grammar.read(text).wanted
        except Unsearchable:
            self._wanted = []

    def spans(self, value: str, field: str) -> list[tuple[int, int]]:
        """Where in a value, which is in a field, they stand: (start, end) pairs, ascending, not touching."""
        slots, found = [slot for slot in self._wanted if field in slot.fields], []
        for token in analysis.tokens(value) if slots else ():
            if any(matching.holds(slot, token.term) for slot in slots):
                if found and token.start <= found[-1][1]:
                    found[-1] = (found[-1][0], token.end)
                else:
                    found.append((token.start, token.end))
        return found

    def highlight(self, title: Title) -> Highlight | None:
        """The first name, credit or part of a synopsis that holds one of them."""
        candidates = [("names", name.value, name.language) for name in title.names] + [
            ("people", credit.name, None) for credit in title.credits]
        for field, value, language in candidates:
            if spans := self.spans(value, field):
                return Highlight(_marked(value, spans), language or title.original_language)
        for language, text in title.synopsis.items():
            if spans := self.spans(text, "synopsis"):
                start = max(0, spans[0][0] - EXCERPT // 2)
                end = min(len(text), start + EXCERPT)
                inside = [(a - start, b - start) for a, b in spans if a >= start and b <= end]
                return Highlight((Markup("…") if start else Markup()) + _marked(text[start:end], inside)
                                 + (Markup("…") if end < len(text) else Markup()), language)
        return None


def _marked(value, spans) -> Markup:
    """The text with <mark> around the spans; everything else escaped."""
    out, last = Markup(), 0
    for start, end in spans:
        out += escape(value[last:start]) + Markup("<mark>{}</mark>").format(value[start:end])
        last = end
    return out + escape(value[last:])
