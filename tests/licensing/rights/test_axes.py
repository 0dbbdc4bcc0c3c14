"""The three named axes: what names mean, and what the data promises."""
import hashlib
import json

import pytest

from licensing.rights import axes, languages, media, territories
from licensing.rights.axes import Unreadable

DATA = json.loads((axes.DATA / "territories.json").read_text(encoding="utf-8"))


def leaves(name):
    return set(territories.codes(territories.read([name])))


# ------------------------------------------------------------------ territories

def members(name):
    """A group's key, a split country or a leaf, as its leaves."""
    if name in territories.GROUPS:
        return set(territories.codes(territories.GROUPS[name]))
    return leaves(name)


@pytest.mark.parametrize("law", DATA["relations"], ids=lambda law: f"{law['op']}-{law['set']}")
def test_the_113_relations_between_groups_hold(law):
    op = law["op"]
    if op == "partition":
        parts = [members(part) for part in law["parts"]]
        assert set().union(*parts) == members(law["set"])
        assert sum(map(len, parts)) == len(members(law["set"])), "the parts overlap"
    elif op == "subset":
        assert members(law["set"]) <= members(law["of"])
    elif op == "disjoint":
        others = [law["from"]] if isinstance(law["from"], str) else law["from"]
        assert not any(members(law["set"]) & members(other) for other in others)
    elif op == "countries":
        assert len(territories.countries(territories.GROUPS[law["set"]])) == law["count"]
    else:
        pytest.fail(f"nobody tests {op}: {law}")


def test_there_are_113_relations_and_256_leaves():
    assert len(DATA["relations"]) == 113
    assert len(territories.NUMBER) == 256
    assert territories.ALL.bit_count() == 256


@pytest.mark.parametrize("module", [territories, media])
def test_numbers_are_given_once_and_without_gaps(module):
    assert sorted(module.NUMBER.values()) == list(range(len(module.NUMBER)))


def test_language_uses_have_numbers_of_their_own_and_zero_is_for_what_is_not_listed():
    assert sorted(languages.NUMBER.values()) == list(range(1, len(languages.NUMBER) + 1))


@pytest.mark.parametrize("module, count, digest", [
    (territories, 256, "659b059c81548419"), (media, 18, "83451d2765118109"), (languages, 668, "f67e551586921d4e")])
def test_numbers_are_never_given_again(module, count, digest):
    """Appending is free; whoever changes one of the first numbers changes what stored lines mean."""
    first = sorted(module.NUMBER.items(), key=lambda item: item[1])[:count]
    said = ",".join(f"{code}={number}" for code, number in first)
    assert hashlib.sha256(said.encode()).hexdigest()[:16] == digest


def test_china_is_the_mainland_alone():
    assert leaves("China") == {"CN"}
    assert leaves("Greater China") == {"CN", "HK", "MO", "TW"}


@pytest.mark.parametrize("written, meant", [
    ("hk", {"HK"}), ("Hong Kong", {"HK"}), ("HKG", {"HK"}), ("the Netherlands", {"NL"}), ("SA", {"SA"}),
    ("Côte d’Ivoire", {"CI"}), ("Georgia", {"GE"}), ("CA", {"CA-QC", "CA-XX"}), ("Canada", {"CA-QC", "CA-XX"}),
    ("SCANDINAVIA", {"DK", "NO", "SE"}), ("  Taiwan ", {"TW"})])
def test_names_are_read_in_any_case_and_form(written, meant):
    assert leaves(written) == meant


def test_exclusion_is_set_difference_in_any_order():
    one = territories.read(["World", "-US", "-CA"])
    assert one == territories.read(["-CA", "World", "-United States"])
    assert set(territories.codes(territories.ALL & ~one)) == {"US", "CA-QC", "CA-XX"}


def test_an_ambiguous_name_is_refused_with_its_readings():
    with pytest.raises(Unreadable) as refused:
        territories.read(["America"])
    assert refused.value.problem == "ambiguous"
    assert refused.value.choices == ["US", "americas"]


def test_a_part_of_a_leaf_is_no_synonym_for_it():
    with pytest.raises(Unreadable, match="GB"):
        territories.read(["Scotland"])


@pytest.mark.parametrize("module, name, near", [
    (territories, "Holand", "NL"), (territories, "Tawian", "TW"), (media, "svood", "svod"), (languages, "frr", "fr")])
def test_an_unknown_name_is_refused_with_the_nearest_codes(module, name, near):
    with pytest.raises(Unreadable) as refused:
        module.read([name])
    assert refused.value.problem == "unknown"
    assert near in refused.value.choices
    assert name in str(refused.value)


@pytest.mark.parametrize("module", [territories, media, languages])
def test_silence_is_never_all(module):
    with pytest.raises(Unreadable) as refused:
        module.read([])
    assert refused.value.problem == "empty"


@pytest.mark.parametrize("names", [["-US"], ["US", "-US"], ["Benelux", "-Europe"]])
def test_an_exclusion_that_leaves_nothing_is_refused(names):
    with pytest.raises(Unreadable) as refused:
        territories.read(names)
    assert refused.value.problem == "empty"


def test_ten_thousand_names_are_too_many():
    with pytest.raises(Unreadable, match="too many"):
        territories.read(["HK"] * 10_000)


def test_every_code_group_and_alias_can_be_read_and_written_back():
    for key, mask in territories.GROUPS.items():
        assert territories.read([key]) == mask
        assert territories.read(territories.short(mask)) == mask
    for code, number in territories.NUMBER.items():
        assert territories.read([code]) == 1 << number
    for alias, code in DATA["aliases"].items():
        assert territories.read([alias]) == territories.read([code])


def test_a_label_is_what_people_say():
    assert territories.label(territories.ALL) == "World"
    assert territories.label(territories.read(["World", "-US"])) == "World excl. United States"
    assert territories.label(territories.read(["TW", "HK"])) == "Hong Kong + Taiwan"
    assert territories.label(territories.read(["CA"])) == "Canada"
    assert territories.label(territories.read(["nordics"])) == "Nordics"


# ------------------------------------------------------------------ media

def test_a_parent_medium_grants_its_leaves():
    assert set(media.codes(media.read(["television"]))) == {"pay_tv", "free_tv"}
    assert media.read(["all"]) == media.ALL
    assert media.read(["Pay TV"]) == media.read(["pay_tv"])


def test_vod_can_mean_more_than_one_medium():
    with pytest.raises(Unreadable) as refused:
        media.read(["VOD"])
    assert refused.value.problem == "ambiguous"


def test_media_can_be_written_back():
    for key, mask in media.MASKS.items():
        assert media.read([key]) == mask
        assert media.read(media.short(mask)) == mask
    assert media.label(media.ALL) == "all media"


# ------------------------------------------------------------------ languages

def test_a_language_is_its_uses():
    assert languages.codes(languages.read(["ja"])) == ["ja:dub", "ja:original", "ja:sub"]
    assert languages.codes(languages.read(["ja:dub"])) == ["ja:dub"]


def test_a_split_language_is_all_its_parts():
    assert set(languages.codes(languages.read(["zh"]))) == {
        "cmn:original", "cmn:dub", "yue:original", "yue:dub", "nan:original", "nan:dub", "zh-Hans:sub", "zh-Hant:sub"}
    assert set(languages.codes(languages.read(["fr:dub"]))) == {"fr-FR:dub", "fr-CA:dub"}


def test_a_use_that_does_not_exist_is_refused():
    with pytest.raises(Unreadable, match="yue:original"):
        languages.read(["yue:sub"])


def test_a_star_meets_everything_and_only_a_star_covers_it():
    star, listed = languages.read(["*"]), languages.read([code for code in languages.NUMBER][:500])
    assert star & languages.read(["ja:sub"])
    assert languages.ALL & ~languages.LISTED, "there is more in * than what is listed"
    assert star & ~listed
    assert languages.codes(star) == ["*"]
    assert languages.count(star) == len(languages.NUMBER)


def test_languages_can_be_written_back():
    for code in ("fr", "zh", "ja", "es-419", "pt"):
        mask = languages.read([code])
        assert languages.read(languages.short(mask)) == mask
    mask = languages.read(["fr:dub", "ja", "zh-Hant:sub"])
    assert languages.short(mask) == ["fr:dub", "ja", "zh-Hant"]
