"""Unique words for confidential fields, each with who may read it, and how they are known again in a text."""
import re
import unicodedata
from datetime import date
from random import Random

from accounts.permissions import relations

# Each word begins with a letter that nothing else in the world has, and no name that all may read has any of the kana.
SCRIPTS = {
    "latin": ("xq", ("bcdfghklmnprstvz", "aeiou", "bcdfghklmnprstvz", "aeiou", "bcdfghklmnprstvz", "aeiou")),
    "han": ("鑾", ("鏤鑄鑊鑌鑒鑠鑣鑪鑫鑲",) * 3),
    "kana": ("ヸ", ("カキクケコサスセタチ",) * 4),
    "hangul": ("쀍", ("가나다라마바사아자차",) * 3),
    "cyrillic": ("ѯ", ("бвгдклмн", "аеиоу", "бвгдклмн", "аеиоу", "бвгдклмн"))}
UNLIKE = dict(zip("xq鑾鏤鑄鑊鑌鑒鑠鑣鑪鑫鑲ヸカキクケコサスセタチ쀍가나다라마바사아자차ѯ",
                  "zx鐢鉅鉆鉈鉉鉍鉏鉑鉗鉚鉞ヷツトナニヌネヒフヘホ쀎카타파하거너더러머버ѱ", strict=True))
APART = r"[,.'’\s\u00a0\u202f]?"  # what may stand between the digits of an amount


def unlike(word: str) -> str:
    """A word that nobody has, as like this one as can be."""
    return "".join(UNLIKE.get(letter, letter) for letter in word[:2]) + "".join(
        letter if letter.isascii() else UNLIKE.get(letter, letter) for letter in word[2:])


class Canaries:
    """Makes words, numbers and years; `readers` are "organisation:action", where "any" is whichever, or the address
    of one person. Another `set` makes others, the same number in the same order."""

    def __init__(self, first=True):
        self.random, self.readers, self.labels = Random(11 if first else 12), {}, {}
        self.number_start, self.year_start = (9137, 2071) if first else (8246, 2041)
        self.numbers, self.years = 0, 0

    def word(self, label, *readers, script="latin") -> str:
        prefix, letters = SCRIPTS[script]
        while True:
            made = prefix + "".join(map(self.random.choice, letters))
            if not any(each.startswith(made[:5]) for each in self.labels):
                return self._keep(made, label, readers)

    def number(self, label, *readers) -> int:
        self.numbers += 1
        return int(self._keep(f"{self.number_start}{self.numbers:03}", label, readers))

    def day(self, label, *readers) -> date:
        """A day of a year that nothing else in the world has."""
        self.years += 1
        return date(int(self._keep(str(self.year_start + self.years - 1), label, readers)), 3, 9)

    def _keep(self, made, label, readers):
        self.labels[made], self.readers[made] = label, frozenset(readers)
        return made

    def pattern(self):
        """Finds whole words of these, and those that were cut short after their fifth letter."""
        starts = "|".join(f"{prefix}[{''.join(sorted(set(''.join(letters))))}]{{{min(len(letters), 3)},{len(letters)}}}"
                          for prefix, letters in SCRIPTS.values())
        year = "|".join(map(str, range(self.year_start, self.year_start + max(self.years, 1))))
        years = (rf"(?<![0-9a-z])(?:{year})(?=-[0-9]{{2}}(?![0-9]))|(?<=[a-z] )(?:{year})(?![0-9a-z])"  # as in a date
                 rf"|(?<=year\": )(?:{year})(?![0-9])")
        first, rest = str(self.number_start)[0], str(self.number_start)[1:]
        return re.compile(f"{starts}|{years}|(?<![0-9.]){first}{APART}{rest}{APART}[0-9]{{3}}(?![0-9a-z])")

    def finder(self):
        """A function of a text: the set of canaries that stand in it, in any case and form."""
        pattern = self.pattern()
        starts = {word[:5 if word.startswith("xq") else 4]: word for word in self.labels}

        def find(text) -> set[str]:
            found, text = set(), unicodedata.normalize("NFKC", text).casefold()
            for match in pattern.finditer(text):
                each = match[0]
                number, latin = re.sub(r"\D", "", each), each.startswith("xq")
                word = number if number in self.labels else starts.get(each[:5 if latin else 4])
                if word and not (latin and each != word and text[match.end():match.end() + 1].isalnum()):
                    found.add(word)  # five letters of it in the midst of a key are chance
            return found
        return find

    def may(self, viewer, word) -> bool:
        """Whether this viewer is among those who may read it; who sees the audit of an organisation, all of it."""
        readers = self.readers[word]
        if viewer is None:
            return False
        organisation = viewer.organisation_name.split()[0].lower()
        return viewer.email in readers or any(
            relations(viewer, action) if whose == "any" else
            whose == organisation and (relations(viewer, action) or relations(viewer, "audit.see"))
            for whose, _, action in (each.partition(":") for each in readers if ":" in each))
