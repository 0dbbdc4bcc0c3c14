"""The file of the ledger: shared by processes, brought up to date, trusted only by the database it was laid from."""
import random
import sqlite3
import sys
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import delete, event, select

import seed
from catalogue import titles
from catalogue.models import Title
from core.database import db, reading
from licensing import book, contracts, counting, mandates, terms
from licensing.book import Book
from licensing.models import Line, SavedLedger
from licensing.rights import territories
from licensing.rights.ledger import AVAILABLE, Ledger, rows_of
from search import worker
from tests.conftest import both, make_app

LINE = seed.line("HK,TW", "svod", "2027-01-01", "2029-12-31")


def verdicts(a_book, said=LINE):
    """{title id: verdict}, of all titles."""
    asked = terms.read(said).line()
    with reading():
        ids, found = a_book.ask(db.engine, lambda ledger: ledger.verdicts(
            asked, seed.clock.today(), db.session.scalars(select(Title.id)).all()))
        db.session.rollback()
    return dict(zip(ids.tolist(), found.tolist(), strict=True))


def grant(title_id, said=LINE):
    title = db.session.get(Title, title_id)
    contracts.grant(title.organisation_id, [(title, terms.read(said))], licensee_id=None, licensee_name="Somebody")
    db.session.commit()


def saved(folder):
    a_book = Book(folder)
    a_book.save(db.session)
    db.session.commit()
    return a_book


def opened(folder):
    """A book as another process would open it, and whether it took the file."""
    a_book = Book(folder)
    verdicts(a_book)
    return a_book, a_book._file is not None


@both
def test_laid_from_lines_and_laid_by_the_engine_are_the_same(fresh):
    """Most titles go straight from their lines into the columns; the engine's own reading of all of them agrees."""
    app, rng = fresh(seeded=True), random.Random(5)
    with app.app_context():
        everything = db.session.scalars(select(Title.id)).all()
        slow = Ledger.of_rows(row for title_id, shares in counting.shares(db.session, everything, claims=False).items()
                              for row in rows_of(title_id, shares))
        quick = Book()
        for _ in range(60):
            where = rng.sample(["HK", "TW", "JP", "DE", "Nordics", "World", "KR"], rng.randint(1, 3))
            said = seed.line(",".join(where), rng.choice(["svod", "free_tv", "all", "pay_tv,airline"]),
                             f"{rng.randint(2026, 2029)}-01-01", rng.choice([None, "2030-06-30"]), rng.random() < 0.5,
                             rng.choice(["*", "en", "fr:dub"]))
            ids, found = slow.verdicts(terms.read(said).line(), seed.clock.today(), everything)
            assert verdicts(quick, said) == dict(zip(ids.tolist(), found.tolist(), strict=True))
        special = {*db.session.scalars(book._special()), *db.session.scalars(select(Line.title_id).where(book._odd))}
        plain = set(db.session.scalars(select(Line.title_id))) - special
        assert plain and special and not plain & special, "the demo world has both kinds"


def test_more_sets_than_can_be_told_apart_are_refused_and_never_mixed_up(fresh, monkeypatch):
    with fresh(seeded=True).app_context():
        monkeypatch.setattr(book, "SETS", 2)
        with pytest.raises(OverflowError):
            verdicts(Book())


@both
def test_a_deal_signed_while_the_ledger_is_laid_is_in_it_whole_or_not_at_all(fresh):
    """Laying takes half a minute at a million titles and many statements: after each of them somebody may commit."""
    app, here, elsewhere = fresh(seeded=True), threading.get_ident(), territories.codes(territories.read(["Europe"]))

    def somebody_signs(title_id, place):
        with app.app_context():
            grant(title_id, seed.line(f"HK,{place}", "svod", "2027-01-01", "2029-12-31"))  # a new set of terms, too

    with app.app_context():
        house = db.session.scalar(select(Title.organisation_id))
        for step in count(1):
            title = titles.create(house, kind="film", original_title=f"Film {step}", status="published")
            mandates.record(title, terms.read(seed.line("World", "all", "2020-01-01", None)))
            db.session.commit()
            said = [title.id, elsewhere[step]]
            before, a_book, left = verdicts(Book()), Book(), [step]

            def after_a_statement(*_, left=left, said=said):
                left[0] -= threading.get_ident() == here
                if left[0] == 0 and said:
                    deal = threading.Thread(target=somebody_signs, args=[said.pop(0), said.pop()])
                    deal.start()
                    deal.join()

            event.listen(db.engine, "after_cursor_execute", after_a_statement)
            during = verdicts(a_book)
            event.remove(db.engine, "after_cursor_execute", after_a_statement)
            if said:
                break
            after = verdicts(Book())
            assert before != after == verdicts(a_book), step
            assert during in (before, after), step
    assert step > 5, "laying takes more statements than that"


@both
def test_a_file_is_opened_elsewhere_and_what_changed_since_is_replayed(fresh, tmp_path):
    app = fresh(seeded=True)
    with app.app_context():
        before = verdicts(saved(tmp_path))
        free = next(title_id for title_id, found in before.items() if found == AVAILABLE)
        grant(free)
        again, took_the_file = opened(tmp_path)
        assert took_the_file
        assert verdicts(again) == {**before, free: 0} == verdicts(Book())
        assert not again.wants_saving(db.engine)


@both
def test_a_file_without_its_token_is_never_trusted(fresh, tmp_path):
    """The process died between file and commit, or the database was set back to a day before the file."""
    app = fresh(seeded=True)
    with app.app_context():
        saved(tmp_path)
        db.session.execute(delete(SavedLedger))
        db.session.commit()
        a_book, took_the_file = opened(tmp_path)
        assert not took_the_file and verdicts(a_book) == verdicts(Book())
        assert a_book.wants_saving(db.engine)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_database_set_back_behind_its_file_lays_it_anew(fresh, tmp_path):
    app = fresh(seeded=True)
    with app.app_context():
        path = Path(db.engine.url.database)
        free = next(title_id for title_id, found in verdicts(saved(tmp_path / "files")).items() if found == AVAILABLE)
        backup = tmp_path / "backup.db"
        with closing(sqlite3.connect(path)) as here, closing(sqlite3.connect(backup)) as there:
            here.backup(there)
        grant(free)
        saved(tmp_path / "files")
    other = make_app(f"sqlite:///{backup}", tmp_path / "other")
    with other.app_context():
        a_book, _ = opened(tmp_path / "files")
        assert verdicts(a_book)[free] == AVAILABLE, "in this world it was never sold"
        db.engine.dispose()


@both
def test_the_worker_saves_when_it_pays_and_every_process_moves_to_the_new_file(fresh, monkeypatch, tmp_path):
    app = fresh(seeded=True)
    monkeypatch.setattr(book, "WORTH_SAVING", 3)
    with app.app_context():
        assert worker.keep_ledger() and not worker.keep_ledger()
        folder = Path(app.config["INSTANCE"]) / "ledger"
        elsewhere, took_the_file = opened(folder)
        assert took_the_file
        first = elsewhere._file
        free = [title_id for title_id, found in verdicts(elsewhere).items() if found == AVAILABLE][:4]
        assert len(free) == 4, "the demo world has enough that is free"
        for title_id in free:
            grant(title_id)
            assert verdicts(elsewhere)[title_id] == 0
        assert elsewhere._file == first
        assert worker.keep_ledger()
        assert verdicts(elsewhere) == verdicts(Book()) and elsewhere._file != first


def test_a_ledger_that_cannot_be_written_is_said_and_tried_again(fresh, monkeypatch):
    app, said, rests = fresh(seeded=True), [], []
    folder = Path(app.config["INSTANCE"]) / "ledger"

    def rest(_):
        rests.append(said.copy())
        folder.unlink() if len(rests) == 1 else sys.exit()

    with app.app_context():
        folder.write_text("a file where the folder should be, as a disk that is full")
        monkeypatch.setattr(worker.time, "sleep", rest)
        with pytest.raises(SystemExit):
            worker.tidy(app.extensions["index"], said.append)
        assert [len(each) for each in rests] == [1, 1] and "trying again" in said[0]
        assert opened(folder)[1]
