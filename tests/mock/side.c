#include "side.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "chat.h"
#include "words.h"

/* ---- Events, one a piece. */

struct events {
    struct source base;
    struct buf text;
};

static bool events_next(struct source *s, struct buf *piece)
{
    struct buf *text = &((struct events *)s)->text;
    const char *end = buf_len(text) ? memmem(buf_ptr(text), buf_len(text), "\n\n", 2) : NULL;
    if (!end) return false;
    size_t len = (size_t)(end - buf_ptr(text)) + 2;
    buf_append(piece, slice_of(buf_ptr(text), len));
    buf_consume(text, len);
    return true;
}

static void events_free(struct source *s)
{
    buf_clear(&((struct events *)s)->text);
}

/* Takes the text. */
static struct source *source_of_events(struct buf text)
{
    struct events *e = mem_zalloc(1, sizeof *e);
    e->base = (struct source){events_next, events_free, 200, true, "text/event-stream; charset=utf-8", 0, {0}, NULL, NULL};
    e->text = text;
    return &e->base;
}

static void add_event(struct buf *out, const char *type, json_t *event)
{
    json_object_set_new(event, "type", json_string(type));
    char *text = json_dumps(event, JSON_COMPACT | JSON_PRESERVE_ORDER);
    buf_printf(out, "event: %s\ndata: %s\n\n", type, text);
    free(text);
    json_decref(event);
}

static struct source *source_of_json(json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT | JSON_PRESERVE_ORDER);
    struct source *s = source_of_bytes(200, "application/json", slice_str(text), 0);
    free(text);
    json_decref(answer);
    return s;
}

/* ---- What is asked. */

static const char *text_in(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));
    return text ? text : "";
}

static bool is_model(const json_t *body, const char *beginning)
{
    return strncmp(text_in(body, "model"), beginning, strlen(beginning)) == 0;
}

static bool says(const json_t *body, const char *name, const char *value)
{
    return strcmp(text_in(body, name), value) == 0;
}

static json_int_t words_in(const json_t *body, const char *name)
{
    return (json_int_t)words_count(slice_str(text_in(body, name)));
}

/* ---- Moderations and rerank. */

static json_t *judged(void)
{
    return json_pack("{s:b, s:{s:b}, s:{s:f}}", "flagged", 0, "categories", "violence", 0, "category_scores", "violence",
                     0.01);
}

static struct source *moderate(const json_t *body)
{
    const json_t *input = json_object_get(body, "input");
    size_t count = json_is_string(json_array_get(input, 0)) ? json_array_size(input) : 1;
    if (!input) return source_of_error(400, "invalid_request_error", NULL, "input is missing");
    json_t *results = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(results, judged());
    return source_of_json(json_pack("{s:s, s:s, s:o}", "id", "modr-mock", "model", text_in(body, "model"), "results", results));
}

static struct source *rank(const json_t *body)
{
    const json_t *documents = json_object_get(body, "documents");
    json_t *results = json_array();
    for (size_t i = 0; i < json_array_size(documents); i++)
        json_array_append_new(results, json_pack("{s:i, s:f}", "index", (int)i, "relevance_score", 1.0 / (double)(i + 1)));
    json_t *answer = json_pack("{s:s, s:o}", "id", "rank-mock", "results", results);
    json_int_t tokens = words_in(body, "query");
    for (size_t i = 0; i < json_array_size(documents); i++) {
        const char *text = json_string_value(json_array_get(documents, i));
        tokens += (json_int_t)words_count(slice_str(text ? text : ""));
    }
    if (is_model(body, "rerank"))
        json_object_set_new(answer, "meta", json_pack("{s:{s:i}}", "billed_units", "search_units", 1));
    else
        json_object_set_new(answer, "usage", json_pack("{s:I, s:I}", "prompt_tokens", tokens, "total_tokens", tokens));
    return source_of_json(answer);
}

/* ---- Images. */

static size_t pictures_in(const json_t *body)
{
    const json_t *n = json_object_get(body, "n");
    const char *text = json_string_value(n);
    json_int_t count = text ? strtoll(text, NULL, 10) : json_integer_value(n);
    return count > 0 && count < 100 ? (size_t)count : 1;
}

#define PICTURE_TOKENS 272

static json_t *picture_usage(const json_t *body, size_t count)
{
    json_int_t in = words_in(body, "prompt"), out = (json_int_t)count * PICTURE_TOKENS;
    return json_pack("{s:I, s:I, s:I, s:{s:I, s:i}}", "input_tokens", in, "output_tokens", out, "total_tokens", in + out,
                     "input_tokens_details", "text_tokens", in, "image_tokens", 0);
}

static struct source *paint_events(const json_t *body, const char *name)
{
    struct buf out;
    char type[64];
    size_t count = pictures_in(body);
    buf_init(&out);
    for (size_t i = 0; i < count; i++) {
        snprintf(type, sizeof type, "%s.partial_image", name);
        add_event(&out, type, json_pack("{s:s, s:i}", "b64_json", "AAAA", "partial_image_index", 0));
        snprintf(type, sizeof type, "%s.completed", name);
        add_event(&out, type, json_pack("{s:s, s:o}", "b64_json", "AAAABBBB", "usage", picture_usage(body, count)));
    }
    return source_of_events(out);
}

static struct source *paint(const json_t *body, const char *name)
{
    size_t count = pictures_in(body);
    bool is_new = is_model(body, "gpt-");
    if (json_is_true(json_object_get(body, "stream"))) return paint_events(body, name);
    json_t *data = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(data, is_new ? json_pack("{s:s}", "b64_json", "AAAABBBB")
                                           : json_pack("{s:s}", "url", "https://mock.invalid/picture.png"));
    json_t *answer = json_pack("{s:i, s:o}", "created", 1760000000, "data", data);
    if (is_new) json_object_set_new(answer, "usage", picture_usage(body, count));
    return source_of_json(answer);
}

/* ---- Sound. */

static struct source *speak(const json_t *body, const struct script *script)
{
    struct buf out;
    json_int_t in = words_in(body, "input"), said = 20 * in;
    buf_init(&out);
    if (says(body, "stream_format", "sse")) {
        add_event(&out, "speech.audio.delta", json_pack("{s:s}", "audio", "SUQzBAAA"));
        add_event(&out, "speech.audio.done", json_pack("{s:{s:I, s:I, s:I}}", "usage", "input_tokens", in,
                                                       "output_tokens", said, "total_tokens", in + said));
        return source_of_events(out);
    }
    uint64_t bytes = script->body_bytes > 0 ? (uint64_t)script->body_bytes : 4096;
    buf_append(&out, SLICE("ID3"));
    for (uint64_t i = 3; i < bytes; i++)
        buf_append_char(&out, (char)(i * 7 + i / 256));
    struct source *s = source_of_bytes(200, "audio/mpeg", buf_slice(&out), 0);
    buf_clear(&out);
    return s;
}

#define HEARD "What was said, in words."

static json_t *heard_usage(const json_t *body, json_int_t seconds)
{
    if (is_model(body, "whisper")) return json_pack("{s:s, s:I}", "type", "duration", "seconds", seconds);
    return json_pack("{s:s, s:I, s:i, s:I, s:{s:i, s:I}}", "type", "tokens", "input_tokens", 10 * seconds + 2,
                     "output_tokens", 5, "total_tokens", 10 * seconds + 7, "input_token_details", "text_tokens", 2,
                     "audio_tokens", 10 * seconds);
}

static struct source *listen_events(const json_t *body, json_int_t seconds)
{
    struct buf out;
    buf_init(&out);
    add_event(&out, "transcript.text.delta", json_pack("{s:s}", "delta", "What was said, "));
    add_event(&out, "transcript.text.delta", json_pack("{s:s}", "delta", "in words."));
    add_event(&out, "transcript.text.done", json_pack("{s:s, s:o}", "text", HEARD, "usage", heard_usage(body, seconds)));
    return source_of_events(out);
}

static struct source *listen(const json_t *body, bool is_translated)
{
    const json_t *file = json_object_get(body, "file");
    json_int_t bytes = json_integer_value(json_object_get(file, "bytes"));
    json_int_t seconds = (bytes + SIDE_BYTES_A_SECOND - 1) / SIDE_BYTES_A_SECOND;
    if (!json_is_object(file)) return source_of_error(400, "invalid_request_error", NULL, "file is missing");
    if (json_is_true(json_object_get(body, "stream"))) return listen_events(body, seconds);
    if (says(body, "response_format", "text"))
        return source_of_bytes(200, "text/plain; charset=utf-8", SLICE(HEARD "\n"), 0);
    if (says(body, "response_format", "srt"))
        return source_of_bytes(200, "text/plain; charset=utf-8", SLICE("1\n00:00:00,000 --> 00:00:02,000\n" HEARD "\n\n"), 0);
    if (says(body, "response_format", "vtt"))
        return source_of_bytes(200, "text/vtt", SLICE("WEBVTT\n\n00:00.000 --> 00:02.000\n" HEARD "\n"), 0);
    json_t *answer = json_pack("{s:s}", "text", HEARD);
    if (says(body, "response_format", "verbose_json")) {
        json_object_set_new(answer, "task", json_string(is_translated ? "translate" : "transcribe"));
        json_object_set_new(answer, "duration", json_real((double)bytes / SIDE_BYTES_A_SECOND));
        json_object_set_new(answer, "language", json_string("english"));
    } else {
        json_object_set_new(answer, "usage", heard_usage(body, seconds));
    }
    return source_of_json(answer);
}

/* ---- Files and batches: what is kept is forgotten at once. */

static struct source *keep_file(const json_t *body)
{
    static unsigned serial;
    char id[32];
    const json_t *file = json_object_get(body, "file");
    if (!json_is_object(file)) return source_of_error(400, "invalid_request_error", NULL, "file is missing");
    snprintf(id, sizeof id, "file-mock%u", ++serial);
    return source_of_json(json_pack("{s:s, s:s, s:O, s:i, s:O, s:s, s:s}", "id", id, "object", "file", "bytes",
                                    json_object_get(file, "bytes"), "created_at", 1760000000, "filename",
                                    json_object_get(file, "filename"), "purpose", text_in(body, "purpose"), "status",
                                    "processed"));
}

static struct source *start_batch(const json_t *body)
{
    static unsigned serial;
    char id[32];
    snprintf(id, sizeof id, "batch_mock%u", ++serial);
    return source_of_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "id", id, "object", "batch", "endpoint",
                                    text_in(body, "endpoint"), "input_file_id", text_in(body, "input_file_id"), "status",
                                    "validating", "created_at", 1760000000));
}

struct source *side_kept(struct slice path, const json_t *body)
{
    if (slice_equal(path, SLICE("/v1/files"))) return keep_file(body);
    return slice_equal(path, SLICE("/v1/batches")) ? start_batch(body) : NULL;
}

struct source *side_answer(struct slice path, const json_t *body, const struct script *script)
{
    if (slice_equal(path, SLICE("/v1/moderations"))) return moderate(body);
    if (slice_equal(path, SLICE("/v1/rerank"))) return rank(body);
    if (slice_equal(path, SLICE("/v1/images/generations"))) return paint(body, "image_generation");
    if (slice_equal(path, SLICE("/v1/images/edits")) || slice_equal(path, SLICE("/v1/images/variations")))
        return paint(body, "image_edit");
    if (slice_equal(path, SLICE("/v1/audio/speech"))) return speak(body, script);
    if (slice_equal(path, SLICE("/v1/audio/transcriptions"))) return listen(body, false);
    if (slice_equal(path, SLICE("/v1/audio/translations"))) return listen(body, true);
    return NULL;
}
