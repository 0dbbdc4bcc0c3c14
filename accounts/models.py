"""People, organisations, memberships and API tokens."""
import secrets
from datetime import datetime
from enum import StrEnum

from flask_security import UserMixin
from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.permissions import Role
from core.database import UtcDateTime, db


class Trade(StrEnum):
    """What an organisation does at the market."""
    SELLER = "seller"
    BUYER = "buyer"
    OPERATOR = "operator"


class Organisation(db.Model):
    __tablename__ = "organisation"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    country: Mapped[str | None] = mapped_column(String(2))
    trades: Mapped[list] = mapped_column(MutableList.as_mutable(JSON), default=list)

    @property
    def sells(self) -> bool:
        return Trade.SELLER in self.trades

    @property
    def buys(self) -> bool:
        return Trade.BUYER in self.trades


class Person(db.Model, UserMixin):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: secrets.token_hex(32))
    memberships: Mapped[list["Membership"]] = relationship(back_populates="person", order_by="Membership.id")

    roles = ()  # Flask-Security's own roles: unused, ours belong to memberships


class Membership(db.Model):
    """A person's place in an organisation, with the roles held there."""
    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    roles: Mapped[list] = mapped_column(MutableList.as_mutable(JSON), default=list)
    person: Mapped[Person] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation] = relationship()

    @property
    def held(self) -> frozenset[Role]:
        return frozenset(map(Role, self.roles))


class ApiToken(db.Model):
    """A bearer token; only its SHA-256 is kept."""
    __tablename__ = "api_token"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship()
