"""A catalogue on pages of A4: JSON in on standard input, a PDF out on standard output.

A program of its own: the library and the fonts of all scripts are large, and no web process shall carry them.
"""
import json
import sys
from pathlib import Path

from fpdf import FPDF, XPos, YPos

# Where systems keep fonts, and in which of them is nearly every script that a film has a name in. What is found is put
# into the file, as far as it is used; where nothing is, names outside Latin give way to their English ones.
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts",
           "/System/Library/Fonts", "C:/Windows/Fonts")
FACES = (("DejaVuSerif.ttf", "NotoSerif-Regular.ttf", "LiberationSerif-Regular.ttf", "Times New Roman.ttf"),
         ("NotoSerifCJK-Regular.ttc", "NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "Hiragino Sans GB.ttc",
          "msyh.ttc"),
         ("NotoSansThai-Regular.ttf", "Tahoma.ttf", "tahoma.ttf"), ("NotoSansDevanagari-Regular.ttf", "Nirmala.ttf"),
         ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf"))
COLOURS = {"ink": (28, 30, 34), "quiet": (105, 110, 118), "available": (24, 110, 70), "partial": (150, 95, 10),
           "unavailable": (105, 110, 118)}
PLAIN = str.maketrans({"–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "…": "..."})  # no font has more
POINT = 0.3528  # millimetres


def fonts(folders=FOLDERS) -> list[Path]:
    """The font files there are, one for each of FACES at most."""
    there = {path.name: path for folder in folders for path in sorted(Path(folder).expanduser().rglob("*.[ot]t[fc]"))}
    return [path for names in FACES if (path := next((there[name] for name in names if name in there), None))]


class Paper(FPDF):
    """`said` is {seller, heading, lines, foot, titles: [{name, english, facts, synopsis, verdict, free}]}, in words."""

    def __init__(self, said, files):
        super().__init__(format="A4")
        self._said, self._faces = said, [f"face{number}" for number, _ in enumerate(files)]
        for face, path in zip(self._faces, files, strict=True):
            self.add_font(face, "", path)
        if self._faces:
            self.set_fallback_fonts(self._faces[1:], exact_match=False)
        self.set_title(said["heading"])
        self.set_margins(20, 20)
        self.set_auto_page_break(True, 22)
        self.add_page()
        self._say(said["seller"], 10, "quiet")
        self._say(said["heading"], 22)
        for each in said["lines"]:
            self._say(each, 10, "quiet")
        self.ln(4)
        for each in said["titles"]:
            with self.offset_rendering() as tried:  # never torn apart where it fits a page
                self._entry(**each)
            if tried.page_break_triggered:
                self.add_page()
            self._entry(**each)

    def footer(self):
        self.set_y(-15)
        self._say(f"{self._said['foot']} · page {self.page_no()}", 8, "quiet")

    def _say(self, text, size, colour="ink"):
        self.set_text_color(*COLOURS[colour])
        self.set_font(self._faces[0] if self._faces else "Times", size=size)
        if not self._faces:
            text = text.translate(PLAIN).encode("latin-1", "replace").decode("latin-1")
        self.multi_cell(0, size * 1.35 * POINT, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _entry(self, name, english, facts, synopsis, verdict, free):
        self.set_draw_color(205, 208, 212)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
        self.ln(3)
        if english and not self._faces and not name.isascii():
            name, english = english, ""
        self._say(name, 14)
        if english:
            self._say(english, 10.5, "quiet")
        self._say(facts, 9, "quiet")
        if synopsis:
            self.ln(1)
            self._say(synopsis, 10)
        if free:
            self.ln(1)
            self._say(free, 10, verdict)
        self.ln(4)


if __name__ == "__main__":
    found = fonts(sys.argv[1:]) if sys.argv[1:] else fonts()
    sys.stdout.buffer.write(bytes(Paper(json.load(sys.stdin), found).output()))
