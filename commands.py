"""The command line, put together from the packages."""
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from importlib.metadata import version

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import text

import seed as demo
from accounts import mailings, post, security
from accounts.commands import invite, reset_factors, sign_out, token
from accounts.webhooks import worker as webhooks_worker
from catalogue import webhooks
from core import audit, mail, outbox
from core.database import db
from core.errors import Conflict
from core.storage import probe
from core.storage.contract import Unavailable
from licensing import checks
from licensing.books import worker as books_worker
from licensing.money import checks as money
from media import comparing, films
from media import worker as media_worker
from search import worker
from search.commands import import_
from search.engine import Damaged

TOLD_EVERY_SECONDS = 2


def the_index():
    return current_app.extensions["index"]


@click.command()
@with_appcontext
def seed():
    """Load the demo world, once."""
    if current_app.config["PRODUCTION"]:
        raise click.ClickException("The demo world has known passwords; it is not loaded in production.")
    made = demo.load()
    db.session.commit()
    worker.catch_up(the_index())
    click.echo("The demo world is loaded." if made else "The demo world is there already.")


index = AppGroup("index", help="The search index: a copy of the tables.")


@index.command("catch-up")
def catch_up():
    """Bring the index up to date with the outbox."""
    click.echo(f"{worker.catch_up(the_index())} changes indexed.")


@index.command()
def rebuild():
    """Build the index anew beside the old one, then swap."""
    began = time.monotonic()
    count = worker.rebuild(the_index())
    click.echo(f"{count} titles indexed, {count / (time.monotonic() - began):.0f} a second.")


@index.command("check")
def check_index():
    """Compare the index with the tables and name the differences."""
    _report(worker.differences(the_index()), "The index equals the tables.")


@click.command()
@with_appcontext
def work():
    """Be the worker: index what changed, let the clock move offers. Stops with Ctrl-C."""
    # At once, for it may be killed at any moment: what is raised here is lost where it falls into a weakref's callback.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    audit.elsewhere(audit.WORKER)
    try:
        with worker.only_one(current_app.config["INSTANCE"]):
            for duty, outside in ((media_worker.work, "store"), (media_worker.encode, "store"),
                                  (books_worker.work, "store"), (_post, "mailer"), (_post_about_accounts, "mailer"),
                                  (_tell_programs, "webhooks"), (worker.tidy, "index")):
                threading.Thread(target=_attend, args=[duty, outside, current_app._get_current_object()],
                                 daemon=True).start()
            worker.work(the_index(), click.echo)
    except BlockingIOError:
        raise click.ClickException("Another worker is at work in this folder.") from None
    except KeyboardInterrupt:
        pass


audit_ = AppGroup("audit", help="Who did what: a table that only grows.")


@audit_.command()
@click.option("--head", help="A hash that was the last link once: shows that nothing was cut off.")
def verify(head):
    """Go along the chain and name each broken link. Exits with 1 where there is one."""
    links, last = audit.head()
    _report(audit.broken(head), f"All {links:,} links hold. The last is {last}")


def _attend(duty, outside, app):
    """Beside what follows changes: a store or a mail server that is slow or gone keeps no title from being found."""
    with app.app_context():
        duty(app.extensions[outside], click.echo)


def _post(mailer, say):
    post.work(mailer, current_app.config["SITE"], say)


def _post_about_accounts(mailer, say):
    site, minutes = current_app.config["SITE"], current_app.config["LINK_WITHIN"] // timedelta(minutes=1)
    outbox.forever("Mail about accounts waits", say,
                   lambda: mailings.deliver(mailer, site, security.links.of, minutes), passing=(mail.Away,))


def _tell_programs(sender, say):
    webhooks_worker.work(sender, current_app._get_current_object().app_context, webhooks.follow, say)


@click.command()
@with_appcontext
def check():
    """Check what must always be true, over the whole database. Exits with 1 where it is not."""
    broken = [*checks.sold_twice(), *checks.outside_mandates(), *money.differences(),
              *worker.differences(the_index())]
    try:
        broken += comparing.differences(current_app.extensions["store"])
    except (Unavailable, OSError) as problem:
        broken.append(f"The store does not answer, so its objects could not be compared with the rows: {problem}")
    _report(broken, "Nothing is sold twice, every licence lies inside its mandates, the money adds up, the index "
            "equals the tables, objects equal assets.")


@click.command("outbox")
@with_appcontext
def show_outbox():
    """What still waits to be done, and what failed."""
    click.echo(f"{outbox.waiting()} waiting.")
    for row in outbox.failing():
        click.echo(f"{row.topic} {row.subject_id}: failed {row.attempts} times, next try {row.not_before:%H:%M:%S}"
                   f" UTC. {row.error}")


@click.command()
@with_appcontext
def doctor():
    """Look at the installation and say in plain words what it lacks."""
    url = db.engine.url.render_as_string(hide_password=True)
    problems = []
    click.echo(f"Python {sys.version.split()[0]}, Flask {version('flask')}, SQLAlchemy {version('sqlalchemy')}")
    try:
        db.session.execute(text("SELECT count(*) FROM title"))
        click.echo(f"Database answers: {url}")
    except Exception as problem:  # whatever it is, it is what the operator wants to read
        problems.append(f"The database {url} does not answer as it should: {problem}. Try: flask db upgrade")
        db.session.rollback()
    try:
        click.echo(f"Index holds {len(the_index().stamps())} titles: {current_app.config['INDEX_FOLDER']}")
    except Damaged as problem:
        problems.append(f"The index is damaged: {problem}. Run: flask index rebuild")
    store = current_app.extensions["store"]
    if lacking := probe.lacks(store, current_app.config["SITE"]):
        problems += lacking
    else:
        click.echo(f"The store keeps what it is given: {store}")
    mailer = current_app.extensions["mailer"]
    if lacking := mailer.lacks():
        problems.append(lacking)
    else:
        click.echo(f"Mail goes out {mailer}")
    click.echo("ffmpeg makes stills of films, and 720 lines of taller ones." if films.can() else
               "Films are shown as they were sent, and without stills. To have more: apt-get install ffmpeg")
    if worker.alive(current_app.config["INSTANCE"]):
        click.echo("A worker is at work.")
    else:
        problems.append("No worker is at work. Run: flask work")
    _report(problems, "All is well.")


media = AppGroup("media", help="Pictures and films in their store.")


@media.command()
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def prepare(dry_run):
    """Make the bucket and its rules: who may come to it from where, what expires, that it is open to nobody."""
    store = current_app.extensions["store"]
    try:
        store.prepare([current_app.config["SITE"]], click.echo, dry_run=dry_run)
    except Unavailable as problem:
        raise click.ClickException(f"The store refused, {problem}") from None
    click.echo(f"Nothing was changed: {store}" if dry_run else f"The store is ready: {store}")


@media.command("check")
@click.option("--checksums", is_flag=True, help="Read every object, too: as long as the store takes to read.")
@click.option("--repair", is_flag=True, help="Remove what is nobody's, reject what is lost.")
def check_media(checksums, repair):
    """Compare the objects in the store with the rows that name them. Exits with 1 where they disagree."""
    store = current_app.extensions["store"]
    found = 0
    try:
        if repair and comparing.holds_nothing(store):
            raise click.ClickException(f"This store holds nothing at all, and nothing was repaired: {store}. Is it the "
                                       "right one? Look at the S3_ settings and at MEDIA_FOLDER.")
        for each in comparing.compare(store, checksums=checksums, told=_progress(time.monotonic())):
            found += 1
            click.echo(each.text)
            if repair:
                click.echo(f"  {_mended(each, store)}")
    except (Unavailable, OSError) as problem:
        raise click.ClickException(f"The store does not answer: {problem}") from None
    if found:
        sys.exit(1)
    click.echo("The objects are those that the rows name.")


def _mended(difference, store) -> str:
    try:
        done = comparing.mend(difference, store)
        db.session.commit()
        return done
    except Conflict as refusal:
        db.session.rollback()
        return refusal.detail


def _progress(began):
    """Tells on stderr, now and then, how far reading is: per cent, rate, time left."""
    told = began

    def tell(done, total):
        nonlocal told
        now = time.monotonic()
        if now - told > TOLD_EVERY_SECONDS:
            told, rate = now, done / (now - began)
            click.echo(f"{100 * done // max(total, 1)} % of {total / 1e6:,.0f} MB, {rate / 1e6:,.1f} MB/s, "
                       f"{max(total - done, 0) / rate:,.0f} s left", err=True)
    return tell


@click.command()
@click.option("--port", default=5000, show_default=True)
def serve(port):
    """Start web and worker; Ctrl-C stops both."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise click.ClickException(f"Port {port} is taken. Choose another: make run PORT={port + 1}") from None
    web = [sys.executable, "-m", "gunicorn", "wsgi:create_app()", "--bind", f"127.0.0.1:{port}"]
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    parts = [subprocess.Popen(command, preexec_fn=_die_with_parent)  # noqa: S603 - our own words
             for command in (web, [sys.executable, "-m", "flask", "--app", "wsgi", "work"])]
    click.echo(f"\nSlate is at http://localhost:{port}\n\nSign in with the password “{demo.PASSWORD}” as\n")
    for email, who in demo.PEOPLE.items():
        click.echo(f"  {email:24} {who}")
    click.echo("\nCtrl-C stops it; everything stays in the folder instance.\n")
    while not stop.wait(0.2) and all(part.poll() is None for part in parts):
        pass
    failed = not stop.is_set()
    for part in parts:
        part.terminate()
    for part in parts:
        part.wait(15)
    if failed:
        raise click.ClickException("A part of Slate stopped by itself; its last words are above.")


def _die_with_parent():
    """Let a part end when `serve` is killed outright, so that the port is free for the next start (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; serve stops its parts itself
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _report(problems, well):
    found = False
    for problem in problems:
        found = True
        click.echo(problem)
    if found:
        sys.exit(1)
    click.echo(well)


def init_app(app):
    for command in (seed, token, invite, reset_factors, sign_out, index, work, check, show_outbox, doctor, serve,
                    import_, media, audit_):
        app.cli.add_command(command)
