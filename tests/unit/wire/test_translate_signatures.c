/*
 * What Google's models want back: each signature of a real answer (../shared/recordings, or where MOONGATE_RECORDINGS
 * says) goes to a client of another dialect, which gives the answer back as its vendor says; then it stands in the
 * request again, unchanged, on the part that it was of. What other providers sign goes to none but them.
 */
#include "../files.h"
#include "../unit.h"

#include "crossing_over.h"
#include "oracle.h"
#include "translating.h"

#include <stdlib.h>

static const char *folder;
static size_t answers, signatures;
static const struct dialect *const clients[] = {&dialect_openai, &dialect_anthropic, &dialect_responses};

/* ---- which part has which signature */

static void spell_part(json_t *part, bool is_whole, struct buf *out)
{
    const char *signature = json_string_value(json_object_get(part, "thoughtSignature"));
    const char *text = json_string_value(json_object_get(part, "text"));
    json_t *call = json_object_get(part, "functionCall");
    if (!signature || (!call && !text)) return; /* of a tool that the provider ran: that part is lost */
    buf_printf(out, "%s=%s\n", call ? json_string_value(json_object_get(call, "name")) : text[0] ? "text" : "nothing",
               signature);
    signatures += is_whole;
}

static void spell_parts(json_t *parts, bool is_whole, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(parts); i++)
        spell_part(json_array_get(parts, i), is_whole, out);
}

static void spell_answer(json_t *answer, struct buf *out)
{
    json_t *candidate = json_array_get(json_object_get(answer, "candidates"), 0);
    spell_parts(json_object_get(json_object_get(candidate, "content"), "parts"), true, out);
}

static void on_event(void *arg, const struct sse_event *e)
{
    json_t *answer = json_loadb(e->data.ptr, e->data.len, 0, NULL);
    if (answer) spell_answer(answer, arg);
    json_decref(answer);
}

static void spell_stream(struct slice bytes, struct buf *out)
{
    struct sse_parser *sse = sse_new();
    sse_keep(sse, 4u << 20);
    sse_feed(sse, bytes, on_event, out);
    sse_finish(sse, on_event, out);
    sse_free(sse);
}

/* ---- the client's next request */

/* What tools gave back, and what is said next. */
static json_t *go_on(json_t *heard, const struct dialect *client)
{
    json_t *message, *list = json_pack("[{s:s,s:s}]", "role", "user", "content", "u");
    if (client == &dialect_responses) {
        json_array_extend(list, json_object_get(heard, "output"));
    } else if (client == &dialect_anthropic) {
        json_array_append_new(list, json_pack("{s:s,s:O}", "role", "assistant", "content",
                                              json_object_get(heard, "content")));
    } else {
        message = json_object_get(json_array_get(json_object_get(heard, "choices"), 0), "message");
        json_array_append(list, message);
    }
    json_array_append_new(list, json_pack("{s:s,s:s}", "role", "user", "content", "v"));
    return json_pack("{s:s,s:i,s:b,s:o}", "model", "m", client == &dialect_responses ? "max_output_tokens" : "max_tokens",
                     9999, "store", 0, client == &dialect_responses ? "input" : "messages", list);
}

static char *request_after(const struct translating *t, const struct dialect *client)
{
    json_t *heard = json_loadb(buf_ptr(&t->out), buf_len(&t->out), 0, NULL);
    json_t *request = go_on(heard, client);
    if (client == &dialect_anthropic) json_object_del(request, "store");
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    json_decref(heard);
    return text;
}

static void spell_request(const char *id, const struct dialect *client, const char *request, struct buf *out)
{
    struct buf body, dropped;
    struct fault why;
    buf_init(&body);
    buf_init(&dropped);
    if (!over_translate(client, &dialect_gemini, slice_str(request), &body, &dropped, &why))
        UNIT_FAIL("%s for %s: %s", id, client->name, why.text);
    json_t *written = json_loadb(buf_ptr(&body), buf_len(&body), 0, NULL);
    json_t *contents = json_object_get(written, "contents");
    spell_parts(json_object_get(json_array_get(contents, 1), "parts"), false, out);
    json_decref(written);
    buf_clear(&body);
    buf_clear(&dropped);
}

/* Of calls without one of their own the first has Google's word for that. */
static bool is_expected(struct slice want, struct slice got)
{
    return want.len ? slice_equal(want, got) : !got.len || memmem(got.ptr, got.len, "=skip_thought_", 14);
}

static void check_client(const char *id, const struct dialect *client, bool is_stream, struct slice bytes,
                         struct slice want)
{
    struct translating t;
    struct buf got;
    buf_init(&got);
    if (is_stream)
        translate_stream_as(&t, &dialect_gemini, client, &translating_whole, bytes, 0);
    else
        translate_body(&t, &dialect_gemini, client, bytes);
    char *request = request_after(&t, client);
    spell_request(id, client, request, &got);
    if (!is_expected(want, buf_slice(&got)))
        UNIT_FAIL("%s for %s:\n%.*sgiven back:\n%.*s", id, client->name, SLICE_FMT(want), SLICE_FMT(buf_slice(&got)));
    free(request);
    buf_clear(&got);
    translating_clear(&t);
}

static void check_recording(json_t *entry)
{
    const char *id = json_string_value(json_object_get(entry, "id"));
    const char *api = json_string_value(json_object_get(entry, "api"));
    bool is_stream = ORACLE_IS(json_object_get(entry, "stream"), TRUE);
    bool is_good = json_integer_value(json_object_get(entry, "status")) == 200;
    struct buf bytes, want;
    if (!is_good || !strstr(api, "enerateContent")) return;
    if (!read_file(folder, json_string_value(json_object_get(entry, "response_file")), &bytes)) return;
    buf_init(&want);
    json_t *answer = is_stream ? NULL : json_loadb(buf_ptr(&bytes), buf_len(&bytes), 0, NULL);
    if (is_stream)
        spell_stream(buf_slice(&bytes), &want);
    else
        spell_answer(ORACLE_IS(answer, ARRAY) ? json_array_get(answer, 0) : answer, &want);
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
        check_client(id, clients[i], is_stream, buf_slice(&bytes), buf_slice(&want));
    answers++;
    json_decref(answer);
    buf_clear(&want);
    buf_clear(&bytes);
}

static void signatures_come_back_on_their_parts(void)
{
    struct buf text;
    if (!read_file(folder, "manifest.json", &text)) {
        printf("signatures: skipped, there are no recordings in %s (set MOONGATE_RECORDINGS)\n", folder);
        return;
    }
    json_t *manifest = json_loadb(buf_ptr(&text), buf_len(&text), 0, NULL);
    json_t *list = json_object_get(manifest, "recordings");
    for (size_t i = 0; i < json_array_size(list); i++)
        check_recording(json_array_get(list, i));
    EXPECT(answers > 30 && signatures >= 17);
    json_decref(manifest);
    buf_clear(&text);
}

/* ---- those of others */

static void expect_without(const struct dialect *to, const char *signature, bool is_kept)
{
    struct buf body, dropped;
    struct fault why;
    char request[512];
    buf_init(&body);
    buf_init(&dropped);
    snprintf(request, sizeof request,
             "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\","
             "\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"%s\"},{\"type\":\"text\",\"text\":\"a\"}"
             "]},{\"role\":\"user\",\"content\":\"v\"}]}",
             signature);
    EXPECT(over_translate(&dialect_anthropic, to, slice_str(request), &body, &dropped, &why));
    EXPECT_INT(is_kept, memmem(buf_ptr(&body), buf_len(&body), "hm", 2) != NULL);
    EXPECT_INT(!is_kept, memmem(buf_slice(&dropped).ptr, buf_len(&dropped), "messages[1]", 11) != NULL);
    buf_clear(&body);
    buf_clear(&dropped);
}

static void others_have_their_own(void)
{
    struct buf body, dropped;
    struct fault why;
    buf_init(&body);
    buf_init(&dropped);
    expect_without(&dialect_gemini, "EqAB", false);
    expect_without(&dialect_gemini, "gemini.text.QQ==", true);
    EXPECT(over_translate(&dialect_openai, &dialect_anthropic,
                          SLICE("{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"u\"},{\"role\":"
                                "\"assistant\",\"reasoning_content\":\"hm\",\"signature\":\"gemini.text.QQ==\",\"content\":\"a\"},"
                                "{\"role\":\"user\",\"content\":\"v\"}]}"),
                          &body, &dropped, &why));
    EXPECT(!memmem(buf_ptr(&body), buf_len(&body), "gemini.", 7));
    EXPECT_SLICE(SLICE("messages[1].reasoning_content"), buf_slice(&dropped));
    buf_clear(&body);
    buf_clear(&dropped);
}

int main(void)
{
    folder = getenv("MOONGATE_RECORDINGS");
    if (!folder) folder = "../shared/recordings";
    RUN(signatures_come_back_on_their_parts);
    RUN(others_have_their_own);
    printf("signatures: %zu answers, %zu signatures\n", answers, signatures);
    return unit_close("translate_signatures");
}
