"""The index is a copy: whatever becomes of its files, people go on searching and the worker makes it anew."""
import gc
import random
import shutil

import pytest

from search import worker
from search.engine import Damaged, Document
from search.index import Index
from tests.test_pages import Visitor, text

# Whoosh leaves a file that it cannot read to the collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
BUYER = "buyer@nordlys.test"


@pytest.fixture(autouse=True)
def collected():
    """While the warnings are still ignored."""
    yield
    gc.collect()


def truncated(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def emptied(path):
    path.write_bytes(b"")


def removed(path):
    path.unlink()


def flipped(path):
    """One bit somewhere, which Whoosh may well read as another word."""
    content = bytearray(path.read_bytes())
    content[random.Random(5).randrange(len(content))] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("what", ["*.trm", "*.pst", "*.col", "*.toc"])
@pytest.mark.parametrize("harm", [truncated, emptied, removed, flipped])
def test_a_damaged_index_is_searched_round_and_built_anew(world, what, harm):
    index = world.extensions["index"]
    whole = index.find("tide").tolist()
    index.close()
    for path in (index._folder / index._pointer()).glob(what):
        harm(path)
    assert whole
    with pytest.raises(Damaged):
        Index(index._folder).find("tide")
    index = world.extensions["index"] = Index(index._folder)  # a process that remembers nothing
    assert index.damaged
    page = text(Visitor(world, BUYER).get("/?q=tide"))
    assert "The Tide Keeps Time" in page and "index is being built anew" in page
    with world.app_context():
        worker.turn(index)
        assert not index.damaged and worker.differences(index) == []
    assert index.find("tide").tolist() == whole
    assert "index is being built anew" not in text(Visitor(world, BUYER).get("/?q=tide"))


def test_an_index_that_is_gone_is_built_anew(world):
    index = world.extensions["index"]
    whole = index.find("tide").tolist()
    index.close()
    shutil.rmtree(index._folder / index._pointer())
    assert "The Tide Keeps Time" in text(Visitor(world, BUYER).get("/?q=tide"))
    with world.app_context():
        worker.turn(index)
    assert index.find("tide").tolist() == whole


def test_a_bit_that_flips_under_a_running_process_is_noticed_by_who_checks(world):
    index = world.extensions["index"]
    assert index.find("tide").tolist()
    index.verify()
    flipped(next((index._folder / index._pointer()).glob("*.trm")))
    with world.app_context():
        assert worker.differences(index) and index.damaged
        worker.turn(index)
        assert worker.differences(index) == [] and not index.damaged


def test_a_process_that_dies_before_it_wrote_what_its_files_are_harms_nobody(world, monkeypatch):
    index = world.extensions["index"]
    whole = index.find("tide").tolist()
    with monkeypatch.context() as dying:
        dying.setattr(Index, "_seal", lambda self, generation: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            index.replace([Document(10**6, "s", names=["Unsealed"])])
    for each in (index, Index(index._folder)):
        assert each.find("tide").tolist() == whole
    index.replace([Document(10**6, "s", names=["Unsealed"])])  # the worker follows again what it did not finish
    assert index.find("unsealed").tolist() == [10**6] and index.find("tide").tolist() == whole
    folder = index._folder / index._pointer()
    assert {path.name for path in folder.iterdir()} - set(index._sums(folder.name)) == {"sums.json", "MAIN_WRITELOCK"}


def test_who_checks_finds_that_nobody_knows_what_the_files_were(world):
    index = world.extensions["index"]
    (index._folder / index._pointer() / "sums.json").unlink()
    with pytest.raises(Damaged):
        index.verify()
    assert index.damaged
