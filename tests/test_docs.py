"""What the README says equals what the code is."""
import re
from pathlib import Path

import pytest

from tests.test_architecture import CORE, PACKAGES, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))


def column(heading, place=0):
    """The code words in one column of the table below a heading."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")][2:]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row[place])]


def test_the_commands_are_those_that_exist(app):
    named = {command.removeprefix("flask ") for command in column("Commands") if command.startswith("flask ")}
    assert named == set(app.cli.commands) - {"run", "shell", "routes", "openapi", "roles", "users"}


def test_the_make_targets_are_those_of_the_makefile():
    named = {command.removeprefix("make ") for command in column("Commands") if command.startswith("make ")}
    assert named == set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M)) - {"help"}


def test_the_settings_are_those_that_config_reads():
    read = re.findall(r'environ\.get\("(\w+)"', (ROOT / "config.py").read_text())
    assert set(column("Settings")) - {"development", "production", "instance", "postgresql+psycopg://…"} == set(read)


def test_the_map_names_every_package_and_module_of_the_top():
    named = {name.rstrip("/") for name in column("The map")}
    there = {path.name for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert there | {"templates", "static", "migrations", "docs/decisions", "licensing/books", "licensing/delivery",
                    "licensing/money", "licensing/rights", "licensing/approvals", "licensing/refusals",
                    "licensing/paper", "licensing/after", "accounts/webhooks", "accounts/takeout"} == named


def test_core_is_named_whole():
    sentence = re.search(r"^`core/` holds (.+), and nothing else\.$", README, re.M)[1]
    assert set(re.findall(r"`(\w+)`", sentence)) == CORE - {"__init__"}


def test_each_rule_names_tests_that_exist_and_each_test_of_a_rule_is_named():
    assert [name for name in column("The rules, and the tests that hold them", 1) if not (ROOT / name).is_file()] == []


def test_every_file_and_picture_that_is_linked_is_there():
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert targets and [each for each in targets if not (ROOT / each).exists()] == []


def test_the_two_commands_stand_in_the_first_screen():
    first = "\n".join(README.splitlines()[:16])
    assert "make run" in first and "make test" in first and "docs/search.png" in first


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_a_page_with_context_decision_and_consequences(path):
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {path.name[:4]} .+", text)
    assert re.findall(r"^## (.+)$", text, re.M) == ["Context", "Decision", "Consequences"]
    assert len(text.split()) < 500


def test_decisions_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


COMPILED = "licensing/rights/scan_compiled.py"  # one loop, compiled as a whole: its functions have to stand together


def test_no_file_is_longer_than_a_person_reads():
    """About 300 lines; more becomes a folder of nouns."""
    long = {str(path.relative_to(ROOT)): count for package in PACKAGES
            for path in Path(ROOT / package).rglob("*.py")
            if (count := len(path.read_text(encoding="utf-8").splitlines())) > 360}
    assert set(long) <= {COMPILED}
