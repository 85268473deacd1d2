"""Google's client of PyPI on models of OpenAI's, Anthropic's and Amazon's: texts, streams, chats that remember, functions, errors.
run.lua gives what kit.py reads."""
from google import genai
from google.genai import errors, types

from kit import BASE_URL, KEY, mock, refusal, requests_with, run

MODELS = ("of-compatible", "of-anthropic", "of-amazon")
TOOL = types.Tool(function_declarations=[types.FunctionDeclaration(
    name="get_weather", parameters=types.Schema(type="OBJECT", properties={"words": types.Schema(type="STRING")}))])
FORCED = types.GenerateContentConfig(tools=[TOOL], tool_config=types.ToolConfig(
    function_calling_config=types.FunctionCallingConfig(mode="ANY", allowed_function_names=["get_weather"])))

CLIENT = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=BASE_URL))


def texts():
    for model in MODELS:
        answer = CLIENT.models.generate_content(model=model, contents="echo one two")
        assert answer.text == "one two", answer
        assert answer.candidates[0].finish_reason == types.FinishReason.STOP, answer
        assert answer.usage_metadata.candidates_token_count == 2, answer
        pieces = list(CLIENT.models.generate_content_stream(model=model, contents="echo one two three"))
        assert "".join(piece.text or "" for piece in pieces) == "one two three", pieces
        assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP, pieces


def chats_remember():
    for model in MODELS:
        chat = CLIENT.chats.create(model=model)
        chat.send_message("echo mark-one-" + model)
        for _ in chat.send_message_stream("echo the second turn of it"):
            pass
        assert len(chat.get_history(curated=True)) > 3, chat.get_history(curated=True)
        assert chat.send_message("echo mark-py-" + model).text == "mark-py-" + model
        (sent,) = requests_with('"echo mark-py-%s"' % model)
        assert '"the second turn of it"' in sent["body"] and '"mark-one-' in sent["body"], sent["body"]


def functions():
    for model in MODELS:
        answer = CLIENT.models.generate_content(model=model, contents="Weather?", config=FORCED)
        (call,) = answer.function_calls
        assert call.name == "get_weather" and call.args["words"], answer
        result = types.Part.from_function_response(name=call.name, response={"result": "mark-given-" + model})
        picture = types.Part.from_bytes(data=b"\xfb\xff\xfe\x01", mime_type="image/png")
        CLIENT.models.generate_content(model=model, contents=[
            types.Content(role="user", parts=[types.Part.from_text(text="Weather?"), picture]), answer.candidates[0].content,
            types.Content(role="user", parts=[result])], config=types.GenerateContentConfig(tools=[TOOL]))
        (sent,) = requests_with("mark-given-" + model)
        assert "+//+AQ==" in sent["body"], sent["body"]  # in the alphabet that others take


def errors_are_googles():
    for model in MODELS:
        mock("/_mock/script", {"match": "broken " + model, "status": 400, "error_type": "x_error", "error_message": "so it is"})
        error = refusal(errors.ClientError, lambda: CLIENT.models.generate_content(model=model, contents="broken " + model))
        assert (error.code, error.status, error.message) == (400, "INVALID_ARGUMENT", "so it is"), repr(error)


run("gemini_python", (texts, chats_remember, functions, errors_are_googles))
