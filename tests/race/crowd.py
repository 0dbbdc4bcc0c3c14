"""Processes that want rights at the same moment, each at one of the doors of Slate.

Each first gets ready as people do: an offer is drafted, agreed, approved and signed by its buyer, a file is written, a
command is started. Then all act at the same instant, and each says how it went: WON where it was granted the rights,
LOST where it was told that they are taken, or THERE where another had written the very same licence.
"""
import csv
import gc
import io
import multiprocessing
import os
import re
import time
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import NamedTuple

from flask.cli import ScriptInfo, cli
from sqlalchemy import event
from sqlalchemy.engine import Engine

from accounts import people
from catalogue.imports import Report
from core.database import db
from licensing import drafts, imports, offers
from search.commands import rows_of
from tests.conftest import YEARS, Caller, make_app
from tests.race import contender
from tests.test_pages import Visitor

IMPORT, COMMAND = BY_FILE = ("import", "command line")
SELLER, AGENT, MANAGER = "Harbour Pictures", "agent@harbour.test", "rights@harbour.test"
WON, LOST, THERE = "won", "lost", "there already"
SECONDS = 150  # longer than anybody waits for a lock, three times over
PAUSE = 0.4  # seconds between check and write in the control: so many take a while to come to the check
LEAD = 0.1  # seconds: about what the ways from the doors to the lock differ by


class Order(NamedTuple):
    """What one process shall do: at which door, for which lines, which the API takes; imports name titles by words."""
    door: str
    buyer: str
    lines: list[dict]
    names: dict[int, str]  # of the titles: what a file calls them
    folder: str


# ------------------------------------------------------------------ the doors: get ready, and return what to do

def sign_by_api(app, order):
    """The second signature of an offer."""
    offer_id, caller = signed_by_its_buyer(app, order), manager_by_api(app)
    return lambda: by_status(caller.post(f"/offers/{offer_id}/steps", {"action": "sign"}), 201)


def sign_by_web(app, order):
    """The same with the button on the offer's page."""
    offer_id, press = signed_by_its_buyer(app, order), manager_by_web(app)
    return lambda: by_status(press(f"/offers/{offer_id}/steps", {"action": "sign", "version": "1"}), 302)


def record_by_api(app, order):
    """A deal done elsewhere."""
    caller, (line,) = manager_by_api(app), order.lines
    said = {name: value for name, value in line.items() if name not in ("title_id", "price")}
    said |= {"licensee": order.buyer, "starts_on": str(line["starts_on"]), "ends_on": str(line["ends_on"])}
    return lambda: by_status(caller.post(f"/titles/{line['title_id']}/licences", said), 201)


def record_by_web(app, order):
    """The same with the form on the page of a title's rights."""
    press, (line,) = manager_by_web(app), order.lines
    form = {"territories": ", ".join(line["territories"]), "media": line["media"], "licensee": order.buyer,
            "languages": ", ".join(line["languages"]), "starts_on": str(line["starts_on"]),
            "ends_on": str(line["ends_on"]), "exclusive": "true"}
    return lambda: by_status(press(f"/titles/{line['title_id']}/licences", form), 302)


def by_import(app, order):
    """A file of services that show the titles, loaded by a process that has long been running."""
    path = a_file(order)

    def act():
        report = Report()
        with app.app_context():
            owner = people.organisation_named(SELLER).id
            done = imports.read_availability(rows_of(path, report), owner, report)
            imports.load_licences(done, owner, report, db.session.commit)
        return by_report({name: number for name, number in report.counts.items() if number}, map(str, report.remarks))
    return act


def by_command(app, order):
    """`flask import` of such a file, in a process started for it."""
    path = a_file(order)

    def act():
        with redirect_stdout(io.StringIO()) as said, redirect_stderr(said), suppress(SystemExit):
            cli.main(["import", str(path), "--seller", SELLER], obj=ScriptInfo(create_app=lambda: app))
        return by_report({name: int(number) for number, name in re.findall(r"(\d+) (licences \w+)", said.getvalue())},
                         re.findall(r"^(?:  availability.csv:\d|Error).+", said.getvalue(), re.M))
    return act


DOORS = {"signature by API": sign_by_api, "signature by web": sign_by_web, "record by API": record_by_api,
         "record by web": record_by_web, IMPORT: by_import, COMMAND: by_command}


def signed_by_its_buyer(app, order):
    """An offer that lacks nothing but the seller's signature."""
    with app.app_context():
        who = {email: people.viewer(people.find(email).id) for email in (AGENT, MANAGER, order.buyer)}
        offer = drafts.create(who[order.buyer], currency="USD", lines=order.lines,
                              seller_id=who[AGENT].organisation_id)
        for actor, action in ((order.buyer, "submit"), (AGENT, "accept"), (MANAGER, "approve"),
                              (AGENT, "issue_memo"), (order.buyer, "sign")):
            offers.advance(offer, who[actor], action, version=1)
        db.session.commit()
        return offer.id


def a_file(order):
    folder = Path(order.folder) / str(os.getpid())
    folder.mkdir(exist_ok=True)
    with (folder / "availability.csv").open("w", newline="") as file:
        csv.writer(file).writerows([(*imports.COLUMNS, "end"), *(
            (order.names[line["title_id"]], "tube", "Tube", "T-1", "|".join(line["territories"]), line["starts_on"], "")
            for line in order.lines)])
    return folder / "availability.csv"


@cache
def manager_by_api(app):
    return Caller(app, MANAGER)


@cache
def manager_by_web(app):
    """Presses a button of a form, signed in."""
    visitor = Visitor(app, MANAGER)
    token = visitor.token()
    return lambda path, form: visitor.client.post(path, data={**form, "csrf_token": token})


def by_status(response, won):
    if response.status_code == won:
        return WON
    said = response.get_data(as_text=True)
    taken = "RIGHTS_OUT" in said or "licensed" in said.lower()
    return LOST if response.status_code == 409 and taken else f"{response.status_code}: {said[-2000:]}"


def by_report(counts, remarks):
    remarks = list(remarks)
    if not remarks and counts in ({"licences recorded": 1}, {"licences recorded": 2}):
        return WON
    if not remarks and counts in ({"licences unchanged": 1}, {"licences unchanged": 2}):
        return THERE
    return LOST if not counts and remarks and all("icensed" in each for each in remarks) else f"{counts} {remarks}"


# ------------------------------------------------------------------ the processes

PROCESSES = multiprocessing.get_context("forkserver")  # forked from one that has loaded Slate: pytest has threads
PROCESSES.set_forkserver_preload(["tests.race.crowd"])


def contend(app, pipe, orders):
    """What one process does: get ready, wait for the instant, act, say how it went and what its database refused."""
    refused = []
    event.listen(Engine, "handle_error", lambda context: refused.append(str(context.original_exception)))
    while orders and (order := pipe.recv()):
        try:
            contender.pause = 0  # getting ready is no part of the race
            act = DOORS[order.door](app, order)
            pipe.send("ready")
            time.sleep(max(0, pipe.recv() - time.time()))
            contender.pause = PAUSE
            said = act()
        except Exception:
            said = traceback.format_exc()
        pipe.send((said, refused[:]))
        refused.clear()
        orders -= 1


def gather(here, pipes, url, instance, control, first):
    """Load Slate once, go in by every door, then fork a process for each pipe: for a command one for each order."""
    if control:
        contender.pause = 0
        contender.take_the_lock_away()
    app = make_app(url, Path(instance))
    app.config["PROOF_WITHIN"] = YEARS  # a hundred rounds take longer than a proof holds
    for act in [DOORS[order.door](app, order) for order in first]:
        act()
    with app.app_context():
        db.engine.dispose()  # a connection belongs to one process
    gc.freeze()  # what is loaded is shared by all, as long as nobody looks through it
    forks, commands = multiprocessing.get_context("fork"), {}

    def fork(pipe, door):
        process = forks.Process(target=contend, args=(app, pipe, 1 if door == COMMAND else -1), daemon=True)
        process.start()
        if door == COMMAND:
            commands[process.sentinel] = process, pipe

    for pipe, door in pipes:
        fork(pipe, door)
    here.send("ready")
    while here not in (ended := wait([here, *commands])):
        for each in ended:
            fork(commands.pop(each)[1], COMMAND)


class Crowd:
    """A process behind each of some doors."""

    def __init__(self, app, doors, first, control):
        with app.app_context():
            url = db.engine.url.render_as_string(hide_password=False)
        self._control, self._folder = control, Path(app.config["INSTANCE"]) / "files"
        self._folder.mkdir()
        self._end, here = PROCESSES.Pipe()
        pipes = [PROCESSES.Pipe() for _ in doors]
        self._pipes = [ours for ours, _ in pipes]
        theirs = [(pipe, door) for (_, pipe), door in zip(pipes, doors, strict=True)]
        self._process = PROCESSES.Process(target=gather, args=(
            here, theirs, url, app.config["INSTANCE"], control, self._placed(first)))
        self._process.start()
        assert _heard(self._end) == "ready"

    def _placed(self, orders):
        return [order._replace(folder=str(self._folder)) for order in orders]

    def fire(self, orders, leads=""):
        """All at one instant, but that those at the door `leads` names are a moment earlier. What each says."""
        early = []
        for pipe, order in zip(self._pipes, self._placed(orders), strict=True):
            pipe.send(order)
            if self._control:  # without its lock SQLite refuses two at once
                early.append(_heard(pipe))
        early = early or [_heard(pipe) for pipe in self._pipes]
        assert all(said == "ready" for said in early), [said for said in early if said != "ready"][:3]
        moment = time.time() + 0.05
        for pipe, order in zip(self._pipes, orders, strict=True):
            pipe.send(moment if leads in order.door else moment + LEAD)
        return [_heard(pipe) for pipe in self._pipes]

    def close(self):
        self._end.close()  # its process ends, and with it those it forked
        self._process.join(SECONDS)
        for pipe in self._pipes:
            pipe.close()


def _heard(pipe):
    assert pipe.poll(SECONDS), "nobody waits that long"
    return pipe.recv()


@contextmanager
def crowd(app, doors, first, control=False):
    """A process behind each of some doors. `first` are orders that show the way; what they ask for is no race."""
    them = Crowd(app, doors, first, control)
    try:
        yield them
    finally:
        them.close()
