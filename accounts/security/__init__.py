"""Signing people in. The only user of Flask-Security: it knows passwords, codes and passkeys, the roles are ours.

The API takes bearer tokens and nothing else; pages take the session and a CSRF token. Every route says which action of
`permissions` it is, with `@permit`; a test fails on a route that does not.

    guard      who asks, and whether they may: `viewer`, `permit`
    acting     for which of their organisations they act
    trail      what is noted of those who could not show who they are
    presence   from a cookie or a token to who asks; sessions that begin, are seen and end
    factors    what proves a person: passwords, codes of an app, recovery codes, passkeys
    proof      a fresh proof before what cannot be taken back
    routes     the pages of Flask-Security that are used, each with its rule
    links      what stands in letters, signed
    lost       for whoever lost their second factors
"""
from accounts.security import factors, links, lost, presence, proof, routes
from accounts.security.acting import act_for, for_nobody, sign_in
from accounts.security.factors import chosen, hashed
from accounts.security.guard import csrf, permit, person, viewer
from accounts.security.presence import sign_out

__all__ = ["act_for", "chosen", "csrf", "factors", "for_nobody", "guard_forms", "hashed", "init_app", "links", "lost",
           "permit", "person", "presence", "proof", "sign_in", "sign_out", "viewer"]


def init_app(app):
    csrf.init_app(app)
    factors.init_app(app)
    routes.init_app(app)
    presence.init_app(app)


def guard_forms(app):
    """Refuse forms without their token, and look at proofs that come with them; called when requests are counted."""
    app.before_request(presence.check_forms)
    proof.init_app(app)
