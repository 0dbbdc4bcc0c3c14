"""The way to the objects of a folder: what an S3 server does for itself. The signature in the address is the rule."""
from flask import Blueprint, Response, current_app, request, send_file

from core.storage.contract import MOST_POSTED, Missing, disposition
from core.storage.folder import DOOR, FolderStore, Refused

bp = Blueprint("stored", __name__, url_prefix=DOOR)
OVERHEAD = 64 << 10  # what a form's fields and boundaries add to its file
CACHED_SECONDS = 300


def _store() -> FolderStore:
    store = current_app.extensions["store"]
    if not isinstance(store, FolderStore):
        raise Missing("the objects are not here")
    return store


@bp.errorhandler(Refused)
def refused(refusal):
    return Response(str(refusal), 403, mimetype="text/plain")


@bp.errorhandler(Missing)
def missing(_):
    return Response("There is no such object.", 404, mimetype="text/plain")


@bp.after_request
def confine(response):
    """Nothing stored here is a page of ours: it runs no script and is guessed to be nothing else."""
    response.headers["Content-Security-Policy"] = ("default-src 'none'; object-src 'none'; base-uri 'none'; "
                                                   "frame-ancestors 'none'; sandbox")
    return response


@bp.get("/<path:key>")
def read(key):
    """An object, or a range of it."""
    store = _store()
    store.check_address(request.method, key, request.args.to_dict())
    name = request.args.get("name")
    found = store.head(key)
    answer = send_file(store.path(key), mimetype=found.type, conditional=True)
    answer.headers["Cache-Control"] = f"private, max-age={CACHED_SECONDS}"  # of one browser, never of a proxy
    answer.headers["Content-Disposition"] = disposition(name) if name else "inline"
    return answer


@bp.post("")
def post():
    """A file by a signed form, its fields as S3 takes them."""
    request.max_content_length = request.max_form_memory_size = MOST_POSTED + OVERHEAD
    store, file = _store(), request.files.get("file")
    policy = store.check_form(request.form.to_dict())
    if file is None:
        return Response("There is no file in this form.", 400, mimetype="text/plain")
    size = file.stream.seek(0, 2)
    file.stream.seek(0)
    if not policy["least"] <= size <= policy["most"]:
        return Response("The file is smaller or larger than was signed for.", 400, mimetype="text/plain")
    store.put(policy["key"], file.stream, policy["type"])
    return Response(status=204)


@bp.put("/<path:key>")
def part(key):
    """One part of an upload, of exactly the size that was signed for."""
    store, said = _store(), request.args.to_dict()
    store.check_address("PUT", key, said)
    size = int(said["size"])
    if request.content_length != size:
        raise Refused("This part is smaller or larger than was signed for.")
    request.max_content_length = size + 1  # gunicorn's streams refuse at the limit, before they tell their end
    etag = store.write_part(key, said["upload"], int(said["part"]), request.stream)
    return Response(status=200, headers={"ETag": f'"{etag}"'})
