"""A sheet of A4 and how words are set on it, in the same fonts on every machine: they come with Slate.

Chinese, Japanese and Korean write some characters differently, so a text says its language. Nothing of the hour or
the machine goes into the file.
"""
import json
import sys
from datetime import UTC, datetime
from importlib.resources import files

from fpdf import FPDF, XPos, YPos

LATIN = files("fontpkg_noto_sans") / "files/NotoSans[wdth,wght].ttf"  # also Greek and Cyrillic
THAI = files("fontpkg_noto_sans_thai") / "files/NotoSansThai[wdth,wght].ttf"
CJK = files("noto_cjk_sans_otc") / "NotoSansCJK-Regular.ttc"
WAYS = ("ja", "ko", "zh-Hans", "zh-Hant", "zh-HK")  # of writing the same characters: the faces of CJK, in its order
COLOURS = {"ink": (28, 30, 34), "quiet": (105, 110, 118), "available": (24, 110, 70), "partial": (150, 95, 10),
           "unavailable": (105, 110, 118)}
POINT = 0.3528  # millimetres
MARGIN = 20
TOTAL = "\ue000" * 4  # stands for the number of pages until it is known; no text has it


def way(language: str | None) -> str:
    """How a language writes Chinese characters."""
    if language in WAYS:
        return language
    return {"yue": "zh-HK", "cmn": "zh-Hant", "zh": "zh-Hant", "nan": "zh-Hant"}.get(language or "", WAYS[0])


class Sheet(FPDF):
    """Pages that flow. `foot` stands under each, with its number."""

    def __init__(self, heading: str, foot: str):
        super().__init__(format="A4")
        self._foot = foot
        self.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))
        self.add_font("latin", fname=LATIN)
        self.add_font("thai", fname=THAI)
        self.set_title(heading)
        self.alias_nb_pages(TOTAL)
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, 22)
        self.add_page()

    def footer(self):
        self.set_y(-15)
        self.set_left_margin(MARGIN)
        self.say(f"{self._foot} · page {self.page_no()} of {TOTAL}", 8, "quiet")

    def say(self, text: str, size: float, colour: str = "ink", language: str | None = None):
        """A paragraph of words, in points; over as many pages as it takes."""
        self.set_text_color(*COLOURS[colour])
        self._choose(text, language)
        self.set_font("latin", size=size)
        self.multi_cell(0, size * 1.4 * POINT, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _choose(self, text, language):
        """Let what Latin has no letters for be written as its language does; faces are loaded when they are wanted."""
        fallback = ["thai"]
        if any(ord(each) > 0x2E7F and ord(each) not in self.fonts["latin"].cmap for each in text):
            face = way(language)
            if face.lower() not in self.fonts:
                self.add_font(face, fname=CJK, collection_font_number=WAYS.index(face))
            fallback = [face, "thai"]
        self.set_fallback_fonts(fallback, exact_match=False)

    def writes(self, text: str, language: str | None = None) -> bool:
        """Whether there are letters for all of a text."""
        self._choose(text, language)
        return all(any(ord(each) in font.cmap for font in self.fonts.values()) for each in text if not each.isspace())

    def rule(self, space: float = 3):
        """A thin line over the whole width."""
        self.set_draw_color(205, 208, 212)
        self.line(MARGIN, self.get_y(), self.w - MARGIN, self.get_y())
        self.ln(space)

    def whole(self, draw):
        """Draw something that is never torn apart where it fits a page."""
        with self.offset_rendering() as tried:
            draw()
        if tried.page_break_triggered:
            self.add_page()
        draw()


def run(layout):
    """Be the program: JSON in on standard input, the PDF of `layout(said)` out on standard output."""
    sys.stdout.buffer.write(bytes(layout(json.load(sys.stdin)).output()))
