"""The openai client of PyPI on the APIs beside chats, through the gateway. run.lua gives what kit.py reads."""
import json

import openai

from kit import BASE_URL, KEY, make, mock, refusal, requests_with, run

SOUND = bytes(i * 7 % 256 for i in range(70000))


def client(key=KEY):
    return make(openai, key, BASE_URL + "/v1")


def last_request():
    return [e for e in mock("/_mock/log")["entries"] if e["event"] == "request"][-1]


def moderates():
    answer = client().moderations.create(model="judge", input="py-judge")
    assert not answer.results[0].flagged
    assert json.loads(requests_with("py-judge")[0]["body"])["model"] == "moderation"


def makes_images_at_once_and_streamed():
    answer = client().images.generate(model="paint", prompt="a fox", n=2)
    assert len(answer.data) == 2 and answer.usage.output_tokens == 544
    events = list(client().images.generate(model="paint", prompt="a fox", stream=True))
    assert [e.type for e in events] == ["image_generation.partial_image", "image_generation.completed"], events


def edits_images_of_a_form_and_varies_them():
    images = [("one.png", SOUND, "image/png"), ("two.png", SOUND, "image/png")]
    answer = client().images.edit(model="paint", image=images, prompt="like this", n=1)
    assert len(answer.data) == 1
    assert last_request()["body_bytes"] > 2 * len(SOUND)
    assert len(client().images.create_variation(model="paint-old", image=images[0], n=2).data) == 2


def speaks():
    answer = client().audio.speech.create(model="say", voice="alloy", input="hello")
    assert len(answer.content) == 4096 and answer.content.startswith(b"ID3")
    with client().audio.speech.with_streaming_response.create(model="say", voice="alloy", input="hello") as stream:
        assert b"".join(stream.iter_bytes()) == answer.content


def transcribes_a_file_in_each_format_and_streamed():
    file = ("t\u00e4lk.mp3", SOUND, "audio/mpeg")
    ask = client().audio.transcriptions.create
    assert ask(model="hear", file=file, prompt="words").text == "What was said, in words."
    assert ask(model="hear", file=file, response_format="vtt").startswith("WEBVTT")
    assert ask(model="hear", file=file, response_format="verbose_json").duration == 70
    events = list(ask(model="hear-new", file=file, stream=True))
    assert "".join(e.delta for e in events if e.type == "transcript.text.delta") == "What was said, in words."
    assert events[-1].usage.input_token_details.audio_tokens == 700


def translates_a_file():
    assert client().audio.translations.create(model="hear", file=("t.mp3", SOUND)).text == "What was said, in words."


def keeps_a_file_and_makes_a_batch_of_it():
    line = {"custom_id": "1", "method": "POST", "url": "/v1/moderations", "body": {"model": "moderation", "input": "a"}}
    kept = client().files.create(purpose="batch", file=("batch.jsonl", json.dumps(line).encode()))
    ask = {"endpoint": "/v1/moderations", "completion_window": "24h"}
    assert client().batches.create(input_file_id=kept.id, **ask).input_file_id == kept.id
    refusal(openai.NotFoundError, lambda: client().batches.create(input_file_id="file-x", **ask))
    assert any(kept.id in [each.id for each in client().files.list(limit=1)] for _ in range(200))
    line["body"]["model"] = "nobody"
    refusal(openai.PermissionDeniedError,
            lambda: client().files.create(purpose="batch", file=("batch.jsonl", json.dumps(line).encode())))


def is_told_in_its_own_words_what_is_refused():
    file = ("t.mp3", SOUND)
    refusal(openai.AuthenticationError, lambda: client("mgk_nobody").audio.transcriptions.create(model="hear", file=file))
    refusal(openai.NotFoundError, lambda: client().audio.speech.create(model="nobody", voice="alloy", input="x"))


run("side-pypi", [moderates, makes_images_at_once_and_streamed, edits_images_of_a_form_and_varies_them, speaks,
                  transcribes_a_file_in_each_format_and_streamed, translates_a_file,
                  keeps_a_file_and_makes_a_batch_of_it,
                  is_told_in_its_own_words_what_is_refused])
