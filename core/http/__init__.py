"""What every HTTP answer shares: one transaction per write, problem documents, revisions; by noun the limits, the
headers, idempotency keys and what may stand in text."""
import functools
import hashlib
import json
import random
import time

import flask_smorest
from flask import Response, current_app, g, make_response, render_template, request
from flask_smorest.error_handler import ErrorSchema
from marshmallow import fields
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.routing import BaseConverter

from core import log, openapi
from core.database import db, may_be_retried, reading
from core.errors import Away, Invalid, NotFound, Refusal, Stale, Unconditional
from core.http import headers, keys, limits, text
from core.http.keys import API
from core.http.keys import shows_once as shows_once
from core.http.limits import PAPER as PAPER
from core.http.limits import PROOF as PROOF
from core.http.limits import SEARCH as SEARCH
from core.http.limits import UPLOAD as UPLOAD
from core.http.limits import counts_as as counts_as
from core.storage.contract import Unavailable

TRIES = 4


# ------------------------------------------------------------------ one transaction at the edge

def writes(view):
    """Run a view as one transaction: commit what it did once, or nothing of it.

    A deadlock or a serialisation failure is begun again, three times at most. An `Idempotency-Key` is
    stored first, in the same transaction, so that of two equal requests at once one waits for the other
    and replays its answer.
    """
    @functools.wraps(view)
    def in_one_transaction(*args, **kwargs):
        for attempt in range(TRIES):
            try:
                if replay := keys.claim():
                    return replay
                response = make_response(view(*args, **kwargs))
                keys.keep(response)
                db.session.commit()
                return response
            except StaleDataError:
                raise Stale("Somebody changed this record at the same moment. Read it again, then repeat.") from None
            except DBAPIError as error:
                db.session.rollback()
                unique = isinstance(error, IntegrityError)  # somebody else was first: now it can be seen
                if attempt == TRIES - 1 or not (unique or may_be_retried(error)):
                    raise
                time.sleep(random.uniform(0, 0.05) * 2 ** attempt)  # noqa: S311 - spreading, not secrecy
    in_one_transaction.writes = True
    return in_one_transaction


# ------------------------------------------------------------------ sizes

def takes(most: int):
    """Mark a view whose requests may be as large as this, in bytes."""
    def mark(view):
        view.takes = most
        return view
    return mark


# ------------------------------------------------------------------ revisions

def etag(revision: int) -> dict:
    """The header that names a record's revision."""
    return {"ETag": f'"{revision}"'}


def check_if_match(revision: int):
    """Refuse a change that names another revision than the record's present one, or none."""
    if "If-Match" not in request.headers:
        raise Unconditional("Read the record first and send its ETag as If-Match.")
    check_if_match_sent(revision)


def check_if_match_sent(revision: int):
    """Refuse a change that names another revision than the record's present one; it need name none."""
    sent = request.headers.get("If-Match", "*")
    if sent.strip() != "*" and f'"{revision}"' not in [tag.strip() for tag in sent.split(",")]:
        raise Stale("Somebody changed this record since you read it. Read it again, then repeat your change.")


def form_is_stale(revision) -> bool:
    """Whether a form was filled in over an earlier revision than this one, which its hidden `revision` names."""
    return request.form.get("revision", str(revision)) != str(revision)


def revision_of(*said) -> str:
    """A revision for a form over a record that keeps none: another one as soon as one of these values is another."""
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


LAST_PAGE = 100_000


def page_asked() -> int:
    """The page a list is asked for in the address, 1 where it is none."""
    return min(max(1, request.args.get("page", 1, type=int)), LAST_PAGE)


def page(query, wanted):
    """One page of a query, as flask-smorest's `wanted` asks; tells it the total."""
    if wanted.page > LAST_PAGE:
        raise Invalid({"page": [f"The last page is {LAST_PAGE}."]})
    wanted.item_count = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    return db.session.scalars(query.limit(wanted.page_size).offset(wanted.first_item)).unique().all()


# ------------------------------------------------------------------ answers

def wants_json() -> bool:
    return request.path.startswith(API) or request.accept_mimetypes.best == "application/json"


def problem(status: int, title: str, detail: str | None = None, **more) -> Response:
    """An RFC 9457 problem document."""
    body = {"type": "about:blank", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    response = make_response(json.dumps({**body, **more}, ensure_ascii=False), status)
    response.content_type = "application/problem+json"
    return response


def _page(status, title, detail, **more) -> Response:
    """A refusal as a page. From a form that was sent it leads back to the page of ours the form stood on, unless that
    was an answer to a form in its turn, which has no page of its own."""
    home, back = request.host_url, request.referrer or ""
    path = "/" + back.removeprefix(home).partition("?")[0]
    opens = (request.method == "POST" and back.startswith(home)
             and "GET" in current_app.create_url_adapter(request).allowed_methods(path))
    return make_response(render_template("error.html", status=status, title=title, detail=detail,
                                         back=back if opens else None, **more), status)


def refused(refusal: Refusal):
    """A refusal as an answer: a problem document, or a page with the sentence on it."""
    db.session.rollback()
    log.refused(refusal.status)
    if wants_json():
        response = problem(refusal.status, refusal.title, refusal.detail, **refusal.more)
    else:
        response = _page(refusal.status, refusal.title, refusal.detail, **refusal.more)
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Slate"'
    if refusal.seconds:
        response.headers["Retry-After"] = refusal.seconds
    return response


SAID = {
    400: ("Not understood", "The request could not be read. If it was sent from a page, open that page again, then "
                            "repeat."),
    404: (NotFound.title, NotFound().detail),
    405: ("Not possible here", "This address does not take that method. If a link led here, go back and use the button "
                               "on that page."),
    413: ("Too large", "That is more than can be taken at once. Go back, and send a smaller file or fewer words."),
    415: ("Not JSON", "Send the body as application/json."),
    429: ("Too many requests", "Wait a little, then try again."),
    500: ("Our mistake", "Something went wrong on our side. It has been noted; nothing was changed. Try again."),
}


def store_away(problem: Unavailable):
    """The store of pictures and films does not answer: what it said is for the log, not for the asker."""
    current_app.logger.warning("The store does not answer: %s", problem)
    return refused(Away("Pictures and films cannot be reached just now. Try again in a minute; nothing is lost."))


def database_busy(error: OperationalError):
    """The database was waited for in vain, or cannot be reached. What else it stumbled over is our mistake."""
    if db.engine.dialect.name == "sqlite" and not may_be_retried(error):
        raise error
    current_app.logger.warning("The database does not answer: %s", error.orig)
    with reading():  # the page about it must not wait for the writer in its turn
        return refused(Away("The database does not answer just now. Nothing was changed; try again in a moment."))


def http_error(error: HTTPException):
    """Any HTTP error of the framework, in our words."""
    if error.response is not None:  # it is in our words
        return error.response
    db.session.rollback()
    if error.code is None or error.code < 400:
        return error.get_response()
    log.refused(error.code)
    if isinstance(error, SecurityError):  # it is not known whose page could be shown
        return Response("This is no address of Slate.\n", 400, mimetype="text/plain")
    title, detail = SAID.get(error.code, (error.name, error.description))
    more = {}
    data = getattr(error, "data", None) or {}
    if messages := data.get("messages"):
        spread = {}
        for place in messages.values():
            spread.update(place if isinstance(place, dict) else {"body": place})
        invalid = Invalid(spread)
        title, detail, more = invalid.title, invalid.detail, {"errors": spread}
    response = problem(error.code, title, detail, **more) if wants_json() else _page(error.code, title, detail)
    for name in ("Allow", "Retry-After"):
        if value := error.get_response().headers.get(name):
            response.headers[name] = value
    return response


class ProblemSchema(ErrorSchema):
    """The shape of a refusal, for the OpenAPI document (RFC 9457)."""
    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String()
    errors = fields.Dict(metadata={"description": "sentences by field"})
    reasons = fields.List(fields.Dict(), metadata={"description": "why rights are not free"})
    version = fields.Integer(metadata={"description": "of the offer as it is now, where another was named"})
    changes = fields.List(fields.Dict(), metadata={"description": "between the version that was named and that one"})
    offer_id = fields.String(metadata={"description": "what the hold became"})
    sha256 = fields.String(metadata={"description": "of the memo there is, where another was read"})

    class Meta:
        fields = ("type", "title", "status", "detail", "errors", "reasons", "version", "changes", "offer_id", "sha256")


class IdConverter(BaseConverter):
    """An id in an address: what fits a database's integer on both engines; anything else is nothing we have."""
    regex = "[0-9]{1,9}"
    to_python = int


class Api(flask_smorest.Api):
    """flask-smorest with our problem documents in place of its own."""
    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app):
        super().__init__(app)
        self.register_converter(IdConverter, lambda _: {"type": "string", "pattern": f"^{IdConverter.regex}$"})
        self.ma_plugin.converter.add_attribute_function(openapi.names_of_properties)

    @functools.cached_property
    def document(self) -> dict:
        """What is served as the API's description: made once, for code does not change while it runs."""
        return openapi.complete(self.spec.to_dict(), self._app.url_map, self._app.view_functions, text.FIT)

    def handle_http_exception(self, error):
        return http_error(error)


class Blueprint(flask_smorest.Blueprint):
    """Lists are paged alike everywhere: page_size is 20 unless asked, 100 at most."""
    DEFAULT_PAGINATION_PARAMETERS = {"page": 1, "page_size": 20, "max_page_size": 100}

    def arguments(self, schema, *, location="json", **kwargs):
        """flask-smorest's, but that a body is looked at as a whole before any field of it."""
        parse = super().arguments(schema, location=location, **kwargs)
        if location != "json":
            return parse

        def with_body(view):
            parsed = parse(view)

            @functools.wraps(parsed)
            def checked(*args, **kwargs):
                text.check_body()
                return parsed(*args, **kwargs)
            return checked
        return with_body


def init_app(app, store_origin=""):
    """`store_origin` is where browsers may fetch pictures and films from, and send them to, beside the application."""
    app.url_map.converters["id"] = IdConverter
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(Unavailable, store_away)
    app.register_error_handler(OperationalError, database_busy)
    app.register_error_handler(HTTPException, http_error)
    log.init_app(app)
    headers.init_app(app, store_origin)

    @app.before_request
    def allow_large():
        if most := getattr(app.view_functions.get(request.endpoint), "takes", None):
            request.max_content_length = most


STORED = "stored"  # the blueprint of `core.storage.door`: its addresses and forms are what was signed, to the letter


def count(app):
    """Count requests; called when `g.viewer` is known by whom, and before anything else is done for it."""
    limits.init_app(app, refused)


def guard(app):
    """Look at what requests say."""
    @app.before_request
    def check_text():
        stranger = request.path.startswith(API) and g.viewer is None  # who is told to sign in, whatever else is wrong
        if request.blueprint != STORED and not stranger:
            text.check_address()
            if request.method == "POST" and not request.path.startswith(API):
                text.check_form()
