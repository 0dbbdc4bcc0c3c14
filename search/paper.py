"""A catalogue on pages of A4, as `core.paper` runs it."""
from core.paper.sheet import Sheet, run


class Catalogue(Sheet):
    """`said` is {seller, heading, lines, foot, titles: [{name, language, english, facts, synopsis, verdict, free}]}, in
    words."""

    def __init__(self, said):
        super().__init__(said["heading"], said["foot"])
        self.say(said["seller"], 10, "quiet")
        self.say(said["heading"], 22)
        for each in said["lines"]:
            self.say(each, 10, "quiet")
        self.ln(4)
        for each in said["titles"]:
            self.whole(lambda entry=each: self._entry(**entry))

    def _entry(self, name, language, english, facts, synopsis, verdict, free):
        self.rule()
        if english and not self.writes(name, language):
            name, english = english, ""
        self.say(name, 14, language=language)
        if english:
            self.say(english, 10.5, "quiet")
        self.say(facts, 9, "quiet")
        if synopsis:
            self.ln(1)
            self.say(synopsis, 10, language=language)
        if free:
            self.ln(1)
            self.say(free, 10, verdict)
        self.ln(4)


if __name__ == "__main__":
    run(Catalogue)
