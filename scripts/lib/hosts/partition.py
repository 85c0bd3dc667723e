"""One host is cut off: both sides are judged."""

import subprocess
import time

from cluster import url
from crowd import BOTS, Crowd
from failover import COOLDOWN, LEASE, after

_HEARTBEAT = 3


def crowd(place):
    """Eight workers on two hosts; the wire of one host is pulled out for some seconds. The other
    goes on; nobody sends an order twice; whoever was cut off goes on when the wire is back."""
    place.new_ledger(BOTS, COOLDOWN, LEASE)
    with Crowd(place, url(place.primary)) as workers:
        workers.begin()
        after(place.primary, 60)
        place.hosts[0].unplug()
        after(place.primary, 60)
        place.hosts[0].plug_in()
        after(place.primary, 60)
        workers.finish()
        evidence = workers.evidence(place.primary)
    wrong = evidence.untrue() + evidence.doubles((COOLDOWN - LEASE) * 1e9)
    cut_off = {order["host"] for order in evidence.sent[-40:]}
    if place.hosts[0].name not in cut_off:
        wrong.append("the host that was cut off did not come back")
    return wrong, evidence


def instance(place):
    """A bot under `guard` on one host, another waits on the other. The first one's wire is pulled
    out: it ends before the other begins, and what it writes afterwards is refused."""
    alpha, beta = place.hosts
    ledger = url(place.primary)
    guard = [place.program, "--db", ledger, "guard", "desk", "--supervise",
             "--heartbeat", f"{_HEARTBEAT}s"]
    place.new_ledger(BOTS, COOLDOWN, LEASE)
    with Crowd(place, ledger) as workers:
        workers.add(alpha, "first", [*guard, "--"])
        workers.expect_ready("first")
        workers.release("first")
        after(place.primary, 10)
        workers.add(beta, "second", [*guard, "--wait", "60s", "--"])
        alpha.unplug()
        first_code = workers.workers["first"].wait(timeout=60)
        first_ended = time.time_ns()
        workers.expect_ready("second")
        # By the server's clock, which is this machine's.
        taken = int(place.primary.sql("SELECT since FROM tradeledger.instance_rows")[0][0]) * 1000
        workers.release("second")
        alpha.plug_in()
        refused = subprocess.run(
            alpha.command([place.program, "--db", ledger, "--json", "reserve", "bot-1", "--side",
                           "buy", "--symbol", "BTC-USD", "--quantity", "1", "--instance", "desk",
                           "--epoch", "1"]),
            capture_output=True, text=True, check=False, timeout=60)
        after(place.primary, 10)
        workers.finish("second")
        evidence = workers.evidence(place.primary)
    wrong = evidence.untrue() + evidence.doubles((COOLDOWN - LEASE) * 1e9)
    # The server cannot be reached, or has said that the name is lost.
    if first_code not in (69, 75):
        wrong.append(f"the guard that was cut off ended with {first_code}")
    if first_ended >= taken:
        late = (first_ended - taken) / 1e9
        wrong.append(f"the name was taken {late:.2f} s before the first bot had ended")
    hosts = [order["host"] for order in evidence.sent]
    if hosts != sorted(hosts) or set(hosts) != {"alpha", "beta"}:
        wrong.append("both bots sent orders at the same time, or one sent none")
    if "superseded" not in refused.stdout:
        wrong.append(f"the old epoch was not refused: {refused.stdout.strip()[:200]}")
    return wrong, evidence
