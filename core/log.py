"""The log: in production a line of JSON for each event, in UTC, with who asked and from where; what was typed, and
addresses with secrets in them, are never among it."""
import json
import logging
from datetime import UTC, datetime

from flask import current_app, g, has_request_context, request
from flask.logging import wsgi_errors_stream

SUSPECT = {400, 401, 403, 404, 413, 422, 429}  # whoever tries to get past a rule meets these, again and again


class Lines(logging.Formatter):
    """One event is one line of ASCII, whatever stands in it: nobody writes a second one, or moves the cursor."""

    def format(self, record):
        said = {"at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                "level": record.levelname, "by": record.name, "said": record.getMessage(), **_asker()}
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps(said)


def _asker() -> dict:
    if not has_request_context():
        return {}
    viewer = g.get("viewer")
    return {"address": request.remote_addr, "asked": f"{request.method} {request.endpoint}",
            "person": viewer and viewer.person_id, "organisation": viewer and viewer.organisation_id}


def refused(status: int):
    """Write down that a rule refused a request at one of our addresses: which rule, and to whom."""
    if status in SUSPECT and request.endpoint:
        current_app.logger.warning("refused with %s: %s %s", status, request.method, request.endpoint)


def init_app(app):
    root = logging.getLogger()
    if app.config["PRODUCTION"] and not any(isinstance(each.formatter, Lines) for each in root.handlers):
        handler = logging.StreamHandler(wsgi_errors_stream)
        handler.setFormatter(Lines())
        root.addHandler(handler)
