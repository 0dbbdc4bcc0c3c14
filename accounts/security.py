"""Signing people in. The only user of Flask-Security: it knows passwords and sessions, the roles are ours.

The API takes bearer tokens and nothing else; pages take the session and a CSRF token. Every route says
which action of `permissions` it is, with `@permit`; a test fails on a route that does not.
"""
import functools

from flask import g, redirect, request, url_for
from flask_security import RoleMixin, Security, SQLAlchemyUserDatastore, current_user, hash_password, logout_user
from flask_security.forms import LoginForm
from flask_security.signals import user_authenticated
from flask_wtf import CSRFProtect

from accounts import people, permissions
from accounts.models import Person
from core import audit, http
from core.database import db
from core.errors import NotAllowed, NotSignedIn

STORED = "stored"  # the blueprint of core.storage, which asks for a signature and for nobody's session
csrf = CSRFProtect()


class _NoRole(RoleMixin):
    """Flask-Security wants a class of roles; ours belong to memberships."""


def hashed(password: str) -> str:
    """An argon2id hash, for `people.enrol`."""
    return hash_password(password)


def viewer() -> permissions.Viewer:
    """Who is asking. Raises NotSignedIn."""
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


def _identify():
    g.viewer = None
    if request.endpoint == "static" or request.blueprint == STORED:
        return
    if request.path.startswith(http.API):
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        person_id = people.bearer(token.strip()) if kind.lower() == "bearer" and token else None
    else:
        person_id = current_user.id if current_user.is_authenticated else None
    g.viewer = people.viewer(person_id) if person_id else None


def _send_to_sign_in(refusal):
    """A page asked for without signing in leads to the sign-in page and back."""
    if http.wants_json():
        return http.refused(refusal)
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("security.login", next=back))


def sign_out():
    if g.viewer:
        audit.note("signed out", "person", g.viewer.person_id)
    logout_user()


def _signed_in(_app, user, **_):
    audit.note("signed in", "person", user.id, by=people.viewer(user.id))


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
            csrf.protect()

    @app.context_processor
    def who():
        return {"viewer": g.get("viewer")}
