"""The answer to a brief on paper: a catalogue to print or to send, and a spreadsheet with every free block."""
from functools import cache
from pathlib import Path

from fpdf import FPDF, XPos, YPos

from core import clock
from licensing import exports, wording
from licensing.rights import languages
from search.briefs import Answer
from search.models import Brief

# Where systems keep fonts, and in which of them is nearly every script that a film has a name in. What is found is put
# into the file, as far as it is used; where nothing is, names outside Latin give way to their English ones.
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts",
           "/System/Library/Fonts", "C:/Windows/Fonts")
FACES = (("DejaVuSerif.ttf", "NotoSerif-Regular.ttf", "LiberationSerif-Regular.ttf", "Times New Roman.ttf"),
         ("NotoSerifCJK-Regular.ttc", "NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "Hiragino Sans GB.ttc",
          "msyh.ttc"),
         ("NotoSansThai-Regular.ttf", "Tahoma.ttf", "tahoma.ttf"), ("NotoSansDevanagari-Regular.ttf", "Nirmala.ttf"),
         ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf"))
INK, QUIET, FREE, PART = (28, 30, 34), (105, 110, 118), (24, 110, 70), (150, 95, 10)
PLAIN = str.maketrans({"–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "…": "..."})  # no font has more
SYNOPSIS = 420  # characters
FIELDS = ("title_id", "title", "english_title", "kind", "year", "free_of_what_was_asked", *exports.FIELDS[2:])
VERDICTS = {"available": ("Free", FREE), "partial": ("Partly free", PART), "unavailable": ("Not free", QUIET)}


def table(brief: Brief, answer: Answer) -> str:
    """A row for each free block of each title; a title about whose rights nothing was asked has one."""
    return exports.table(FIELDS, (
        [hit.title.id, hit.title.original_title, hit.title.english_title or "", hit.title.kind, hit.title.year or "",
         wording.exception(hit.answer, answer.asked.line) if hit.answer else "", *row]
        for hit in answer.hits for row in (exports.free_rows(hit.answer) if hit.answer else [[]])))


def pdf(brief: Brief, answer: Answer) -> bytes:
    """The titles on pages of A4, each with what is free of it."""
    paper = _Paper(brief)
    paper.head(answer)
    for hit in answer.hits:
        paper.add(hit, answer)
    return bytes(paper.output())


@cache
def _fonts():
    """The font files there are, one for each of FACES at most."""
    there = {path.name: path for folder in FOLDERS for path in sorted(Path(folder).expanduser().rglob("*.[ot]t[fc]"))}
    return [next((there[name] for name in names if name in there), None) for names in FACES]


class _Paper(FPDF):
    def __init__(self, brief):
        super().__init__(format="A4")
        self._seller, self._when = brief.seller.name, wording.day(clock.today())
        self.set_title(f"{brief.seller.name}: titles for {brief.buyer.name if brief.buyer else 'a brief'}")
        self.set_margins(20, 20)
        self.set_auto_page_break(True, 22)
        self._names = []
        for number, path in enumerate(_fonts()):
            if path:
                self._names.append(f"face{number}")
                self.add_font(self._names[-1], "", path)
        if self._names:
            self.set_fallback_fonts(self._names[1:], exact_match=False)
        self._for = brief.buyer.name if brief.buyer else None
        self.add_page()

    def footer(self):
        self.set_y(-15)
        self._say(f"{self._seller} · as of {self._when}; what is free can be sold until a deal is signed · "
                  f"page {self.page_no()}", 8, QUIET)

    def _say(self, text, size, colour=INK, height=1.35):
        self.set_text_color(*colour)
        self.set_font(self._names[0] if self._names else "Times", size=size)
        if not self._names:
            text = text.translate(PLAIN).encode("latin-1", "replace").decode("latin-1")
        self.multi_cell(0, size * height * 0.3528, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def head(self, answer):
        self._say(self._seller, 10, QUIET)
        self._say(f"Titles for {self._for}" if self._for else "Titles for you", 22)
        if answer.asked.line:
            self._say(f"Asked: {wording.line(answer.asked.line)}", 10, QUIET)
        self._say(f"{len(answer.hits)} title{'s' if len(answer.hits) != 1 else ''}, {self._when}", 10, QUIET)
        self.ln(4)

    def add(self, hit, answer):
        """One title, never torn apart where it fits a page."""
        with self.offset_rendering() as dummy:
            self._entry(hit, answer)
        if dummy.page_break_triggered:
            self.add_page()
        self._entry(hit, answer)

    def _entry(self, hit, answer):
        shown = hit.title
        self.set_draw_color(205, 208, 212)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
        self.ln(3)
        name = shown.original_title
        if not self._names and shown.english_title and not name.isascii():
            name = shown.english_title
        self._say(name, 14)
        if shown.english_title and shown.english_title != name:
            self._say(shown.english_title, 10.5, QUIET)
        self._say(" · ".join(_facts(shown)), 9, QUIET)
        if text := shown.synopsis.get("en") or next(iter(shown.synopsis.values()), ""):
            text = " ".join(text.split())
            self.ln(1)
            self._say(text if len(text) <= SYNOPSIS else text[:SYNOPSIS].rsplit(" ", 1)[0] + " …", 10)
        if hit.answer:
            said, colour = VERDICTS[str(hit.answer.verdict)]
            self.ln(1)
            self._say(f"{said}. {wording.exception(hit.answer, answer.asked.line)}", 10, colour)
        self.ln(4)


def _facts(shown):
    yield shown.kind.capitalize()
    if shown.year:
        yield str(shown.year)
    if shown.countries:
        yield ", ".join(wording.facet("country", code) for code in shown.countries[:3])
    if shown.original_language:
        yield languages.name(shown.original_language)
    if shown.runtime_minutes:
        yield f"{shown.runtime_minutes} min"
    yield from shown.genres[:2]
