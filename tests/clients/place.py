"""A real server on a folder of its own, and the counting of what a script checks.

Used by the scripts of this folder, which tests/scripts starts. Only Python's own library is used
here. What a client says to a server is not here (wire.py).
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

# How long a state is waited for that is to come at once, on a machine that is busy with other work.
PATIENCE_S = 60.0
# How long a server may take to leave after SIGTERM: its contract says 10 s.
DRAIN_S = 20.0


class Place:
    """A program of the project on a data folder of its own; both are gone when it is left."""

    def __init__(self, *words):
        """`words` are the command and its options, but for the folder and the address."""
        self.words = words
        self.child = None
        self.url = ""

    def __enter__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="atalaya-client-"))
        try:
            self.start("127.0.0.1:0")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, listen):
        words = [program(), *self.words, "--listen", listen, "--data", str(self.dir)]
        log = open(self.dir / "log.txt", "ab")
        # In its own folder: the repository has a configuration of its own.
        self.child = subprocess.Popen(
            words, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
        log.close()
        for line in self.child.stdout:
            if line.startswith(b"Listening on "):
                self.url = line.split()[-1].decode()
                return
        raise Failure(f"`{' '.join(words)}` ended with {self.child.wait()} before it listened: "
                      + (self.dir / "log.txt").read_text()[-500:])

    def token(self):
        return (self.dir / "admin.token").read_text().strip()

    def stop(self):
        """Asks it to stop; its exit code."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(DRAIN_S)


def program():
    path = os.environ.get("ATALAYA_BIN")
    if path is None:
        raise Failure("ATALAYA_BIN names no program")
    return path


class Failure(AssertionError):
    """Something is not as the contract says."""


def same(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: {found!r}, expected {expected!r}")


def true(what, found):
    if not found:
        raise Failure(what)


def wait_for(what, look, seconds=PATIENCE_S):
    """What `look` gives, as soon as it is anything; for a world that tells nothing by itself."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if end < time.monotonic():
            raise Failure(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


class Report:
    """Counts named checks; the last line is what tests/run reads."""

    def __init__(self, names):
        """`names` are all the checks that are to be, in their order."""
        self.left = list(names)
        self.passed = 0
        self.began = time.monotonic()

    def done(self, name, told=""):
        same("the check that comes next", name, self.left[0])
        self.left.pop(0)
        self.passed += 1
        print(f"{time.monotonic() - self.began:6.1f} s  {name}{': ' if told else ''}{told}", flush=True)

    def end(self, error=None):
        """Says how it went: a check that failed takes those along that build on it."""
        failed = 0
        if error is not None or self.left:
            failed = 1
            name = self.left[0] if self.left else "the end"
            reason = " ".join(f"{type(error).__name__}: {error}".split()) if error else "not run"
            print(f"FAILED: {name}: {reason}")
            for later in self.left[1:]:
                print(f"SKIPPED: {later}: the check before it failed")
        print(f"{self.passed} passed, {failed} failed, {max(0, len(self.left) - 1)} skipped", flush=True)
        return 1 if failed else 0


def main(names, run):
    """Runs `run(report)` and exits."""
    report = Report(names)
    error = None
    try:
        run(report)
    except Exception as caught:
        traceback.print_exc()
        error = caught
    sys.exit(report.end(error))
