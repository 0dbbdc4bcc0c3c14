"""One contract, two stores: S3 on a real server and a folder behind the application. What is signed opens only that."""
import io
import time
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock
from core.storage.contract import LEAST_PART, MOST_POSTED, Missing, Taken, Unavailable
from core.storage.s3 import S3Store
from tests.conftest import make_app
from tests.stores import Place, Serving, bucket_of

KEY, OTHER = "kept/0123abcd", "kept/4567cdef"
DATA = bytes(range(256)) * 40
TOO_LONG = DATA + b"!"
MINUTE = 60
REFUSED = {400, 401, 403, 405, 411, 413}


@pytest.fixture(scope="module")
def bucket(ceph):
    return bucket_of(ceph)


@pytest.fixture(scope="module")
def folder(templates):
    """An application with a folder, served."""
    instance, _ = templates("sqlite", False, None)
    app = make_app(f"sqlite:///{instance / 'slate.db'}", instance)
    with Serving(app) as serving:
        yield Place(app.extensions["store"], serving.base)
    app.extensions["index"].close()


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def place(request):
    """A store that is empty, and the way to it."""
    place = (request.getfixturevalue("folder") if request.param == "folder"
             else Place(request.getfixturevalue("bucket")))
    yield place
    for each in list(place.store.listing()):
        place.store.delete(each.key)
    for each in list(place.store.uploads()):
        place.store.abort(each.key, each.upload_id)


def put(place, key=KEY, data=DATA, type="image/png", **more):
    place.store.put(key, io.BytesIO(data), type, **more)


def uploaded(place, *pieces, key=KEY):
    """An upload whose pieces were sent to their signed addresses; returns its id."""
    upload_id = place.store.begin(key, "video/mp4")
    for number, piece in enumerate(pieces, 1):
        answer = place.ask("PUT", place.store.signed_part(key, upload_id, number, len(piece), MINUTE), piece)
        assert answer.status == 200, answer
    return upload_id


def nothing_came(place, *keys):
    assert [each.key for each in place.store.listing() if each.key in (keys or (KEY, OTHER))] == []


# ------------------------------------------------------------------ the contract

def test_what_was_put_is_read_again_whole_or_in_part(place):
    put(place)
    assert b"".join(place.store.read(KEY)) == DATA
    assert b"".join(place.store.read(KEY, 10, 300)) == DATA[10:300]
    assert b"".join(place.store.read(KEY, 10_000)) == DATA[10_000:]
    found = place.store.head(KEY)
    assert (found.key, found.size, found.type) == (KEY, len(DATA), "image/png")
    assert abs(found.modified - clock.now()) < timedelta(minutes=1)


def test_putting_again_replaces_and_putting_afresh_does_not(place):
    put(place, fresh=True)
    with pytest.raises(Taken):
        put(place, data=b"other", fresh=True)
    assert b"".join(place.store.read(KEY)) == DATA
    put(place, data=b"other", type="image/webp")
    assert b"".join(place.store.read(KEY)) == b"other"
    assert place.store.head(KEY).type == "image/webp"


def test_what_is_not_there_is_missing_and_may_be_deleted_again(place):
    put(place)
    place.store.delete(KEY)
    place.store.delete(KEY)
    with pytest.raises(Missing):
        place.store.head(KEY)
    with pytest.raises(Missing):
        list(place.store.read(KEY))
    assert place.ask("GET", place.store.signed_get(KEY, MINUTE)).status == 404


def test_a_listing_is_by_prefix_and_in_order(place):
    keys = ["a/9", "b-1/x", "b.1", "b/1", "b/2/3", "b/20", "bb/1"]
    for key in reversed(keys):
        put(place, key, data=key.encode())
    assert [(each.key, each.size) for each in place.store.listing("b/")] == [("b/1", 3), ("b/2/3", 5), ("b/20", 4)]
    for prefix in ("", "b", "b/2", "b/2/", "bb/1", "none/", "b/1/x"):
        assert [each.key for each in place.store.listing(prefix)] == [key for key in keys if key.startswith(prefix)]


@pytest.mark.parametrize("key", ["../x", "/x", "a/../b", "a//b", "", "A/b", "a b", "ä", "a/" + "b" * 200, "a\n", ".a"])
def test_what_could_be_taken_for_another_place_is_no_key(place, key):
    for act in (lambda: put(place, key), lambda: list(place.store.read(key)), lambda: place.store.signed_get(key, 1),
                lambda: place.store.signed_post(key, "image/png", 1), lambda: place.store.begin(key, "image/png")):
        with pytest.raises(ValueError, match="is not a key"):
            act()


def test_parts_make_an_object_when_they_are_completed_and_not_before(place):
    first, last = b"a" * LEAST_PART, b"the end"
    upload_id = uploaded(place, first, last)
    with pytest.raises(Missing):
        place.store.head(KEY)
    parts = place.store.parts(KEY, upload_id)
    assert [(part.number, part.size) for part in parts] == [(1, LEAST_PART), (2, 7)]
    place.store.complete(KEY, upload_id, parts)
    assert place.store.head(KEY).size == LEAST_PART + 7 and place.store.head(KEY).type == "video/mp4"
    assert b"".join(place.store.read(KEY, LEAST_PART - 2)) == b"aathe end"


def test_a_part_may_be_sent_again_and_the_last_one_counts(place):
    upload_id = uploaded(place, b"a" * LEAST_PART, b"wrong")
    address = place.store.signed_part(KEY, upload_id, 2, 5, MINUTE)
    assert place.ask("PUT", address, b"right").status == 200
    place.store.complete(KEY, upload_id, place.store.parts(KEY, upload_id))
    assert b"".join(place.store.read(KEY, LEAST_PART)) == b"right"


def test_an_upload_that_was_completed_or_aborted_takes_nothing_more(place):
    done, dropped = uploaded(place, b"done"), uploaded(place, b"dropped", key=OTHER)
    late = [(KEY, done, place.store.signed_part(KEY, done, 1, 4, MINUTE)),
            (OTHER, dropped, place.store.signed_part(OTHER, dropped, 1, 4, MINUTE))]
    place.store.complete(KEY, done, place.store.parts(KEY, done))
    place.store.abort(OTHER, dropped)
    place.store.abort(OTHER, dropped)
    for key, upload_id, address in late:
        assert place.ask("PUT", address, b"more").status == 404
        with pytest.raises(Missing):
            place.store.parts(key, upload_id)
    assert b"".join(place.store.read(KEY)) == b"done"
    nothing_came(place, OTHER)


def test_the_uploads_that_were_not_ended_are_named(place):
    upload_id = uploaded(place, b"left")
    ended = uploaded(place, b"ended", key=OTHER)
    place.store.complete(OTHER, ended, place.store.parts(OTHER, ended))
    [found] = place.store.uploads()
    assert (found.key, found.upload_id) == (KEY, upload_id)
    assert abs(found.begun - clock.now()) < timedelta(minutes=1)
    place.store.abort(KEY, upload_id)
    assert list(place.store.uploads()) == []


# ------------------------------------------------------------------ signed reading

def test_a_signed_address_reads_with_ranges(place):
    put(place)
    url = place.store.signed_get(KEY, MINUTE)
    whole = place.ask("GET", url)
    assert (whole.status, whole.body, whole.headers["content-type"]) == (200, DATA, "image/png")
    part = place.ask("GET", url, headers={"Range": "bytes=100-199"})
    assert (part.status, part.body) == (206, DATA[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(DATA)}"
    assert place.ask("GET", url, headers={"Range": "bytes=-10"}).body == DATA[-10:]
    assert place.ask("GET", url, headers={"Range": f"bytes={len(DATA)}-"}).status == 416
    assert "attachment" not in whole.headers.get("content-disposition", "")


@pytest.mark.parametrize("name", ["tide.mp4", "潮.mp4", 'a"b\r\nX-Evil: 1.mp4'])
def test_a_download_has_its_name_and_nothing_else(place, name):
    put(place)
    answer = place.ask("GET", place.store.signed_get(KEY, MINUTE, download=name))
    assert answer.status == 200 and answer.headers["content-disposition"].startswith("attachment; filename")
    assert "x-evil" not in answer.headers


def spoilt(url):
    """An address changed in one place at a time: the key, each parameter, the signature."""
    path, _, query = url.partition("?")
    yield f"{path.replace(KEY, OTHER)}?{query}"
    said = query.split("&")
    for place in range(len(said)):
        name, _, value = said[place].partition("=")
        changed = value[:-1] + ("0" if value[-1] != "0" else "1")
        yield "?".join((path, "&".join([*said[:place], f"{name}={changed}", *said[place + 1:]])))
        yield "?".join((path, "&".join([*said[:place], *said[place + 1:]])))
    yield path


def test_an_address_that_was_tampered_with_reads_nothing(place):
    put(place)
    put(place, OTHER)
    for url in spoilt(place.store.signed_get(KEY, MINUTE, download="a.png")):
        answer = place.ask("GET", url)
        assert answer.status in REFUSED | {404} and DATA[:100] not in answer.body, url


def test_an_address_for_reading_does_nothing_else(place):
    put(place)
    url = place.store.signed_get(KEY, MINUTE)
    for method in ("PUT", "DELETE", "POST", "HEAD"):
        assert place.ask(method, url, b"mine" if method in ("PUT", "POST") else None).status in REFUSED, method
    assert b"".join(place.store.read(KEY)) == DATA


def test_an_address_that_expired_opens_nothing(place):
    put(place)
    upload_id = place.store.begin(OTHER, "video/mp4")
    reading, part = place.store.signed_get(KEY, 3), place.store.signed_part(OTHER, upload_id, 1, 4, 3)
    form = place.store.signed_post(OTHER, "image/png", 3)
    assert place.ask("GET", reading).status == 200
    time.sleep(4.1)  # the server's clock is real
    assert place.ask("GET", reading).status in REFUSED
    assert place.ask("PUT", part, b"late").status in REFUSED
    assert place.post(form, DATA).status in REFUSED
    assert place.store.parts(OTHER, upload_id) == []
    nothing_came(place, OTHER)


# ------------------------------------------------------------------ signed writing

def test_a_signed_form_takes_the_file_it_was_signed_for(place):
    form = place.store.signed_post(KEY, "image/png", MINUTE, least=len(DATA), most=len(DATA))
    assert place.post(form, DATA).status in (200, 204)
    assert b"".join(place.store.read(KEY)) == DATA and place.store.head(KEY).type == "image/png"


@pytest.mark.parametrize("changed", [
    {"key": OTHER}, {"Content_Type": "text/html"}, {"policy": "e30="}, {"key": f"../{OTHER}"}])
def test_a_signed_form_takes_no_other_key_type_or_policy(place, changed):
    form = place.store.signed_post(KEY, "image/png", MINUTE)
    assert place.post(form, DATA, **changed).status in REFUSED
    nothing_came(place)


def test_a_signed_form_with_a_field_spoilt_or_left_out_takes_nothing(place):
    form = place.store.signed_post(KEY, "image/png", MINUTE)
    for name in form.fields:
        left = dict(form.fields)
        del left[name]
        assert place.post(type(form)(form.url, left), DATA).status in REFUSED | {404}, name
        assert place.post(type(form)(form.url, {**left, name: "AAAA"}), DATA).status in REFUSED | {404}, name
    nothing_came(place)


def test_a_signed_form_takes_nothing_longer_or_shorter(place):
    form = place.store.signed_post(KEY, "image/png", MINUTE, least=len(DATA), most=len(DATA))
    assert place.post(form, TOO_LONG).status in REFUSED
    assert place.post(form, DATA[:-1]).status in REFUSED
    nothing_came(place)
    with pytest.raises(ValueError):
        place.store.signed_post(KEY, "image/png", MINUTE, most=MOST_POSTED + 1)


def test_a_part_takes_its_own_size_number_and_upload_alone(place):
    mine, other = place.store.begin(KEY, "video/mp4"), place.store.begin(OTHER, "video/mp4")
    url = place.store.signed_part(KEY, mine, 1, len(DATA), MINUTE)
    assert place.ask("PUT", url, TOO_LONG).status in REFUSED
    assert place.ask("PUT", url, DATA[:-1]).status in REFUSED
    for spoiled in (*spoilt(url), url.replace(mine, other), url.replace(mine, other).replace(KEY, OTHER)):
        assert place.ask("PUT", spoiled, DATA).status in REFUSED | {404}, spoiled
    assert place.ask("GET", url).status in REFUSED
    assert place.store.parts(KEY, mine) == place.store.parts(OTHER, other) == []
    nothing_came(place)


def test_nothing_is_open_without_a_signature(place):
    put(place)
    prefix = place.store.signed_get(KEY, MINUTE).partition("?")[0].removesuffix(f"/{KEY}")
    for method, path in (("GET", f"/{KEY}"), ("GET", ""), ("GET", "/"), ("PUT", f"/{KEY}"), ("DELETE", f"/{KEY}"),
                         ("POST", ""), ("GET", "/../../etc/passwd"), ("GET", "/%2e%2e/%2e%2e/etc/passwd")):
        answer = place.ask(method, prefix + path, b"x" if method in ("PUT", "POST") else None)
        assert answer.status in REFUSED | {302, 308, 404} and b"root:" not in answer.body, (method, path, answer)
    assert b"".join(place.store.read(KEY)) == DATA


def test_a_program_beside_us_reads_an_object_that_is_there(place):
    put(place)
    source = place.store.source(KEY, MINUTE)
    assert (Path(source).read_bytes() if source.startswith("/") else place.ask("GET", source).body) == DATA


# ------------------------------------------------------------------ each store by itself

def test_what_lies_in_the_folder_is_no_page_of_ours(folder):
    put(folder, type="text/html")
    answer = folder.ask("GET", folder.store.signed_get(KEY, MINUTE))
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")
    assert answer.headers["content-security-policy"].endswith("; sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")


@pytest.mark.s3
def test_addresses_are_signed_for_the_public_endpoint(ceph, bucket):
    public = ceph.endpoint.replace("127.0.0.1", "localhost")
    store = bucket_of(ceph, bucket.bucket, public=public)
    store.put(KEY, io.BytesIO(DATA), "image/png")
    url = store.signed_get(KEY, MINUTE)
    assert url.startswith(public) and store.origin == public
    assert Place(store).ask("GET", url).body == DATA
    assert Place(store).ask("GET", url.replace("localhost", "127.0.0.1")).status == 403


@pytest.mark.s3
def test_a_wrong_secret_opens_nothing(ceph, bucket):
    stranger = S3Store(bucket.bucket, endpoint=ceph.endpoint, region=ceph.region, access_key=ceph.access_key,
                       secret_key="guessed")
    bucket.put(KEY, io.BytesIO(DATA), "image/png")
    with pytest.raises(Unavailable):
        list(stranger.read(KEY))
    place = Place(stranger)
    assert place.ask("GET", stranger.signed_get(KEY, MINUTE)).status == 403
    assert place.post(stranger.signed_post(OTHER, "image/png", MINUTE), DATA).status == 403


@pytest.mark.s3
def test_a_server_that_does_not_answer_is_unavailable(ceph):
    store = S3Store("media", endpoint="http://127.0.0.1:9", region="x", access_key="a", secret_key="b")
    for act in (lambda: store.head(KEY), lambda: list(store.read(KEY)), lambda: store.begin(KEY, "image/png"),
                lambda: store.put(KEY, io.BytesIO(b""), "image/png")):
        with pytest.raises(Unavailable):
            act()
    assert not store.answers()
