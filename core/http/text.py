"""What may stand in text that somebody sends, whatever it is for: said once, for bodies, forms and addresses."""
import json
import math
import re
from itertools import islice

from flask import request
from werkzeug.exceptions import NotFound, UnsupportedMediaType

from core.errors import Invalid

# Control characters but tab and line ends, halves of surrogate pairs, and what Unicode calls no characters: PostgreSQL,
# XML and people's screens have no place for them.
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# Embeddings, overrides and isolates make `Harbour` of what is written `ruobraH`. The plain marks of direction, which
# Hebrew and Arabic titles need, turn nothing but themselves and stay.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
FIT = (r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]*$"
       )  # the same, for the API's document, where no half of a pair is a character
DEEP = 20  # levels of a body; ours have five
MOST_NAMES, LONGEST_NAME = 1_000, 200  # of an object in a body; characters of one: a refusal says it again
MOST_SAID = 100  # sentences about one list or object
MOST_DIGITS = 30  # of a whole number: nothing that is counted has more


def unfit(text: str) -> str | None:
    """Why this text is refused, as a sentence; None where it is not."""
    if UNSEEN.search(text):
        return "Contains characters that cannot be shown."
    if TURNING.search(text):
        return "Contains unseen marks that turn the direction of reading. Type it anew, without them."
    return None


def check_address():
    """Refuse an address with such text in it: a part of the path is nothing we have, a question is named."""
    if unfit(request.path):
        raise NotFound()
    _check_fields(request.args)


def check_form():
    """Refuse a form with such text in a field or in its name."""
    _check_fields(request.form)


def check_body():
    """Refuse a body that is not JSON: 415 for another type, 422 for one that cannot be read or holds unfit text."""
    body = request.get_data()
    if body and not request.is_json:
        raise UnsupportedMediaType()
    try:
        said = json.loads(body or "{}", parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Invalid({"body": ["This is not JSON."]}) from None
    if errors := _errors(said):
        raise Invalid(errors if isinstance(errors, dict) else {"body": errors})


def _check_fields(fields):
    errors = {}
    for name, value in fields.items(multi=True):
        if unfit(name):
            raise Invalid({"body": ["The name of a field contains characters that cannot be shown."]})
        if why := unfit(value):
            errors[name] = [why]
    if errors:
        raise Invalid(errors)


def _errors(said, depth=0) -> dict | list | None:
    """What is unfit in JSON: sentences, by name or place as it is nested."""
    if isinstance(said, str):
        return [why] if (why := unfit(said)) else None
    if isinstance(said, float):
        return None if math.isfinite(said) else ["This number is too large."]
    if isinstance(said, int):
        return None if abs(said) < 10 ** MOST_DIGITS else ["This number is too large."]
    if not isinstance(said, dict | list):
        return None
    if depth == DEEP:
        return [f"Nested more than {DEEP} levels deep."]
    if isinstance(said, dict) and len(said) > MOST_NAMES:
        return [f"More than {MOST_NAMES:,} names."]
    if isinstance(said, dict) and any(len(name) > LONGEST_NAME for name in said):
        return [f"The name of a field has more than {LONGEST_NAME} characters."]
    if isinstance(said, dict) and any(map(unfit, said)):
        return ["The name of a field contains characters that cannot be shown."]
    parts = said.items() if isinstance(said, dict) else enumerate(said)
    found = ((str(name), wrong) for name, value in parts if (wrong := _errors(value, depth + 1)))
    return dict(islice(found, MOST_SAID)) or None


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON")
