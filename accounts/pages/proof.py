"""The page that asks once more who it is, for pages that are only looked at; a form carries its proof itself."""
from flask import redirect, request

from accounts import permissions, security
from accounts.pages import bp
from core.errors import NotProven


@bp.get("/proof")
@security.permit("look_up")
def ask_for_proof():
    """Ask, or go on where it was shown meanwhile."""
    try:
        permissions.check_proof(security.viewer(), "sign_in.change")
    except NotProven as wanted:
        return security.proof.page(wanted, request.args.get("next"))
    return redirect(security.proof.onward(request.args.get("next")))


@bp.post("/proof")
@security.permit("sign_in.change")
def prove():
    """Whoever comes here has shown it."""
    return redirect(security.proof.onward(request.args.get("next")))
