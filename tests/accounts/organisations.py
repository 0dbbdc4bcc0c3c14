"""Letters and links for tests of how people come in: what somebody would click."""
import email
import email.policy
import re
from pathlib import Path

from sqlalchemy import select

from accounts import people, post
from core.database import db

SITE = "https://slate.test"
ADMIN, OPERATOR, AGENT, BUYER = "admin@harbour.test", "operator@market.test", "agent@harbour.test", "buyer@sakura.test"
PASSWORD = "a tide that keeps its own books"


def letters(world) -> dict[str, list]:
    """Every letter that was sent, by whom it is to, in the order of their writing."""
    with world.app_context():
        post.deliver(world.extensions["mailer"], SITE)
    found = {}
    for path in sorted(Path(world.config["MAIL_FOLDER"]).glob("*.eml"), key=lambda each: each.stat().st_mtime_ns):
        one = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        found.setdefault(one["To"].addresses[0].addr_spec, []).append(one.get_body(("plain",)).get_content())
    return found


def links(world, address) -> list[str]:
    """The paths that the letters to an address lead to."""
    return [re.search(rf"{SITE}(/(?:invitations|apply)/\S+)", words)[1] for words in letters(world).get(address, [])
            if re.search(rf"{SITE}/(?:invitations|apply)/\S+", words)]


def belong(world, address, *houses):
    """Let a person of the demo world belong to more organisations: (name, roles), ..."""
    with world.app_context():
        for name, roles in houses:
            people.join(people.find(address), people.organisation_named(name), roles)
        db.session.commit()


def every_row() -> str:
    """Everything that the database holds, as text."""
    return str([tuple(row) for table in db.metadata.sorted_tables for row in db.session.execute(select(table))])


def house_of(world, name) -> int:
    with world.app_context():
        return people.organisation_named(name).id
