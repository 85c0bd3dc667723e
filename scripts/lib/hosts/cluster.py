"""A PostgreSQL server on a host, and a standby that follows it."""

import os
import pwd
import shutil
import signal
import subprocess
import time

from network import Skipped

PORT = 5432
DATABASE = "ledger"
# Whoever calls is root, as which PostgreSQL does not run.
_USER = "nobody"


def _programs():
    for place in sorted(os.listdir("/usr/lib/postgresql"), key=float, reverse=True):
        return f"/usr/lib/postgresql/{place}/bin"
    raise Skipped("there is no PostgreSQL server")


class Server:
    """One data directory and the server that runs on it, inside the network of `host`."""

    def __init__(self, host, scratch):
        self.host = host
        self.directory = os.path.join(scratch, f"data-{host.name}")
        self.bin = _programs()
        self._socket = os.path.join(scratch, f"socket-{host.name}")
        self._log = os.path.join(scratch, f"log-{host.name}")
        self._owner = pwd.getpwnam(_USER)

    def run(self, *command, check=True, text=None):
        """A program of PostgreSQL, as the owner of the server, on its host. Its output."""
        whole = self.host.in_network([
            "setpriv", f"--reuid={_USER}", f"--regid={self._owner.pw_gid}", "--clear-groups",
            *command])
        with open(self._log, "a", encoding="utf-8") as log:
            done = subprocess.run(whole, stdout=subprocess.PIPE, stderr=log, text=True,
                                  check=False, cwd="/", input=text)
        if check and done.returncode:
            with open(self._log, encoding="utf-8", errors="replace") as log:
                raise RuntimeError(f"{command[0]} failed:\n{log.read()[-1500:]}")
        return done.stdout

    def _own_directories(self):
        for directory in (self.directory, self._socket):
            os.mkdir(directory, 0o700)
            os.chown(directory, self._owner.pw_uid, self._owner.pw_gid)

    def create(self):
        self._own_directories()
        self.run(f"{self.bin}/initdb", "-D", self.directory, "-U", "postgres", "-A", "trust",
                 "--no-sync", "-E", "UTF8", "--locale=C")
        self.set(
            listen_addresses="'*'", port=PORT, unix_socket_directories=f"'{self._socket}'",
            max_connections=60, shared_buffers="'32MB'", wal_level="replica",
            # A standby or a client that is gone is noticed soon.
            wal_sender_timeout="'2s'", wal_receiver_timeout="'2s'", hot_standby="on")
        with open(f"{self.directory}/pg_hba.conf", "a", encoding="ascii") as file:
            file.write("host all,replication all samenet trust\n")

    def start_again(self):
        """After `kill`, on what the disk has."""
        os.unlink(f"{self.directory}/postmaster.pid")
        self.start()

    def follow(self, primary):
        """Becomes a standby of `primary`."""
        self._own_directories()
        self.run(f"{self.bin}/pg_basebackup", "-D", self.directory, "-h", primary.host.address,
                 "-p", str(PORT), "-U", "postgres", "-X", "stream", "-R", "-c", "fast", "--no-sync")
        self.set(unix_socket_directories=f"'{self._socket}'")

    def set(self, **settings):
        with open(f"{self.directory}/postgresql.auto.conf", "a", encoding="ascii") as file:
            for name, value in settings.items():
                file.write(f"{name} = {value}\n")

    def start(self):
        self.run(f"{self.bin}/pg_ctl", "start", "-w", "-t", "60", "-D", self.directory,
                 "-l", f"{self.directory}/server.log")

    def reload(self):
        self.run(f"{self.bin}/pg_ctl", "reload", "-D", self.directory)

    def stop(self):
        if os.path.exists(f"{self.directory}/postmaster.pid"):
            self.run(f"{self.bin}/pg_ctl", "stop", "-m", "immediate", "-w", "-D", self.directory,
                     check=False)

    def kill(self):
        """kill -9 of the whole server: what it had not written is gone with it."""
        with open(f"{self.directory}/postmaster.pid", encoding="ascii") as file:
            postmaster = int(file.readline())
        children = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True,
                                  check=False).stdout.split()
        for pid in [postmaster, *map(int, children)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        while any(os.path.exists(f"/proc/{pid}") for pid in [postmaster, *children]):
            time.sleep(0.01)

    def promote(self):
        self.run(f"{self.bin}/pg_ctl", "promote", "-w", "-t", "60", "-D", self.directory)

    def _psql(self, database, text):
        return self.run(f"{self.bin}/psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v",
                        "ON_ERROR_STOP=1", "-h", self._socket, "-p", str(PORT), "-U", "postgres",
                        "-d", database, "-f", "-", text=text)

    def sql(self, text, database=DATABASE):
        """The rows of `text`, asked for by the owner of the server through its socket."""
        out = self._psql(database, text)
        return [tuple(line.split("\t")) for line in out.splitlines()]

    def file(self, path):
        """Runs a file of SQL."""
        with open(path, encoding="utf-8") as file:
            self._psql(DATABASE, file.read())

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def url(*servers, user="worker"):
    """Where workers find whichever of the servers takes writes."""
    places = ",".join(f"{server.host.address}:{PORT}" for server in servers)
    options = "connect_timeout=2"
    if len(servers) > 1:
        options += "&target_session_attrs=read-write"
    return f"postgresql://{user}@{places}/{DATABASE}?{options}"
