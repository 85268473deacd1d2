"""OpenAI's and Anthropic's clients of PyPI, chats and messages, against a model that answers in the Responses API alone: texts,
streams, and a call of a tool whose reasoning comes back to its item. run.lua gives what kit.py reads, and RECORDINGS: where the
recordings are, if any."""
import json
import os

import anthropic
import openai

from kit import BASE_URL, KEY, make, mock, refusal, requests_with, run

MODEL = "of-responses"
RECORDED = "openai/097-responses-json"
FOLDER = os.environ.get("RECORDINGS")
SCHEMA = {"type": "object", "properties": {"key": {"type": "string"}}}


def of_openai():
    return make(openai, KEY, BASE_URL + "/v1")


def of_anthropic():
    return make(anthropic, KEY, BASE_URL)


def user(text):
    return [{"role": "user", "content": text}]


def chats():
    answer = of_openai().chat.completions.create(model=MODEL, messages=user("echo one two"))
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one two", "stop"), answer
    assert answer.usage.completion_tokens == 2
    text = ""
    for chunk in of_openai().chat.completions.create(model=MODEL, messages=user("echo one two"), stream=True):
        text += chunk.choices[0].delta.content or ""
    assert text == "one two", text


def messages():
    answer = of_anthropic().messages.create(model=MODEL, max_tokens=99, messages=user("echo one two"))
    assert (answer.content[0].text, answer.stop_reason, answer.usage.output_tokens) == ("one two", "end_turn", 2), answer
    with of_anthropic().messages.stream(model=MODEL, max_tokens=99, messages=user("echo one two")) as stream:
        assert stream.get_final_message().content[0].text == "one two"


def a_cut_stream_is_no_answer():
    mock("/_mock/script", {"match": "py cut", "cut": "fin", "cut_event": 5})

    def ask():
        with of_anthropic().messages.stream(model=MODEL, max_tokens=99, messages=user("py cut a b c d e f g")) as stream:
            stream.get_final_message()

    assert refusal(anthropic.APIError, ask).message


def check_second(mark):
    """What reached the mock in the second turn."""
    with open(f"{FOLDER}/{RECORDED}.resp.json", encoding="utf-8") as file:
        thought, call = json.load(file)["output"]
    items = json.loads(requests_with(mark)[-1]["body"])["input"]
    at = [item.get("type") for item in items].index("reasoning")
    assert items[at]["id"] == thought["id"], items[at]
    assert items[at]["encrypted_content"] == thought["encrypted_content"]
    assert (items[at + 1]["type"], items[at + 1]["call_id"]) == ("function_call", call["call_id"])
    assert json.loads(items[at + 1]["arguments"]) == json.loads(call["arguments"])
    assert (items[at + 2]["call_id"], items[at + 2]["output"]) == (call["call_id"], "found")


def begin(mark):
    mock("/_mock/script", {"match": f'"{mark}"', "replay": RECORDED, "count": 1})
    return user(mark)


def thoughts_come_back_in_chats():
    said = begin("py look up, chat")
    tools = [{"type": "function", "function": {"name": "db_lookup", "parameters": SCHEMA}}]
    message = of_openai().chat.completions.create(model=MODEL, messages=said, tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "found"}
    of_openai().chat.completions.create(model=MODEL, messages=said + [message, result], tools=tools)
    check_second("py look up, chat")


def thoughts_come_back_in_messages():
    said = begin("py look up, messages")
    tools = [{"name": "db_lookup", "input_schema": SCHEMA}]
    content = of_anthropic().messages.create(model=MODEL, max_tokens=99, messages=said, tools=tools).content
    result = {"type": "tool_result", "tool_use_id": content[-1].id, "content": "found"}
    turns = said + [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    of_anthropic().messages.create(model=MODEL, max_tokens=99, messages=turns, tools=tools)
    check_second("py look up, messages")


def errors_keep_their_words():
    mock("/_mock/script", {"match": "py error of Responses", "status": 400, "error_message": "so it is"})
    error = refusal(openai.BadRequestError, lambda: of_openai().chat.completions.create(
        model=MODEL, messages=user("py error of Responses")))
    assert "so it is" in error.message, error.message


TESTS = [chats, messages, a_cut_stream_is_no_answer, errors_keep_their_words]
if FOLDER:
    TESTS += [thoughts_come_back_in_chats, thoughts_come_back_in_messages]
run("translated_responder_client", TESTS)
