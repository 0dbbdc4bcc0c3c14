"""The rules of the map in README.md, read off the code. Each is shown to bite."""
import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("core", "accounts", "catalogue", "media", "licensing", "search")  # each may import those before it
TOP = ("wsgi", "commands", "config", "seed")
EDGES = {"api", "pages", "schemas", "commands"}  # modules, or folders of them
KNOW_FLASK = ("core/audit.py", "core/errors.py", "core/database.py", "core/log.py", "core/storage/door.py",
              "accounts/security/",
              *(f"core/http/{name}.py" for name in ("__init__", "headers", "keys", "limits", "text")))
WEB = {"flask", "werkzeug", "marshmallow", "flask_smorest", "flask_security", "flask_wtf", "flask_migrate", "webargs",
       "flask_sqlalchemy", "flask_limiter"}
COMMITS = {"core/http/__init__.py", "core/outbox.py", "search/worker.py", "search/commands.py", "media/worker.py",
           "licensing/books/worker.py", "accounts/webhooks/worker.py", "accounts/commands.py"}
ONE_IMPORTER = {"PIL": "media/decoder.py", "fpdf": "core/paper/sheet.py", "boto3": "core/storage/s3.py",
                "botocore": "core/storage/s3.py",
                "openpyxl": ("licensing/books/", "core/sheets.py"), "whoosh": "search/index/",
                "flask_smorest": "core/http/__init__.py",
                "gunicorn": None, "numba": "licensing/rights/scan_compiled.py", "flask_wtf": "accounts/security/",
                "webauthn": "accounts/security/factors.py", "flask_limiter": "core/http/limits.py",
                "zxcvbn": "accounts/security/factors.py"}
NUMPY = {f"licensing/rights/{name}.py" for name in ("columns", "ledger", "scan", "scan_compiled")}  # of rights/
CONNECTING = {"socket", "http.client", "urllib.request", "ftplib", "smtplib", "telnetlib", "xmlrpc", "asyncio", "ssl",
              "requests", "urllib3", "httpx", "aiohttp", "boto3", "botocore"}
CONNECT = {"core/storage/s3.py", "core/storage/probe.py", "core/mail.py",  # to where the settings say
           "core/outbound.py"}                                             # to where people say
CORE = {"__init__", "audit", "clock", "database", "errors", "http", "log", "mail", "money", "openapi", "outbound",
        "outbox", "paper", "sheets", "storage"}
MODULES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
           for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def imports(source):
    """(module, is it inside a function) for each import."""
    tree = ast.parse(source)
    inside = {id(node) for function in ast.walk(tree) if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
              for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module, id(node) in inside
            for each in node.names:
                yield f"{node.module}.{each.name}", id(node) in inside
        elif isinstance(node, ast.Import):
            for each in node.names:
                yield each.name, id(node) in inside


def is_edge(name):
    return bool(set(Path(name).with_suffix("").parts) & EDGES)


def top(module):
    return module.split(".")[0]


# Each rule is a function of (name, source) that returns what breaks it.

def upward_imports(name, source):
    level = PACKAGES.index(name.split("/")[0])
    above = set(PACKAGES[level + 1:]) | set(TOP)
    return [module for module, _ in imports(source) if top(module) in above]


def hidden_imports(name, source):
    return [module for module, inside in imports(source) if inside]


def web_in_the_domain(name, source):
    if is_edge(name) or name.startswith(KNOW_FLASK):
        return []
    mixins = {"flask_security", "flask_security.UserMixin", "flask_security.WebAuthnMixin"}
    allowed = mixins if name == "accounts/models.py" else set()
    return [module for module, _ in imports(source) if top(module) in WEB and module not in allowed]


def impure_rights(name, source):
    if not name.startswith("licensing/rights/"):
        return []
    free = set(sys.stdlib_module_names) | ({"numpy", "numba"} if name in NUMPY else set())
    return [module for module, _ in imports(source)
            if top(module) not in free and not module.startswith("licensing.rights")]


def edges_imported(name, source):
    if is_edge(name):
        return []
    return [module for module, _ in imports(source)
            if top(module) in PACKAGES and set(module.split(".")) & {"api", "pages"}]


def stray_commits(name, source):
    if name in COMMITS:
        return []
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)
            and node.attr == "commit" and isinstance(node.value, ast.Attribute) and node.value.attr == "session"]


def settings_read(name, source):
    tree = ast.parse(source)
    return [module for module, _ in imports(source) if top(module) == "config"] + [
        node.lineno for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")]


def second_importers(name, source):
    return [module for module, _ in imports(source)
            if top(module) in ONE_IMPORTER and not name.startswith(ONE_IMPORTER[top(module)] or "nowhere")]


def engines_named(name, source):
    """Which engine finds titles is known to `wsgi` alone; the others know the contract."""
    if name.startswith("search/index/"):
        return []
    return [module for module, _ in imports(source) if module.startswith("search.index")]


def time_readers(name, source):
    if name == "core/clock.py":
        return []
    return re.findall(r"\b(?:datetime|date)\.(?:now|today|utcnow)\(|\btime\.time\(", source)


def connections(name, source):
    """Four modules open connections: to the store and the mail server of the settings, and, past checks of its own,
    `core.outbound` to the addresses of webhooks. Nothing else that a person names is ever called."""
    if name in CONNECT:
        return []
    return [module for module, _ in imports(source)
            if any(module == each or module.startswith(f"{each}.") for each in CONNECTING)]


def callers_out(name, source):
    """Whom people let us call is called for webhooks alone."""
    return [] if name.startswith("accounts/webhooks/") else [
        module for module, _ in imports(source) if module.startswith("core.outbound")]


def second_stores(name, source):
    """A store is opened from the settings, once."""
    return [] if name == "core/storage/__init__.py" else re.findall(r"(?<!class )\b(?:S3Store|FolderStore)\(", source)


def state_changes(name, source):
    return re.findall(r"\boffer\.state = ", source)


RULES = [upward_imports, hidden_imports, web_in_the_domain, impure_rights, edges_imported, stray_commits,
         settings_read, second_importers, engines_named, time_readers, connections, callers_out, second_stores]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule):
    assert {name: broken for name, source in MODULES.items() if (broken := rule(name, source))} == {}


def test_an_offers_state_changes_in_one_line_of_the_project():
    assert sum(len(state_changes(name, source)) for name, source in MODULES.items()) == 1


def test_core_is_a_closed_list():
    assert {Path(name).parts[1].removesuffix(".py") for name in MODULES if name.startswith("core/")} == CORE


def test_top_level_names_do_not_shadow_the_standard_library():
    names = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert not names & set(sys.stdlib_module_names)


@pytest.mark.parametrize("rule, name, source", [
    (upward_imports, "catalogue/titles.py", "from licensing import offers"),
    (upward_imports, "core/http/limits.py", "import config"),
    (hidden_imports, "catalogue/titles.py", "def f():\n    from catalogue import links"),
    (web_in_the_domain, "licensing/offers.py", "from flask import request"),
    (web_in_the_domain, "catalogue/titles.py", "import marshmallow"),
    (impure_rights, "licensing/rights/blocks.py", "import sqlalchemy"),
    (impure_rights, "licensing/rights/blocks.py", "import numpy"),
    (edges_imported, "licensing/offers.py", "from licensing.api import shown"),
    (stray_commits, "licensing/offers.py", "db.session.commit()"),
    (settings_read, "search/index/reader.py", "import os\nos.environ['X']"),
    (second_importers, "search/query.py", "from whoosh import query"),
    (second_importers, "catalogue/titles.py", "import boto3"),
    (second_importers, "licensing/rights/ledger.py", "import numba"),
    (engines_named, "search/worker.py", "from search.index import Index"),
    (time_readers, "licensing/offers.py", "date.today()"),
    (connections, "media/films.py", "from urllib.request import urlopen"),
    (connections, "catalogue/imports.py", "import requests"),
    (connections, "accounts/notices.py", "import smtplib"),
    (callers_out, "media/films.py", "from core.outbound import Outbound"),
    (second_stores, "media/api.py", "S3Store(request.args['bucket'], endpoint=request.args['endpoint'])"),
    (state_changes, "licensing/contracts.py", "offer.state = 'signed'"),
])
def test_each_rule_bites(rule, name, source):
    assert rule(name, source)
