"""Media: a large upload in signed parts against boto3's own transfer to the same Ceph gateway, checking, and signing.

    python -m bench.storing [--mb 1024]

The gateway keeps objects in memory: the disk is not measured. Both senders have four lines and parts of 16 MB.
"""
import argparse
import hashlib
import http.client
import io
import resource
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from boto3.s3.transfer import TransferConfig

from bench import report
from core.storage import FolderStore
from tests.servers import CEPH, Ceph
from tests.stores import bucket_of

MB = 1 << 20
PART, LINES, ROUNDS, SIGNED = 16 * MB, 4, 3, 2_000


def put(url, path, start, size):
    """One part, read from the file as it is sent."""
    where = urlsplit(url)
    link = http.client.HTTPConnection(where.hostname, where.port, timeout=120)
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        link.request("PUT", f"{where.path}?{where.query}", file.read(size), {"Content-Length": str(size)})
        answer = link.getresponse()
        answer.read()
    link.close()
    assert answer.status == 200, answer.status


def in_parts(store, path, key) -> float:
    """Seconds that an upload in signed parts takes, from its beginning to the object."""
    size, began = path.stat().st_size, time.perf_counter()
    upload_id = store.begin(key, "video/mp4")
    with ThreadPoolExecutor(LINES) as lines:
        for done in [lines.submit(put, store.signed_part(key, upload_id, number, min(PART, size - start), 600), path,
                                  start, min(PART, size - start))
                     for number, start in enumerate(range(0, size, PART), 1)]:
            done.result()
    store.complete(key, upload_id, store.parts(key, upload_id))
    return time.perf_counter() - began


def by_boto3(store, path, key) -> float:
    began = time.perf_counter()
    store.client.upload_file(str(path), store.bucket, key, Config=TransferConfig(
        multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=LINES))
    return time.perf_counter() - began


def checking(store, key) -> tuple[float, float]:
    """(seconds, growth of this process in MB) of reading an object once for its checksum, as the worker does."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    digest = hashlib.sha256()
    for piece in store.read(key):
        digest.update(piece)
    return time.perf_counter() - began, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def signing(store) -> float:
    """Signed addresses in a second of one core."""
    began = time.process_time()
    for number in range(SIGNED):
        store.signed_get(f"kept/{number:032x}/original", 300)
    return SIGNED / (time.process_time() - began)


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.storing", description=__doc__)
    parser.add_argument("--mb", type=int, default=1024)
    size = parser.parse_args().mb
    if absent := [name for name in CEPH if not shutil.which(name)]:
        print(f"\nmedia\n  not measured: there is no {absent[0]} here to be an S3 server. To install it, on Debian: "
              "apt-get install --no-install-recommends ceph-mon ceph-osd ceph-common radosgw")
        return
    folder = Path(tempfile.mkdtemp(prefix="slate-bench-"))
    path = folder / "film.mp4"
    with path.open("wb") as file:
        for _ in range(size):
            file.write(bytes(MB))
    print(report.header(0, 0).splitlines()[0])
    ceph = Ceph(folder / "ceph")
    try:
        store = bucket_of(ceph.start())
        ours, theirs = [], []
        for _ in range(ROUNDS):  # in turns, so that a busy minute is shared
            theirs.append(by_boto3(store, path, "film/boto3"))
            store.delete("film/boto3")
            ours.append(in_parts(store, path, "film/parts"))
            seconds, grown = checking(store, "film/parts")
            store.delete("film/parts")
        store.put("any", io.BytesIO(b"x"), "image/png")
        table = report.Table("media", [
            {"what": "upload by boto3", "MB/s": f"{size / min(theirs):,.0f}"},
            {"what": "upload in signed parts", "MB/s": f"{size / min(ours):,.0f}",
             "ratio": f"{min(theirs) / min(ours):.2f}"},
            {"what": "read once, SHA-256", "MB/s": f"{size / seconds:,.0f}", "grew by MB": f"{grown:.1f}"},
            {"what": "signed addresses of S3", "a second": f"{signing(store):,.0f}"},
            {"what": "signed addresses of a folder", "a second": f"{signing(FolderStore(folder, 'secret')):,.0f}"}],
            [f"{size} MB, best of {ROUNDS}, {LINES} lines, parts of {PART // MB} MB, Ceph gateway in memory"])
        report.show([table])
    finally:
        ceph.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
