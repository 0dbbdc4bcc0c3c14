"""What proves a person: a password, a code of an app, a recovery code, a passkey."""
import base64
import hashlib
import hmac
import secrets
import textwrap
import unicodedata
from datetime import timedelta

import webauthn
from cryptography.fernet import Fernet
from flask import current_app, request
from flask_security import (
    MfRecoveryCodesUtil,
    PasswordUtil,
    RoleMixin,
    Security,
    SQLAlchemyUserDatastore,
    Totp,
    WebauthnUtil,
    hash_password,
)
from flask_security.forms import LoginForm
from flask_security.webauthn import WebAuthnRegisterResponseForm, WebAuthnSigninResponseForm
from itsdangerous import BadData
from passlib.totp import TOTP, AppWallet
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from zxcvbn import zxcvbn

from accounts import challenges
from accounts.models import Passkey, Person
from accounts.security import trail
from core import clock
from core.database import db
from core.errors import Invalid

LEAST_PASSWORD = 12  # characters
LEAST_SCORE = 3  # of zxcvbn: more than 10 ** 8 guesses by who knows its lists of passwords and words
LOOKED_AT = 40  # characters: to score more takes long, and what begins well enough is good enough
CODES, CODE_BYTES = 10, 16  # recovery codes at a time, and of how many random bytes each is
METHOD = "authenticator"


class _NoRole(RoleMixin):
    """Flask-Security wants a class of roles; ours belong to memberships."""


def hashed(password: str) -> str:
    """An argon2id hash, for `people.enrol`."""
    return hash_password(password)


# ------------------------------------------------------------------ passwords

def chosen(password: str) -> str:
    """The hash of a password that somebody chooses. Raises Invalid where it is too weak."""
    problems, password = _security().password_util.validate(password, True)
    if problems:
        raise Invalid({"password": [str(each) for each in problems]})
    return hash_password(password)


class Passwords(PasswordUtil):
    """What a new password must be: long, and not made of what everybody knows of its person."""

    def validate(self, password, is_register, **context):
        problems, normal = super().validate(password, is_register, **context)
        person = context.get("user")
        known = {word for word in (person.email.partition("@")[0], *person.name.split(), "password", "slate")
                 if len(word) > 3} if person else set()
        left = normal.lower()
        for word in sorted(known, key=len, reverse=True):
            left = left.replace(word.lower(), "")
        if not problems and (len(set(left)) < 5 or zxcvbn(normal[:LOOKED_AT], [*known])["score"] < LEAST_SCORE):
            problems = ["Too easy to guess: take a few words that do not belong together."]
        return problems, normal


class SignInForm(LoginForm):
    """As it is, but that a failure is noted, alike for addresses that nobody has."""

    def validate(self, **kwargs):
        good = super().validate(**kwargs)
        if not good:
            trail.failed(self.user, "password")
        return good


def password_proves(person: Person, said: str) -> bool:
    return bool(person.password) and person.verify_and_update_password(_security().password_util.normalize(said))


# ------------------------------------------------------------------ codes

class Sealed(AppWallet):
    """Keeps the keys of apps so that a change shows, where passlib's own encryption has no mark of it."""

    def __init__(self, key: str):
        super().__init__()
        self._fernet = Fernet(key)

    def encrypt_key(self, key):
        return {"sealed": self._fernet.encrypt(key).decode()}

    def decrypt_key(self, enckey):
        return self._fernet.decrypt(enckey["sealed"]), False


class Codes(Totp):
    """Codes of an app; none is taken twice, also not by two requests at once."""

    def __init__(self, secrets, issuer):
        super().__init__(secrets, issuer)
        self._totp = TOTP.using(issuer=issuer, wallet=Sealed(secrets[1]))

    def get_last_counter(self, user):
        return _locked(user).totp_counter

    def set_last_counter(self, user, tmatch):
        _locked(user).totp_counter = tmatch.counter


class RecoveryCodes(MfRecoveryCodesUtil):
    """Each is taken once, also where two come at once. They are long enough that one round of SHA-256 keeps them."""

    def create_recovery_codes(self, user):
        made = [secrets.token_hex(CODE_BYTES) for _ in range(CODES)]
        user.mf_recovery_codes = [_digest(each) for each in made]
        return ["-".join(textwrap.wrap(each, 4)) for each in made]

    def check_recovery_code(self, user, code):
        return _digest(code) in (_locked(user).mf_recovery_codes or [])

    def delete_recovery_code(self, user, code):
        kept = [each for each in user.mf_recovery_codes or [] if each != _digest(code)]
        gone, user.mf_recovery_codes = kept != user.mf_recovery_codes, kept
        return gone


def _digest(code):
    return hashlib.sha256("".join(code.lower().replace("-", "").split()).encode()).hexdigest()


def _locked(person) -> Person:
    """A person as the database has them, until the transaction ends."""
    db.session.flush()
    return db.session.get(Person, person.id, with_for_update=True, populate_existing=True)


def code_proves(person: Person, said: str) -> bool:
    return _code_is_right(person, said, person.tf_totp_secret)


def _code_is_right(person, said, secret):
    return _security().totp_factory.verify_totp(
        token="".join(said.split()), totp_secret=secret, user=person,
        window=current_app.config["SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY"])


def new_codes(person: Person) -> dict:
    """What an app needs to make codes for this person: {state, image, key}. `state` is signed and goes into the form;
    nothing is kept until `set_codes`."""
    return _shown(person, _security().totp_factory.generate_totp_secret())


def _shown(person, secret):
    values = _security().totp_factory.fetch_setup_values(secret, person)
    return {"state": _security().tf_setup_serializer.dumps([person.id, secret]),
            "image": values["image"], "key": values["key"]}


def set_codes(person: Person, state: str, said: str) -> list[str]:
    """From now on this person signs in with a code, too. Returns new recovery codes, to be shown once. Raises Invalid
    with what to show again."""
    try:
        person_id, secret = _security().tf_setup_serializer.loads(state, max_age=30 * 60)
    except BadData:
        person_id = None
    if person_id != person.id:
        raise Invalid({"code": ["This took too long. Scan the new picture, then type the code."]})
    if not _code_is_right(person, said, secret):
        raise Invalid({"code": ["That is not the code of this moment. See that the clock of your phone is right, then "
                                "type the code that the app shows now."]})
    _security().datastore.tf_set(person, METHOD, secret)
    return new_recovery_codes(person)


def again(person: Person, state: str) -> dict:
    """What was shown, once more: the same secret, so that nobody has to scan twice."""
    try:
        person_id, secret = _security().tf_setup_serializer.loads(state, max_age=30 * 60)
    except BadData:
        return new_codes(person)
    return _shown(person, secret) if person_id == person.id else new_codes(person)


def no_codes(person: Person):
    """No more codes at sign-in; recovery codes stay while there are passkeys to recover from."""
    _security().datastore.tf_reset(person)
    if not any(each.usage == "secondary" for each in person.webauthn):
        person.mf_recovery_codes = None


def new_recovery_codes(person: Person) -> list[str]:
    """Codes for whoever loses the second factor, each good for once; those before them are void."""
    return _security().mf_recovery_codes_util.create_recovery_codes(person)


# ------------------------------------------------------------------ passkeys

class Passkeys(WebauthnUtil):
    """A key in place of a password asks its person for a finger, a face or a PIN, and knows whose it is, so that
    nobody types an address first; a key after the password only has to be there."""

    def authenticator_selection(self, user, usage):
        first = usage == "first"
        return AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED if first else ResidentKeyRequirement.DISCOURAGED,
            user_verification=self._verification(first))

    def user_verification(self, user, usage):
        return self._verification("secondary" not in usage)

    @staticmethod
    def _verification(needed):
        return UserVerificationRequirement.REQUIRED if needed else UserVerificationRequirement.DISCOURAGED

    def name_svn(self, value):
        """(what is wrong, None) or (None, the name)."""
        name = unicodedata.normalize("NFKC", value).strip()
        if not 0 < len(name) <= 64 or any(unicodedata.category(char)[0] == "C" for char in name):
            return "Call it something of 1 to 64 characters, such as: Work laptop.", None
        return None, name


class Once:
    """What a passkey signed is taken once."""

    def validate(self, **kwargs):
        if not super().validate(**kwargs):
            return False
        if not challenges.use(self.challenge):
            self.credential.errors.append("This answer of a passkey was used already. Try again.")
            self.noted()
            return False
        return True

    def noted(self):
        """Nobody is known yet for whom it could be noted."""


class PasskeyForm(Once, WebAuthnSigninResponseForm):
    def noted(self):
        self.user.track_failed_authn("passkey")


class NewPasskeyForm(Once, WebAuthnRegisterResponseForm):
    pass


def passkey_asked(person: Person) -> tuple[dict, str]:
    """(what the browser is asked, its state, signed) for a proof by one of a person's keys."""
    util = _security().webauthn_util
    challenge = util.generate_challenge()
    options = webauthn.generate_authentication_options(
        rp_id=request.host.split(":")[0], challenge=challenge.encode(),
        user_verification=util.user_verification(person, ["secondary"]),
        allow_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in person.webauthn])
    return options_to_json_dict(options), _security().wan_serializer.dumps([person.id, challenge])


def is_an_answer(said: str) -> bool:
    """Whether this could be what a browser says of a passkey: short, and not deeper than its reader goes."""
    return len(said) < 20_000 and said.count("[") + said.count("{") < 50


def passkey_proves(person: Person, said: str, state: str) -> bool:
    if not is_an_answer(said):
        return False
    try:
        person_id, challenge = _security().wan_serializer.loads(state, max_age=10 * 60)
    except BadData:
        return False
    form = PasskeyForm(formdata=None, credential=said)
    form.challenge, form.user_verification, form.is_secondary, form.is_verify = challenge, False, False, True
    if person_id != person.id or not form.validate() or form.user.id != person.id:
        return False
    form.cred.sign_count = form.authentication_verification.new_sign_count
    form.cred.lastuse_datetime = clock.now()
    return True


# ------------------------------------------------------------------ Flask-Security

def _security():
    return current_app.extensions["security"]


def _derived(app, purpose: bytes) -> str:
    """A key for one purpose, from the secret of the settings."""
    digest = hmac.digest(app.config["FACTOR_SECRET"].encode(), purpose, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode()


def init_app(app):
    app.config.update(
        SECURITY_PASSWORD_SALT=app.config["SECRET_KEY"], SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - a scheme
        SECURITY_PASSWORD_LENGTH_MIN=LEAST_PASSWORD, SECURITY_DATETIME_FACTORY=clock.now,
        SECURITY_SEND_REGISTER_EMAIL=False, SECURITY_SEND_PASSWORD_CHANGE_EMAIL=False,
        SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL=False, SECURITY_JOIN_USER_ROLES=False,
        SECURITY_RETURN_GENERIC_RESPONSES=True, SECURITY_FLASH_MESSAGES=False, SECURITY_UNAUTHORIZED_VIEW=None,
        SECURITY_API_ENABLED_METHODS=["session"], SECURITY_DEFAULT_REMEMBER_ME=False,
        SECURITY_FRESHNESS=timedelta(seconds=-1),  # none of its own: what needs a proof stands in `permissions.PROVEN`
        SECURITY_TWO_FACTOR=True, SECURITY_TWO_FACTOR_ENABLED_METHODS=[METHOD],
        SECURITY_TWO_FACTOR_RESCUE_EMAIL=False, SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY=30,  # seconds either way
        SECURITY_TOTP_ISSUER="Slate", SECURITY_TOTP_SECRETS={1: _derived(app, b"codes")},
        SECURITY_MULTI_FACTOR_RECOVERY_CODES=True,
        SECURITY_WAN_RP_NAME="Slate", SECURITY_WAN_ALLOW_USER_HINTS=False,  # no word on which addresses there are
        SECURITY_RESET_PASSWORD_WITHIN=app.config["LINK_WITHIN"],
        WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_CHECK_DEFAULT=False)
    if not app.config["PRODUCTION"]:
        app.config["SECURITY_EMAIL_VALIDATOR_ARGS"] = {"test_environment": True}  # the demo's .test addresses
    # SECURITY_WEBAUTHN stays off: it would add nothing but a library for cleaning names, and `Passkeys` names its own
    security = Security(app, SQLAlchemyUserDatastore(db, Person, _NoRole, webauthn_model=Passkey),
                        register_blueprint=False, login_form=SignInForm, wan_signin_response_form=PasskeyForm,
                        wan_register_response_form=NewPasskeyForm, password_util_cls=Passwords, totp_cls=Codes,
                        mf_recovery_codes_util_cls=RecoveryCodes, webauthn_util_cls=Passkeys)
    security.want_json(lambda _request: False)  # programs come by the API, with tokens of ours
    security.login_manager.request_loader(lambda _request: None)
