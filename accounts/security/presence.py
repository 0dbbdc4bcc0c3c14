"""From a cookie or a token to who asks; sessions that begin, are seen and end."""
import hashlib
from contextlib import suppress

from flask import current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_security import current_user, logout_user
from flask_security.signals import password_changed, password_reset, user_authenticated, user_failed_authn
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError

from accounts import mailings, permissions, sessions, tokens
from accounts.security import acting, trail
from accounts.security.guard import PROVED, ActsForNobody, csrf
from core import audit, clock, http
from core.database import db
from core.errors import NotFound, NotSignedIn, Overtaken

STORED = "stored"  # the blueprint of core.storage, which asks for a signature and for nobody's session
KEY = "key"  # of the session, in the cookie


class Cookie(SecureCookieSessionInterface):
    """Signed with SHA-256, where Flask takes SHA-1."""
    digest_method = staticmethod(hashlib.sha256)


def limits() -> sessions.Limits:
    """How long sessions last here."""
    return sessions.Limits(current_app.config["SESSION_IDLE"], current_app.config["SESSION_WHOLE"])


def identify():
    g.viewer = g.session = None
    g.ended, g.elsewhere = False, []
    if request.endpoint == "static" or request.blueprint == STORED:
        return
    if request.path.startswith(http.API):
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        g.viewer, g.token = tokens.bearer(token.strip()) if kind.lower() == "bearer" and token else (None, None)
    elif current_user.is_authenticated:
        g.session = sessions.find(session.get(KEY), current_user.id, limits())
        if g.session is None:
            g.ended = True
            logout_user()
        else:
            g.viewer = acting.acted_for(current_user.id)


def check_forms():
    """A form without its token is refused; of a session that ended meanwhile, the way in is shown first."""
    if request.method != "POST" or request.path.startswith(http.API) or request.blueprint == STORED:
        return
    if g.ended and getattr(current_app.view_functions.get(request.endpoint), "permit", None) not in permissions.OPEN:
        raise NotSignedIn("You were signed out meanwhile. Sign in, then send it again.")
    try:
        csrf.protect()
    except CSRFError:
        raise Overtaken("This page was drawn before you signed in, or for another organisation of yours. "
                        "Nothing was changed. Open it again, see for whom you act now, then repeat.") from None


def stamp(response):
    """Note that the session or the token was used, after the answer went out: what only reads writes nothing and never
    waits."""
    if token := g.get("token"):
        app = current_app._get_current_object()
        response.call_on_close(lambda: tokens.stamp(app, token))
    used = g.get("session")
    if used and clock.now() - used.seen_at >= sessions.SEEN_EVERY:
        said, engine = sessions.seen(used.id), db.engine

        @response.call_on_close
        def write():
            with suppress(OperationalError), engine.begin() as link:  # else the next request notes it
                link.execute(said)
    return response


def send_to_sign_in(refusal):
    """A page asked for without signing in leads to the sign-in page and back."""
    if http.wants_json():
        return http.refused(refusal)
    if isinstance(refusal, ActsForNobody):
        return redirect(url_for("accounts_pages.choose_organisation"))
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("security.login", next=back))


def sign_out():
    """Leave: this session ends."""
    if g.session:
        audit.note("signed out", "person", current_user.id)
        with suppress(NotFound):  # ended elsewhere just now
            sessions.end(g.session.id, current_user.id)
    session.pop(acting.ACTS_FOR, None)
    logout_user()


# ------------------------------------------------------------------ what Flask-Security tells

def _signed_in(_app, user, authn_via=None, **_):
    """A session of its own for each signing in, with a CSRF token of its own; one that was there before ends."""
    if old := sessions.find(session.pop(KEY, None), user.id, limits()):
        sessions.end(old.id, user.id)
    else:
        session.pop(acting.ACTS_FOR, None)  # of whoever signed in here before
    acting.renew_forms()
    session[KEY] = sessions.begin(user.id, request.user_agent.string, request.remote_addr or "unknown", limits())
    session[PROVED] = clock.now().timestamp()
    g.session = sessions.find(session[KEY], user.id, limits())
    if authn_via != ["change"]:
        audit.note("signed in", "person", user.id, by=acting.acted_for(user.id))


def _password_changed(_app, user, **_):
    """Whoever was signed in with the old one is out; this session was begun anew."""
    sessions.end_all(user.id, but=g.session.id)
    audit.note("changed the password", "person", user.id)
    mailings.put("password_changed", user)


def _password_recovered(_app, user, **_):
    sessions.end_all(user.id)
    audit.note("recovered the password", "person", user.id, organisation_id=trail.organisation(user))
    mailings.put("password_changed", user)


def _failed(_app, user, auth_type, **_):
    if auth_type != "password" and g.viewer is None:  # else the form itself tells, also where nobody has the address
        trail.failed(user, auth_type)


def init_app(app):
    app.session_interface = Cookie()
    user_authenticated.connect(_signed_in, app)
    password_changed.connect(_password_changed, app)
    password_reset.connect(_password_recovered, app)
    user_failed_authn.connect(_failed, app)
    app.before_request(identify)
    app.after_request(stamp)
    app.register_error_handler(NotSignedIn, send_to_sign_in)

    def may(action):
        """Whether the viewer may do this to any record at all: which ways the masthead shows."""
        return bool(g.get("viewer") and permissions.relations(g.viewer, action))

    @app.context_processor
    def who():
        return {"viewer": g.get("viewer"), "viewer_may": may, "elsewhere": g.get("elsewhere") or [],
                "signed_in": g.get("session") is not None}  # also who belongs to no organisation, and is no viewer
