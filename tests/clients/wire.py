"""What the contract says of HTTP and of the socket, for one client with one token.

Requests (`Api`, with Python's own library) and the socket (`Socket`, over the library `websockets`)
with the folds of the topics it has subscribed to (`Fold`). Written from the contract alone: nothing
of the project's own code or page is used. What a client wants is not here.
"""

import asyncio
import http.client
import json
import urllib.parse

from place import PATIENCE_S, Failure, same

SUBPROTOCOL = "atalaya.v1.json"


class Problem(Failure):
    """A refusal, as `application/problem+json` says it."""

    def __init__(self, call, status, body):
        super().__init__(f"{call}: {status} {json.dumps(body)}")
        self.status = status
        self.body = body


class Api:
    """Requests with one token; each on a connection of its own."""

    def __init__(self, url, token):
        self.at = urllib.parse.urlsplit(url).netloc
        self.token = token

    def ask(self, method, path, body=None, accept="application/json", prefix="/api/v1"):
        """The answer's body, of JSON where it says that it is; refusals are raised."""
        connection = http.client.HTTPConnection(self.at, timeout=PATIENCE_S)
        try:
            head = {"Authorization": f"Bearer {self.token}", "Accept": accept}
            text = None
            if body is not None:
                head["Content-Type"] = "application/json"
                text = json.dumps(body)
            connection.request(method, prefix + path, text, head)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        found = json.loads(text) if "json" in answer.headers.get_content_type() else text
        if not 200 <= answer.status < 300:
            raise Problem(f"{method} {path}", answer.status, found)
        return found

    def get(self, path, **rest):
        return self.ask("GET", path, **rest)

    def post(self, path, body=None, **rest):
        return self.ask("POST", path, {} if body is None else body, **rest)

    def put(self, path, body):
        return self.ask("PUT", path, body)

    def samples(self):
        """The scrape's samples: name and labels as they are written, and the value."""
        text = self.get("/metrics", prefix="", accept="text/plain")
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#"]
        return {name: float(value) for name, value in lines}

    def desks(self):
        """How many sockets follow an agent's desk."""
        return int(self.samples()['atalaya_websocket_clients{topic="agent"}'])

    def events(self):
        """Every event there is, page by page; each follows the one before without a gap."""
        found, after = [], 0
        while True:
            page = self.get(f"/events?after={after}&limit=500")
            for event in page["items"]:
                same("sequence numbers follow each other", event["seq"], after + 1)
                found.append(event)
                after = event["seq"]
            if page["next_cursor"] is None or not page["items"]:
                return found


class Fold:
    """One topic's data, as its snapshot and its deltas say."""

    def __init__(self):
        self.epoch = None
        self.seq = None
        self.data = None
        self.deltas = 0
        self.snapshots = 0

    def snapshot(self, frame):
        self.epoch, self.seq, self.data = frame["epoch"], frame["seq"], frame["data"]
        self.snapshots += 1

    def delta(self, frame):
        same("a delta goes on from the number before", frame["from"], self.seq)
        for pointer in frame["remove"]:
            parent, key = walk(self.data, pointer)
            del parent[key]
        for pointer, value in frame["set"].items():
            parent, key = walk(self.data, pointer)
            if key == len(parent) and isinstance(parent, list):
                parent.append(value)
            else:
                parent[key] = value
        self.seq = frame["seq"]
        self.deltas += 1


def walk(data, pointer):
    """The place that an RFC 6901 pointer names: what holds it, and under which key."""
    keys = [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]
    for key in keys[:-1]:
        data = data[int(key) if isinstance(data, list) else key]
    last = keys[-1]
    if isinstance(data, list):
        return data, len(data) if last == "-" else int(last)
    return data, last


class Socket:
    """One socket, which answers pings while it is read; `topics` are what it has subscribed to."""

    def __init__(self, connection, topics=None):
        self.connection = connection
        self.topics = {} if topics is None else topics
        self.welcome = None
        self.offers = []
        self.recalls = []
        self.pings = 0
        self.commands = 0
        self.answers = {}
        self.fault = None
        self.news = asyncio.Condition()
        self.reader = None

    @classmethod
    async def open(cls, host, port, token, topics=None):
        """Connects; ends when it has been welcomed. `topics` are the folds of a socket before."""
        from websockets.asyncio.client import connect

        connection = await connect(
            f"ws://{host}:{port}/ws",
            subprotocols=[SUBPROTOCOL],
            additional_headers={"Authorization": f"Bearer {token}"},
            open_timeout=PATIENCE_S,
            # The lease is the contract's business, not the protocol's own pings'.
            ping_interval=None,
            proxy=None,
        )
        same("the subprotocol", connection.subprotocol, SUBPROTOCOL)
        socket = cls(connection, topics)
        socket.reader = asyncio.ensure_future(socket.read())
        await socket.until("the welcome", lambda: socket.welcome)
        return socket

    async def read(self):
        try:
            async for text in self.connection:
                await self.heard(json.loads(text))
        except Exception as error:
            self.fault = error
        else:
            self.fault = ConnectionError("the server closed the socket")
        async with self.news:
            self.news.notify_all()

    async def heard(self, frame):
        kind = frame["type"]
        if self.welcome is None:
            same("the first frame", kind, "welcome")
            self.welcome = frame
        elif kind == "snapshot":
            self.topics[frame["topic"]].snapshot(frame)
        elif kind == "delta":
            self.topics[frame["topic"]].delta(frame)
        elif kind == "offer":
            self.offers.append(frame)
        elif kind == "recall":
            self.recalls.append(frame)
        elif kind in ("ack", "nack"):
            self.answers[frame["id"]] = frame
        elif kind == "ping":
            self.pings += 1
            await self.say({"type": "pong"})
        else:
            raise Failure(f"a frame that is not expected: {frame}")
        async with self.news:
            self.news.notify_all()

    async def say(self, message):
        await self.connection.send(json.dumps(message))

    async def subscribe(self, topic):
        """Asks for the topic: anew, or from where its fold is."""
        fold = self.topics.setdefault(topic, Fold())
        message = {"type": "subscribe", "topic": topic}
        before = (fold.snapshots, fold.deltas)
        if fold.epoch is not None:
            message["resume"] = {"epoch": fold.epoch, "seq": fold.seq}
        await self.say(message)
        await self.until(f"the topic {topic}", lambda: (fold.snapshots, fold.deltas) != before)
        return fold

    async def command(self, command, **args):
        """Says a command and waits for its answer: the entity as it is then."""
        self.commands += 1
        name = f"c{self.commands}"
        await self.say({"type": "command", "id": name, "command": command, "args": args})
        answer = await self.until(f"the answer to {command}", lambda: self.answers.pop(name, None))
        if answer["type"] != "ack":
            raise Problem(command, answer["problem"]["status"], answer["problem"])
        return answer["entity"]

    async def until(self, what, look, seconds=PATIENCE_S):
        """What `look` gives once it is anything; looked at again after each frame."""
        try:
            async with asyncio.timeout(seconds), self.news:
                while not (found := look()):
                    if self.fault is not None:
                        raise Failure(f"{what}: {self.fault!r}") from self.fault
                    await self.news.wait()
                return found
        except TimeoutError:
            raise Failure(f"{what}: not within {seconds:.0f} s") from None

    def drop(self):
        """Forgets the connection without a word to anybody."""
        self.reader.cancel()
        self.connection.transport.abort()

    async def close(self):
        await self.connection.close()
