"""A PostgreSQL server and a PgBouncer of its own, in one directory, for tests and measurements.

    python3 server.py DIRECTORY    starts both, prints the environment of the tests, and stops them
                                   when its standard input ends
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

SUPERUSER = "postgres"
WORKER = "tradeledger_test_worker"


def programs() -> str:
    """Where the newest installed server has its programs; Debian keeps them out of PATH."""
    found = sorted(
        pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4])
    )
    if found:
        return str(found[-1].parent)
    if (path := shutil.which("postgres")) is not None:
        return os.path.dirname(os.path.realpath(path))
    sys.exit("error: there is no PostgreSQL server here")


def account() -> dict[str, Any]:
    """Neither program runs as root."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], what: str, limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"error: {what} did not happen within {limit:.0f} s")
        time.sleep(0.01)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Server:
    """One data directory. `options` go into postgresql.conf. `primary`: a standby of it, else
    `initdb` takes what is `initial`."""

    def __init__(
        self, directory: str, options: dict[str, str] | None = None, primary: Server | None = None,
        initial: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.port = self.new_port()
        self.process: subprocess.Popen[bytes] | None = None
        if os.getuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        if primary is None:
            self.run(
                "initdb", "-D", str(self.data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8",
                "--locale=C", *initial,
            )  # fmt: skip
        else:
            self.run("pg_basebackup", "-D", str(self.data), "-R", "-c", "fast", "-d", primary.url())
        self.set({
            "listen_addresses": "'127.0.0.1'", "port": str(self.port), "max_connections": "100",
            "unix_socket_directories": f"'{self.directory}'", "log_min_messages": "fatal",
        } | (options or {}))  # fmt: skip

    def new_port(self) -> int:
        return free_port()

    def set(self, settings: dict[str, str]) -> None:
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def url(self, database: str = "postgres", user: str = SUPERUSER, port: int | None = None) -> str:
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def started(self, command: list[str]) -> tuple[list[str], dict[str, Any]]:
        """`command` as it has to be started, and options of Popen: where the server is, and as
        whom."""
        return command, account()

    def run(self, program: str, *arguments: str, text: str | None = None) -> str:
        """What a program of the server prints; `text` is its input."""
        command, options = self.started([f"{programs()}/{program}", *arguments])
        done = subprocess.run(
            command, cwd=self.directory, capture_output=True, text=True, input=text, check=False,
            **options,
        )  # fmt: skip
        if done.returncode != 0:
            sys.exit(f"error: {program} failed: {done.stderr}")
        return str(done.stdout)

    def start(self) -> None:
        command, options = self.started([f"{programs()}/postgres", "-D", str(self.data)])
        with open(self.directory / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.directory, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True, **options,
            )  # fmt: skip
        until(self.is_ready, "the start of the server")

    def is_ready(self) -> bool:
        ready = [f"{programs()}/pg_isready", "-q", "-h", str(self.directory), "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def children(self) -> list[int]:
        found = []
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == self.pid:
                    found.append(int(stat.parent.name))
        return found

    def promote(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "promote")

    def kill(self) -> None:
        """kill -9 of the whole server: the postmaster first, so that it restarts nobody."""
        assert self.process is not None
        children = self.children()
        self.process.kill()
        for pid in children + self.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "the kill")
        self.process = None

    def pause(self) -> None:
        """SIGSTOP: the postmaster first, so that nobody is left out."""
        for pid in [self.pid, *self.children()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        for pid in [*self.children(), self.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def has_ended(self) -> bool:
        """By itself, and for good."""
        assert self.process is not None
        return self.process.poll() is not None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
            self.process = None


class Pooler:
    """PgBouncer in transaction mode in front of a server."""

    def __init__(self, server: Server, size: int = 10) -> None:
        self.port = free_port()
        directory = server.directory
        users = directory / "users.txt"
        users.write_text(f'"{SUPERUSER}" ""\n"{WORKER}" ""\n', encoding="utf-8")
        config = directory / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n* = host={directory} port={server.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {users}\npool_mode = transaction\n"
            f"default_pool_size = {size}\nmax_client_conn = 500\n"
            f"logfile = {directory}/pgbouncer.log\npidfile = {directory}/pgbouncer.pid\n",
            encoding="utf-8",
        )
        program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if program is None:
            sys.exit("error: there is no PgBouncer here")
        self.process = subprocess.Popen(
            [program, "-q", str(config)], cwd=directory, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, **account(),
        )  # fmt: skip
        until(lambda: answers(self.port), "the start of PgBouncer")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def main() -> None:
    server = Server(sys.argv[1])
    pooler = None
    try:
        server.start()
        pooler = Pooler(server)
        print(f"TRADELEDGER_TEST_POSTGRES={server.url()}")
        print(f"TRADELEDGER_TEST_PGBOUNCER={server.url(port=pooler.port)}", flush=True)
        sys.stdin.read()
    finally:
        if pooler is not None:
            pooler.stop()
        server.stop()


if __name__ == "__main__":
    main()
