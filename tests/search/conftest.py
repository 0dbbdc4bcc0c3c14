"""The engines that find titles by words: every one of them keeps the rules of `test_engine` and `test_matching`."""
import pytest

from search.index import Index

ENGINES = {"whoosh": Index}  # name → what makes one of a folder


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    return ENGINES[request.param]
