"""Anthropic's client of PyPI against the gateway, which has an account of that dialect. run.lua gives what kit.py reads."""
import anthropic

from kit import KEY, attempts, end_of, make, mock, refusal, requests_with, run

TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"words": {"type": "string"}}}}


def client(key=KEY):
    return make(anthropic, key)


def ask(text, **more):
    return {"model": "good", "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


def streamed(**body):
    with client().messages.stream(**body) as stream:
        return "".join(stream.text_stream), stream.get_final_message()


def text_whole():
    answer = client().messages.create(**ask("echo one two  three"))
    assert answer.content[0].text == "one two  three" and answer.stop_reason == "end_turn", answer
    assert answer.usage.output_tokens == 3 and answer._request_id.startswith("req_"), answer


def text_streamed():
    seen, final = streamed(**ask("echo one two  three"))
    assert seen == final.content[0].text == "one two  three", final
    assert final.usage.output_tokens == 3 and final.stop_reason == "end_turn", final


def tools_whole_and_streamed():
    body = ask("Weather?", tools=[TOOL], tool_choice={"type": "tool", "name": "get_weather"})
    whole, (_, final) = client().messages.create(**body), streamed(**body)
    for answer in (whole, final):
        assert answer.stop_reason == "tool_use" and answer.content[0].name == "get_weather", answer
        assert answer.content[0].input["words"], answer
    assert whole.content[0].input == final.content[0].input


def what_tools_gave_back_goes_along():
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"words": "Berlin"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "mark-py-back"}
    messages = [{"role": "user", "content": "weather"}, {"role": "assistant", "content": [call]},
                {"role": "user", "content": [result, {"type": "text", "text": "echo 21"}]}]
    answer = client().messages.create(**{**ask("x", tools=[TOOL]), "messages": messages})
    assert answer.content[0].text == "21" and len(requests_with("mark-py-back")) == 1, answer


def counts_tokens_and_lists_models():
    messages = ask("one two three")["messages"]
    assert client().messages.count_tokens(model="good", messages=messages).input_tokens == 3
    assert "good" in [model.id for model in client().models.list()]
    assert client().models.retrieve("good").id == "good"


def an_unknown_key_is_401():
    error = refusal(anthropic.AuthenticationError, lambda: client("mgk_nobody").messages.create(**ask("Hi")))
    assert error.body["error"]["type"] == "authentication_error", error.body


def a_denial_is_tried_once_and_has_its_words_and_its_type():
    error = refusal(anthropic.PermissionDeniedError, lambda: client().messages.create(**ask("refuse 403")))
    assert error.response.headers["x-should-retry"] == "false" and error.request_id.startswith("req_"), error
    assert error.body["error"]["type"] == "permission_error" and "as it was asked for" in str(error), error
    assert len(attempts) == 1
    error = refusal(anthropic.APIStatusError, lambda: client().messages.create(**ask("refuse 402")))
    assert error.body["error"]["type"] == "billing_error", error.body


def a_providers_429_is_repeated_by_the_client_then_answered():
    mock("/_mock/script", {"match": "mark-py-429", "count": 1, "status": 429, "retry_after": 0})
    assert client().messages.create(**ask("mark-py-429")).type == "message"
    assert len(attempts) == 2


def an_abort_in_mid_stream_reaches_the_provider():
    mock("/_mock/script", {"match": "mark-py-gone", "tokens": 5000, "delay_ms": 10})
    stream = client().messages.create(**ask("mark-py-gone", stream=True, max_tokens=6000))
    for seen, _ in enumerate(stream):
        if seen == 8:
            break
    stream.close()
    end = end_of("mark-py-gone")
    assert end["how"] == "client_abort" and end["tokens"] < 5000, end


def a_stream_that_dies_at_the_provider_raises():
    mock("/_mock/script", {"match": "mark-py-cut", "tokens": 50, "delay_ms": 1, "cut": "rst", "cut_event": 7})
    types = []
    stream = client().messages.create(**ask("mark-py-cut", stream=True))
    error = refusal(anthropic.APIError, lambda: types.extend(event.type for event in stream))
    assert "closed" in str(error) and "message_stop" not in types, error


run("pypi-anthropic", [
    text_whole, text_streamed, tools_whole_and_streamed, what_tools_gave_back_goes_along,
    counts_tokens_and_lists_models, an_unknown_key_is_401, a_denial_is_tried_once_and_has_its_words_and_its_type,
    a_providers_429_is_repeated_by_the_client_then_answered, an_abort_in_mid_stream_reaches_the_provider,
    a_stream_that_dies_at_the_provider_raises,
])
