"""Which rows are an organisation's own. Each package says it of its tables: what of them is taken out, by which
condition and with which columns, or why nothing is. A test fails on a table of which nothing is said."""
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Table, exists, select
from sqlalchemy.orm import aliased

from accounts.editions import Edition, Participation
from accounts.models import Application, Invitation, Membership, Organisation, Person
from accounts.notices import Notice, NoticeChoice
from accounts.webhooks.models import Delivery, Endpoint
from core.audit import AuditRow


@dataclass(frozen=True)
class Part:
    """Rows of one table that are an organisation's: a list in JSON, a sheet in XLSX."""
    name: str
    table: Table
    own: Callable[[int], ColumnElement]
    columns: tuple

    def query(self, organisation_id: int) -> Select:
        return select(*self.columns).where(self.own(organisation_id)).order_by(*self.table.primary_key)


PARTS: dict[str, Part] = {}
LEFT: dict[str, str] = {}  # table → why nothing of it is taken out


def take(model, own: Callable[[int], ColumnElement], *, name: str | None = None, only=(), without=()):
    """The rows that `own(organisation id)` holds for are taken out. A table may have several parts, named apart, where
    an organisation may read more of some rows than of others."""
    table = model.__table__
    name = name or table.name
    if name in PARTS or set((*only, *without)) - set(table.c.keys()):
        raise ValueError(f"{name}: named twice, or a column that is not there")
    PARTS[name] = Part(name, table, own, tuple(
        each for each in table.c if (each.name in only if only else each.name not in without)))


def leave(why: str, *tables: str):
    """Nothing of these tables is taken out."""
    LEFT.update(dict.fromkeys(tables, why))


def members(organisation_id: int):
    """The ids of people who belong to this organisation and to no other: what is a person's own is taken out with these
    alone, for it could be another organisation's."""
    other = aliased(Membership)
    return select(Membership.person_id).where(Membership.organisation_id == organisation_id, ~exists().where(
        other.person_id == Membership.person_id, other.organisation_id != organisation_id))


def _told(house):
    return Notice.organisation_id == house


take(Organisation, lambda house: Organisation.id == house)
take(Membership, lambda house: Membership.organisation_id == house)
take(Person, lambda house: Person.id.in_(select(Membership.person_id).where(Membership.organisation_id == house)),
     only=("id", "email", "name", "active"))
take(Notice, _told)
take(NoticeChoice, lambda house: NoticeChoice.person_id.in_(members(house)))
take(Endpoint, lambda house: Endpoint.organisation_id == house, without=("secret", "former_secret"))
take(Delivery, lambda house: Delivery.webhook_id.in_(select(Endpoint.id).where(Endpoint.organisation_id == house)))
take(AuditRow, lambda house: AuditRow.organisation_id == house)
take(Invitation, lambda house: Invitation.organisation_id == house, without=("digest",))
take(Application, lambda house: Application.organisation_id == house, without=("digest",))
take(Participation, lambda house: Participation.organisation_id == house)
take(Edition, lambda house: Edition.organisation_id == house)
leave("It holds nothing but the digests of secrets.", "api_token")
leave("It is a person's own: how and where they sign in, and under which address.", "passkey", "session",
      "address_change", "mailing")
leave("It serves the working of Slate: what it is about stands in the tables themselves.", "outbox",
      "idempotency_key", "challenge")
