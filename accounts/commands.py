"""flask token, invite, reset-factors, sign-out: what no page does, for whoever runs this installation."""
import click
from flask import current_app
from flask.cli import with_appcontext

from accounts import invitations, people, permissions, security, sessions, tokens
from core import audit
from core.database import db
from core.errors import Invalid


@click.command()
@click.argument("email")
@with_appcontext
def token(email):
    """Print a new bearer token for a person, and nothing else."""
    person = _who(email)
    click.echo(tokens.issue_whole(person))
    db.session.commit()


@click.command()
@click.argument("email")
@click.option("--organisation", required=True, help="Its name; it is founded where there is none of this name.")
@click.option("--trade", "trades", multiple=True, type=click.Choice(list(permissions.FITTING)),
              help="What it does, where it is founded.")
@click.option("--role", "roles", multiple=True, default=["admin"], show_default=True, help="In it; may be repeated.")
@with_appcontext
def invite(email, organisation, trades, roles):
    """Invite somebody into an organisation, and print the link: the first operator, or who replaces the last
    administrator."""
    try:
        house = people.organisation_named(organisation)
        if house is None and not trades:
            raise click.ClickException(f"There is no organisation called {organisation}. To found it, say --trade.")
        made = invitations.offer(house or people.found(organisation, trades), email, roles)
    except Invalid as problem:
        raise click.ClickException(problem.detail) from None
    click.echo(f"{current_app.config['SITE']}/invitations/{invitations.draw(made)}")
    db.session.commit()


@click.command("reset-factors")
@click.argument("email")
@click.option("--why", required=True, help="For the audit: who asked, and how it was made sure that it was them.")
@with_appcontext
def reset_factors(email, why):
    """Remove the codes, recovery codes and passkeys of whoever lost them; tells them by letter and ends their sessions.
    """
    person = _who(email)
    security.lost.reset(person, why)
    db.session.commit()
    click.echo(f"{person.name or person.email} signs in with the password alone, until they set up anew what they had.")


@click.command("sign-out")
@click.argument("email", required=False)
@click.option("--everybody", is_flag=True)
@with_appcontext
def sign_out(email, everybody):
    """End every session of a person, or of everybody."""
    if bool(email) == everybody:
        raise click.ClickException("Say whose sessions to end: an address, or --everybody.")
    person = _who(email) if email else None
    ended = sessions.end_all(person and person.id)
    audit.note("ended all sessions", "person", person and person.id)
    db.session.commit()
    click.echo(f"{ended} ended.")


def _who(email):
    if person := people.find(email):
        return person
    raise click.ClickException(f"There is nobody with the address {email}.")
