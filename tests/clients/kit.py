"""What Python's clients share: the mock's log and script, and how their tests are run. run.lua gives BASE_URL, KEY and MOCK_CONTROL."""
import json
import os
import sys
import time
import traceback
import urllib.request

BASE_URL, KEY, MOCK_CONTROL = (os.environ[name] for name in ("BASE_URL", "KEY", "MOCK_CONTROL"))
attempts = []  # of the client that was made last


def make(library, key=KEY, url=BASE_URL):
    """The library's client, whose requests are counted."""
    attempts.clear()
    hooks = {"request": [attempts.append]}
    made = library.OpenAI if hasattr(library, "OpenAI") else library.Anthropic
    return made(base_url=url, api_key=key, http_client=library.DefaultHttpxClient(event_hooks=hooks))


def mock(path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(MOCK_CONTROL + path, data=data, timeout=10) as answer:
        return json.load(answer)


def requests_with(mark):
    entries = mock("/_mock/log")["entries"]
    return [e for e in entries if e["event"] == "request" and mark in e.get("body", "")]


def end_of(mark):
    sent = requests_with(mark)[0]
    for _ in range(200):
        for e in mock("/_mock/log")["entries"]:
            if e["event"] == "end" and (e["conn"], e["request"]) == (sent["conn"], sent["request"]):
                return e
        time.sleep(0.025)
    raise AssertionError("the mock's log never says how it ended")


def refusal(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError("no error was raised")


def run(name, tests):
    failed = 0
    for test in tests:
        try:
            test()
        except Exception:
            failed += 1
            print("not ok:", test.__name__)
            traceback.print_exc(file=sys.stdout)
    print(f"clients/{name}: {len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
