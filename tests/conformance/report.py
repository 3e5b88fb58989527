"""What every script here shares: one line for each check, waiting with a limit, and the control side of both servers.

A script is run with the address of its server as arguments, and ends with exit code 1 when a check has failed.
"""

import asyncio
import json
import sys
import time
import traceback
import urllib.error
import urllib.request
from contextlib import contextmanager

# Far above what any answer takes, so that a busy machine fails no check.
WAIT_SECONDS = 10.0


class Checks:
    """Counts and prints the checks of one client library."""

    def __init__(self, client):
        self.client = client
        self.failed = 0
        self.passed = 0

    @contextmanager
    def check(self, what):
        """Prints `ok` when the block comes to its end, `FAILED` with the reason when it raises."""
        begins = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever a client raises is a failed check, and is printed
            self.failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            reason = str(error).strip() or type(error).__name__
            print(f"FAILED  {self.client} · {what}: {reason} ({where.name}:{where.lineno})", flush=True)
        else:
            self.passed += 1
            seconds = time.monotonic() - begins
            print(f"ok      {self.client} · {what}{f' ({seconds:.1f} s)' if seconds >= 1 else ''}", flush=True)

    def end(self):
        """Ends the process with the exit code of all checks."""
        sys.stdout.flush()
        sys.exit(1 if self.failed or not self.passed else 0)


def expect(claim, text):
    """Raises when a claim is false; unlike `assert` it is never compiled away."""
    if not claim:
        raise AssertionError(text)


def same(got, wanted, what):
    """Raises when two values differ, naming both."""
    if got != wanted:
        raise AssertionError(f"{what} is {got!r}, not {wanted!r}")


async def until(claim, what, seconds=WAIT_SECONDS):
    """Waits until `claim()` is true and returns its value."""
    ends = time.monotonic() + seconds
    while True:
        value = claim()
        if value:
            return value
        if time.monotonic() > ends:
            raise AssertionError(f"{what} did not happen within {seconds:g} s")
        await asyncio.sleep(0.01)


def until_blocking(claim, what, seconds=WAIT_SECONDS):
    """Waits like `until` in a thread of its own."""
    ends = time.monotonic() + seconds
    while True:
        value = claim()
        if value:
            return value
        if time.monotonic() > ends:
            raise AssertionError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.01)


def post(url, body=None):
    """Posts JSON to a control path and returns the JSON answer, whatever its status."""
    data = json.dumps({} if body is None else body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"}, method="POST")
    return _answer(request)


def get(url):
    """Returns the JSON answer of a control path."""
    return _answer(urllib.request.Request(url))


def _answer(request):
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.load(error)
