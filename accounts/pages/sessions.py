"""Where one is signed in, and the end of it."""
from flask import flash, g, redirect, url_for

from accounts import security, sessions
from accounts.pages import bp
from core import audit
from core.http import writes


@bp.post("/account/sessions/<id:session_id>/end")
@security.permit("session.end")
@writes
def end_session(session_id):
    """Sign out in one other place."""
    viewer = security.viewer()
    sessions.end(session_id, viewer.person_id)
    audit.note("ended a session", "person", viewer.person_id)
    flash("Signed out there.")
    return redirect(url_for(".account", _anchor="sessions"))


@bp.post("/account/sessions/end")
@security.permit("session.end")
@writes
def end_other_sessions():
    """Sign out everywhere else."""
    viewer = security.viewer()
    ended = sessions.end_all(viewer.person_id, but=g.session.id)
    audit.note("ended all other sessions", "person", viewer.person_id)
    flash(f"Signed out in {ended} other place{'s' * (ended != 1)}." if ended else "You are signed in nowhere else.")
    return redirect(url_for(".account", _anchor="sessions"))
