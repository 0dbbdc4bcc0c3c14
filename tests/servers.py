"""Real servers for tests, on loopback and thrown away: PostgreSQL, Redis and S3 (Ceph RGW), from Debian's packages."""
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

CEPH = ("ceph-mon", "ceph-osd", "ceph-authtool", "monmaptool", "radosgw", "radosgw-admin")
SECONDS = 60  # that a server may take to come up on a loaded machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def postgresql_binaries() -> Path | None:
    """The newest installed server's programs; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class PostgreSQL:
    """A server in a folder of its own. It trusts everyone on loopback and syncs nothing: for tests only."""

    def __init__(self, folder: Path):
        self.folder, self.port, self.programs = folder, free_port(), postgresql_binaries()
        self.data = folder / "data"

    def _run(self, *command):
        if os.geteuid() == 0:  # the server refuses to run as root
            command = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command)
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL,
                       env={**os.environ, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"})

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            for parent in self.folder.parents:  # pytest makes its folders for their owner alone
                if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o011 != 0o011:
                    parent.chmod(parent.stat().st_mode | 0o011)
        self._run(self.programs / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
        self._run(self.programs / "pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o",
                  f"-k {self.folder} -h 127.0.0.1 -p {self.port} -c fsync=off -c synchronous_commit=off "
                  "-c full_page_writes=off -c max_connections=200", "start")
        return self

    def stop(self):
        self._run(self.programs / "pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def url(self, database="postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"


class Redis:
    """A store of counts, in memory alone. It can be stopped, started again at the same port, and stalled."""

    def __init__(self, folder: Path):
        self.folder, self.port, self.process = folder, free_port(), None
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            ("redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
            cwd=self.folder, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + SECONDS
        while not _listens(self.port):
            assert self.process.poll() is None and time.monotonic() < deadline, "redis-server did not come up"
            time.sleep(0.01)  # between two looks at the condition
        return self

    def stall(self):
        """Take connections, and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class Ceph:
    """An S3 server: one monitor, one store in memory, one gateway, in a folder of their own. For tests only.

    The programs die with their objects; nothing is written but logs. `cluster addr` keeps the store on loopback.
    """
    access_key, secret_key, region = "TESTACCESSKEY", "test-secret-key", "default"

    def __init__(self, folder: Path):
        self.folder, self.running = folder, []
        self.port, self._v1, self._v2 = free_port(), free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def start(self):
        for name in ("mon", "osd"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        monitor = f"[v2:127.0.0.1:{self._v2},v1:127.0.0.1:{self._v1}]"
        (self.folder / "ceph.conf").write_text(_as_conf({
            "global": {
                "fsid": uuid.uuid4(), "mon host": monitor, "mon initial members": "a",
                "public addr": "127.0.0.1", "cluster addr": "127.0.0.1",
                "auth allow insecure global id reclaim": False, "keyring": self.folder / "keyring",
                "mon data": self.folder / "mon", "osd data": self.folder / "osd", "run dir": self.folder,
                "admin socket": self.folder / "$name.asok", "log file": self.folder / "$name.log",
                "mon cluster log file": self.folder / "cluster.log", "pid file": "",
                "osd objectstore": "memstore", "memstore device bytes": 8 << 30, "osd crush chooseleaf type": 0,
                "osd pool default size": 1, "osd pool default min size": 1, "osd pool default pg num": 1,
                "osd pool default pgp num": 1, "osd pool default pg autoscale mode": "off",
                "mon allow pool size one": True, "paxos propose interval": 0.05, "mon osd min in ratio": 0},
            "client.rgw": {"rgw frontends": f"beast endpoint=127.0.0.1:{self.port}",
                           "rgw gc obj min wait": 1, "rgw gc processor period": 1,
                           "rgw gc processor max time": 1}  # else what is deleted stays for hours
        }), encoding="utf-8")
        for name, capabilities in (("mon.", {"mon": "allow *"}), ("client.admin", {"mon": "allow *", "osd": "allow *"}),
                                   ("osd.0", {"mon": "allow profile osd", "osd": "allow *"}),
                                   ("client.rgw", {"mon": "allow rw", "osd": "allow rwx"})):
            new = [] if (self.folder / "keyring").exists() else ["--create-keyring"]
            self._run("ceph-authtool", *new, "keyring", "--gen-key", "-n", name,
                      *(word for part, allowed in capabilities.items() for word in ("--cap", part, allowed)))
        fsid = (self.folder / "ceph.conf").read_text().split("fsid = ")[1].split()[0]
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", monitor, "monmap")
        self._run("ceph-mon", "-c", "ceph.conf", "-i", "a", "--mkfs", "--monmap", "monmap", "--keyring", "keyring")
        self._stay("ceph-mon", "-i", "a")
        osd = str(uuid.uuid4())
        self._until(lambda: self._ask("osd", "new", osd) is not None, "the monitor")
        self._run("ceph-osd", "-c", "ceph.conf", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._stay("ceph-osd", "-i", "0")
        self._until(lambda: " 1 up" in (self._ask("osd", "stat") or ""), "the store")
        self._run("radosgw-admin", "-c", "ceph.conf", "user", "create", "--uid=test", "--display-name=Test",
                  f"--access-key={self.access_key}", f"--secret-key={self.secret_key}")
        self._stay("radosgw", "-n", "client.rgw")
        self._until(lambda: _listens(self.port), "the gateway")
        return self

    def _run(self, *command):
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _ask(self, *words) -> str | None:
        """What the cluster answers; None while it does not."""
        asked = subprocess.run(("ceph", "-c", "ceph.conf", "--connect-timeout", "5", *words), cwd=self.folder,
                               capture_output=True, text=True)
        return asked.stdout if asked.returncode == 0 else None

    def _stay(self, *command):
        with (self.folder / f"{command[0]}.out").open("w") as log:
            self.running.append(subprocess.Popen((*command, "-c", "ceph.conf", "-f"), cwd=self.folder, stdout=log,
                                                 stderr=log, stdin=subprocess.DEVNULL, start_new_session=True))

    def _until(self, holds, what):
        deadline = time.monotonic() + SECONDS
        while not holds():
            dead = [each.args[0] for each in self.running if each.poll() is not None]
            assert not dead and time.monotonic() < deadline, f"{what} did not come up; see {self.folder}; ended: {dead}"
            time.sleep(0.1)  # between two looks at the condition

    def stop(self):
        for each in reversed(self.running):
            each.kill()  # there is nothing to be saved
            each.wait()


def _as_conf(sections: dict) -> str:
    return "".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())
                   for name, settings in sections.items())
