/*
 * What OpenAI has encrypted of a thought: each real answer of a Responses API (../shared/recordings, or where
 * MOONGATE_RECORDINGS says) goes to a client of another dialect, which gives it back as its vendor says; then each thought
 * stands in the request again with its id and all that is encrypted, in front of the very item that it is of.
 */
#include "../files.h"
#include "../unit.h"

#include "crossing_over.h"
#include "oracle.h"
#include "translating.h"

#include <stdlib.h>

static const char *folder;
static size_t answers, thoughts;
static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_gemini};

/* ---- items in their order: what is sealed, what is said, what is called */

static const char *text_of(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Of a picture alone there is an empty text. */
static bool says(json_t *item)
{
    json_t *content = json_object_get(item, "content");
    if (json_string_length(content)) return true;
    for (size_t i = 0; i < json_array_size(content); i++) {
        if (text_of(json_array_get(content, i), "text")[0]) return true;
    }
    return false;
}

/* A line each; texts that follow each other are one, and a thought that is not encrypted is of no use. */
static void spell_item(json_t *item, struct buf *out)
{
    static const char said[] = "said\n";
    const char *type = text_of(item, "type");
    struct slice all = buf_slice(out);
    bool goes_on = all.len >= strlen(said) && memcmp(all.ptr + all.len - strlen(said), said, strlen(said)) == 0;
    bool is_call = strcmp(type, "function_call") == 0 || strcmp(type, "custom_tool_call") == 0;
    if (strcmp(type, "reasoning") == 0 && text_of(item, "encrypted_content")[0])
        buf_printf(out, "%s %s\n", text_of(item, "id"), text_of(item, "encrypted_content"));
    else if (is_call)
        buf_printf(out, "%s\n", text_of(item, "call_id"));
    else if (strcmp(text_of(item, "role"), "assistant") == 0 && says(item) && !goes_on)
        buf_append(out, slice_str(said));
}

static void on_event(void *arg, const struct sse_event *e)
{
    json_t *event = json_loadb(e->data.ptr, e->data.len, 0, NULL);
    if (strcmp(text_of(event, "type"), "response.output_item.done") == 0)
        spell_item(json_object_get(event, "item"), arg);
    json_decref(event);
}

static void spell_items(json_t *list, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        spell_item(json_array_get(list, i), out);
}

static void spell_answer(bool is_stream, struct slice bytes, struct buf *out)
{
    if (is_stream) {
        struct sse_parser *sse = sse_new();
        sse_keep(sse, 4u << 20);
        sse_feed(sse, bytes, on_event, out);
        sse_finish(sse, on_event, out);
        sse_free(sse);
        return;
    }
    json_t *body = json_loadb(bytes.ptr, bytes.len, 0, NULL);
    spell_items(json_object_get(body, "output"), out);
    json_decref(body);
}

/* ---- the client's next request */

static json_t *go_on_with_contents(json_t *heard)
{
    json_t *said = json_object_get(json_array_get(json_object_get(heard, "candidates"), 0), "content");
    return json_pack("{s:[{s:s,s:[{s:s}]},O,{s:s,s:[{s:s}]}]}", "contents", "role", "user", "parts", "text", "u", said,
                     "role", "user", "parts", "text", "v");
}

static json_t *go_on(json_t *heard, const struct dialect *client)
{
    if (client == &dialect_gemini) return go_on_with_contents(heard);
    json_t *choice = json_array_get(json_object_get(heard, "choices"), 0);
    json_t *message = client == &dialect_openai
                          ? json_incref(json_object_get(choice, "message"))
                          : json_pack("{s:s,s:O}", "role", "assistant", "content", json_object_get(heard, "content"));
    return json_pack("{s:s,s:i,s:[{s:s,s:s},o,{s:s,s:s}]}", "model", "m", "max_tokens", 9999, "messages", "role", "user",
                     "content", "u", message, "role", "user", "content", "v");
}

static void spell_request(const char *id, const struct dialect *client, struct slice answer, struct buf *out)
{
    struct buf body, dropped;
    struct fault why;
    buf_init(&body);
    buf_init(&dropped);
    json_t *heard = json_loadb(answer.ptr, answer.len, 0, NULL), *request = go_on(heard, client);
    char *text = json_dumps(request, JSON_COMPACT);
    if (!over_translate(client, &dialect_responses, slice_str(text), &body, &dropped, &why))
        UNIT_FAIL("%s for %s: %s", id, client->name, why.text);
    json_t *written = json_loadb(buf_ptr(&body), buf_len(&body), 0, NULL);
    spell_items(json_object_get(written, "input"), out);
    json_decref(written);
    json_decref(request);
    json_decref(heard);
    free(text);
    buf_clear(&body);
    buf_clear(&dropped);
}

/* ---- all of them */

static void check_client(const char *id, const struct dialect *client, bool is_stream, struct slice bytes,
                         struct slice want)
{
    struct translating t;
    struct buf got;
    buf_init(&got);
    if (is_stream)
        translate_stream_as(&t, &dialect_responses, client, &translating_whole, bytes, 0);
    else
        translate_body(&t, &dialect_responses, client, bytes);
    struct slice answer = buf_slice(&t.out);
    const char *begin = answer.len ? memchr(answer.ptr, '{', answer.len) : NULL; /* behind comments of the stream's */
    if (begin) answer = slice_of(begin, answer.len - (size_t)(begin - answer.ptr));
    spell_request(id, client, answer, &got);
    if (!slice_equal(want, buf_slice(&got)))
        UNIT_FAIL("%s for %s:\n%.*sgiven back:\n%.*s", id, client->name, SLICE_FMT(want), SLICE_FMT(buf_slice(&got)));
    buf_clear(&got);
    translating_clear(&t);
}

static void check_recording(json_t *entry)
{
    const char *id = text_of(entry, "id");
    bool is_stream = ORACLE_IS(json_object_get(entry, "stream"), TRUE);
    struct buf bytes, want;
    bool is_one = json_integer_value(json_object_get(entry, "status")) == 200 &&
                  strcmp(text_of(entry, "api"), "openai.responses") == 0;
    if (!is_one || !read_file(folder, text_of(entry, "response_file"), &bytes)) return;
    buf_init(&want);
    spell_answer(is_stream, buf_slice(&bytes), &want);
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        /* Of one that had nothing to say there is nothing to give back. */
        if (buf_len(&want)) check_client(id, clients[i], is_stream, buf_slice(&bytes), buf_slice(&want));
    }
    answers++;
    thoughts += memmem(buf_slice(&want).ptr, buf_len(&want), "gAAAA", 5) != NULL;
    buf_clear(&want);
    buf_clear(&bytes);
}

static void thoughts_come_back_in_front_of_what_they_are_of(void)
{
    struct buf text;
    if (!read_file(folder, "manifest.json", &text)) {
        printf("sealed thoughts: skipped, there are no recordings in %s (set MOONGATE_RECORDINGS)\n", folder);
        return;
    }
    json_t *manifest = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
    json_t *list = json_object_get(manifest, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        check_recording(json_array_get(list, i));
    EXPECT(answers > 60 && thoughts >= 8);
    json_decref(manifest);
    buf_clear(&text);
}

int main(void)
{
    folder = getenv("MOONGATE_RECORDINGS");
    if (!folder) folder = "../shared/recordings";
    RUN(thoughts_come_back_in_front_of_what_they_are_of);
    printf("sealed thoughts: %zu answers, %zu with thoughts\n", answers, thoughts);
    return unit_close("translate_sealed");
}
