#include "azure.h"

#include <stdlib.h>

#include "base/buf.h"

#define OPENAI "/openai"
#define DEPLOYMENTS "/openai/deployments/"

static struct slice behind(struct slice text, size_t len)
{
    return slice_of(text.ptr + len, text.len - len);
}

static bool has_version(struct slice query)
{
    while (query.len) {
        struct slice one = slice_split(query, '&', &query), name = SLICE("api-version=");
        if (slice_starts(one, name) && one.len > name.len) return true;
    }
    return false;
}

static void name_model(json_t *body, struct slice segment)
{
    struct buf name;
    buf_init(&name);
    for (size_t i = 0; i < segment.len; i++) {
        char hex[3] = "";
        bool is_escape = segment.ptr[i] == '%' && i + 2 < segment.len;
        if (is_escape) memcpy(hex, segment.ptr + i + 1, 2);
        buf_append_char(&name, is_escape ? (char)strtol(hex, NULL, 16) : segment.ptr[i]);
        if (is_escape) i += 2;
    }
    json_object_set_new(body, "model", json_stringn(buf_ptr(&name), buf_len(&name)));
    buf_clear(&name);
}

/* Of what stands behind the deployment, or behind /openai. */
static struct slice openai_path(struct slice rest, struct slice path)
{
    static const struct slice known[][2] = {
        {{"chat/completions", 16}, {"/v1/chat/completions", 20}},
        {{"completions", 11}, {"/v1/completions", 15}},
        {{"embeddings", 10}, {"/v1/embeddings", 14}},
        {{"images/generations", 18}, {"/v1/images/generations", 22}},
        {{"images/edits", 12}, {"/v1/images/edits", 16}},
        {{"audio/speech", 12}, {"/v1/audio/speech", 16}},
        {{"audio/transcriptions", 20}, {"/v1/audio/transcriptions", 24}},
        {{"audio/translations", 18}, {"/v1/audio/translations", 22}},
        {{"responses", 9}, {"/v1/responses", 13}},
        {{"responses/input_tokens", 22}, {"/v1/responses/input_tokens", 26}},
        {{"responses/compact", 17}, {"/v1/responses/compact", 21}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (slice_equal(rest, known[i][0])) return known[i][1];
    }
    return path;
}

struct slice azure_path(struct slice path, struct slice query, json_t *body)
{
    struct slice rest;
    if (slice_starts(path, SLICE(OPENAI "/v1/"))) return behind(path, sizeof OPENAI - 1);
    if (!slice_starts(path, SLICE(OPENAI "/")) || !has_version(query)) return path;
    if (slice_starts(path, SLICE(OPENAI "/files"))) return SLICE("/v1/files");
    if (slice_starts(path, SLICE(OPENAI "/batches"))) return SLICE("/v1/batches");
    if (slice_starts(path, SLICE(OPENAI "/responses"))) return openai_path(behind(path, sizeof OPENAI), path);
    if (!slice_starts(path, SLICE(DEPLOYMENTS))) return path;
    struct slice segment = slice_split(behind(path, sizeof DEPLOYMENTS - 1), '/', &rest);
    if (slice_starts(rest, SLICE("responses"))) return path;
    if (json_is_object(body)) name_model(body, segment);
    return openai_path(rest, path);
}
