#include "openai.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"
#include "chat.h"
#include "side.h"
#include "words.h"

#define DIMENSIONS 8
#define DIMENSIONS_MAX 8192

static const char *const models[] = {
    "gpt-4o", "gpt-4o-mini", "gpt-4.1", "o3-mini", "text-embedding-3-small", "text-embedding-3-large", "mock/echo"};
#define MODELS (sizeof models / sizeof models[0])

static struct source *unknown_model(const char *model)
{
    char message[256];
    snprintf(message, sizeof message, "The model `%s` does not exist or you do not have access to it.", model);
    return source_of_error(404, "invalid_request_error", "model_not_found", message);
}

static void append_model(struct buf *out, const char *id)
{
    buf_append(out, SLICE("{\"id\":"));
    buf_append_json(out, slice_str(id));
    buf_append(out, SLICE(",\"object\":\"model\",\"created\":1715367049,\"owned_by\":\"mock\"}"));
}

static struct source *list_models(void)
{
    struct buf out;
    buf_init(&out);
    buf_append(&out, SLICE("{\"object\":\"list\",\"data\":["));
    for (size_t i = 0; i < MODELS; i++) {
        if (i) buf_append_char(&out, ',');
        append_model(&out, models[i]);
    }
    buf_append(&out, SLICE("]}"));
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 0);
    buf_clear(&out);
    return s;
}

static struct source *one_model(struct slice id)
{
    char name[128];
    struct buf out;
    snprintf(name, sizeof name, "%.*s", SLICE_FMT(id));
    for (size_t i = 0; i < MODELS; i++) {
        if (strcmp(models[i], name) != 0) continue;
        buf_init(&out);
        append_model(&out, name);
        struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 0);
        buf_clear(&out);
        return s;
    }
    return unknown_model(name);
}

static void append_vector(struct buf *out, uint64_t seed, size_t dimensions, bool as_base64)
{
    float *values = mem_zalloc(dimensions, sizeof *values);
    for (size_t i = 0; i < dimensions; i++) {
        uint64_t mixed = (seed + i) * 0x9e3779b97f4a7c15u;
        values[i] = (float)((int32_t)(mixed >> 32) / 2147483648.0);
    }
    if (as_base64) {
        /* Little-endian single precision, as OpenAI does; so is every machine that this runs on. */
        size_t len = dimensions * sizeof *values;
        buf_append_char(out, '"');
        int made =
            EVP_EncodeBlock((unsigned char *)buf_reserve(out, len * 4 / 3 + 5), (unsigned char *)values, (int)len);
        buf_grew(out, (size_t)made);
        buf_append_char(out, '"');
    } else {
        for (size_t i = 0; i < dimensions; i++)
            buf_printf(out, "%c%.9g", i ? ',' : '[', (double)values[i]);
        buf_append_char(out, ']');
    }
    mem_free(values);
}

static bool is_list_of_inputs(const json_t *input)
{
    const json_t *first = json_array_get(input, 0);
    return json_is_string(first) || json_is_array(first);
}

static void append_embedding(struct buf *out, const json_t *input, size_t index, const json_t *body)
{
    struct buf text;
    const char *format = json_string_value(json_object_get(body, "encoding_format"));
    json_int_t dimensions = json_integer_value(json_object_get(body, "dimensions"));
    json_t *alone = json_pack("{s:O}", "input", input);
    if (dimensions < 1 || dimensions > DIMENSIONS_MAX) dimensions = DIMENSIONS;
    buf_init(&text);
    chat_prompt(alone, &text);
    buf_printf(out, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", index ? "," : "", index);
    append_vector(out, words_seed(buf_slice(&text)), (size_t)dimensions, format && strcmp(format, "base64") == 0);
    buf_append_char(out, '}');
    buf_clear(&text);
    json_decref(alone);
}

static struct source *embeddings(const json_t *body)
{
    struct buf out, prompt;
    json_t *input = json_object_get(body, "input");
    size_t count = is_list_of_inputs(input) ? json_array_size(input) : 1;
    if (!input) return source_of_error(400, "invalid_request_error", "missing_required_parameter", "input is missing");
    buf_init(&out);
    buf_init(&prompt);
    unsigned long long tokens = chat_prompt(body, &prompt);
    buf_append(&out, SLICE("{\"object\":\"list\",\"data\":["));
    for (size_t i = 0; i < count; i++) {
        append_embedding(&out, is_list_of_inputs(input) ? json_array_get(input, i) : input, i, body);
    }
    buf_append(&out, SLICE("],\"model\":"));
    buf_append_json(&out, slice_str(json_string_value(json_object_get(body, "model"))));
    buf_printf(&out, ",\"usage\":{\"prompt_tokens\":%llu,\"total_tokens\":%llu}}", tokens, tokens);
    struct source *s = source_of_bytes(200, "application/json", buf_slice(&out), 0);
    buf_clear(&out);
    buf_clear(&prompt);
    return s;
}

static struct source *post(const struct openai_ask *ask)
{
    if (slice_equal(ask->path, SLICE("/v1/chat/completions"))) {
        if (json_is_array(json_object_get(ask->body, "messages"))) return chat_answer(ask->body, ask->script, false);
        return source_of_error(400, "invalid_request_error", "missing_required_parameter",
                               "Missing required parameter: 'messages'.");
    }
    if (slice_equal(ask->path, SLICE("/v1/completions"))) return chat_answer(ask->body, ask->script, true);
    if (slice_equal(ask->path, SLICE("/v1/embeddings"))) return embeddings(ask->body);
    return NULL;
}

struct source *openai_answer(const struct openai_ask *ask)
{
    struct slice one = SLICE("/v1/models/");
    struct source *s = NULL;
    if (slice_equal(ask->method, SLICE("GET"))) {
        if (slice_equal(ask->path, SLICE("/v1/models"))) return list_models();
        if (slice_starts(ask->path, one)) return one_model(slice_of(ask->path.ptr + one.len, ask->path.len - one.len));
    }
    if (slice_equal(ask->method, SLICE("POST"))) {
        const char *model = json_string_value(json_object_get(ask->body, "model"));
        if (!ask->body) return source_of_error(400, "invalid_request_error", "invalid_json", "The body is not JSON.");
        if (!model && (s = side_kept(ask->path, ask->body))) return s;
        if (!model) return source_of_error(400, "invalid_request_error", NULL, "you must provide a model parameter");
        if (strcmp(model, "no-such-model") == 0) return unknown_model(model);
        s = post(ask);
        if (!s) s = side_answer(ask->path, ask->body, ask->script);
    }
    if (s) return s;
    return source_of_error(404, "invalid_request_error", "unknown_url", "Unknown request URL.");
}
