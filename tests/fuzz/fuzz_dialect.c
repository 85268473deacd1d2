/* The dialects of Anthropic, of Responses and of Gemini. The first byte picks one, and a request or an answer's event;
 * the rest is its JSON. Of a request: every text is in the body and stands once, what is outside of the application is
 * among them, and with every edit that a policy may make the body is JSON still and reads as what was set. Of an
 * answer: what it says stands in it. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "wire/count.h"
#include "wire/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool is_inside(struct slice part, struct slice whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static void look_at_texts(struct chat_request *r, struct slice body, struct arena *arena)
{
    uint32_t last = 0, texts = 0, outside = 0;
    struct chat_cursor cursor = CHAT_CURSOR;
    for (uint32_t n = chat_next_text(r, JSON_NONE); n != JSON_NONE; n = chat_next_text(r, n), texts++) {
        check(n > last && json_is(&r->tape, n, JSON_STRING) && is_inside(json_raw(&r->tape, n), body));
        last = n;
    }
    while (chat_next_outside(r, &cursor))
        outside++;
    check(outside <= texts);
    for (uint32_t i = 0; i < r->free_count; i++)
        check(r->free[i].node < r->free[i].after && (i == 0 || r->free[i - 1].after <= r->free[i].node));
    check(chat_last_user_text(r, 100, arena).len <= 100);
    check(chat_text_bytes(r) <= body.len * 4);
}

static void count(const struct chat_request *r)
{
    struct count *whole = count_new(r, 1, NULL), *steps = count_new(r, 1, NULL);
    while (!count_step(whole, UINT32_MAX)) {}
    while (!count_step(steps, 17)) {}
    check(count_total(whole, NULL).input_tokens == count_total(steps, NULL).input_tokens);
    check(count_total(whole, NULL).input_tokens <= count_at_most(whole, NULL));
    count_free(whole);
    count_free(steps);
}

static void edit(const struct chat_request *r, struct slice body, struct arena *arena)
{
    static const char *const edits[][2] = {
        {"max_tokens", "7"}, {"temperature", "0.5"}, {"temperature", ""}, {"stop", "\"x\""}, {"stop", "[\"x\"]"},
        {"user", "\"u\""}, {"user", ""}, {"reasoning_effort", "\"low\""}, {"parallel_tool_calls", "false"},
        {"service_tier", ""}, {"seed", "1"}};
    struct fault why;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        struct splice splice;
        struct buf out;
        struct chat_request again;
        buf_init(&out);
        chat_init(&again);
        splice_init(&splice, &r->tape, body, arena);
        chat_edit_model(r, &splice, SLICE("other"));
        chat_edit_drop_hints(r, &splice);
        chat_edit_ask_usage(r, &splice);
        chat_edit_member(r, &splice, CHAT_LIMIT_COMPLETION, slice_str(edits[i][0]), slice_str(edits[i][1]));
        splice_apply(&splice, &out);
        check(chat_parse(&again, r->dialect, buf_slice(&out), r->kind, arena, &why));
        bool is_in_path = r->dialect->path_to && r->model_node == JSON_NONE;
        check((is_in_path || slice_equal(again.model, SLICE("other"))) && again.hints_node == JSON_NONE);
        if (i == 0 && r->kind == CHAT_CHAT) check(again.max_tokens == 7);
        chat_clear(&again);
        buf_clear(&out);
    }
}

static void run_request(const struct dialect *dialect, struct slice body, enum chat_kind kind)
{
    struct chat_request r;
    struct arena arena;
    struct fault why;
    arena_init(&arena);
    chat_init(&r);
    if (chat_parse(&r, dialect, body, kind, &arena, &why)) {
        look_at_texts(&r, body, &arena);
        count(&r);
        edit(&r, body, &arena);
    }
    chat_clear(&r);
    arena_clear(&arena);
}

static void run_answer(const struct dialect *dialect, struct slice json, bool is_whole)
{
    static struct said_reader reader;
    struct dialect_stream stream;
    struct said said;
    struct arena arena;
    arena_init(&arena);
    dialect_stream_init(&stream, 1);
    for (int i = 0; i < 2; i++) { /* again, behind itself */
        if (is_whole)
            dialect->read_body(&reader, &stream, json, &said);
        else
            dialect->read_event(&reader, &stream, SLICE("x"), json, &said);
        for (uint32_t t = 0; t < said.text_count; t++) {
            check(said.texts[t].at + said.texts[t].len <= said.json.len);
            check(said_decode(&said, &said.texts[t], &arena).len <= said.texts[t].len);
        }
    }
    check(strlen(stream.model) < DIALECT_MODEL_BYTES && strlen(stream.finish_reason) < DIALECT_REASON_BYTES);
    dialect->judge_end(&stream);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1) return 0;
    struct slice json = slice_of((const char *)bytes + 1, len - 1);
    static const struct dialect *const dialects[] = {&dialect_anthropic, &dialect_responses, &dialect_gemini,
                                                     &dialect_gemini};
    const struct dialect *dialect = dialects[bytes[0] / 4 % 4];
    enum chat_kind kind = bytes[0] / 4 % 4 == 3 ? CHAT_EMBEDDINGS : CHAT_CHAT;
    switch (bytes[0] % 4) {
    case 0: run_request(dialect, json, kind); break;
    case 1: run_request(dialect, json, CHAT_COUNT); break;
    case 2: run_answer(dialect, json, false); break;
    case 3: run_answer(dialect, json, true); break;
    }
    return 0;
}
