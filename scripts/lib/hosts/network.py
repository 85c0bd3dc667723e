"""Hosts on one machine: network namespaces on one bridge, each process with a PID namespace, a host
name and a boot id of its host. What they share is the kernel's clock, so that the times at which
things happened on two hosts can be compared."""

import os
import shutil
import subprocess
import uuid

_NET = "10.77.31"


class Skipped(Exception):
    """Network namespaces are not possible here."""


def _run(*command, failure=RuntimeError):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise failure(f"{' '.join(command)}: {done.stderr.strip()[:200]}")


class Host:
    """One host: an address, and a wire that can be pulled out."""

    def __init__(self, network, name, number):
        self.network, self.name = network, name
        self.address = f"{_NET}.{number}"
        self.namespace = f"{network.prefix}-{name}"
        self._wire = f"v{number}"
        self._boot_id = os.path.join(network.scratch, f"boot-{name}")
        network.hosts.append(self)
        with open(self._boot_id, "w", encoding="ascii") as file:
            file.write(f"{uuid.uuid4()}\n")
        _run("ip", "netns", "add", self.namespace)
        _run("ip", "link", "add", "eth0", "netns", self.namespace, "type", "veth", "peer",
             "name", self._wire, "netns", network.bridge)
        _run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "eth0")
        _run("ip", "-n", self.namespace, "link", "set", "eth0", "up")
        _run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        _run("ip", "-n", network.bridge, "link", "set", self._wire, "master", "br0", "up")

    def unplug(self):
        _run("ip", "-n", self.network.bridge, "link", "set", self._wire, "down")

    def plug_in(self):
        _run("ip", "-n", self.network.bridge, "link", "set", self._wire, "up")

    def in_network(self, command):
        """`command` as it has to be started to run in this host's network."""
        return ["ip", "netns", "exec", self.namespace, *command]

    def command(self, command):
        """The same for a worker, which sees no process of another host and another boot id."""
        setup = ('hostname "$1" && mount --bind "$2" /proc/sys/kernel/random/boot_id'
                 ' && shift 2 && exec "$@"')
        return self.in_network([
            "unshare", "--pid", "--mount", "--uts", "--fork", "--kill-child", "--mount-proc",
            "sh", "-c", setup, "sh", self.name, self._boot_id, *command])

    def start(self, command, **options):
        return subprocess.Popen(self.command(command), **options)


class Network:
    """A bridge, and hosts on it. Gone when it is left, with all that runs on its hosts."""

    def __init__(self, scratch):
        if os.geteuid() != 0:
            raise Skipped("network namespaces need root")
        for tool in ("ip", "unshare", "hostname"):
            if not shutil.which(tool):
                raise Skipped(f"there is no {tool}")
        self.scratch = scratch
        self.prefix = f"tl{os.getpid()}"
        self.bridge = f"{self.prefix}-bridge"
        self.hosts = []

    def __enter__(self):
        try:
            # Where these are not allowed, nothing is.
            _run("ip", "netns", "add", self.bridge, failure=Skipped)
            _run("ip", "-n", self.bridge, "link", "add", "br0", "type", "bridge", failure=Skipped)
            _run("ip", "-n", self.bridge, "link", "set", "br0", "up", failure=Skipped)
        except Skipped:
            self.__exit__()
            raise
        return self

    def host(self, name):
        return Host(self, name, len(self.hosts) + 1)

    def __exit__(self, *_):
        for namespace in [host.namespace for host in self.hosts] + [self.bridge]:
            pids = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True,
                                  text=True, check=False).stdout.split()
            if pids:
                subprocess.run(["kill", "-9", *pids], check=False, capture_output=True)
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)
