"""The pages of Flask-Security that are used, each with its rule; what is not here is not there.

Its views ask for a commit after the request; here each is one transaction (`writes`), together with what its signals
note and send.
"""
from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_security import anonymous_user_required, current_user, recovery_codes, tf_plugin, views, webauthn
from flask_security.signals import wan_deleted, wan_registered

from accounts import mailings, people, permissions
from accounts.security.factors import is_an_answer
from accounts.security.guard import permit, viewer
from accounts.security.presence import STORED
from core import audit, http
from core.errors import Invalid

bp = Blueprint("security", __name__)
BOTH, SEND = ("GET", "POST"), ("POST",)
TEMPLATES = {
    "LOGIN_USER": "sign_in", "TWO_FACTOR_VERIFY_CODE": "code", "TWO_FACTOR_SELECT": "second", "WAN_SIGNIN": "passkey",
    "MULTI_FACTOR_RECOVERY": "recovery_code", "RESET_PASSWORD": "new_password", "CHANGE_PASSWORD": "password",
    "WAN_REGISTER": "passkeys",
}


@bp.before_request
def look_at_the_answer():
    if not is_an_answer(request.form.get("credential", "")):
        raise Invalid({"credential": ["This is no answer of a passkey. Go back and try again."]})


@bp.get("/recovery")
@permit("open")
def forgot_password():
    """Who cannot sign in says at which address a letter would reach them."""
    return render_template("accounts/security/recovery.html")


@bp.post("/recovery")
@permit("open")
@http.writes
def recover():
    """The same answer, as quick, whether or not anybody has the address."""
    person = people.find(request.form.get("email", "")[:255].replace("\0", ""))
    known = person if person and person.active else None
    audit.note("asked for a new password", "person", person and person.id)
    mailings.put("recovery", known)
    return render_template("accounts/security/recovery.html", sent=True)


@bp.get("/sign-in/lost")
@permit("open")
def two_factor_rescue():
    """Whoever lost what makes the codes has recovery codes."""
    return redirect(url_for(".mf_recovery", next=request.args.get("next")))


def new_password(token):
    """Flask-Security's page, but that a link which leads nowhere says so."""
    response = make_response(views.reset_password(token))
    if response.location == url_for(".forgot_password"):
        return redirect(url_for(".forgot_password", ended="yes"))
    return response


def changed_password():
    """Flask-Security's page; of whoever has no password that they could name, a fresh proof is asked."""
    if not current_user.password:
        permissions.check_proof(viewer(), "sign_in.change")
    return views.change_password()


def passkeys():
    """Flask-Security's page, which is not even shown without a fresh proof: nobody begins what they could not end."""
    permissions.check_proof(viewer(), "sign_in.change")
    return webauthn.webauthn_register()


def passkey_came(token):
    """Flask-Security's page, but that a passkey which opens nothing is told so, and does not lose its way."""
    response = make_response(webauthn.webauthn_signin_response(token))
    if response.location == url_for(".wan_signin"):
        return redirect(url_for(".wan_signin", failed="yes", next=request.args.get("next")))
    return response


def _key_added(_app, user, name, **_):
    audit.note("added a passkey", "person", user.id, after={"passkey": name})
    mailings.put("factor_changed", user)
    flash("The passkey is there. Try it the next time you sign in.")


def _key_removed(_app, user, name, **_):
    audit.note("removed a passkey", "person", user.id, before={"passkey": name})
    mailings.put("factor_changed", user)
    flash("The passkey is removed, and opens nothing any more.")


# whoever is in already and comes back to these is led on: Flask-Security would sign them out, or send them to sign in
code, second = map(anonymous_user_required, (views.two_factor_token_validation, tf_plugin.tf_select))
PAGES = (
    ("/sign-in", "login", BOTH, "open", views.login),
    ("/sign-in/code", "two_factor_token_validation", BOTH, "open", code),
    ("/sign-in/second", "tf_select", BOTH, "open", second),
    ("/sign-in/recovery-code", "mf_recovery", BOTH, "open", recovery_codes.mf_recovery),
    ("/sign-in/passkey", "wan_signin", BOTH, "open", webauthn.webauthn_signin),
    ("/sign-in/passkey/<token>", "wan_signin_response", SEND, "open", passkey_came),
    ("/recovery/<token>", "reset_password", BOTH, "open", new_password),
    ("/account/password", "change_password", BOTH, "password.change", changed_password),
    ("/account/passkeys", "wan_register", BOTH, "sign_in.change", passkeys),
    ("/account/passkeys/<token>", "wan_register_response", SEND, "sign_in.change", webauthn.webauthn_register_response),
    ("/account/passkeys/removal", "wan_delete", SEND, "sign_in.change", webauthn.webauthn_delete),
)
for path, name, methods, action, view in PAGES:
    bp.add_url_rule(path, name, permit(action)(http.writes(view)), methods=methods)


def init_app(app):
    app.config.update(
        {f"SECURITY_{name}_TEMPLATE": f"accounts/security/{page}.html" for name, page in TEMPLATES.items()},
        SECURITY_LOGIN_URL="/sign-in", SECURITY_POST_LOGIN_VIEW="/", SECURITY_POST_LOGOUT_VIEW="/sign-in",
        SECURITY_POST_RESET_VIEW="/sign-in?recovered=yes", SECURITY_POST_CHANGE_VIEW="/account?password=changed",
        SECURITY_WAN_POST_REGISTER_VIEW="/account#sign-in")
    wan_registered.connect(_key_added, app)
    wan_deleted.connect(_key_removed, app)
    app.register_blueprint(bp)
    for endpoint, view in app.view_functions.items():
        if endpoint == "static":
            app.view_functions[endpoint] = permit("open")(view)
        if endpoint.startswith(f"{STORED}."):
            app.view_functions[endpoint] = permit("object.reach")(view)
