"""A standby takes over under load: what was answered has to be there, and nothing is sent twice."""

import time

from cluster import url
from crowd import BOTS, Crowd

# What may lie between two orders of one bot: its cooldown, less the lease within which a worker that
# lost its server may still have sent the first one.
COOLDOWN, LEASE = 0.4, 0.2


def _count(server):
    return int(server.sql("SELECT count(*) FROM tradeledger.trade_rows")[0][0])


def after(server, more):
    """Waits until the ledger has `more` trades than now."""
    goal = _count(server) + more
    end = time.monotonic() + 60
    while _count(server) < goal:
        if time.monotonic() > end:
            raise RuntimeError(f"the workers made no {more} trades in a minute")
        time.sleep(0.05)


def synchronous(place):
    """The primary dies by kill -9 under load, the standby is promoted: nothing answered is lost.
    The old primary comes back and says yes to nobody, because no standby follows it."""
    one, two = place.primary, place.standby
    one.set({"synchronous_standby_names": "'*'", "synchronous_commit": "on"})
    one.reload()
    place.new_ledger(BOTS, COOLDOWN, LEASE)
    with Crowd(place, url(one, two)) as crowd:
        crowd.begin()
        after(one, 60)
        # Its machine is gone, and then its process: whoever asks there is not even refused.
        one.host.unplug()
        one.kill()
        two.promote()
        after(two, 60)
        one.host.plug_in()
        one.start()
        # Whoever knows the old one alone, and gets no answer from it.
        with Crowd(place, url(one), crowd.exchange) as misled:
            misled.begin()
            after(two, 60)
            misled.stop()
            told = misled.evidence(two)
        crowd.finish()
        evidence = crowd.evidence(two)
    wrong = evidence.untrue() + evidence.doubles((COOLDOWN - LEASE) * 1e9)
    wrong += [f"the old primary said yes: {line['key']}" for line in told.yes]
    return wrong, evidence


def asynchronous(place):
    """The control: the standby does not hear of the last trades, and is promoted all the same.
    Answers are lost, which the judge has to see. Because the ledger is told so, every bot waits
    one cooldown, so that even an order that the ledger no longer knows is not followed too soon."""
    one, two = place.primary, place.standby
    place.new_ledger(BOTS, COOLDOWN, LEASE)
    with Crowd(place, url(one)) as before:
        before.begin()
        after(one, 60)
        two.host.unplug()
        after(one, 60)
        one.kill()
        before.stop()
        two.host.plug_in()
        two.promote()
        lost = before.evidence(two).untrue()
        two.sql("SELECT tradeledger.restored(NULL)")
        with Crowd(place, url(two), before.exchange) as afterwards:
            afterwards.begin()
            after(two, 60)
            afterwards.finish()
            evidence = afterwards.evidence(two)
    wrong = evidence.untrue() + evidence.doubles(COOLDOWN * 1e9)
    if not lost:
        wrong.append("the control lost nothing, so that the judge may be blind")
    print(f"asynchronous: the control, {len(lost)} answers lost")
    return wrong, evidence
