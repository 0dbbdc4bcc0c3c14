"""People, their passkeys, organisations, memberships and API tokens."""
import secrets
from datetime import datetime
from enum import StrEnum

from flask_security import UserMixin, WebAuthnMixin
from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String, UniqueConstraint
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
    tf_primary_method: Mapped[str | None] = mapped_column(String(20))  # "authenticator", where an app makes codes
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))  # encrypted
    totp_counter: Mapped[int | None]  # of the last code that was taken: none is taken twice
    mf_recovery_codes: Mapped[list | None] = mapped_column(MutableList.as_mutable(JSON(none_as_null=True)))  # encrypted
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(String(64), index=True, unique=True)
    memberships: Mapped[list["Membership"]] = relationship(back_populates="person", order_by="Membership.id")
    webauthn: Mapped[list["Passkey"]] = relationship(back_populates="person", order_by="Passkey.id")

    roles = ()  # Flask-Security's own roles: unused, ours belong to memberships


class Passkey(db.Model, WebAuthnMixin):
    """A key that proves its person by a signature; its columns are called as Flask-Security calls them."""
    __tablename__ = "passkey"
    __table_args__ = (UniqueConstraint("person_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(String(64))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1024), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(1024))
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list | None] = mapped_column(MutableList.as_mutable(JSON(none_as_null=True)))
    extensions: Mapped[str | None] = mapped_column(String(255))
    usage: Mapped[str] = mapped_column(String(9))  # "first": in place of the password, "secondary": after it
    device_type: Mapped[str] = mapped_column(String(20))
    backup_state: Mapped[bool]
    lastuse_datetime: Mapped[datetime] = mapped_column(UtcDateTime)
    person: Mapped[Person] = relationship(back_populates="webauthn")

    def get_user_mapping(self):
        """How Flask-Security finds whose it is."""
        return {"id": self.person_id}


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
