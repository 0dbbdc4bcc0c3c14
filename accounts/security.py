"""Signing people in. The only user of Flask-Security: it knows passwords and sessions, the roles are ours.

The API takes bearer tokens and nothing else; pages take the session and a CSRF token. Every route says
which action of `permissions` it is, with `@permit`; a test fails on a route that does not.
"""
import functools
from contextlib import contextmanager

from flask import current_app, g, redirect, request, session, url_for
from flask_security import (
    RoleMixin,
    Security,
    SQLAlchemyUserDatastore,
    current_user,
    hash_password,
    login_user,
    logout_user,
)
from flask_security.forms import LoginForm
from flask_security.signals import user_authenticated
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError

from accounts import people, permissions, tokens
from accounts.models import Person
from core import audit, http
from core.database import db
from core.errors import Invalid, NotAllowed, NotFound, NotSignedIn, Overtaken

STORED = "stored"  # the blueprint of core.storage, which asks for a signature and for nobody's session
csrf = CSRFProtect()


class _NoRole(RoleMixin):
    """Flask-Security wants a class of roles; ours belong to memberships."""


def hashed(password: str) -> str:
    """An argon2id hash, for `people.enrol`."""
    return hash_password(password)


def chosen(password: str) -> str:
    """The hash of a password that somebody chooses. Raises Invalid where it is too weak, as Flask-Security has it."""
    problems, password = current_app.extensions["security"].password_util.validate(password, True)
    if problems:
        raise Invalid({"password": [str(each) for each in problems]})
    return hash_password(password)


class ActsForNobody(NotSignedIn):
    """Signed in, but for no organisation: the one they acted for was left, or is suspended."""


def viewer() -> permissions.Viewer:
    """Who is asking. Raises NotSignedIn."""
    if g.get("viewer") is None and person() is not None:
        raise ActsForNobody("You do not belong to the organisation you acted for any more.")
    if g.get("viewer") is None:
        raise NotSignedIn("Sign in, or send a bearer token.")
    return g.viewer


def permit(action: str):
    """Declare a route's rule. The action must be in the table; a record's relation is checked where it is read."""
    if action not in permissions.ACTIONS:
        raise KeyError(f"{action!r} is not in the table of permissions")

    def declare(view):
        @functools.wraps(view)
        def guarded(*args, **kwargs):
            if action not in permissions.OPEN and not permissions.relations(viewer(), action):
                raise NotAllowed("Your role does not allow this. Ask an administrator of your organisation.")
            return view(*args, **kwargs)
        guarded.permit = action
        return guarded
    return declare


def person() -> Person | None:
    """Who is signed in on a page, whether or not they act for an organisation."""
    if request.path.startswith(http.API) or not current_user.is_authenticated:
        return None
    return current_user._get_current_object()


def _identify():
    g.viewer, g.elsewhere = None, []
    if request.endpoint == "static" or request.blueprint == STORED:
        return
    if request.path.startswith(http.API):
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        g.viewer, g.stamp = tokens.bearer(token.strip()) if kind.lower() == "bearer" and token else (None, None)
    elif current_user.is_authenticated:
        g.viewer = _acted_for(current_user.id)


# ------------------------------------------------------------------ for whom one acts

ACTS_FOR = "acts_for"  # in the session: the id of the organisation


def _acted_for(person_id):
    """The viewer a signed-in person is. It is never another organisation than the one they saw last: who was removed
    from that one acts for nobody, until they choose."""
    theirs = people.memberships(person_id)
    if ACTS_FOR not in session and theirs:
        session[ACTS_FOR] = theirs[0].organisation_id
    g.elsewhere = [each.organisation for each in theirs if each.organisation_id != session.get(ACTS_FOR)]
    return next((people.acting(each) for each in theirs if each.organisation_id == session[ACTS_FOR]), None)


def act_for(organisation_id: int) -> permissions.Viewer:
    """Act for another of one's organisations from now on. Raises NotFound for one that is not.

    Forms that were drawn for the former are refused: their token is not that of the session any more.
    """
    who = person()
    found = who and people.viewer(who.id, organisation_id)
    if found is None:
        raise NotFound()
    if session.get(ACTS_FOR) != organisation_id:
        session[ACTS_FOR] = organisation_id
        _renew_forms()
        audit.note("began to act", "person", found.person_id, by=found)
    g.viewer = found
    return found


@contextmanager
def for_nobody():
    """What is done inside is done by a person for no organisation: of nothing is it noted that they did it for the one
    they act for, whose colleagues would read it."""
    seat, g.viewer = g.viewer, None
    try:
        yield
    finally:
        g.viewer = seat


def _renew_forms():
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)


def sign_in(someone: Person, organisation_id: int):
    """Sign in who has just proved that they hold their address, to act for this organisation."""
    login_user(someone, authn_via=["invitation"])
    session[ACTS_FOR] = organisation_id
    _renew_forms()
    g.viewer = people.viewer(someone.id, organisation_id)


def _send_to_sign_in(refusal):
    """A page asked for without signing in leads to the sign-in page and back."""
    if http.wants_json():
        return http.refused(refusal)
    if isinstance(refusal, ActsForNobody):
        return redirect(url_for("accounts_pages.choose_organisation"))
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("security.login", next=back))


def sign_out():
    if g.viewer:
        audit.note("signed out", "person", g.viewer.person_id)
    session.pop(ACTS_FOR, None)
    logout_user()


def _signed_in(_app, user, **_):
    session.pop(ACTS_FOR, None)  # of whoever signed in here before
    audit.note("signed in", "person", user.id, by=_acted_for(user.id))


def init_app(app):
    app.config.update(
        SECURITY_PASSWORD_SALT=app.config["SECRET_KEY"], SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - a scheme
        SECURITY_LOGIN_URL="/sign-in", SECURITY_LOGOUT_URL="/sign-out-of-everything",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_LOGIN_USER_TEMPLATE="accounts/sign_in.html", SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_LOGOUT_VIEW="/sign-in", SECURITY_SEND_REGISTER_EMAIL=False, SECURITY_JOIN_USER_ROLES=False,
        SECURITY_RETURN_GENERIC_RESPONSES=True, SECURITY_FLASH_MESSAGES=False,
        SECURITY_UNAUTHORIZED_VIEW=None, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_CHECK_DEFAULT=False)
    if not app.config["PRODUCTION"]:
        app.config["SECURITY_EMAIL_VALIDATOR_ARGS"] = {"test_environment": True}  # the demo's .test addresses
    csrf.init_app(app)
    Security(app, SQLAlchemyUserDatastore(db, Person, _NoRole), login_form=LoginForm)
    user_authenticated.connect(_signed_in, app)
    for endpoint, view in app.view_functions.items():
        if endpoint == "static" or endpoint.startswith("security."):  # the way in is open to everyone
            app.view_functions[endpoint] = permit("open")(view)
        if endpoint.startswith(f"{STORED}."):
            app.view_functions[endpoint] = permit("object.reach")(view)
    app.before_request(_identify)
    app.register_error_handler(NotSignedIn, _send_to_sign_in)

    @app.before_request
    def check_forms():
        if request.method == "POST" and not request.path.startswith(http.API) and request.blueprint != STORED:
            try:
                csrf.protect()
            except CSRFError:
                raise Overtaken("This page was drawn before you signed in, or for another organisation of yours. "
                                "Nothing was changed. Open it again, see for whom you act now, then repeat.") from None

    @app.after_request
    def note_use(response):
        """A token is stamped once a day, after the answer has gone: nobody waits for it."""
        if stamp := g.get("stamp"):
            response.call_on_close(lambda: tokens.stamp(app, stamp))
        return response

    def may(action):
        """Whether the viewer may do this to any record at all: which ways the masthead shows."""
        return bool(g.get("viewer") and permissions.relations(g.viewer, action))

    @app.context_processor
    def who():
        return {"viewer": g.get("viewer"), "viewer_may": may, "elsewhere": g.get("elsewhere") or []}
