"""People, their passkeys, organisations, memberships, API tokens, and the ways in: invitations and applications."""
import secrets
from datetime import date, datetime
from enum import StrEnum

from flask_security import UserMixin, WebAuthnMixin
from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from accounts.permissions import Role, Scope
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
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # since when nobody acts for it

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
    mf_recovery_codes: Mapped[list | None] = mapped_column(MutableList.as_mutable(JSON(none_as_null=True)))  # digests
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
    """A person's place in an organisation, with the roles held there. Who leaves takes the tokens along: the row goes,
    and what it opened is shut."""
    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    roles: Mapped[list] = mapped_column(MutableList.as_mutable(JSON), default=list)
    person: Mapped[Person] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation] = relationship()
    tokens: Mapped[list["ApiToken"]] = relationship(back_populates="membership", cascade="all, delete-orphan",
                                                    passive_deletes=True)

    @property
    def held(self) -> frozenset[Role]:
        return frozenset(map(Role, self.roles))


class ApiToken(db.Model):
    """A bearer token of a person in one organisation; only its SHA-256 is kept."""
    __tablename__ = "api_token"
    id: Mapped[int] = mapped_column(primary_key=True)
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[list] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_on: Mapped[date | None]
    membership: Mapped[Membership] = relationship(back_populates="tokens")

    @property
    def reach(self) -> frozenset[Scope]:
        return frozenset(map(Scope, self.scopes))


class Invitation(db.Model):
    """A place in an organisation offered to an address, with the roles it will have. Its link is known to its letter
    alone: only the SHA-256 is kept, and every letter has a new one."""
    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    email: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(200), default="")
    roles: Mapped[list] = mapped_column(JSON)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # who invites; nobody: the command line
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    letters: Mapped[int] = mapped_column(default=0)  # sent so far
    refused: Mapped[str | None] = mapped_column(String(500))  # what the mail server said
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    organisation: Mapped[Organisation] = relationship()
    by: Mapped[Person | None] = relationship()


class Application(db.Model):
    """An organisation asks to be let in. Its life is the table in `applications`."""
    __tablename__ = "application"
    __table_args__ = (Index("ix_application_state_made_at", "state", "made_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    organisation_name: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    trades: Mapped[list] = mapped_column(JSON)
    name: Mapped[str] = mapped_column(String(200))  # of the person who applies
    email: Mapped[str] = mapped_column(String(255), index=True)
    about: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    digest: Mapped[str | None] = mapped_column(String(64), unique=True)  # of the link that confirms the address
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # who decided
    reason: Mapped[str | None] = mapped_column(Text)  # why it was declined
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))  # which it became
    organisation: Mapped[Organisation | None] = relationship()
