"""Where the scenarios happen: a primary, a standby, and two hosts with workers."""

import os
import tempfile

from cluster import DATABASE, Server
from network import Network

_SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3,
                       "schema.postgres.sql")


class Place:
    """Made anew for each scenario; gone when it is left."""

    def __init__(self, scratch, program=None):
        self.scratch, self.program = scratch, program
        self._network = Network(scratch)

    def __enter__(self):
        self._network.__enter__()
        try:
            self.primary = Server(self._network.host("primary"), self.scratch)
            self.hosts = [self._network.host("alpha"), self._network.host("beta")]
            self.primary.start()
            self.primary.sql(f"CREATE DATABASE {DATABASE}", "postgres")
            self.standby = Server(self._network.host("standby"), self.scratch, self.primary)
            self.standby.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def new_directory(self, name):
        return tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch)

    def new_ledger(self, bots, cooldown, lease):
        """The ledger on the primary, with its bots and a role that may do no more than trade.
        Cooldown and lease in seconds."""
        primary = self.primary
        with open(_SCHEMA, encoding="utf-8") as file:
            primary.sql(file.read())
        primary.sql("SELECT tradeledger.make_ledger('paper', NULL)")
        primary.sql("CREATE ROLE worker LOGIN IN ROLE tradeledger_worker")
        for bot in bots:
            primary.sql(
                f"SELECT tradeledger.add_bot('{bot}', {round(cooldown * 1e6)}, "
                f"{round(lease * 1e6)}, 'cooldown', 1, 1000, NULL)")

    def __exit__(self, *_):
        self._network.__exit__()
