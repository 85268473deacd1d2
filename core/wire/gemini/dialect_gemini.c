/*
 * The dialect of Google's Gemini API.
 * Source: Gemini API reference, models; google.rpc.Code and google.rpc.Status with ErrorInfo and RetryInfo, for errors;
 * "System parameters" of Google's APIs, for "alt" and "$alt".
 */
#include "wire/gemini/gemini_content.h"
#include "wire/gemini/gemini_inner.h"
#include "wire/gemini/gemini_translate.h"
#include "wire/http.h"
#include "wire/openai/openai_told.h"

#define TYPES "type.googleapis.com/google.rpc."

static const char *path(enum chat_kind kind)
{
    static const char *const paths[CHAT_KINDS] = {
        [CHAT_CHAT] = ":generateContent",
        [CHAT_COUNT] = ":countTokens",
        [CHAT_EMBEDDINGS] = ":embedContent",
    };
    return paths[kind];
}

static const char *verb_of(const struct chat_request *r)
{
    if (r->kind == CHAT_CHAT && r->is_stream) return ":streamGenerateContent";
    if (r->kind == CHAT_EMBEDDINGS && gemini_is_batch(r)) return ":batchEmbedContents";
    return path(r->kind);
}

/* A name is one segment, whatever is in it. */
static struct slice path_to(const struct chat_request *r, struct slice model, struct arena *arena)
{
    struct buf out;
    buf_init(&out);
    buf_append(&out, SLICE("/models/"));
    http_encode_segment(&out, model);
    buf_printf(&out, "%s", verb_of(r));
    struct slice text = arena_copy(arena, buf_slice(&out));
    buf_clear(&out);
    return text;
}

/* ---- Errors. */

static const char *word_of(int status)
{
    static const struct {
        int status;
        const char *word;
    } words[] = {{401, "UNAUTHENTICATED"},    {402, "RESOURCE_EXHAUSTED"}, {403, "PERMISSION_DENIED"},
                 {404, "NOT_FOUND"},          {405, "UNIMPLEMENTED"},      {408, "DEADLINE_EXCEEDED"},
                 {409, "ABORTED"},            {429, "RESOURCE_EXHAUSTED"}, {499, "CANCELLED"},
                 {501, "UNIMPLEMENTED"},      {502, "UNAVAILABLE"},        {503, "UNAVAILABLE"},
                 {504, "DEADLINE_EXCEEDED"},  {529, "UNAVAILABLE"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].status == status) return words[i].word;
    }
    return status >= 500 || status < 400 ? "INTERNAL" : "INVALID_ARGUMENT";
}

static void write_member(struct buf *out, const char *name, struct slice value)
{
    if (!value.len) return;
    if (buf_ptr(out)[buf_len(out) - 1] != '{') buf_append_char(out, ',');
    buf_printf(out, "\"%s\":", name);
    buf_append_json(out, value);
}

/* "rate_limited" is RATE_LIMITED there. */
static void write_reason(struct buf *out, struct slice code)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < code.len; i++) {
        char c = code.ptr[i];
        bool is_letter = c >= 'a' && c <= 'z', is_word = is_letter || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        buf_append_char(out, is_letter ? (char)(c - 'a' + 'A') : is_word ? c : '_');
    }
    buf_append_char(out, '"');
}

static void write_details(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("{\"@type\":\"" TYPES "ErrorInfo\",\"reason\":"));
    write_reason(out, error->code.len ? error->code : error->type);
    buf_append(out, SLICE(",\"domain\":\"moongate\",\"metadata\":{"));
    write_member(out, "type", error->type);
    write_member(out, "code", error->code);
    write_member(out, "param", error->param);
    write_member(out, "policy", error->policy);
    write_member(out, "rule", error->rule);
    write_member(out, "approval", error->approval); /* metadata are texts */
    write_member(out, "request_id", error->request_id);
    buf_append(out, SLICE("}}"));
    if (error->retry_after_s)
        buf_printf(out, ",{\"@type\":\"" TYPES "RetryInfo\",\"retryDelay\":\"%us\"}", error->retry_after_s);
}

static void write_body_error(struct buf *out, const struct dialect_error *error)
{
    int status = error->status ? error->status : 500;
    buf_printf(out, "{\"error\":{\"code\":%d,\"message\":", status);
    buf_append_json(out, error->message);
    buf_printf(out, ",\"status\":\"%s\",\"details\":[", word_of(status));
    write_details(out, error);
    buf_append(out, SLICE("]}}"));
}

static void write_event_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("data: "));
    write_body_error(out, error);
    buf_append(out, SLICE("\n\n"));
}

static void write_count(struct buf *out, uint64_t tokens)
{
    buf_append(out, SLICE("{\"totalTokens\":"));
    buf_append_u64(out, tokens);
    buf_append_char(out, '}');
}

/* ---- Models. When one was made, and what it can do, the gateway does not know. */

static void write_model(struct buf *out, struct slice name, int64_t since)
{
    (void)since;
    buf_append(out, SLICE("{\"name\":"));
    struct arena arena;
    arena_init(&arena);
    buf_append_json(out, arena_join(&arena, SLICE("models/"), name));
    arena_clear(&arena);
    buf_append(out, SLICE(",\"displayName\":"));
    buf_append_json(out, name);
    buf_append(out, SLICE(",\"supportedGenerationMethods\":[\"generateContent\",\"streamGenerateContent\","
                          "\"countTokens\",\"embedContent\",\"batchEmbedContents\"]}"));
}

static void write_models(struct buf *out, const struct slice *names, size_t count, int64_t since)
{
    buf_append(out, SLICE("{\"models\":["));
    for (size_t i = 0; i < count; i++) {
        if (i) buf_append_char(out, ',');
        write_model(out, names[i], since);
    }
    buf_append(out, SLICE("]}"));
}

/* Google tells no rates; whoever looks for some knows OpenAI's. */
const struct dialect dialect_gemini = {
    .name = "gemini",
    .filled = &filled_gemini,
    .read_request = gemini_read_request,
    .walk = gemini_walk,
    .walk_message = gemini_walk_content,
    .role = gemini_role,
    .is_format = gemini_is_format,
    .edit_ask_usage = gemini_edit_ask_usage,
    .edit_model = gemini_edit_model,
    .edit_member = gemini_edit_member,
    .guess = gemini_guess,
    .request_translation = &gemini_request_translation,
    .path = path,
    .path_to = path_to,
    .publisher = "google",
    .key_header = {{"x-goog-api-key", 14}, {"", 0}},
    .key_parameter = {"key", 3},
    .query = {"alt=sse", 7},
    .query_name = {"$alt", 4},
    .read_body = gemini_read_body,
    .streams_list = true,
    .ends_unmarked = true,
    .read_event = gemini_read_event,
    .judge_end = gemini_judge_end,
    .answers = &gemini_answers,
    .request_id_header = {"x-request-id", 12},
    .write_event_error = write_event_error,
    .write_body_error = write_body_error,
    .write_rates = openai_write_rates,
    .rate_names = OPENAI_RATE_NAMES,
    .write_count = write_count,
    .write_models = write_models,
    .write_model = write_model,
};
