"""A deal memo on pages of A4, as `core.paper` runs it."""
from core.paper.sheet import MARGIN, Sheet, run

LABELS = 38  # millimetres, for what stands before a row
UNWRITTEN = "in letters that this paper has not; memo.json has them"
SIDES = {"seller": "Licensor", "buyer": "Licensee"}


class Pages(Sheet):
    """`said` is {document, sha256, signatures: [{side, name, organisation, at, sha256}]}."""

    def __init__(self, said):
        document = said["document"]
        super().__init__(document["heading"], f"{document['heading']} · SHA-256 {said['sha256']}")
        self._languages = {each["original_title"]: each["original_language"]
                           for part in document["parts"] if part["key"] == "titles" for each in part["data"]}
        self.say(document["heading"], 20)
        self.say(f"Offer {document['offer_id']}, version {document['version']}, issued on {document['issued_on']}", 10,
                 "quiet")
        self.ln(2)
        for part in document["parts"]:
            if part["key"] == "annex":
                self._signatures(said)
                self.add_page()
            self._part(part)

    def _part(self, part):
        self._heading(part["heading"])
        for text in part["words"]:
            self.say(text, 10, language=self._spoken(text))
            self.ln(1.5)
        for place, rows in enumerate(part["table"]):
            if place:
                self.ln(3)
            for row in rows:
                self._row(*row)

    def _heading(self, text):
        if self.will_page_break(30):  # a heading does not stand alone at the foot of a page
            self.add_page()
        self.ln(4)
        self.say(text, 13)
        self.rule(2)

    def _row(self, label, text, language=None):
        """What is said beside what it is; what is long goes on, on the next page if it must."""
        if self.will_page_break(12):
            self.add_page()
        page, top = self.page, self.get_y()
        self.set_right_margin(self.w - MARGIN - LABELS + 2)
        self.say(label, 10, "quiet")
        self.set_right_margin(MARGIN)
        below = self.get_y()
        self.set_y(top)
        self.set_left_margin(MARGIN + LABELS)
        self.set_x(MARGIN + LABELS)
        self.say(text if self.writes(text, language) else UNWRITTEN, 10, language=language)
        self.set_left_margin(MARGIN)
        self.set_xy(MARGIN, max(below, self.get_y()) if self.page == page else self.get_y())
        self.ln(0.8)

    def _spoken(self, text):
        """The language of the title that a sentence names."""
        return next((language for name, language in self._languages.items() if name in text), None)

    def _signatures(self, said):
        if self.will_page_break(15 + 28 * len(said["signatures"])):  # they stand together
            self.add_page()
        self._heading("Signatures")
        if not said["signatures"]:
            self.say("Not signed yet.", 10, "quiet")
        for each in said["signatures"]:
            for label, text in ((SIDES[each["side"]], each["organisation"]), ("Signed by", each["name"]),
                                ("At", each["at"]), ("SHA-256", each["sha256"])):
                self._row(label, text)
            self.ln(3)


if __name__ == "__main__":
    run(Pages)
