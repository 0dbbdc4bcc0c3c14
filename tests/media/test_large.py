"""A film of gigabytes goes from browser to store in signed parts and is checked, and nobody's memory grows with it."""
import hashlib
import json
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.storing import put
from core.storage import probe
from tests.conftest import Caller, make_app
from tests.media.files import FILM
from tests.media.test_assets import AGENT, TITLE
from tests.scale import at
from tests.stores import bucket_of
from tests.stories.conftest import ROOT, Slate

MB = 1 << 20
SIZE = at(ci=200 * MB, long=5 << 30)
LINES = 4
GROWTH = 48  # MB, of a process: what it needs for the first of such requests, whatever the size of the film


@pytest.mark.s3
def test_a_large_film_is_sent_checked_and_read_and_memory_stays_flat(ceph, templates, tmp_path):
    instance = tmp_path / "instance"
    shutil.copytree(templates("sqlite", True, None)[0], instance)
    slate = Slate(instance, S3_BUCKET=bucket_of(ceph).bucket, S3_ENDPOINT=ceph.endpoint, S3_REGION=ceph.region,
                  S3_ACCESS_KEY=ceph.access_key, S3_SECRET_KEY=ceph.secret_key)
    app = make_app(f"sqlite:///{instance / 'slate.db'}", instance)
    headers = {**Caller(app, AGENT).headers, "Content-Type": "application/json"}
    app.extensions["index"].close()

    def ask(method, path, body=None):
        """The answer; asked again where the store is too busy writing to answer soon, as a browser asks again."""
        told, until = body if body is None else json.dumps(body), time.monotonic() + 60
        while (answer := probe.ask(method, f"{slate.address}/api/v1{path}", told, headers)).status == 503:
            assert time.monotonic() < until, answer
            time.sleep(float(answer.headers["retry-after"]))
        assert answer.status < 300, answer
        return json.loads(answer.body)

    path, digest = tmp_path / "tide.mp4", hashlib.sha256(FILM)
    with path.open("wb") as file:
        file.write(FILM)
        file.truncate(SIZE)
    for start in range(len(FILM), SIZE, MB):
        digest.update(bytes(min(MB, SIZE - start)))

    slate.start()
    try:
        assert ask("GET", "/me")
        before = peaks(slate)
        told = ask("POST", f"/titles/{TITLE}/assets", {
            "kind": "master", "filename": path.name, "content_type": "video/mp4", "size": SIZE})
        asset, size = told["asset"]["id"], told["upload"]["part_size"]
        numbers = range(1, -(-SIZE // size) + 1)

        def send(number):
            [part] = ask("POST", f"/assets/{asset}/parts", {"numbers": [number]})["parts"]
            put(part["url"], path, (number - 1) * size, part["size"])
        with ThreadPoolExecutor(LINES) as lines:
            list(lines.map(send, numbers))
        assert ask("POST", f"/assets/{asset}/parts")["arrived"] == list(numbers)
        ask("POST", f"/assets/{asset}/completion", {"sha256": digest.hexdigest()})
        deadline = time.monotonic() + at(ci=60, long=600)
        while (state := ask("GET", f"/assets/{asset}"))["state"] == "checking" and time.monotonic() < deadline:
            time.sleep(0.2)  # between two looks
        assert (state["state"], state["reason"]) == ("ready", None)
        url = ask("GET", f"/assets/{asset}/url")["url"]
        last = probe.ask("GET", url, headers={"Range": "bytes=-1000"})
        assert (last.status, last.body) == (206, bytes(1_000))
        assert last.headers["content-range"].endswith(f"/{SIZE}")
        after = peaks(slate)
        assert after.keys() == before.keys() and len(after) == 4  # serve, gunicorn and its worker, the worker
        assert {pid: after[pid] - before[pid] for pid in after if after[pid] - before[pid] > GROWTH} == {}
    finally:
        slate.stop()
    assert not (instance / "media").exists()


def peaks(slate) -> dict[int, float]:
    """The most memory that each process of a running Slate ever had, in MB, by its id."""
    parents = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    children = [tuple(map(int, line.split())) for line in parents.splitlines()]
    family = {slate.process.pid}
    while more := {pid for pid, parent in children if parent in family} - family:
        family |= more
    return {pid: int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024 for pid in family}
