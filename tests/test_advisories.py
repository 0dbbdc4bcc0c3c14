"""An audit that looked at nothing is a failure, and says so."""
from tests.advisories import findings

GOOD = {"name": "flask", "version": "3.1.3", "vulns": []}
SKIPPED = {"name": "whoosh", "skip_reason": "Dependency not found on PyPI"}
BAD = {"name": "pillow", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}


def test_only_an_audit_of_everything_that_finds_nothing_is_good():
    assert findings({"dependencies": [GOOD, GOOD]}) == ([], "2 of 2 libraries were audited, 0 skipped.")


def test_an_audit_of_nothing_fails_saying_so():
    for nothing in ([], [SKIPPED], [SKIPPED, SKIPPED]):
        (problem,), looked_at = findings({"dependencies": nothing})
        assert problem.startswith("Nothing was audited") and looked_at.startswith("0 of")


def test_what_was_skipped_and_what_is_known_is_named():
    problems, _ = findings({"dependencies": [GOOD, SKIPPED, BAD]})
    assert problems == ["pillow 1.0: PYSEC-1, mended in 1.1", "1 of 3 libraries were not audited: whoosh"]
