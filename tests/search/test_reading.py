"""A buyer's brief is read as people write it: what is surely a right is one, the rest stays words."""
import random
from datetime import date

import pytest

from licensing import terms
from search import briefs, reading

TODAY = date(2026, 11, 26)
LINE = ("territories", "media", "starts_on", "ends_on", "exclusive")


def read(text):
    """What a brief says, without what it leaves open."""
    return {name: value for name, value in vars(reading.read(text, TODAY)).items() if value and name != "assumed"}


def window(first, last):
    return {"starts_on": date.fromisoformat(first), "ends_on": date.fromisoformat(last)}


THREE = window("2027-01-01", "2029-12-31")
EVERY = {"languages": ["*"]}


@pytest.mark.parametrize(("text", "said"), [
    ("Cantonese crime series, SVOD, Taiwan and Singapore, 2027 to 2029, exclusive",
     {"words": "crime", "kind": ["series"], "language": ["yue"], "territories": ["taiwan", "singapore"],
      "media": ["svod"], "exclusive": True, **THREE, **EVERY}),
    ("粤语犯罪剧，SVOD，台湾和新加坡，2027到2029年，独家",
     {"words": "犯罪", "kind": ["series"], "language": ["yue"], "territories": ["台湾", "新加坡"], "media": ["svod"],
      "exclusive": True, **THREE, **EVERY}),
    ("Family animation from Japan or Korea: free TV and AVOD rights in Nordics excluding Iceland, 3 years from "
     "1 March 2027, non-exclusive, dubbed in Swedish and Danish.",
     {"words": "Family animation", "country": ["JP", "KR"], "territories": ["nordics", "-iceland"],
      "media": ["free tv", "avod"], "languages": ["sv:dub", "da:dub"], **window("2027-03-01", "2030-02-28")}),
    ("a train thriller of 1990-1999 for airline rights worldwide, in perpetuity",
     {"words": "train thriller", "year_from": 1990, "year_to": 1999, "territories": ["worldwide"],
      "media": ["airline"], "starts_on": TODAY, **EVERY}),
    ("SG, MY, ID, TH: SVOD until 2030. Korean romance with English subtitles",
     {"words": "romance", "language": ["ko"], "territories": ["SG", "MY", "ID", "TH"], "media": ["svod"],
      "languages": ["en:sub"], **window("2026-11-26", "2030-12-31")}),
    ("WORLD EXCEPT US: ALL RIGHTS HORROR FILMS 2027-2031",
     {"words": "HORROR", "kind": ["film"], "territories": ["world", "-us"], "media": ["all"],
      **window("2027-01-01", "2031-12-31"), **EVERY}),
    ("SVOD in Latin America except Brazil and Mexico; horror, three years",
     {"words": "horror", "territories": ["latin america", "-brazil", "-mexico"], "media": ["svod"],
      **window("2026-11-26", "2029-11-25"), **EVERY}),
    ("TVOD, HK, 2027-01-01 to 2028-06-30", {"territories": ["HK"], "media": ["tvod"],
                                           **window("2027-01-01", "2028-06-30"), **EVERY}),
    ("Germany free TV in 2028", {"territories": ["germany"], "media": ["free tv"],
                                 **window("2028-01-01", "2028-12-31"), **EVERY}),
    ("Germany free TV, 29 Feb 2028, 1 year", {"territories": ["germany"], "media": ["free tv"],
                                              **window("2028-02-29", "2029-02-28"), **EVERY}),
    ("please contact us about horror films", {"words": "horror", "kind": ["film"]}),
    ("ghost ship", {"words": "ghost ship"}),
    ("ships rights, ghost", {"words": "ghost", "territories": ["World"], "media": ["ships"],
                             **window("2026-11-26", "2029-11-25"), **EVERY}),
])
def test_a_brief_is_read(text, said):
    assert read(text) == said


def test_what_a_brief_does_not_say_is_said_to_be_assumed():
    assert reading.read("SVOD horror", TODAY).assumed == [
        "no territory is named: the world", "no first day is named: from today", "no last day is named: 3 years"]
    assert reading.read("horror", TODAY).assumed == []


def test_whatever_is_pasted_there_is_an_answer():
    rng = random.Random(5)
    pieces = ["SVOD", "excluding", "World", "31 Feb 2027", "2027", "99 years", "dubbed in", "French", "-", "“", "台湾",
              "29 February 2028", "0 years", "until", "from", "9999-99-99", "US", "non-", "exclusive", "\x00", "\ud800",
              "((((", "2027-2029", "1899", "in perpetuity", "🎬", "\n", ".", "Jan 2027", "series"]
    for _ in range(500):
        text = " ".join(rng.choices(pieces, k=rng.randint(1, 30)))
        found = reading.read(text, TODAY)
        if found.asks:
            try:
                assert briefs.asked_by(found).line is not None
            except terms.Invalid as problem:  # what excludes all that it names, or ends before it starts
                assert set(problem.errors) <= {"territories", "ends_on"}
    assert reading.read("ghost " * 100_000, TODAY).words == "ghost"
