"""Real servers for tests: a throw-away PostgreSQL on loopback, from Debian's packages."""
import os
import shutil
import socket
import subprocess
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
