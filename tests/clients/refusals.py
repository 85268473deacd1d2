"""What Python's clients do with each refusal of refusals/cases.json: a JSON line each. run.lua compares them with the table.

    {"client": "litellm", "case": "403 of a policy", "attempts": 1, "error": "BadRequestError", "shows": true, "again": false}

attempts: requests that left; shows: the gateway's text stands in the error; again: aider, which stands on LiteLLM, would
ask again by its own table. All cases run at once, since the clients' pauses are what takes time. The clients to be run
are the arguments: aider pins others than the rest, and so has a place of its own.
"""
import importlib
import importlib.util
import json
import os
import sys
import threading

BASE_URL, KEY = os.environ["BASE_URL"], os.environ["KEY"]
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # nothing is fetched
counts, lock = {}, threading.Lock()


def count(module):
    """Requests carry their mark in the body, whichever library sends them."""
    send = module.Client.send

    def counted(self, request, **more):
        for mark in counts:
            if mark.encode() in request.content:
                with lock:
                    counts[mark] += 1
        return send(self, request, **more)

    module.Client.send = counted


def ask_openai(base_url, key, model, messages):
    import openai
    openai.OpenAI(base_url=base_url, api_key=key).chat.completions.create(model=model, messages=messages)


def ask_langchain(base_url, key, model, messages):
    import langchain_openai
    langchain_openai.ChatOpenAI(base_url=base_url, api_key=key, model=model).invoke(messages)


def ask_litellm(base_url, key, model, messages):
    import litellm
    litellm.suppress_debug_info = True
    litellm.completion(model="openai/" + model, base_url=base_url, api_key=key, messages=messages)


def mark_of(client, case):
    return f"mark {client}: {case['name']}."


def measure(client, ask, case, say):
    mark = mark_of(client, case)
    text = case["text"] + " " + "x" * case.get("bytes", 0) + mark
    base_url = BASE_URL.removesuffix("/v1") + case["path"] if "path" in case else BASE_URL
    said = {"client": client, "case": case["name"]}
    try:
        ask(base_url, case.get("key", KEY), case.get("model", "any"), [{"role": "user", "content": text}])
        said["error"] = "none"
    except Exception as error:
        said.update(error=type(error).__name__, shows=case["shows"] in str(error))
        if client == "litellm":
            import aider.exceptions
            said["again"] = aider.exceptions.LiteLLMExceptions().get_ex_info(error).retry is not False
    said["attempts"] = counts[mark]
    with lock:
        say(said)


def main():
    for name in ("httpx", "httpx2"):  # the openai client has one of them, by its version
        if importlib.util.find_spec(name):
            count(importlib.import_module(name))
    with open("tests/clients/refusals/cases.json", encoding="utf-8") as file:
        cases = json.load(file)
    known = {"openai": ask_openai, "langchain": ask_langchain, "litellm": ask_litellm}
    modules = {"openai": ["openai"], "langchain": ["langchain_openai"], "litellm": ["litellm", "aider.exceptions"]}
    for name in sys.argv[1:]:
        for module in modules[name]:
            importlib.import_module(module)  # not by all threads at once
    for name in sys.argv[1:]:  # all of them before the first request, which looks through them
        counts.update((mark_of(name, case), 0) for case in cases)
    threads = [threading.Thread(target=measure, args=(name, known[name], case, lambda said: print(json.dumps(said), flush=True)))
               for name in sys.argv[1:] for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
