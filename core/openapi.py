"""The served description of the API: what flask-smorest knows of shapes, and beside it what every operation may answer
and be sent, read off the views that answer it."""
import copy
import inspect
import re

PROBLEM = "application/problem+json"
TEXT = {"schema": {"type": "string"}}
HEADERS = {
    "PAGINATION": {"description": "how much there is, and where you are", "required": True,
                   "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PaginationMetadata"}}}},
    "WWW-Authenticate": {"description": "how to say who you are", **TEXT, "required": True},
    "Retry-After": {"description": "after so many seconds it may be worth while to ask again",
                    "schema": {"type": "integer", "minimum": 0}, "required": True},
    "ETag": {"description": "the record's revision, for If-Match", **TEXT, "required": True},
}
REFUSALS = {  # by status: what it means, and the headers it comes with
    401: ("No token, or none that is known", ("WWW-Authenticate",)),
    403: ("You may not", ()),
    404: ("Not there, or not yours", ()),
    409: ("The world moved: what was asked contradicts what is now recorded", ()),
    412: ("The record was changed since you read it", ()),
    413: ("Too large", ()),
    415: ("Not JSON", ()),
    422: ("Not understood: sentences by field", ()),
    428: ("Send the record's ETag as If-Match", ()),
    429: ("Too many requests", ("Retry-After",)),
    503: ("Something that is needed for this does not answer at the moment", ("Retry-After",)),
}
ALWAYS = {401, 403, 429, 503}
IDEMPOTENCY_KEY = {"in": "header", "name": "Idempotency-Key", "schema": {"type": "string", "maxLength": 255},
                   "description": "the same key and body is answered once, and the answer repeated for 24 hours"}
IF_MATCH = {"in": "header", "name": "If-Match", "schema": {"type": "string"},
            "description": "the ETag of the record as you read it"}


def complete(document: dict, urls, views: dict, fit: str) -> dict:
    """The document with all that the views say; `fit` is the pattern of what may stand in any text."""
    document = copy.deepcopy(document)
    document["components"]["responses"] = {str(status): _refusal(*said) for status, said in REFUSALS.items()}
    document["components"]["headers"] |= HEADERS
    for rule in urls.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method, operation in document["paths"].get(path, {}).items():
            if method.upper() in rule.methods:
                _complete_operation(operation, views[rule.endpoint], by_id="{" in path)
    _speak_json_schema(document, fit)
    return document


def names_of_properties(converter, field, **_) -> dict:
    """For apispec, which leaves it out: what the keys of a dictionary look like."""
    key = getattr(field, "key_field", None)
    return {"propertyNames": converter.field2property(key)} if key else {}


def _refusal(said: str, headers) -> dict:
    return {"description": said, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **({"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers}} if headers else {})}


def _complete_operation(operation, view, *, by_id):
    parameters, writes = operation.setdefault("parameters", []), getattr(view, "writes", False)
    conditional, has_body = _calls(view, "check_if_match"), "requestBody" in operation
    if writes:
        parameters.append(IDEMPOTENCY_KEY)
    if conditional or _calls(view, "check_if_match_sent"):
        parameters.append(IF_MATCH | {"required": conditional})
    answers = {status for status, may in {
        404: by_id, 409: writes or by_id, 412: writes, 413: has_body, 415: has_body, 422: parameters or has_body,
        428: conditional}.items() if may} | ALWAYS
    responses = {status: said for status, said in operation["responses"].items() if status[0] == "2"}
    if _calls(view, "etag"):
        for said in responses.values():
            said.setdefault("headers", {})["ETag"] = {"$ref": "#/components/headers/ETag"}
    operation["responses"] = responses | {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(answers)}


def _calls(view, name: str) -> bool:
    """Whether a view, below what it is wrapped in, names this function."""
    return name in inspect.unwrap(view).__code__.co_names


def _speak_json_schema(node, fit):
    """Patterns as JSON Schema means them: marshmallow's begin at the start without a `^`, and end with `\\Z`. Text that
    nothing more is said of is fit to be shown."""
    if isinstance(node, dict):
        kinds = node.get("type")
        if kinds and (kinds == "string" or "string" in kinds) and not {"enum", "format"} & set(node):
            node.setdefault("pattern", fit)
        if isinstance(pattern := node.get("pattern"), str):
            node["pattern"] = "^" + pattern.removeprefix("^").replace(r"\Z", "$")
        for each in node.values():
            _speak_json_schema(each, fit)
    elif isinstance(node, list):
        for each in node:
            _speak_json_schema(each, fit)
