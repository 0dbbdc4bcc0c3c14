"""What every engine keeps (`search.engine`), whatever it is made of."""
import multiprocessing
import random
import threading
from contextlib import closing

import numpy as np
import pytest

from search.engine import Damaged, Document
from tests.scale import at


@pytest.fixture
def made(engine, tmp_path):
    """Makes an engine of the same copy, as each process has one of its own."""
    all_made = []

    def make(*documents):
        all_made.append(engine(tmp_path))
        if documents:
            all_made[-1].rebuild(documents)
        return all_made[-1]
    yield make
    for each in all_made:
        each.close()


def film(number, *names, stamp="1", **more):
    return Document(number, stamp, list(names) or ["Harbour"], **more)


def test_before_it_is_built_it_answers_nothing_and_says_so(made):
    engine = made()
    assert engine.damaged
    with pytest.raises(Damaged):
        engine.find("harbour")
    with pytest.raises(Damaged):
        engine.replace([film(1)])
    assert made(film(1)).find("harbour").tolist() == engine.find("harbour").tolist() == [1]
    assert not engine.damaged


def test_an_empty_one_finds_nothing(made):
    engine = made()
    assert engine.rebuild([]) == 0
    assert engine.find("harbour").tolist() == [] and engine.stamps() == {} and not engine.damaged


def test_what_one_process_writes_another_finds_with_its_next_question(made):
    writer, reader = made(film(1), film(2)), made()
    assert reader.find("harbour").tolist() == [2, 1]
    writer.replace([film(1, "Beacon", stamp="2"), film(3)])
    assert reader.find("harbour").tolist() == [3, 2] and reader.find("beacon").tolist() == [1]
    writer.replace([], gone=[3])
    assert reader.find("harbour").tolist() == [2] and reader.stamps() == {1: "2", 2: "1"}
    writer.rebuild([film(4)])
    assert reader.find("harbour").tolist() == [4] and reader.stamps() == {4: "1"}


def test_doing_it_again_changes_nothing(made):
    engine = made(film(1))
    for _ in range(3):
        engine.replace([film(1, stamp="2"), film(2)], gone=[7])
        assert engine.stamps() == {1: "2", 2: "1"} and engine.find("harbour").tolist() == [2, 1]


def test_a_change_that_fails_leaves_all_as_it_was(made):
    engine = made(film(1))

    def broken():
        yield film(2, "Lighthouse")
        raise OSError("the tables are away")
    for write in (engine.replace, engine.rebuild):
        with pytest.raises(OSError, match="the tables are away"):
            write(broken())
        assert engine.stamps() == {1: "1"} and engine.find("lighthouse").tolist() == []
    engine.replace([film(2, "Lighthouse")])
    assert engine.find("lighthouse").tolist() == [2] and not engine.damaged


def test_those_alike_stay_in_their_order_whichever_was_written_last(made):
    rng = random.Random(3)
    engine = made(*[film(number, year=2000 + number % 3) for number in range(1, 61)])
    order = engine.find("harbour").tolist()
    assert order == sorted(range(1, 61), key=lambda each: (2000 + each % 3, each), reverse=True)
    for stamp in range(2, 8):
        engine.replace([film(number, stamp=str(stamp), year=2000 + number % 3)
                        for number in rng.sample(range(1, 61), 5)])
        assert engine.find("harbour").tolist() == order


def test_a_code_is_found_whole_and_never_in_part(made):
    engine = made(film(1, codes=["10.5240/7791-8534-2C23-9030-8610-5", "tt6751668"]), film(2))
    assert engine.find("tt6751668").tolist() == engine.find("10.5240/7791-8534-2c23-9030-8610-5").tolist() == [1]
    assert engine.find("7791-8534").tolist() == []


@pytest.mark.parametrize("name", ["!!!", "…", "♥", "\x00", "🎬🎬", "ー", "'"])
def test_a_name_of_marks_alone_keeps_no_other_title_out(made, name):
    engine = made(film(1, name), film(2))
    engine.replace([film(3, name), film(4)])
    assert engine.find("harbour").tolist() == [4, 2] and set(engine.stamps()) == {1, 2, 3, 4}


def test_a_better_word_is_told_to_those_alone_who_may_see_a_title_with_it(made):
    engine = made(film(1, "Frankenstein"), film(2, "Harbour"))
    assert engine.meant("frankenstien", lambda ids: True) == "frankenstein"
    assert engine.meant("frankenstien", lambda ids: 1 not in ids) is None
    assert engine.meant("harbour", lambda ids: True) is None


def asked_until(engine, folder, stop, said):
    """Another process: asks until it is told to stop, and tells what it was answered."""
    mine = engine(folder)
    answers = {tuple(mine.find("harbour").tolist())}
    said.put("begun")
    while not stop.is_set():
        try:
            answers.add(tuple(mine.find("harbour").tolist()))
        except Exception as problem:
            answers.add(repr(problem))
    said.put(answers)


def test_while_it_is_built_anew_every_question_is_answered(engine, made, tmp_path):
    writer, spawn = made(*map(film, range(1, 101))), multiprocessing.get_context("spawn")
    stop, said = spawn.Event(), spawn.Queue()
    others = [spawn.Process(target=asked_until, args=(engine, tmp_path, stop, said)) for _ in range(2)]
    for each in others:
        each.start()
    assert [said.get(timeout=60) for _ in others] == ["begun"] * 2
    states = {tuple(range(100, 0, -1))}
    for last in range(101, 113):
        writer.rebuild(map(film, range(1, last + 1)))
        states.add(tuple(range(last, 0, -1)))
        writer.replace([film(1)], gone=[last])
        states.add(tuple(range(last - 1, 0, -1)))
    stop.set()
    answers = [said.get(timeout=60) for _ in others]
    for each in others:
        each.join()
    assert set.union(*answers) <= states and len(set.union(*answers)) > 2, set.union(*answers) - states
    assert not writer.damaged


def test_whoever_seeds_the_dice_overwrites_nothing(made):
    engine = made(film(1))
    for number in range(2, 5):
        random.seed(1)
        engine.replace([film(number)])
    engine.verify()
    assert engine.find("harbour").tolist() == [4, 3, 2, 1]


def test_many_ask_and_one_at_a_time_writes(made):
    engines, problems = [made(film(1)), made()], []

    def write(engine, numbers):
        try:
            for number in numbers:
                engine.replace([film(number)])
                assert number in engine.find("harbour")
        except Exception as problem:
            problems.append(problem)
    threads = [threading.Thread(target=write, args=(engines[turn % 2], range(10 * turn, 10 * turn + 5)))
               for turn in range(1, 5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert problems == []
    assert set(made().stamps()) == {1, *(10 * turn + step for turn in range(1, 5) for step in range(5))}


WORDS = ["harbour", "harbor", "tide", "tides", "lantern", "lanterns", "zanzibar", "station", "stations", "waltz",
         "灯塔", "潮信", "snowline", "snow", "line"]


def test_what_is_not_seen_changes_nothing_of_any_answer(made, engine, tmp_path):
    """An engine that holds hidden titles answers who may not see them as one that never held them: word for word, in
    the same order. Else a word of theirs could be guessed: what is found instead would be missing."""
    rng = random.Random(11)

    def some():
        return " ".join(rng.sample(WORDS, rng.randint(1, 3)))
    documents = [film(number, some(), people=[some()], synopsis=[some()], year=2000 + number % 5)
                 for number in range(1, 61)]
    seen_ids = {each.id for each in documents if rng.random() < 0.4}
    whole, bare = made(*documents), engine(tmp_path / "bare")
    with closing(bare):
        bare.rebuild([each for each in documents if each.id in seen_ids])
        _answer_alike(rng, some, whole, bare, seen_ids)


def _answer_alike(rng, some, whole, bare, seen_ids):
    def seen(ids):
        return np.isin(ids, list(seen_ids))
    differing = 0
    for _ in range(at(ci=60, long=3_000)):
        asked = some() + rng.choice(["", "", " xyz", " -tide", "s"])
        assert whole.find(asked, seen).tolist() == bare.find(asked).tolist(), asked
        assert whole.find(asked, seen).tolist() == bare.find(asked, seen).tolist(), asked
        differing += [each for each in whole.find(asked).tolist() if each in seen_ids] != bare.find(asked).tolist()
        wrong = asked.replace("a", "e", 1)
        assert (whole.meant(wrong, seen) is None) == (bare.meant(wrong, seen) is None), wrong
    assert differing, "to leave out afterwards what was found would tell"


def test_a_word_of_what_is_not_seen_is_never_meant(made):
    engine = made(film(1, "Lighthouse Waltz"), film(2, "Zanzibar"))
    everything, first = (lambda ids: ids > 0), (lambda ids: ids == 1)
    assert engine.meant("zanzibor", everything) == "zanzibar" and engine.meant("zanzibor", first) is None
    assert engine.meant("lighthause", first) == "lighthouse"
