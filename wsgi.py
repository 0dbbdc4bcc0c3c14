"""The composition root: the one module that knows every package, and contains nothing itself."""
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import accounts.api.admission
import accounts.api.editions
import accounts.api.members
import accounts.api.notices
import accounts.api.takeout
import accounts.api.webhooks
import accounts.api.who
import accounts.pages.acting
import accounts.pages.address
import accounts.pages.admission
import accounts.pages.bell
import accounts.pages.editions
import accounts.pages.factors
import accounts.pages.joining
import accounts.pages.members
import accounts.pages.oneself
import accounts.pages.proof
import accounts.pages.sessions
import accounts.pages.takeout
import accounts.pages.tokens
import accounts.pages.webhooks
import catalogue.api
import catalogue.takeout
import commands
import config
import licensing.api.after
import licensing.api.approvals
import licensing.api.basket
import licensing.api.delivery
import licensing.api.holds
import licensing.api.money
import licensing.api.offers
import licensing.api.paper
import licensing.api.promises
import licensing.api.refusals
import licensing.api.remarks
import licensing.api.rights
import licensing.audited
import licensing.pages.approvals
import licensing.pages.audience
import licensing.pages.audit
import licensing.pages.basket
import licensing.pages.books
import licensing.pages.delivery
import licensing.pages.frame
import licensing.pages.holds
import licensing.pages.licences
import licensing.pages.money
import licensing.pages.offers
import licensing.pages.paper
import licensing.pages.refusals
import licensing.pages.remarks
import licensing.pages.slate
import licensing.pages.titles
import licensing.takeout
import media.api.screeners
import media.pages.screeners
import media.takeout
import search.api
import search.pages.briefs
import search.pages.home
import search.pages.saved
import search.takeout
import seed
from accounts import security
from accounts.webhooks.signing import Seal
from accounts.webhooks.worker import Sender
from core import clock, database, http, mail, storage
from core.outbound import Outbound
from core.storage import door
from search.index import Index


def create_app(settings: dict | None = None) -> Flask:
    """The application. `settings` override what the environment says."""
    app = Flask(__name__)
    app.config.update(config.read(), **(settings or {}))
    app.config.update(
        API_TITLE="Slate", API_VERSION="v1", OPENAPI_VERSION="3.1.0", API_SPEC_OPTIONS={
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
            "security": [{"bearer": []}],
            "info": {"description": "A film and TV catalogue that knows what is still for sale."}})
    clock.configure(app.config["ZONE"])
    database.init_app(app)
    app.extensions["store"] = store = storage.open_store(app.config)
    app.extensions["mailer"] = mail.open_mailer(app.config)
    app.extensions["webhooks"] = Sender(Outbound(local=app.config["WEBHOOK_LOCAL"], ports=app.config["WEBHOOK_PORTS"]),
                                        Seal(app.config["SECRET_KEY"]))
    http.init_app(app, store.origin)
    app.register_blueprint(door.bp)
    security.init_app(app)
    http.count(app)  # before a proof or a form is looked at: who guesses is counted
    security.guard_forms(app)
    http.guard(app)
    app.extensions["index"] = Index(app.config["INDEX_FOLDER"])
    app.extensions["slate-api"] = api = http.Api(app)
    for part in (accounts.api, catalogue.api, media.api, licensing.api, search.api):
        api.register_blueprint(part.bp)
    for blueprint in (search.api.health, search.pages.bp, licensing.pages.bp, media.pages.bp, accounts.pages.bp):
        app.register_blueprint(blueprint)
    commands.init_app(app)
    if proxies := app.config["PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)
    if app.config["PRODUCTION"]:
        seed.refuse(app)
    return app
