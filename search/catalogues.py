"""The answer to a brief on paper: a catalogue to print or to send, and a spreadsheet with every free block."""
from core import clock, paper, sheets
from licensing import exports, wording
from search.briefs import Answer
from search.models import Brief

SYNOPSIS = 420  # characters
FIELDS = ("title_id", "title", "english_title", "kind", "year", "free_of_what_was_asked", *exports.FIELDS[2:])
SAID = {"available": "Free", "partial": "Partly free", "unavailable": "Not free"}


def table(brief: Brief, answer: Answer) -> str:
    """A row for each free block of each title; a title about whose rights nothing was asked has one."""
    return sheets.table(FIELDS, (
        [hit.title.id, hit.title.original_title, hit.title.english_title or "", hit.title.kind, hit.title.year or "",
         wording.exception(hit.answer, answer.asked.line) if hit.answer else "", *row]
        for hit in answer.hits for row in (exports.free_rows(hit.answer) if hit.answer else [[]])))


def pdf(brief: Brief, answer: Answer) -> bytes:
    """The titles on pages, each with what is free of it."""
    count, when = len(answer.hits), wording.day(clock.today())
    said = {
        "seller": brief.seller.name, "heading": f"Titles for {brief.buyer.name if brief.buyer else 'you'}",
        "lines": [*([f"Asked: {wording.line(answer.asked.line)}"] if answer.asked.line else []),
                  f"{count} title{'s' if count != 1 else ''}, {when}"],
        "foot": f"{brief.seller.name} · as of {when}; what is free can be sold until a deal is signed",
        "titles": [_entry(hit, answer) for hit in answer.hits]}
    return paper.pdf("search.paper", said)


def _entry(hit, answer):
    shown, found = hit.title, hit.answer
    text = " ".join((shown.synopsis.get("en") or next(iter(shown.synopsis.values()), "")).split())
    if len(text) > SYNOPSIS:
        text = text[:SYNOPSIS].rsplit(" ", 1)[0] + " …"
    return {"name": shown.original_title, "language": shown.original_language,
            "english": shown.english_title or "", "facts": " · ".join(_facts(shown)), "synopsis": text,
            "verdict": str(found.verdict) if found else "",
            "free": f"{SAID[str(found.verdict)]}. {wording.exception(found, answer.asked.line)}" if found else ""}


def _facts(shown):
    yield shown.kind.capitalize()
    if shown.year:
        yield str(shown.year)
    if shown.countries:
        yield ", ".join(wording.facet("country", code) for code in shown.countries[:3])
    if shown.original_language:
        yield wording.facet("language", shown.original_language)
    if shown.runtime_minutes:
        yield f"{shown.runtime_minutes} min"
    yield from shown.genres[:2]
