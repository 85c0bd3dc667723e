"""A PostgreSQL server on a host, and a standby that follows it."""

import os
import pwd
import signal
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "postgres"))

import server  # noqa: E402

PORT = 5432
DATABASE = "ledger"
_SETTINGS = {
    "listen_addresses": "'*'", "shared_buffers": "'32MB'", "fsync": "off",
    # A standby or a client that is gone is noticed soon.
    "wal_sender_timeout": "'2s'", "wal_receiver_timeout": "'2s'",
}  # fmt: skip


class Server(server.Server):
    """Runs inside the network of `host`. Without fsync: what is lost here is lost with a server, and
    no machine loses its power."""

    def __init__(self, host, scratch, primary=None):
        self.host = host
        directory = os.path.join(scratch, f"server-{host.name}")
        os.mkdir(directory)
        super().__init__(directory, _SETTINGS, primary)
        if primary is None:
            with open(self.data / "pg_hba.conf", "a", encoding="ascii") as file:
                file.write("host all,replication all samenet trust\n")

    def new_port(self):
        return PORT

    def url(self, database=server.SUPERUSER, user=server.SUPERUSER, port=None):
        return f"postgresql://{user}@{self.host.address}:{port or self.port}/{database}"

    def started(self, command):
        # Another network is entered by root alone.
        owner = pwd.getpwnam("postgres")
        return self.host.in_network([
            "setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups",
            *command]), {}

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def start(self):
        # What a kill -9 leaves behind.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        super().start()

    def sql(self, text, database=DATABASE):
        """The rows of `text`, asked for by the owner of the server through its socket."""
        out = self.run("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h",
                       str(self.directory), "-p", str(PORT), "-U", server.SUPERUSER, "-d",
                       database, "-f", "-", text=text)
        return [tuple(line.split("\t")) for line in out.splitlines()]


def url(*servers, user="worker"):
    """Where workers find whichever of the servers takes writes."""
    places = ",".join(f"{server.host.address}:{PORT}" for server in servers)
    options = "connect_timeout=2"
    if len(servers) > 1:
        options += "&target_session_attrs=read-write"
    return f"postgresql://{user}@{places}/{DATABASE}?{options}"
