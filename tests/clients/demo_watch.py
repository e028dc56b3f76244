"""The demo's centre is a client: all that it does comes over the wire, and stops when it stops.

A server at twenty times the speed of life, the centre in a process of its own beside it. Looked at
from outside only: the committed events, the wallboard, the scrape. Started by
tests/scripts/demo_is_a_client.
"""

import collections
import signal
import subprocess
import time

from place import Place, main, program, same, true, wait_for
from wire import Api

RATE = "20"
# A Monday's hour with traffic, whenever this runs.
START = "2026-03-02T08:30:00Z"
# As many answers as make a centre at work.
ANSWERED = 40
# How long the centre may take to have people signed in and calls answered.
OPENING_S = 90
# As many looks at scrape and wallboard as are to be equal.
LOOKS = 10
# What agents alone may do; all of it is `by` them.
THEIRS = ["offer_accepted", "offer_rejected", "held", "resumed", "wrap_up_ended"]
NAMES = [
    "the centre, a process of its own, signs in and takes calls",
    "every offer is accepted by its agent, every call comes by a token",
    "as many agents' sockets as agents signed in",
    "the centre is stopped: every agent is lost after the lease",
    "the centre goes on: every agent is back, and calls are answered",
    "nothing impossible was seen",
]


def totals(api):
    return api.get("/wallboard")["data"]["totals"]


def at_work(api, centre):
    def look():
        same("the centre ended with", centre.poll(), None)
        now = totals(api)
        return now["answered_today"] >= ANSWERED and now["signed_in"] > 1 and now

    return wait_for("a centre at work", look, OPENING_S)


def events_of(api):
    found = api.events()
    by = collections.defaultdict(collections.Counter)
    for event in found:
        kind, _, who = event["by"].partition(":")
        by[event["event"]][kind] += 1
        if event["event"] == "offer_accepted":
            same("who accepts is who was asked", who, event["data"]["agent"])
    for name in THEIRS:
        if name == "wrap_up_ended":
            # A wrap-up's limit is the server's to keep.
            by[name].pop("system", None)
        same(f"who is behind {name}", set(by[name]) - {"agent"}, set())
    true("offers were accepted", by["offer_accepted"]["agent"] >= ANSWERED)
    same("who is behind queued", set(by["queued"]), {"token"})
    return f"{by['offer_accepted']['agent']} accepted, {by['queued']['token']} calls, " \
           f"{len(found)} events"


def sockets(api):
    """Looks until both were the same often; people come and go, and a silent desktop has none."""
    looks = []

    def look():
        before, sockets, after = totals(api), api.desks(), totals(api)
        looks.append((sockets, before["signed_in"] - before["lost"]))
        return sockets == looks[-1][1] == after["signed_in"] - after["lost"] and sockets

    for _ in range(LOOKS):
        found = wait_for("as many sockets as agents who are heard", look)
    # Never another order: who is not there has no socket, who is there has one.
    far = [pair for pair in looks if 0.9 * pair[1] > pair[0] or pair[0] > 1.1 * pair[1] + 1]
    same("looks with sockets that are not agents'", far, [])
    return f"{found} of each; equal at {LOOKS} of {len(looks)} looks"


def stop(api, centre):
    """Stops the process; each agent that is lost then, and since when."""
    began = time.monotonic()
    centre.send_signal(signal.SIGSTOP)

    def look():
        now = api.get("/wallboard")["data"]
        count = now["totals"]
        return count["lost"] == count["signed_in"] > 0 and now

    board = wait_for("all agents are lost", look)
    took = time.monotonic() - began
    states = collections.Counter(a["state"] for a in board["agents"].values())
    same("states", dict(states), {"lost": board["totals"]["signed_in"]})
    lost = {name: agent["since"] for name, agent in board["agents"].items()}
    return lost, f"{len(lost)} agents lost, {took:.1f} s after the stop"


def go_on(api, centre, lost):
    before = totals(api)["answered_today"]
    began = time.monotonic()
    centre.send_signal(signal.SIGCONT)

    def look():
        agents = api.get("/wallboard")["data"]["agents"]
        same("the centre ended with", centre.poll(), None)
        still = [n for n, a in agents.items() if a["state"] == "lost" and lost.get(n) == a["since"]]
        return not still

    wait_for("every agent has been heard", look)
    took = time.monotonic() - began
    after = wait_for("calls are answered again", lambda: max(0, totals(api)["answered_today"] - before))
    return f"{len(lost)} agents back {took:.1f} s after, {after} more answered"


def run(report):
    with Place("serve", "--clock-rate", RATE, "--clock-start", START) as place:
        api = Api(place.url, place.token())
        words = [program(), "demo", "--centre-only", "--server", place.url]
        words += ["--token-file", str(place.dir / "admin.token")]
        with open(place.dir / "centre.txt", "wb") as log:
            centre = subprocess.Popen(words, cwd=place.dir, stdout=log, stderr=log)
        try:
            now = at_work(api, centre)
            report.done(NAMES[0], f"{now['signed_in']} agents, {now['answered_today']} answered")
            report.done(NAMES[1], events_of(api))
            report.done(NAMES[2], sockets(api))
            lost, told = stop(api, centre)
            report.done(NAMES[3], told)
            report.done(NAMES[4], go_on(api, centre, lost))
            counts = {n: v for n, v in api.samples().items() if "impossible_total" in n}
            true("impossible states are counted", counts)
            same("impossible states", {n: v for n, v in counts.items() if v != 0}, {})
            report.done(NAMES[5])
        finally:
            centre.kill()
            centre.wait()


main(NAMES, run)
