"""The drawing of an offer's life in the README is the table it follows."""
import re

from licensing.workflow import TABLE, Party, State
from tests.test_architecture import ROOT

ALWAYS = ("lapse", "supersede")  # the system's, from many states: said in a sentence each below the drawing
WORDS = {Party.BUYER: "buyer", Party.SELLER: "seller", Party.AUTHOR: "author", Party.ANSWERER: "other side",
         Party.UNSIGNED: "not yet signed", Party.SYSTEM: "system"}


def drawn() -> list[str]:
    """What the table draws."""
    return [f"{rule.state} --> {rule.to}: {rule.action.replace('_', ' ')} ({WORDS[rule.party]})"
            for rule in TABLE if rule.action not in ALWAYS]


def said() -> list[str]:
    """What is said below the drawing."""
    return [f"*{action}* (system) leads to {next(rule.to for rule in TABLE if rule.action == action)} from "
            + ", ".join(rule.state for rule in TABLE if rule.action == action) + "." for action in ALWAYS]


def test_the_readme_draws_the_table():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    drawing = re.search(r"## The life of an offer\n.*?```mermaid\nstateDiagram-v2\n(.*?)```\n(.*?)\n## ", readme, re.S)
    lines = [line.strip() for line in drawing[1].splitlines()]
    ends = sorted(set(State) - {rule.state for rule in TABLE})
    expected = ["[*] --> draft", *drawn(), *(f"{end} --> [*]" for end in ends)]
    assert lines == expected, "The drawing should be:\n" + "\n".join(expected)
    text = " ".join(drawing[2].split())
    assert [sentence for sentence in said() if sentence not in text] == [], "It should say:\n" + "\n".join(said())
