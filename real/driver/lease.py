"""One driver at a time: the lease and its epoch.

The lease says who drives; it does not fence by itself (client-go says so of its own). What fences is the epoch that every write
carries, together with the version that was read: see `take_over`.
"""

from __future__ import annotations

from real.driver.hand import Hand
from real.ports.errors import Conflict, Fenced, Refused, Unavailable, Unclear
from real.ports.things import LEASE, RULES, Lease, Live, Put, Stamp

__all__ = ["claim", "release", "renew", "take_over"]


def claim(hand: Hand, holder: str) -> None:
    """Become the driver of a new run. Refused while another one holds the lease, also a dead one: it must be recovered first."""
    live = hand.read(LEASE)
    held = live.value
    if isinstance(held, Lease) and held.holder:
        now = hand.world.clock.wall()
        state = "is driving" if held.until > now else "stopped in the middle"
        raise Refused(
            f"run {held.run} {state} here; end it first: seatrial real recover {held.run} (or let it go on: seatrial real resume)"
        )
    _advance(hand, live, holder)


def take_over(hand: Hand, holder: str) -> bool:
    """Become the driver in place of whoever drove this run; False if it is over: nobody drives it, and nothing of it is left.

    First the epoch rises, then every thing is written again under it: whoever still holds an older version gets a conflict, reads,
    sees the epoch, and stops.
    """
    live = hand.read(LEASE)
    held = live.value
    if not isinstance(held, Lease) or (not held.holder and (held.run != hand.run or _clean(hand))):
        return False
    if held.run != hand.run:
        raise Refused(f"run {held.run} drives here, not {hand.run}; recover that one: seatrial real recover {held.run}")
    _advance(hand, live, holder)
    for name in hand.names():
        if name != LEASE:
            hand.touch(name)
    return True


def _clean(hand: Hand) -> bool:
    """Whether nothing is left over. What no version guarded may have come late, from a driver that had stood still."""
    names = hand.names()
    rules = any(
        name.startswith("fault/") or hand.read(name).value is not None for name in names if name.startswith(RULES)
    )
    return not rules and sum(name.startswith("workload/") for name in names) == 1


def renew(hand: Hand, holder: str) -> None:
    """Say that this driver is alive."""
    live = hand.read(LEASE)
    if not isinstance(live.value, Lease) or live.value.epoch != hand.epoch:
        raise Fenced("the lease went to another driver; this one stops and changes nothing any more")
    _write(hand, live, _lease(hand, holder, hand.epoch))


def release(hand: Hand) -> None:
    """Nobody drives any more. The epoch stays: it only rises."""
    live = hand.read(LEASE)
    if isinstance(live.value, Lease) and live.value.epoch == hand.epoch and live.value.holder:
        _write(hand, live, Lease(hand.run, "", hand.epoch, hand.world.clock.wall()))


def _lease(hand: Hand, holder: str, epoch: int) -> Lease:
    return Lease(hand.run, holder or hand.run, epoch, hand.world.clock.wall() + hand.limits.lease)


def _advance(hand: Hand, live: Live, holder: str) -> None:
    before = live.value.epoch if isinstance(live.value, Lease) else 0
    hand.epoch = before + 1
    try:
        _write(hand, live, _lease(hand, holder, hand.epoch), taking=True)
    except Fenced as error:
        hand.epoch = 0
        raise Refused("another driver was faster; only one drives at a time") from error


def _write(hand: Hand, live: Live, lease: Lease, *, taking: bool = False) -> None:
    """Compare and swap; whatever is unclear is read again. While it is being taken, an equal epoch is somebody else's too."""
    put, pause = Put(LEASE, lease), hand.limits.pause
    for _ in range(hand.limits.tries):
        try:
            hand.world.cluster.write(put, Stamp(hand.run, hand.epoch, live.version), hand.limits.call)
            return
        except (Conflict, Unclear):
            live = hand.read(LEASE)
            now = live.value
            if now == lease:
                return
            if isinstance(now, Lease) and (now.epoch > lease.epoch or (taking and now.epoch == lease.epoch)):
                raise Fenced("the lease went to another driver; this one stops and changes nothing any more") from None
        except Unavailable as error:
            hand.world.clock.sleep(max(pause, error.retry_after))
            pause *= 2
    raise Unavailable("the lease could not be written")
