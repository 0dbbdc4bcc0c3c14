"""Objects in S3: AWS, Ceph RGW, MinIO. The only importer of boto3.

Addresses are signed for the public endpoint, everything else goes to the internal one. RGW answers 411 to
boto3's default checksums over https, so these are sent only where the protocol requires them; the bytes we
put carry an MD5 that the server checks, and the media package keeps a SHA-256 of its own.
"""
import base64
import hashlib
import json
from contextlib import contextmanager, suppress
from functools import partial
from threading import BoundedSemaphore
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from core.storage import bucket
from core.storage.contract import (
    CHUNK,
    MOST_POSTED,
    Form,
    Missing,
    Part,
    Store,
    Stored,
    Taken,
    Unavailable,
    Upload,
    checked,
    disposition,
)

ABSENT = {"NoSuchKey", "NoSuchUpload", "NotFound", "404"}
UNKNOWN = {"NotImplemented", "MethodNotAllowed"}
PATIENCE = {"connect_timeout": 3, "read_timeout": 20, "retries": {"mode": "standard", "total_max_attempts": 2}}
HASTE = {"connect_timeout": 2, "read_timeout": 3, "retries": {"mode": "standard", "total_max_attempts": 1}}
LINES, LINE_SECONDS = 2, 0.5  # of hasty questions at once, and for how long another waits for its turn


@contextmanager
def _asking(what: str):
    """The server's refusals in the contract's words."""
    try:
        yield
    except ClientError as refusal:
        code, status = refusal.response["Error"].get("Code", ""), refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in ABSENT:
            raise Missing(what) from None
        if status == 412:
            raise Taken(what) from None
        raise Unavailable(f"{what}: {code or status} {refusal.response['Error'].get('Message', '')}".strip()) from None
    except BotoCoreError as problem:
        raise Unavailable(f"{what}: {problem}") from None


class S3Store(Store):
    """One bucket. `endpoint` None is AWS; `public` None is the same as the internal endpoint.

    What a request of a person waits for (`begin`, `parts`, `answers`) is asked in haste, and by two at once: a store
    that is stalled must not hold up the threads that serve pages.
    """

    def __init__(self, bucket: str, *, endpoint=None, public=None, region=None, access_key=None, secret_key=None):
        self.bucket = bucket
        config = Config(signature_version="s3v4", request_checksum_calculation="when_required",
                        response_checksum_validation="when_required",
                        s3={"addressing_style": "path" if endpoint else "virtual"}, **PATIENCE)
        session = boto3.session.Session(access_key, secret_key, region_name=region)
        client = partial(session.client, "s3")
        self.client = client(endpoint_url=endpoint, config=config)
        self._hasty = client(endpoint_url=endpoint, config=config.merge(Config(**HASTE)))
        self._lines = BoundedSemaphore(LINES)
        self.signer = client(endpoint_url=public, config=config) if public else self.client
        address = urlsplit(self.signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "any"}))
        self.origin = f"{address.scheme}://{address.netloc}"

    def __str__(self):
        return f"bucket {self.bucket} at {self.client.meta.endpoint_url}, for browsers at {self.origin}"

    def _at(self, key, **more):
        return {"Bucket": self.bucket, "Key": checked(key), **more}

    @contextmanager
    def _in_haste(self, what):
        if not self._lines.acquire(timeout=LINE_SECONDS):
            raise Unavailable(f"{what}: others wait for the store already")
        try:
            with _asking(what):
                yield self._hasty
        finally:
            self._lines.release()

    def answers(self):
        with suppress(Missing, Unavailable), self._in_haste("looking at the bucket") as client:
            client.head_bucket(Bucket=self.bucket)
            return True
        return False

    # ------------------------------------------------------------------ objects

    def put(self, key, stream, type, *, fresh=False):
        digest = hashlib.md5(usedforsecurity=False)
        for piece in iter(partial(stream.read, CHUNK), b""):
            digest.update(piece)
        stream.seek(0)
        more = {"IfNoneMatch": "*"} if fresh else {}
        with _asking(f"writing {key}"):
            self.client.put_object(**self._at(key, Body=stream, ContentType=type, **more,
                                              ContentMD5=base64.b64encode(digest.digest()).decode()))

    def read(self, key, start=0, end=None):
        span = {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if start or end is not None else {}
        with _asking(f"reading {key}"):
            body = self.client.get_object(**self._at(key, **span))["Body"]
            with body:
                yield from body.iter_chunks(CHUNK)

    def source(self, key, seconds):
        return self.client.generate_presigned_url("get_object", self._at(key), ExpiresIn=seconds)

    def head(self, key):
        with _asking(f"looking at {key}"):
            answer = self.client.head_object(**self._at(key))
        return Stored(key, answer["ContentLength"], answer["LastModified"], answer["ContentType"])

    def delete(self, key):
        with _asking(f"deleting {key}"):
            self.client.delete_object(**self._at(key))

    def listing(self, prefix=""):
        with _asking(f"listing {prefix}"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for each in page.get("Contents", ()):
                    yield Stored(each["Key"], each["Size"], each["LastModified"])

    # ------------------------------------------------------------------ signed addresses

    def signed_get(self, key, seconds, *, download=None):
        more = {"ResponseContentDisposition": disposition(download)} if download else {}
        return self.signer.generate_presigned_url("get_object", self._at(key, **more), ExpiresIn=seconds)

    def signed_post(self, key, type, seconds, *, least=1, most=MOST_POSTED):
        if not 0 <= least <= most <= MOST_POSTED:
            raise ValueError(f"A form takes up to {MOST_POSTED} bytes.")
        form = self.signer.generate_presigned_post(
            self.bucket, checked(key), Fields={"Content-Type": type}, ExpiresIn=seconds,
            Conditions=[{"Content-Type": type}, ["content-length-range", least, most]])
        return Form(form["url"], form["fields"])

    # ------------------------------------------------------------------ uploads in parts

    def begin(self, key, type):
        with self._in_haste(f"beginning {key}") as client:
            return client.create_multipart_upload(**self._at(key, ContentType=type))["UploadId"]

    def signed_part(self, key, upload_id, number, size, seconds):
        return self.signer.generate_presigned_url("upload_part", self._at(
            key, UploadId=upload_id, PartNumber=number, ContentLength=size), ExpiresIn=seconds)

    def parts(self, key, upload_id):
        with self._in_haste(f"parts of {key}") as client:
            pages = client.get_paginator("list_parts").paginate(**self._at(key, UploadId=upload_id))
            return [Part(each["PartNumber"], each["Size"], each["ETag"])
                    for page in pages for each in page.get("Parts", ())]

    def complete(self, key, upload_id, parts):
        named = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        with _asking(f"completing {key}"):
            self.client.complete_multipart_upload(**self._at(key, UploadId=upload_id, MultipartUpload={"Parts": named}))

    def abort(self, key, upload_id):
        with suppress(Missing), _asking(f"aborting {key}"):
            self.client.abort_multipart_upload(**self._at(key, UploadId=upload_id))

    def uploads(self):
        with _asking("listing uploads"):
            for page in self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket):
                for each in page.get("Uploads", ()):
                    yield Upload(each["Key"], each["UploadId"], each["Initiated"])

    # ------------------------------------------------------------------ the bucket itself

    def takes_spoilt(self, key) -> bool:
        """Whether bytes are accepted that do not match the checksum sent with them; for `core.storage.probe`."""
        wrong = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
        try:
            self.client.put_object(**self._at(key, Body=b"bytes", ContentMD5=wrong))
        except ClientError:
            return False
        return True

    def prepare(self, sites, say=lambda words: None, *, dry_run=False):
        if not self._is_there():
            say(f"There is no bucket {self.bucket}; it is made.")
            if dry_run:
                return
            with _asking("making the bucket"):
                self.client.create_bucket(Bucket=self.bucket)
        for name, get, described, wanted, put in self._settings(sites):
            try:
                with _asking(f"reading {name}"):
                    there = get()
                before, after = described(there), described(wanted(there))
                for each in sorted(before - after):
                    say(f"{name}, to go: {each}.")
                for each in sorted(after - before):
                    say(f"{name}, to come: {each}.")
                if before != after and not dry_run:
                    with _asking(f"writing {name}"):
                        put(wanted(there))
            except NotImplementedError:
                say(f"This server knows no {name} of a bucket. See to it in the server's own settings.")

    def _is_there(self) -> bool:
        try:
            with _asking("looking at the bucket"):
                self.client.head_bucket(Bucket=self.bucket)
        except Missing:
            return False
        return True

    def _settings(self, sites):
        """(name, how it is read, how it is said, what is wanted of what is there, how it is written) for each."""
        ask = partial(_setting, self.client, self.bucket)
        return (
            ("CORS", partial(ask, "get_bucket_cors"), bucket.of_browsers, lambda _: bucket.browsers(sites),
             lambda wanted: ask("put_bucket_cors", CORSConfiguration=wanted)),
            ("lifecycle", partial(ask, "get_bucket_lifecycle_configuration"), bucket.of_lifecycle,
             lambda _: bucket.LIFECYCLE,
             lambda wanted: ask("put_bucket_lifecycle_configuration", LifecycleConfiguration=wanted)),
            ("policy", lambda: json.loads(ask("get_bucket_policy").get("Policy", "{}")), bucket.of_policy,
             lambda there: bucket.closed_policy(there) or {},
             lambda wanted: ask("put_bucket_policy", Policy=json.dumps(wanted)) if wanted
             else ask("delete_bucket_policy")),
            ("access list", partial(ask, "get_bucket_acl"), bucket.of_grants, lambda _: {},
             lambda _: ask("put_bucket_acl", ACL="private")),
            ("block of public access",
             lambda: ask("get_public_access_block").get("PublicAccessBlockConfiguration", {}), bucket.of_block,
             lambda there: {**there, **bucket.CLOSED},
             lambda wanted: ask("put_public_access_block", PublicAccessBlockConfiguration=wanted)))


def _setting(client, name, method, **more) -> dict:
    """What a server answers of one setting of a bucket; nothing where it was never made."""
    try:
        return getattr(client, method)(Bucket=name, **more)
    except ClientError as refusal:
        code = refusal.response["Error"].get("Code", "")
        if code in UNKNOWN:
            raise NotImplementedError(code) from None
        if method.startswith("get_") and code.startswith("NoSuch") and code != "NoSuchBucket":
            return {}
        raise
