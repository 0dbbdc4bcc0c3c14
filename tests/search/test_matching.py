"""What people type finds the title they mean: in every script, half a name, with a typo, a year or a face in it."""
import pytest

from search import analysis
from search.engine import Document
from search.grammar import Unsearchable
from search.marks import Marks

NAMES = (
    ("The Godfather", {"year": 1972, "people": ["Marlon Brando"]}),
    ("The Godfather Part II", {"year": 1974}),
    ("Frankenstein", {"year": 1931, "people": ["Boris Karloff"]}),
    ("Frankenstein", {"year": 1994}),
    ("Bride of Frankenstein", {"year": 1935}),
    ("Spider-Man: No Way Home", {"year": 2021}),
    ("Malcolm X", {"year": 1992}),
    ("X-Men", {"year": 2000}),
    ("Amélie", {"year": 2001, "people": ["Audrey Tautou"]}),
    ("Don't Look Up", {"year": 2021}),
    ("Bones and All", {"year": 2022}),
    ("House", {"year": 1977}),
    ("The House of the Spirits", {"year": 1993}),
    ("Mouse Hunt", {"year": 1997, "synopsis": ["Two brothers inherit a house."]}),
    ("Rocky V", {"year": 1990}),
    ("千と千尋の神隠し|Spirited Away|千与千寻|神隱少女", {"year": 2001}),
    ("SPY×FAMILY|间谍过家家|間諜家家酒", {"year": 2022}),
    ("ぼっち・ざ・ろっく！|孤独摇滚！", {"year": 2022}),
    ("羅小黒戦記|罗小黑战记", {"year": 2019}),
    ("進撃の巨人", {"year": 2013}),
    ("進撃の巨人 The Final Season", {"year": 2020}),
    ("MASTERキートン", {"year": 1998}),
    ("기생충|Parasite", {"year": 2019, "codes": ["10.5240/7791-8534-2C23-9030-8610-5", "tt6751668"]}),
    ("潮信|The Tide Keeps Time", {"year": 2022, "synopsis": ["A harbour pilot hides a fugitive."]}),
)


@pytest.fixture(scope="module")
def index(engine, tmp_path_factory):
    made = engine(tmp_path_factory.mktemp("index"))
    made.rebuild(Document(number, "1", names=names.split("|"), **{
        **more, "keywords": [str(more["year"])]}) for number, (names, more) in enumerate(NAMES, 1))
    yield made
    made.close()


def found(index, text):
    """(first name, year) of what is found."""
    return [(NAMES[each - 1][0].split("|")[0], NAMES[each - 1][1]["year"]) for each in index.find(text).tolist()]


@pytest.mark.parametrize(("typed", "name"), [
    # Han, kana, Hangul
    ("千與千尋", "千と千尋の神隠し"), ("千与千寻", "千と千尋の神隠し"), ("千と千尋", "千と千尋の神隠し"),
    ("神隐", "千と千尋の神隠し"),
    ("间谍过家家", "SPY×FAMILY"), ("間諜", "SPY×FAMILY"), ("spy family", "SPY×FAMILY"), ("ＳＰＹ", "SPY×FAMILY"),
    ("ボッチ・ザ・ロック", "ぼっち・ざ・ろっく！"), ("ぼっちざろっく", "ぼっち・ざ・ろっく！"),
    ("孤獨搖滾", "ぼっち・ざ・ろっく！"),
    ("罗小黑战记", "羅小黒戦記"), ("羅小黑戰記", "羅小黒戦記"), ("기생충", "기생충"), ("潮", "潮信"),
    ("進撃の巨人 ファイナルシーズン", "進撃の巨人 The Final Season"), ("マスターキートン", "MASTERキートン"),
    # Latin
    ("amelie", "Amélie"), ("dont look up", "Don't Look Up"), ("don’t look up", "Don't Look Up"),
    ("bones & all", "Bones and All"), ("spiderman", "Spider-Man: No Way Home"),
    ("spider man", "Spider-Man: No Way Home"),
    ("godfather 2", "The Godfather Part II"), ("godfather II", "The Godfather Part II"),
    ("the godfather part two", "The Godfather Part II"), ("rocky 5", "Rocky V"), ("rocky five", "Rocky V"),
    ("x men", "X-Men"), ("malcolm x", "Malcolm X"), ("parasyte", "기생충"), ("godfahter", "The Godfather"),
    ("frankenstien", "Frankenstein"), ("the tide kee", "潮信"), ("brid of frank", "Bride of Frankenstein"),
    # identifiers, however they are set
    ("tt6751668", "기생충"), ("10.5240/7791-8534-2C23-9030-8610-5", "기생충"),
    ("10.5240/779185342c23903086105", "기생충"),
])
def test_what_is_typed_finds_the_title_that_is_meant(index, typed, name):
    assert found(index, typed)[0][0] == name


@pytest.mark.parametrize(("typed", "titles"), [
    ("frankenstein 1931", [("Frankenstein", 1931)]),
    ("frankenstein karloff", [("Frankenstein", 1931)]),
    ("tautou", [("Amélie", 2001)]),
    ("\"no way home\"", [("Spider-Man: No Way Home", 2021)]),
    ("\"home no way\"", []),
    ("frankenstein -bride", [("Frankenstein", 1994), ("Frankenstein", 1931)]),
    ("godfather 3", [("The Godfather", 1972), ("The Godfather Part II", 1974)]),  # most of it, the nearer name first
    ("harbour pilot", [("潮信", 2022)]),
    ("zzzzqqq", []),
    # where a word must stand, and beginnings of words
    ("person:brando", [("The Godfather", 1972)]), ("title:brando", []), ("PERSON:\"marlon brando\"", [
        ("The Godfather", 1972)]), ("person:\"brando marlon\"", []), ("person:brandt", [("The Godfather", 1972)]),
    ("title:house -synopsis:inherit", [("House", 1977), ("The House of the Spirits", 1993)]),
    ("synopsis:house", [("Mouse Hunt", 1997)]), ("year:1931 frankenstein", [("Frankenstein", 1931)]),
    ("frankenstein -year:1931", [("Frankenstein", 1994), ("Bride of Frankenstein", 1935)]),
    ("frank* -brid*", [("Frankenstein", 1994), ("Frankenstein", 1931)]), ("karl*", [("Frankenstein", 1931)]),
    ("title:karl*", []), ("spider-ma*", [("Spider-Man: No Way Home", 2021)]), ("frnk*", []),
])
def test_a_year_or_a_person_narrows_and_a_minus_leaves_out(index, typed, titles):
    assert found(index, typed) == titles


def test_an_exact_name_comes_first_then_a_name_with_a_typo_then_names_then_what_is_told(index):
    assert [name for name, _ in found(index, "house")] == [
        "House", "The House of the Spirits", "Mouse Hunt"]
    assert found(index, "frankenstein")[:2] == [("Frankenstein", 1994), ("Frankenstein", 1931)], "the latest of equals"


def test_a_number_is_no_typo(index):
    assert ("The Godfather Part II", 1974) not in found(index, "\"the godfather part 3\"")


@pytest.mark.parametrize("typed", ["", "  ", "!!!", "-house", "x" * 301, "word " * 17, "*", "-x*"])
def test_what_cannot_be_searched_is_refused_with_a_reason(index, typed):
    with pytest.raises(Unsearchable):
        index.find(typed)


@pytest.mark.parametrize(("typed", "value", "marked"), [
    ("godfather 2", "The Godfather Part II", ["Godfather", "II"]),
    ("frankenstien", "Bride of Frankenstein", ["Frankenstein"]),
    ("千與", "千と千尋、千与千寻", ["千与"]), ("house", "A lighthouse, a house", ["house"])])
def test_what_matched_is_marked(typed, value, marked):
    assert [value[start:end] for start, end in Marks(typed).spans(value, "names")] == marked


def test_what_must_stand_elsewhere_is_not_marked():
    assert Marks("person:house").spans("House", "names") == []
    assert Marks("hou*").spans("House", "names") == [(0, 5)]


def test_every_kana_sounds():
    """One letter that nothing is known about would keep its title out of the index."""
    for letter in map(chr, range(ord("ぁ"), ord("ゖ") + 1)):
        assert set(analysis.sound(f"あ{letter}")) <= set("kstnfpmr")
