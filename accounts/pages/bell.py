"""The bell: what one was told, and what one wants to be told."""
from flask import flash, redirect, render_template, request, url_for
from markupsafe import Markup

from accounts import letters, notices, security
from accounts.pages import bp
from core import http
from core.database import db
from core.errors import Invalid, NotSignedIn
from core.http import writes

ON_A_PAGE = 30


@bp.app_context_processor
def bell():
    """How many notices the viewer has not seen, for the masthead; and `marked(words, {name: language})`, which says of
    the names in a sentence what language they are in."""
    def unseen():
        try:
            return notices.waiting(security.viewer())
        except NotSignedIn:
            return 0
    return {"notices_waiting": unseen,
            "marked": lambda *said: Markup(letters.marked(*said))}  # noqa: S704 - escaped there


@bp.post("/account/notices")
@security.permit("notice.choose")
@writes
def choose_notices():
    """Say what reaches oneself."""
    notices.choose(security.viewer(), {kind: {way: f"{kind}-{way}" in request.form for way in notices.WAYS}
                                       for kind in notices.KINDS})
    flash("Noted: from now on you are told like this.")
    return redirect(url_for(".account", _anchor="notices"))


@bp.get("/notices")
@security.permit("notice.see")
def list_notices():
    """What one was told, the latest first."""
    page = http.page_asked()
    shown = db.session.scalars(notices.listing(security.viewer()).limit(ON_A_PAGE + 1).offset(
        (page - 1) * ON_A_PAGE)).all()
    return render_template("accounts/notices.html", shown=shown[:ON_A_PAGE], page=page, more=len(shown) > ON_A_PAGE,
                           by_title=letters.by_title)


@bp.post("/notices/seen")
@security.permit("notice.see")
@writes
def see_notices():
    """Everything up to what was shown is seen."""
    upto = request.form.get("upto", "")
    if not (upto.isascii() and upto.isdigit() and len(upto) < 10):
        raise Invalid({"upto": ["Name the latest notice that you saw."]})
    notices.see(security.viewer(), upto=int(upto))
    return redirect(url_for(".list_notices"))
