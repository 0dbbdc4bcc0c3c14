"""Notices: what people are told of what happened, by the bell on every page and by mail, as each of them chose.

`tell` writes a notice in the transaction of the change itself, so that nobody is told of what was rolled back. Mail
goes out after the commit, through the outbox, by `post`.
"""
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, delete, func, select, text, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from accounts import letters, people
from accounts.models import Person
from accounts.permissions import Viewer
from core import clock, mail, outbox
from core.database import UtcDateTime, db
from core.errors import Invalid

TOPIC = "mail"
KINDS = {  # kind → what it is, as people choose it on their page
    "offers": "The other side took a step in an offer",
    "approvals": "An offer waits for your approval",
    "signatures": "A deal waits for your signature",
    "colleagues": "A colleague took a step in an offer",
    "materials": "The other side took a step with the materials of a deal",
    "screeners": "A screener is asked of you, or yours was answered",
    "rights": "Rights you offer for, or offer, were licensed in another deal",
    "searches": "A saved search found something new",
    "first_words": "You are asked for your first word on a title, or a holder gave theirs",
    "webhooks": "A webhook of your organisation was switched off, for nothing answers there",
    "ends": "A licence, a mandate, an option or a refusal ends soon",
    "members": "Somebody joined or left your organisation, or asks to be admitted",
}
WAYS = ("bell", "mail")
LONGEST_SUBJECT = 300


@dataclass(frozen=True)
class Change:
    """One term that changed, in words: "Territories", "− Switzerland", and what it was and is; of which title."""
    title: str
    term: str
    delta: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True)
class News:
    """What is told: what happened in one line; where; the same in sentences; the difference; what to do next; and the
    names in all of it with their languages."""
    subject: str
    path: str
    said: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    todo: str = ""
    names: dict[str, str | None] = field(default_factory=dict)


class Notice(db.Model):
    """One person told of one thing. Written once; only `seen_at` and what became of its mail change."""
    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_person_id_at", "person_id", "at"),
        Index("ix_notice_unseen", "person_id", "path", sqlite_where=text("seen_at IS NULL"),
              postgresql_where=text("seen_at IS NULL")))
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))  # for which they were told
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(LONGEST_SUBJECT))
    path: Mapped[str] = mapped_column(String(200))  # of the page it is about
    body: Mapped[dict] = mapped_column(JSON)  # {said, changes, todo, names}, as in News
    bell: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refused: Mapped[str | None] = mapped_column(String(500))  # what the mail server said
    person: Mapped[Person] = relationship()

    @property
    def key(self) -> str:
        """Names its letter, however often that is sent; other databases of the same host have other keys."""
        return f"notice-{self.id}-{self.at:%Y%m%d%H%M%S%f}"


class NoticeChoice(db.Model):
    """What a person chose of one kind; who chose nothing is told both ways."""
    __tablename__ = "notice_choice"
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    bell: Mapped[bool]
    mail: Mapped[bool]


# ------------------------------------------------------------------ telling

def tell(to: list[Viewer], kind: str, news: News, once: bool = False):
    """Tell people something, if the present transaction commits: each once for each organisation they act for. `once`
    tells nobody who has an unseen notice of the same kind and page."""
    if kind not in KINDS:
        raise KeyError(f"{kind!r} is no kind of notice")
    to = {(each.person_id, each.organisation_id): each for each in to}
    ids = {person_id for person_id, _ in to}
    chosen = {each.person_id: each for each in db.session.scalars(select(NoticeChoice).where(
        NoticeChoice.kind == kind, NoticeChoice.person_id.in_(ids)))} if ids else {}
    knowing = {tuple(each) for each in db.session.execute(select(Notice.person_id, Notice.organisation_id).where(
        Notice.person_id.in_(ids), Notice.kind == kind, Notice.path == news.path, Notice.seen_at.is_(None)))
    } if once and ids else set()
    body = {"said": news.said, "changes": [vars(each) for each in news.changes], "todo": news.todo,
            "names": news.names}
    made = []
    for acting, viewer in to.items():
        choice = chosen.get(viewer.person_id)
        if acting not in knowing and (choice is None or choice.bell or choice.mail):
            made.append((choice is None or choice.mail, Notice(
                person_id=viewer.person_id, organisation_id=viewer.organisation_id, kind=kind, path=news.path,
                subject=mail.one_line(news.subject)[:LONGEST_SUBJECT], body=body, at=clock.now(),
                bell=choice is None or choice.bell)))
    db.session.add_all(notice for _, notice in made)
    db.session.flush()
    outbox.put_all(TOPIC, [notice.id for by_mail, notice in made if by_mail])


# ------------------------------------------------------------------ reading

def _mine(viewer):
    return Notice.person_id == viewer.person_id, Notice.organisation_id == viewer.organisation_id, Notice.bell


def listing(viewer: Viewer):
    """A query for one's notices, the latest first."""
    return select(Notice).where(*_mine(viewer)).order_by(Notice.at.desc(), Notice.id.desc())


def waiting(viewer: Viewer) -> int:
    """How many notices one has not seen."""
    return db.session.scalar(select(func.count()).select_from(Notice).where(*_mine(viewer), Notice.seen_at.is_(None)))


def see(viewer: Viewer, *, path: str | None = None, upto: int | None = None):
    """One's notices are seen: of one page, or up to one of them."""
    chosen = ([] if path is None else [Notice.path == path]) + ([] if upto is None else [Notice.id <= upto])
    own, theirs, _ = _mine(viewer)
    db.session.execute(update(Notice).where(own, theirs, Notice.seen_at.is_(None), *chosen)
                       .values(seen_at=clock.now()).execution_options(synchronize_session=False))


# ------------------------------------------------------------------ choices

def choices(viewer: Viewer) -> dict[str, dict[str, bool]]:
    """{kind: {bell, mail}} for every kind."""
    mine = {each.kind: each for each in db.session.scalars(select(NoticeChoice).filter_by(person_id=viewer.person_id))}
    return {kind: {way: getattr(mine[kind], way) if kind in mine else True for way in WAYS} for kind in KINDS}


def choose(viewer: Viewer, wanted: dict[str, dict[str, bool]]):
    """Say anew what reaches oneself: {kind: {bell, mail}}; kinds that are not named stay. Raises Invalid."""
    if unknown := sorted(set(wanted) - set(KINDS)):
        raise Invalid({unknown[0]: [f"There is no such kind of notice; there are: {', '.join(KINDS)}."]})
    after = {kind: {**ways, **wanted[kind]} for kind, ways in choices(viewer).items() if kind in wanted}
    db.session.execute(delete(NoticeChoice).where(NoticeChoice.person_id == viewer.person_id,
                                                  NoticeChoice.kind.in_(after)))
    db.session.add_all(NoticeChoice(person_id=viewer.person_id, kind=kind, **ways) for kind, ways in after.items())
    db.session.flush()


def refusal(viewer: Viewer) -> str | None:
    """What the mail server said of the last letter to this person, where it would not take it."""
    return db.session.scalar(select(Notice.refused).where(
        Notice.person_id == viewer.person_id, Notice.mailed_at.is_not(None)).order_by(Notice.id.desc()).limit(1))


# ------------------------------------------------------------------ mail, by the worker

def post(notice_ids, mailer: mail.Mailer, site: str):
    """Send the letters of some notices. Raises mail.Away where no letter is taken just now.

    A letter goes out at least once: whoever is killed after sending it and before the commit sends it again, under the
    same Message-ID. Nothing goes to who has left since.
    """
    for notice in db.session.scalars(select(Notice).where(Notice.id.in_(notice_ids), Notice.mailed_at.is_(None))
                                     .options(joinedload(Notice.person))).all():
        if people.viewer(notice.person_id, notice.organisation_id) is not None:
            try:
                mailer.send(letters.of(notice, site))
            except mail.Refused as problem:
                notice.refused = str(problem)[:500]
        notice.mailed_at = clock.now()
