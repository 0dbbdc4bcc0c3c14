"""The doctor finds a store that is fit fit, and says of one that is not what it lacks."""
import io
import json
import threading
import uuid
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError

from core import clock
from core.storage import FolderStore, probe
from core.storage.s3 import S3Store
from tests.stores import SITE, bucket_of


@pytest.fixture(scope="module")
def bucket(ceph):
    return bucket_of(ceph)


def test_a_folder_that_can_be_written_is_fit(tmp_path):
    store = FolderStore(tmp_path / "media", "secret")
    assert probe.lacks(store, SITE) == []
    assert list(store.listing()) == []


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "media").write_text("a file stands in the way")
    [said] = probe.lacks(FolderStore(tmp_path / "media", "secret"), SITE)
    assert "cannot be written" in said


@pytest.mark.s3
def test_a_real_server_with_its_bucket_prepared_is_fit(bucket):
    assert probe.lacks(bucket, SITE) == []
    assert list(bucket.listing()) == []


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_named(ceph):
    store = S3Store("no-such-bucket", endpoint=ceph.endpoint, region=ceph.region, access_key=ceph.access_key,
                    secret_key=ceph.secret_key)
    [said] = probe.lacks(store, SITE)
    assert "NoSuchBucket" in said


@pytest.mark.s3
def test_a_site_that_browsers_may_not_come_from_is_named(bucket):
    *said, setting = probe.lacks(bucket, "https://elsewhere.test")
    assert len(said) == 3 and all("CORS" in each and "https://elsewhere.test" in each for each in said)
    assert f"CORS, to go: browsers at {SITE} may" in setting and "flask media prepare" in setting


@pytest.mark.s3
def test_a_public_address_where_nobody_answers_is_named(ceph, bucket):
    store = bucket_of(ceph, bucket.bucket, public="http://127.0.0.1:9")
    [said] = probe.lacks(store, SITE)
    assert "cannot be reached at http://127.0.0.1:9" in said and "S3_PUBLIC_ENDPOINT" in said


EVERYONE_READS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::NAME/*"},
    {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/backup"]}, "Action": "s3:GetObject",
     "Resource": "arn:aws:s3:::NAME/*"}]}


@pytest.mark.s3
def test_a_bucket_open_to_everyone_is_named_and_closed(ceph):
    store = bucket_of(ceph)
    store.client.delete_public_access_block(Bucket=store.bucket)
    store.client.put_bucket_policy(Bucket=store.bucket, Policy=json.dumps(EVERYONE_READS).replace("NAME", store.bucket))
    store.client.put_bucket_acl(Bucket=store.bucket, ACL="public-read")
    said = probe.lacks(store, SITE)
    assert len(said) == 2 and "public" in said[0]
    for words in ('policy, to go: everyone may "s3:GetObject"', "access list, to go: everyone may READ",
                  "block of public access, to come: BlockPublicPolicy"):
        assert words in said[1]
    changed = []
    store.prepare([SITE], changed.append)
    assert len(changed) == 5 and probe.lacks(store, SITE) == []
    left = json.loads(store.client.get_bucket_policy(Bucket=store.bucket)["Policy"])["Statement"]
    assert [each["Principal"] for each in left] == [{"AWS": ["arn:aws:iam:::user/backup"]}]
    with pytest.raises(ClientError, match="AccessDenied"):  # nor can it be opened by mistake
        store.client.put_bucket_policy(Bucket=store.bucket,
                                       Policy=json.dumps(EVERYONE_READS).replace("NAME", store.bucket))


@pytest.mark.s3
def test_what_the_bucket_has_to_be_is_said_before_it_is_made_and_not_made_twice(ceph):
    store = S3Store(f"media-{uuid.uuid4().hex}", endpoint=ceph.endpoint, region=ceph.region,
                    access_key=ceph.access_key, secret_key=ceph.secret_key)
    told = []
    store.prepare([SITE], told.append, dry_run=True)
    assert told == [f"There is no bucket {store.bucket}; it is made."] and not store.answers()
    store.prepare([SITE], told.append)
    for words in (f"CORS, to come: browsers at {SITE} may GET, POST, PUT",
                  "uploads never ended are dropped after 7 days",
                  "of arriving/, objects are removed after 14 days", "to come: RestrictPublicBuckets"):
        assert words in " ".join(told)
    again, changed = [], []
    store.prepare([SITE], again.append)
    assert again == [] and store.answers()
    store.client.put_bucket_lifecycle_configuration(Bucket=store.bucket, LifecycleConfiguration={"Rules": [
        {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]})
    store.prepare(["https://other.test"], changed.append, dry_run=True)
    assert "lifecycle, to go: all: of everything, objects are removed after 1 days." in changed
    store.prepare([SITE])
    found = store.client.get_bucket_lifecycle_configuration(Bucket=store.bucket)["Rules"]
    assert {each["ID"] for each in found} == {"parts-of-uploads-never-ended", "what-arrived-and-was-never-kept"}


@pytest.mark.s3
def test_a_clock_that_is_wrong_is_named(bucket):
    with clock.stopped_at(clock.now() + timedelta(minutes=10)):
        [said] = probe.lacks(bucket, SITE)
    assert "clock" in said


class Careless(BaseHTTPRequestHandler):
    """A server that takes everything from everyone, as imitations of S3 do."""
    kept = {}

    def log_message(self, *_):
        pass

    def _answer(self, status=200, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        if "=" not in self.path and "?" in self.path:  # a setting of the bucket: ?cors, ?lifecycle
            return self._unknown()
        self.kept[self.path.partition("?")[0]] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def _unknown(self):
        self._answer(501, b"<Error><Code>NotImplemented</Code><Message>not here</Message></Error>")

    def do_GET(self):
        if "=" not in self.path and "?" in self.path:
            return self._unknown()
        self._answer(body=self.kept.get(self.path.partition("?")[0], b""))

    def do_HEAD(self):
        self._answer(Content_Type="text/plain", Last_Modified="Wed, 25 Nov 2026 10:00:00 GMT")

    def do_DELETE(self):
        self._answer(204)


def test_a_server_that_only_imitates_is_found_out():
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        store = S3Store("media", endpoint=f"http://127.0.0.1:{server.server_port}", region="any",
                        access_key="a", secret_key="b")
        store.put("a", io.BytesIO(b"x"), "image/png")
        said = " ".join(probe.lacks(store, SITE))
        unknown = []
        store.prepare([SITE], unknown.append)
        server.shutdown()
    assert [each.partition(" of a bucket")[0] for each in unknown] == [f"This server knows no {name}" for name in (
        "CORS", "lifecycle", "policy", "access list", "block of public access")]
    for words in ("range", "types", "If-None-Match"):
        assert words in said


def test_the_doctor_looks_at_the_store(world):
    said = world.test_cli_runner().invoke(args=["doctor"]).output
    assert f"The store keeps what it is given: folder {world.config['MEDIA_FOLDER']}" in said
    assert "The store is ready" in world.test_cli_runner().invoke(args=["media", "prepare"]).output
