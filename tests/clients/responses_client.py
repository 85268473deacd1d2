"""The openai client of PyPI asking for responses, against the gateway. run.lua gives what kit.py reads."""
import json

import openai

from kit import KEY, attempts, end_of, make, mock, refusal, requests_with, run

TOOL = {"type": "function", "name": "get_weather", "strict": True, "parameters": {
    "type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"], "additionalProperties": False}}


def responses(key=KEY):
    return make(openai, key).responses


def ask(text, **more):
    return {"model": "gpt-4o-mini", "input": text, **more}


def text_whole():
    answer = responses().create(**ask("echo one two  three", instructions="Be brief."))
    assert answer.output_text == "one two  three" and answer.status == "completed", answer
    assert answer.usage.output_tokens == 3 and answer._request_id.startswith("req_"), answer


def text_streamed_as_events_and_as_one_response():
    events = list(responses().create(**ask("echo one two  three", stream=True)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed"), events
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == "one two  three"
    with responses().stream(**ask("echo one two  three")) as stream:
        stream.until_done()
        final = stream.get_final_response()
    assert final.output_text == "one two  three" and final.usage.output_tokens == 3, final


def tools_whole_and_streamed_and_what_they_gave_back():
    whole = responses().create(**ask("call get_weather", tools=[TOOL])).output[0]
    assert (whole.type, whole.name) == ("function_call", "get_weather"), whole
    assert json.loads(whole.arguments)["words"]
    with responses().stream(**ask("call get_weather", tools=[TOOL])) as stream:
        call = stream.get_final_response().output[0]
    assert call.arguments == whole.arguments, call
    said = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    given = {"type": "function_call_output", "call_id": call.call_id, "output": "mark-py-result"}
    items = [{"role": "user", "content": "weather"}, said, given, {"role": "user", "content": "echo it rains"}]
    assert responses().create(**ask(items, tools=[TOOL])).output_text == "it rains"
    assert len(requests_with("mark-py-result")) == 1


def an_answer_that_its_limit_ends_is_incomplete():
    answer = responses().create(**ask("echo one two three four", max_output_tokens=2))
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens"), answer


def what_the_provider_keeps_is_its_apps():
    body = ask("mark-py-kept", previous_response_id="resp_1")
    error = refusal(openai.BadRequestError, lambda: responses().create(**body))
    assert error.code == "previous_response_not_found" and "resp_1" in str(error), error
    assert len(attempts) == 1 and not requests_with("mark-py-kept")
    first = responses().create(**ask("Hi"))
    responses().create(**ask("mark-py-next", previous_response_id=first.id))
    assert len(requests_with("mark-py-next")) == 1
    mock("/_mock/script", {"body": first.model_dump_json()})
    assert responses().retrieve(first.id).id == first.id
    mock("/_mock/script", {"body": '{"deleted": true}'})
    responses().delete(first.id)
    refusal(openai.NotFoundError, lambda: responses().retrieve(first.id))


def errors_of_the_librarys_own():
    refusal(openai.AuthenticationError, lambda: responses("mgk_nobody").create(**ask("Hi")))
    refusal(openai.NotFoundError, lambda: responses().create(model="no-such-model-here", input="Hi"))


def an_abort_in_mid_stream_reaches_the_provider():
    mock("/_mock/script", {"match": "mark-py-abort", "tokens": 5000, "delay_ms": 10})
    stream = responses().create(**ask("mark-py-abort", stream=True))
    for seen, _ in enumerate(stream):
        if seen == 8:
            break
    stream.close()
    end = end_of("mark-py-abort")
    assert end["how"] == "client_abort" and end["tokens"] < 5000, end


def a_stream_that_dies_at_the_provider_raises():
    mock("/_mock/script", {"match": "mark-py-dies", "tokens": 50, "delay_ms": 1, "cut": "rst", "cut_event": 9})
    types = []
    stream = responses().create(**ask("mark-py-dies", stream=True))
    refusal(openai.APIError, lambda: types.extend(event.type for event in stream))
    assert "response.completed" not in types


run("pypi-responses", [
    text_whole, text_streamed_as_events_and_as_one_response, tools_whole_and_streamed_and_what_they_gave_back,
    an_answer_that_its_limit_ends_is_incomplete, what_the_provider_keeps_is_its_apps,
    errors_of_the_librarys_own, an_abort_in_mid_stream_reaches_the_provider, a_stream_that_dies_at_the_provider_raises,
])
