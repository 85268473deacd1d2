"""The openai client of PyPI against the gateway. run.lua gives what kit.py reads, LIMITED_URL and LIMITED_KEY."""
import asyncio
import json
import os

import openai

from kit import BASE_URL, KEY, attempts, end_of, make, mock, refusal, requests_with, run

MODEL = "gpt-4o-mini"


def client(key=KEY, url=BASE_URL):
    return make(openai, key, url)


def ask(text, **more):
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


def lists_only_the_models_that_the_key_may_use():
    ids = [model.id for model in client().models.list()]
    assert MODEL in ids and "claude-3-opus" not in ids, ids
    assert client().models.retrieve(MODEL).id == MODEL


def completes():
    answer = client().chat.completions.create(**ask("py-complete", user="mock?text=Hello+there"))
    assert answer.choices[0].message.content == "Hello there"
    assert answer.usage.total_tokens > 0
    assert len(requests_with("py-complete")) == 1


def streams_without_usage_when_it_was_not_asked_for():
    text = ""
    for chunk in client().chat.completions.create(**ask("Hi", stream=True, user="mock?text=one+two+three")):
        assert len(chunk.choices) == 1 and chunk.usage is None
        text += chunk.choices[0].delta.content or ""
    assert text == "one two three", text


def streams_with_usage_when_it_was_asked_for():
    more = {"stream": True, "stream_options": {"include_usage": True}, "user": "mock?tokens=7"}
    chunks = list(client().chat.completions.create(**ask("Hi", **more)))
    assert chunks[-1].usage.completion_tokens == 7


def calls_tools():
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
    answer = client().chat.completions.create(**ask("Weather?", tools=[tool], user="mock?tool=get_weather"))
    call = answer.choices[0].message.tool_calls[0].function
    assert call.name == "get_weather"
    json.loads(call.arguments)


def unknown_key_is_401():
    error = refusal(openai.AuthenticationError, lambda: client("mgk_nobody").chat.completions.create(**ask("Hi")))
    assert error.code == "invalid_api_key", error.code


def denied_model_is_403_and_tried_once():
    body = {**ask("py-denied"), "model": "claude-3-opus"}
    error = refusal(openai.PermissionDeniedError, lambda: client().chat.completions.create(**body))
    assert error.response.headers["x-should-retry"] == "false"
    assert error.request_id.startswith("req_"), error.request_id
    assert len(attempts) == 1 and not requests_with("py-denied")


def unknown_model_is_404():
    body = {**ask("Hi"), "model": "no-such-model"}
    error = refusal(openai.NotFoundError, lambda: client().chat.completions.create(**body))
    assert error.code == "model_not_found", error.code


def a_providers_429_is_retried_by_the_client_then_answered():
    mock("/_mock/script", {"match": "py-limited", "count": 1, "status": 429, "retry_after": 0})
    assert client().chat.completions.create(**ask("py-limited")).object == "chat.completion"
    assert len(attempts) == 2 and len(requests_with("py-limited")) == 2


def who_is_over_a_limit_waits_as_long_as_it_says():
    left = []
    for no in range(60):
        limited = client(os.environ["LIMITED_KEY"], os.environ["LIMITED_URL"])
        completions = limited.chat.completions.with_raw_response
        answer = completions.create(**ask(f"py-over-{no}."))
        left.append(int(answer.headers["x-ratelimit-remaining-requests"]))
        if len(attempts) > 1:
            break
    assert len(attempts) == 2, "no limit was reached"
    assert answer.status_code == 200 and len(requests_with(f"py-over-{no}.")) == 1
    assert min(left) == 0 and int(answer.headers["x-ratelimit-limit-requests"]) > 0, left


def an_abort_in_mid_stream_reaches_the_provider():
    stream = client().chat.completions.create(**ask("py-abort", stream=True, user="mock?tokens=5000&delay_ms=10"))
    for seen, _ in enumerate(stream):
        if seen == 5:
            break
    stream.close()
    end = end_of("py-abort")
    assert end["how"] == "client_abort" and end["tokens"] < 5000, end


def a_cancelled_task_reaches_the_provider():
    async def main():
        body = ask("py-task", user="mock?tokens=5000&delay_ms=10", stream=True)
        async with openai.AsyncOpenAI(base_url=BASE_URL, api_key=KEY) as asynchronous:
            async def read():
                async for _ in await asynchronous.chat.completions.create(**body):
                    started.set()
            started = asyncio.Event()
            task = asyncio.create_task(read())
            await started.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert end_of("py-task")["how"] == "client_abort"


def a_stream_that_dies_at_the_provider_raises():
    user = "mock?tokens=50&delay_ms=1&cut=rst&cut_event=5"
    stream = client().chat.completions.create(**ask("Hi", stream=True, user=user))
    finished = []
    refusal(openai.APIError, lambda: finished.extend(c.choices[0].finish_reason for c in stream))
    assert not any(finished)


TESTS = [
    lists_only_the_models_that_the_key_may_use, completes, streams_without_usage_when_it_was_not_asked_for,
    streams_with_usage_when_it_was_asked_for, calls_tools, unknown_key_is_401, denied_model_is_403_and_tried_once,
    unknown_model_is_404, a_providers_429_is_retried_by_the_client_then_answered,
    an_abort_in_mid_stream_reaches_the_provider, a_cancelled_task_reaches_the_provider,
    a_stream_that_dies_at_the_provider_raises, who_is_over_a_limit_waits_as_long_as_it_says,
]

run("pypi", TESTS)
