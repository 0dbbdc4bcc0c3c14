"""Who asks, and whether they may."""
import functools

from flask import current_app, g, request, session
from flask_security import current_user
from flask_wtf import CSRFProtect

from accounts import permissions
from accounts.models import Person
from core import clock, http
from core.errors import NotAllowed, NotSignedIn

READS = ("GET", "HEAD", "OPTIONS")
PROVED = "fs_paa"  # when it was shown, as Flask-Security calls it in the cookie
csrf = CSRFProtect()


class ActsForNobody(NotSignedIn):
    """Signed in, but for no organisation: the one they acted for was left, or is suspended."""


def person() -> Person | None:
    """Who is signed in on a page, whether or not they act for an organisation."""
    if request.path.startswith(http.API) or not current_user.is_authenticated:
        return None
    return current_user._get_current_object()


def viewer() -> permissions.Viewer:
    """Who is asking. Raises NotSignedIn."""
    if g.get("viewer") is None and person() is not None:
        raise ActsForNobody("You do not belong to the organisation you acted for any more.")
    if g.get("viewer") is None:
        raise NotSignedIn("Sign in, or send a bearer token.")
    return g.viewer


def fresh() -> bool:
    """Whether this session's proof of who asks is fresh: by signing in, or by showing it again."""
    age = clock.now().timestamp() - session.get(PROVED, 0)
    return -60 < age < current_app.config["PROOF_WITHIN"].total_seconds()


def permit(action: str):
    """Declare a route's rule. The action must be in the table; a record's relation is checked where it is read. What
    needs a fresh proof needs it to be changed, not to be looked at."""
    if action not in permissions.ACTIONS:
        raise KeyError(f"{action!r} is not in the table of permissions")

    def declare(view):
        @functools.wraps(view)
        def guarded(*args, **kwargs):
            if action not in permissions.OPEN:
                if not permissions.relations(viewer(), action):
                    raise NotAllowed("Your role does not allow this. Ask an administrator of your organisation.")
                if request.method not in READS:
                    permissions.check_proof(viewer(), action)
            return view(*args, **kwargs)
        guarded.permit = action
        return guarded
    return declare
