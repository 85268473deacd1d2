"""OpenAI's and Anthropic's clients of PyPI, chats, messages and responses, against a model of Google's and one of Amazon's:
texts, streams, calls of tools, whose signature comes back from Google's. run.lua gives what kit.py reads, and RECORDINGS: where the recordings are, if any."""
import json
import os

import anthropic
import openai

from kit import BASE_URL, KEY, make, mock, refusal, requests_with, run

MODEL = "of-gemini"
MODELS = (MODEL, "of-amazon")  # by Converse
RECORDED = "gemini/046-generateContent-json"
FOLDER = os.environ.get("RECORDINGS")
SCHEMA = {"type": "object", "properties": {"location": {"type": "string"}}}


def of_openai():
    return make(openai, KEY, BASE_URL + "/v1")


def of_anthropic():
    return make(anthropic, KEY, BASE_URL)


def user(text):
    return [{"role": "user", "content": text}]


def chats():
    for model in MODELS:
        answer = of_openai().chat.completions.create(model=model, messages=user("echo one two"))
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one two", "stop"), answer
        assert answer.usage.completion_tokens == 2
        text = ""
        for chunk in of_openai().chat.completions.create(model=model, messages=user("echo one two"), stream=True):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
        assert text == "one two", text


def messages():
    for model in MODELS:
        answer = of_anthropic().messages.create(model=model, max_tokens=99, messages=user("echo one two"))
        assert (answer.content[0].text, answer.stop_reason, answer.usage.output_tokens) == ("one two", "end_turn", 2), answer
        with of_anthropic().messages.stream(model=model, max_tokens=99, messages=user("echo one two")) as stream:
            assert stream.get_final_message().content[0].text == "one two"


def responses():
    for model in MODELS:
        answer = of_openai().responses.create(model=model, store=False, input="echo one two")
        assert (answer.output_text, answer.status, answer.usage.output_tokens) == ("one two", "completed", 2), answer
        with of_openai().responses.stream(model=model, store=False, input="echo one two") as stream:
            for _ in stream:
                pass
            assert stream.get_final_response().output_text == "one two"


def tools_of_amazon():
    """What it asked a tool, and what that gave back, in the second turn as Converse has it."""
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    said = user("py weather of Amazon, chat")
    message = of_openai().chat.completions.create(
        model="of-amazon", messages=said, tools=tools,
        tool_choice={"type": "function", "function": {"name": "weather"}}).choices[0].message
    call = message.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    of_openai().chat.completions.create(model="of-amazon", messages=said + [message, result], tools=tools)
    check_converse(said[0]["content"], call.function.name, json.loads(call.function.arguments))
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    said = user("py weather of Amazon, messages")
    content = of_anthropic().messages.create(
        model="of-amazon", max_tokens=99, messages=said, tools=tools, tool_choice={"type": "tool", "name": "weather"}).content
    result = {"type": "tool_result", "tool_use_id": content[-1].id, "content": "rain"}
    turns = said + [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    of_anthropic().messages.create(model="of-amazon", max_tokens=99, messages=turns, tools=tools)
    check_converse(said[0]["content"], content[-1].name, content[-1].input)


def check_converse(mark, name, asked):
    turns = json.loads(requests_with(mark)[-1]["body"])["messages"]
    use, result = turns[1]["content"][-1]["toolUse"], turns[2]["content"][0]["toolResult"]
    assert (use["name"], use["input"]) == (name, asked), turns
    assert result["toolUseId"] == use["toolUseId"] and result["content"] == [{"text": "rain"}], turns


def check_second(mark):
    """What reached the mock in the second turn."""
    with open(f"{FOLDER}/{RECORDED}.resp.json", encoding="utf-8") as file:
        wanted = json.load(file)["candidates"][0]["content"]["parts"][0]
    contents = json.loads(requests_with(mark)[-1]["body"])["contents"]
    assert contents[1]["parts"][-1]["thoughtSignature"] == wanted["thoughtSignature"]
    assert contents[1]["parts"][-1]["functionCall"]["args"] == wanted["functionCall"]["args"]
    assert contents[2]["parts"][0]["functionResponse"]["response"] == {"result": "rain"}


def begin(mark):
    mock("/_mock/script", {"match": f'"{mark}"', "replay": RECORDED, "count": 1})
    return user(mark)


def signatures_come_back_in_chats():
    said = begin("py weather, chat")
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    message = of_openai().chat.completions.create(model=MODEL, messages=said, tools=tools).choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "rain"}
    of_openai().chat.completions.create(model=MODEL, messages=said + [message, result], tools=tools)
    check_second("py weather, chat")


def signatures_come_back_in_messages():
    said = begin("py weather, messages")
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    content = of_anthropic().messages.create(model=MODEL, max_tokens=99, messages=said, tools=tools).content
    result = {"type": "tool_result", "tool_use_id": content[-1].id, "content": "rain"}
    turns = said + [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
    of_anthropic().messages.create(model=MODEL, max_tokens=99, messages=turns, tools=tools)
    check_second("py weather, messages")


def signatures_come_back_in_responses():
    said = begin("py weather, responses")
    tools = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}]
    output = of_openai().responses.create(model=MODEL, store=False, input=said, tools=tools).output
    result = {"type": "function_call_output", "call_id": output[-1].call_id, "output": "rain"}
    of_openai().responses.create(model=MODEL, store=False, input=said + output + [result], tools=tools)
    check_second("py weather, responses")


def errors_keep_their_words():
    mock("/_mock/script", {"match": "py error of Google", "status": 400, "error_message": "so it is"})
    error = refusal(openai.BadRequestError, lambda: of_openai().chat.completions.create(
        model=MODEL, messages=user("py error of Google")))
    assert "so it is" in error.message, error.message


TESTS = [chats, messages, responses, tools_of_amazon, errors_keep_their_words]
if FOLDER:
    TESTS += [signatures_come_back_in_chats, signatures_come_back_in_messages, signatures_come_back_in_responses]
run("translated_gemini_client", TESTS)
