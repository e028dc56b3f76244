"""A client in Python, written from the contract alone: an agent's hour over the socket.

The agent signs in, takes three calls, misses one, and loses her network in the middle of one. A
supervisor on a connection of his own sees each state by the wallboard's deltas; the numbers at the
end are held against the wallboard, the events and each other. Started by
tests/scripts/python_client. What the server does inside is not looked at.
"""

import asyncio
import datetime
import time
import urllib.parse

from network import Network
from place import PATIENCE_S, Failure, Place, main, same, true, wait_for
from wire import Api, Socket

# The contract's own. A lease may be renewed last by the answer to a ping one heartbeat before.
LEASE_S = 15
HEARTBEAT_S = 5
LOSS_S = 20
OFFER_S = 5

QUEUE = {
    "name": "Pensiones",
    "requires": {"pensions": 5},
    "service_level": {"share": 0.8, "within": "20s"},
    "offer_timeout": f"{OFFER_S}s",
    "short_abandon": "0s",
    "wrap_up": "none",
}
ANA = {
    "name": "Ana García",
    "team": "morning-1",
    "level": 1,
    "skills": {"pensions": 7},
    "languages": ["es", "ca"],
    "capacity": {"voice": 1},
    "queues": None,
}
NAMES = [
    "an agent signs in over the socket",
    "a call: offer, accept, hold, resume, complete, wrap-up",
    "an offer is missed: not ready, the citizen leaves, she comes back",
    "a second call",
    "20 s without network: lost after the lease, then what she was",
    "the third call is ended after the loss",
    "she signs out and leaves the board",
    "the wallboard's fold is what GET /wallboard says",
    "the day's figures",
    "the events say the same",
    "nobody but she may do what she did",
]


class Day:
    """What the checks share: the server's address, who is connected, and as what."""

    def __init__(self, place):
        self.host, port = urllib.parse.urlsplit(place.url).netloc.split(":")
        self.port = int(port)
        self.admin = Api(place.url, place.token())
        self.admin.put("/queues/pensions", QUEUE)
        self.admin.put("/agents/ana", ANA)
        self.ana = Api(place.url, self.token("agent", agent="ana"))
        self.telephone = Api(place.url, self.token("integrator"))
        self.watcher = Api(place.url, self.token("supervisor"))

    def token(self, role, **rest):
        return self.admin.post("/tokens", {"role": role, **rest})["token"]

    async def connect(self):
        self.seen = await Socket.open(self.host, self.port, self.watcher.token)
        self.board = await self.seen.subscribe("wallboard")
        self.desk = await Socket.open("127.0.0.1", self.network.port, self.ana.token)
        same("the heartbeat", self.desk.welcome["heartbeat"], f"{HEARTBEAT_S}s")
        same("the welcome's agent", self.desk.welcome["agent"], "ana")
        self.mine = await self.desk.subscribe("agent")

    async def shows(self, state, waiting=None, within=PATIENCE_S, **rest):
        """Waits until the supervisor's board shows Ana so, and as many that wait."""

        def look():
            ana = self.board.data["agents"].get("ana", {"state": "signed_out"})
            counts = self.board.data["totals"]
            shown = {key: ana.get(key) for key in rest}
            right = ana["state"] == state and shown == rest
            if waiting is not None:
                right = right and counts["waiting"] == waiting
                right = right and self.board.data["queues"]["pensions"]["waiting"] == waiting
            # A copy: the fold goes on.
            return right and dict(ana)

        ana = await self.seen.until(f"the board shows {state} {rest}", look, within)
        counts = self.board.data["totals"]
        if state != "signed_out":
            same(f"totals.{state}", counts[state], 1)
        same("totals.signed_in", counts["signed_in"], 0 if state == "signed_out" else 1)
        return ana

    def arrive(self):
        contact = self.telephone.post(
            "/contacts", {"channel": "voice", "queue": "pensions", "from": "+34600000001"}
        )
        return contact["id"]

    async def offered(self, contact):
        """The offer of this contact, as it comes to the agent."""
        look = lambda: next((o for o in self.desk.offers if o["contact"]["id"] == contact), None)
        offer = await self.desk.until("an offer", look)
        self.desk.offers.remove(offer)
        await self.shows("offered", queue="pensions", contact=contact)
        return offer

    def state(self, contact):
        return self.watcher.get(f"/contacts/{contact}")["state"]

    async def take(self):
        """A call up to the answer."""
        contact = self.arrive()
        offer = await self.offered(contact)
        same("the offered contact's state", offer["contact"]["state"], "offered")
        took = instant(offer["expires_at"]) - instant(offer["contact"]["offered_at"])
        same("what an offer holds", took.total_seconds(), float(OFFER_S))
        await self.desk.command("accept", offer=offer["offer"])
        await self.shows("busy", waiting=0, queue="pensions", contact=contact)
        same("an answered contact's state", self.state(contact), "active")
        return contact

    async def finish(self, contact):
        """A call from its end on."""
        await self.desk.command("complete", contact=contact)
        await self.shows("wrap_up")
        same("a completed contact's state", self.state(contact), "wrap_up")
        await self.desk.command(
            "wrap_up", contact=contact, outcome="solved", topic="amounts"
        )
        await self.shows("ready")
        closed = self.watcher.get(f"/contacts/{contact}")
        same("the end of a call", [closed["state"], closed["outcome"]], ["closed", "solved"])


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


async def calls(day, report):
    agent = await day.desk.command("presence", state="ready")
    same("the answer's state", agent["state"], "ready")
    await day.shows("ready", waiting=0)
    report.done(NAMES[0])

    contact = await day.take()
    await day.desk.command("hold", contact=contact)
    same("a held contact's state", day.state(contact), "held")
    await day.shows("busy")
    await day.desk.command("resume", contact=contact)
    same("a resumed contact's state", day.state(contact), "active")
    await day.finish(contact)
    report.done(NAMES[1])

    missed = day.arrive()
    offer = await day.offered(missed)
    await day.shows("not_ready", waiting=1, reason="missed_offer")
    same("a missed contact's state", day.state(missed), "queued")
    try:
        await day.desk.command("accept", offer=offer["offer"])
    except Failure as refusal:
        same("the status of a late answer", refusal.status, 409)
    else:
        raise Failure("an offer that had lapsed was accepted")
    day.telephone.post(f"/contacts/{missed}/abandon")
    await day.shows("not_ready", waiting=0)
    await day.desk.command("presence", state="ready")
    await day.shows("ready", waiting=0)
    report.done(NAMES[2])

    await day.finish(await day.take())
    report.done(NAMES[3])


async def loss(day, report):
    contact = await day.take()
    before = await day.shows("busy", contact=contact)
    day.network.lose()
    began = time.monotonic()
    await day.shows("lost", within=LOSS_S)
    after = time.monotonic() - began
    true(f"lost after {after} s, before the lease's end", LEASE_S - HEARTBEAT_S <= after)
    shown = day.watcher.get("/agents/ana")
    same("what a lost agent was", [shown["state"], shown["was"]], ["lost", "busy"])
    same("since when", shown["was_since"], before["since"])
    same("the call of a lost agent", day.state(contact), "active")
    await asyncio.sleep(LOSS_S - (time.monotonic() - began))

    day.network.restore()
    had = (day.mine.epoch, day.mine.seq, day.mine.snapshots)
    day.desk.drop()
    day.desk = await Socket.open(
        "127.0.0.1", day.network.port, day.ana.token, {"agent": day.mine}
    )
    same("the epoch", day.desk.welcome["epoch"], had[0])
    await day.desk.subscribe("agent")
    same("the resumed topic needed no snapshot", day.mine.snapshots, had[2])
    await day.shows("busy", waiting=0, contact=contact, since=before["since"])
    look = lambda: day.mine.data["agent"]["state"] == "busy"
    await day.desk.until("her own desk shows busy", look)
    same("her own desk's contacts", [c["id"] for c in day.mine.data["contacts"]], [contact])
    report.done(NAMES[4], f"lost {after:.1f} s after the network, back by a delta from {had[1]}")

    await day.finish(contact)
    # The dead connection has not answered three pings by now, and the other one is hers.
    # Beside the sockets, which go on answering pings.
    look = lambda: day.admin.desks() == 1
    await asyncio.to_thread(wait_for, "the dead socket is let go", look)
    report.done(NAMES[5])


async def numbers(day, report):
    await day.desk.command("presence", state="signed_out")
    await day.shows("signed_out")
    same("who is on the board", day.board.data["agents"], {})
    report.done(NAMES[6])

    board = day.watcher.get("/wallboard")
    await day.seen.until("the fold is as far", lambda: board["seq"] <= day.board.seq)
    # Nobody does anything any more: what is told now is the same at each number.
    board = day.watcher.get("/wallboard")
    same("epoch", board["epoch"], day.board.epoch)
    same("data", board["data"], day.board.data)
    report.done(NAMES[7], f"seq {board['seq']}, {day.board.deltas} deltas on one snapshot")

    figures = {
        "waiting": 0, "active": 0, "signed_in": 0, "offered_today": 4, "answered_today": 3,
        "abandoned_today": 1, "short_abandoned_today": 0, "refused_today": 0,
        "overflowed_out_today": 0, "transferred_out_today": 0, "callbacks_today": 0,
        "carried_over_today": 0,
    }
    for place, found in [
        ("totals", board["data"]["totals"]), ("queue", board["data"]["queues"]["pensions"])
    ]:
        same(place, {key: found[key] for key in figures if key in found},
             {key: count for key, count in figures.items() if key in found})
    # One left after more than `short_abandon`, three were answered at once.
    same("service level", board["data"]["totals"]["service_level_today"], 0.75)
    report.done(NAMES[8], "4 offered, 3 answered, 1 abandoned")


def told(day, report):
    events = day.admin.events()
    count = lambda name: sum(event["event"] == name for event in events)
    counts = {
        "queued": 4, "offered": 4, "offer_accepted": 3, "answered": 3, "offer_missed": 1,
        "abandoned": 1, "held": 1, "resumed": 1, "completed": 3, "wrap_up_ended": 3,
        "leg_started": 3, "leg_ended": 3, "signed_in": 1, "signed_out": 1, "lost": 1, "heard": 1,
    }
    same("events", {name: count(name) for name in counts}, counts)
    takers = {event["by"] for event in events if event["event"] == "offer_accepted"}
    same("who accepted", takers, {"agent:ana"})
    presences = [e["data"]["state"] for e in events if e["event"] == "presence_changed"]
    call = ["offered", "busy", "wrap_up", "ready"]
    expected = ["ready", *call, "offered", "not_ready", "ready", *call]
    expected += ["offered", "busy", "lost", "busy", "wrap_up", "ready", "signed_out"]
    same("presences", presences, expected)
    report.done(NAMES[9], f"{len(events)} events without a gap")


def strangers(day, report):
    refused = [
        (day.watcher, "GET", "/events", None, 403),
        (day.telephone, "POST", "/agents/ana/presence", {"state": "ready"}, 403),
        (day.ana, "PUT", "/queues/pensions", QUEUE, 403),
        (Api(f"http://{day.host}:{day.port}", "nobody"), "GET", "/agents", None, 401),
        (day.telephone, "POST", "/contacts", {"channel": "voice", "queue": "no"}, 422),
        (day.telephone, "POST", "/contacts", {"channel": "voice", "que": "pensions"}, 400),
    ]
    for who, method, path, body, status in refused:
        try:
            who.ask(method, path, body)
        except Failure as refusal:
            same(f"{method} {path}", refusal.status, status)
            true("a problem has a type", refusal.body["type"].startswith("urn:atalaya:problem:"))
        else:
            raise Failure(f"{method} {path} was not refused")
    report.done(NAMES[10], f"{len(refused)} refusals")


async def hour(place, report):
    day = Day(place)
    async with Network(day.host, day.port) as day.network:
        await day.connect()
        await calls(day, report)
        await loss(day, report)
        await numbers(day, report)
        told(day, report)
        strangers(day, report)
        await day.desk.close()
        await day.seen.close()


def run(report):
    with Place("serve") as place:
        asyncio.run(hour(place, report))
        same("the exit code after SIGTERM", place.stop(), 0)


main(NAMES, run)
