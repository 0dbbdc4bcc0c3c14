"""Labels are frozen with their leaves: a group is redefined, and old lines keep their meaning and say so."""
import pytest

from licensing import wording
from licensing.rights import languages, media, territories
from tests.conftest import Caller, a_line
from tests.test_pages import Visitor, text


@pytest.fixture
def redefine(monkeypatch):
    """`redefine("EU", also=…, gone=…)`: from now on the group has other leaves, as after a new release of its data."""
    def clear():
        for cached in (territories.resolve, territories._label, media.label, languages.label, wording._since):
            cached.cache_clear()

    def group(key, also=(), gone=()):
        old = territories.GROUPS[key]
        new = (old | territories._mask(also)) & ~territories._mask(gone)
        monkeypatch.setitem(territories.GROUPS, key, new)
        for name, (mask, called) in list(territories.KNOWN.items()):
            if (mask, called) == (old, territories.GROUP_LABEL[key]):
                monkeypatch.setitem(territories.KNOWN, name, (new, called))
        clear()

    def medium(key, leaves):
        for where in (media.MASKS, media.PARENTS):
            monkeypatch.setitem(where, key, sum(1 << media.NUMBER[leaf] for leaf in leaves))
        clear()

    def language(key, parts):
        monkeypatch.setitem(languages.WHOLE, key, languages.read(parts))
        clear()

    yield {"territories": group, "media": medium, "languages": language}
    monkeypatch.undo()
    clear()


@pytest.fixture
def house(world):
    """(seller, title, the seller's pages) of a film with a mandate for the Nordics in television and French."""
    seller = Caller(world, "agent@harbour.test")
    title = seller.post("/titles", {"kind": "film", "original_title": "Fjord", "status": "published"}).json["id"]
    seller.post(f"/titles/{title}/mandates", a_line("Nordics", "television", "2024-01-01", None, languages="fr"))
    return seller, title, Visitor(world, "agent@harbour.test")


def lines_of(seller, title, what="mandates"):
    return seller.get(f"/titles/{title}/{what}").json[0]["lines"]


def test_a_line_keeps_its_leaves_and_its_page_says_what_the_group_has_become(house, redefine):
    seller, title, pages = house
    asked = {**a_line("NO,EE", "free_tv", languages="fr"), "exclusive": True}
    before = seller.post(f"/titles/{title}/avails", asked).json
    assert "redefined" not in lines_of(seller, title)[0]
    assert "as of" not in text(pages.get(f"/titles/{title}")).replace("Availability as of", "")
    redefine["territories"]("nordics", also=["EE", "LV"], gone=["NO"])
    [line] = lines_of(seller, title)
    assert line["territories"] == ["Nordics"]
    assert line["redefined"] == {"territories": {"also": ["EE", "LV"], "no_longer": ["NO"]}}
    for path in (f"/titles/{title}", f"/titles/{title}/rights"):
        page = text(pages.get(path))
        assert "Nordics as of " in page, page
        assert "(today’s Nordics also has Estonia + Latvia, no longer Norway)" in page
    assert seller.post(f"/titles/{title}/avails", asked).json == before, "Norway is still in it, Estonia is not"
    again = seller.post(f"/titles/{title}/mandates", a_line("Nordics", "television", "2020-01-01", "2021-12-31"))
    assert again.status_code == 201, again.json
    assert "redefined" not in again.json["lines"][0], "what is written today means what it means today"


def test_media_and_languages_say_the_same_of_themselves(house, redefine):
    seller, title, pages = house
    redefine["media"]("television", ["free_tv", "svod"])
    redefine["languages"]("fr", ["fr-FR"])
    page = text(pages.get(f"/titles/{title}"))
    assert "(today’s Television also has SVOD, no longer Pay TV)" in page
    assert "French as of" in page and "no longer has Canadian French" in page
    assert set(lines_of(seller, title)[0]["redefined"]) == {"media", "languages"}


def test_a_line_that_grants_later_media_says_that_it_grants_them(house, redefine):
    seller, title, pages = house
    licence = seller.post(f"/titles/{title}/licences", {**a_line("SE", "pay_tv", languages="fr"), "licensee": "X"})
    assert licence.status_code == 201, licence.json
    seller.post(f"/titles/{title}/mandates", {**a_line("Asia", "television", "2024-01-01", None), "hereafter": True})
    redefine["media"]("television", ["pay_tv", "free_tv", "fast"])
    assert "it also grants FAST, which came later" in text(pages.get(f"/titles/{title}"))
    answer = seller.post(f"/titles/{title}/avails", a_line("TH", "fast")).json
    assert answer["verdict"] == "available", "as the page says"
    assert seller.post(f"/titles/{title}/avails", a_line("SE", "fast", languages="fr")).json["verdict"] == "unavailable"


def test_a_name_that_is_given_up_is_named_with_what_it_meant(house, redefine, monkeypatch):
    seller, title, pages = house
    for name, (_, called) in list(territories.KNOWN.items()):
        if called == territories.GROUP_LABEL["nordics"]:
            monkeypatch.delitem(territories.KNOWN, name)
    territories.resolve.cache_clear()
    wording._since.cache_clear()
    assert "written as Nordics, as of" in text(pages.get(f"/titles/{title}"))


def test_both_sides_of_an_offer_see_it_and_a_counter_keeps_the_meaning(world, house, redefine):
    seller, title, pages = house
    seller.post(f"/titles/{title}/mandates", a_line("World", "all", "2024-01-01", None))
    buyer = Caller(world, "buyer@sakura.test")
    other = seller.get(f"/titles/{title}").json["seller"]["id"]
    offer = buyer.post("/offers", {"seller": other, "currency": "EUR", "lines": [
        {**a_line("Nordics", "free_tv"), "title_id": title, "price": "9000"}]}).json["id"]
    assert buyer.post(f"/offers/{offer}/steps", {"action": "submit"}).status_code == 201
    redefine["territories"]("nordics", also=["EE"], gone=["NO"])
    for who in (pages, Visitor(world, "buyer@sakura.test")):
        page = text(who.get(f"/offers/{offer}"))
        assert "as it was (today’s Nordics also has Estonia, no longer Norway)" in page
    form = text(pages.get(f"/offers/{offer}"))
    typed = form.split('name="lines-0-territories" value="')[1].split('"')[0]
    assert "NO" in typed.split(", ") and "EE" not in typed.split(", ")
    countered = seller.post(f"/offers/{offer}/steps", {"action": "counter", "version": 1, "lines": [
        {**a_line("Nordics", "free_tv"), "title_id": title, "price": "9000"}]})
    assert countered.status_code == 201, countered.json
    changes = buyer.get(f"/offers/{offer}").json["versions"][1]["changes"]
    assert [each["term"] for each in changes] == ["territories"], "the name is the same, what it means is not"
