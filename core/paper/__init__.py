"""Paper: what is said, as JSON, becomes pages of A4, by a program of its own.

The library and the fonts of all scripts are large, so no web process carries them: a layout is a module that
`python -m` can run, made of `core.paper.sheet`, and is imported by nobody.
"""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 60  # that pages may take


def pdf(layout: str, said: dict) -> bytes:
    """The pages that a layout, such as "search.paper", makes of what is said: the same bytes for the same words."""
    done = subprocess.run([sys.executable, "-m", layout], input=json.dumps(said).encode(), cwd=ROOT,  # noqa: S603
                          stdout=subprocess.PIPE, timeout=SECONDS, check=True)
    return done.stdout
