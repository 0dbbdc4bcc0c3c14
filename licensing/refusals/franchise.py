"""What a seller must mind in a franchise: which titles carry a first word, and who is to be asked about which."""
from collections import defaultdict
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from catalogue import audiences
from catalogue.models import Link, LinkKind, Title
from core.database import db
from licensing import counting
from licensing.models import Option
from licensing.refusals import asked
from licensing.refusals.asked import Place
from licensing.refusals.models import Refusal, last_day

TO_ASK, UNSHOWN = "to be asked", "not asked yet"


class Word(NamedTuple):
    """A first word as it touches one title: `answer_by` is None until the days begin."""
    option: Option
    place: Place
    standing: str
    answer_by: date | None = None
    refusal: Refusal | None = None


def carried(members: list[Title], seller_id: int) -> dict[int, list[tuple[Option, Place]]]:
    """{title: the first words that lie on it}, for its seller."""
    found = defaultdict(list)
    for option in _options(members, seller_id):
        found[option.title_id].append((option, asked.place(option)))
    return found


def to_mind(members: list[Title], links: list[Link], seller_id: int) -> dict[int, list[Word]]:
    """{title: who has the first word on it, where, until when}, for its seller."""
    options, own = defaultdict(list), {each.id: each for each in members if each.organisation_id == seller_id}
    for option in _options(members, seller_id):
        options[option.title_id].append(option)
    ids = [option.id for some in options.values() for option in some]
    known = {(each.option_id, each.link_id): each for each in db.session.scalars(
        select(Refusal).where(Refusal.option_id.in_(ids)).options(*asked.WHOLE))} if ids else {}
    shown = {(row.option_id, row.title_id) for row in db.session.execute(
        select(Option.id.label("option_id"), Title.id.label("title_id"))
        .join(Title, Title.organisation_id == Option.organisation_id)
        .where(Option.id.in_(ids), Title.id.in_(own), audiences.shown_to(Option.holder_id)))} if ids else set()
    found = defaultdict(list)
    for link in links:
        if link.kind in counting.LATER:
            later, earlier = link.title_id, link.target_id
        elif link.kind == LinkKind.PREQUEL:
            later, earlier = link.target_id, link.title_id
        else:
            continue
        if later in own:
            found[later] += [_word(option, link, (option.id, later) in shown, known.get((option.id, link.id)))
                             for option in options[earlier]]
    return found


def _options(members, seller_id):
    return db.session.scalars(select(Option).where(
        Option.title_id.in_([each.id for each in members]), Option.organisation_id == seller_id,
        Option.counts_until.is_(None)).order_by(Option.id).options(joinedload(Option.holder))).all()


def _word(option, link, shown, refusal) -> Word:
    if refusal:
        return Word(option, asked.place(option), asked.standing(refusal), refusal.answer_by, refusal)
    if not shown:
        return Word(option, asked.place(option), UNSHOWN)
    return Word(option, asked.place(option), TO_ASK, last_day(option, max(link.created_at, option.counts_from)))
