#include "vertex.h"

#include <string.h>

#define RAW "/publishers/anthropic/models/"
#define CHATS "/endpoints/openapi/chat/completions"
#define VERSION "vertex-2023-10-16"

static bool has_version(const json_t *body)
{
    const char *version = json_string_value(json_object_get(body, "anthropic_version"));
    return version && strcmp(version, VERSION) == 0;
}

static struct slice anthropics_path(struct slice path, struct slice rest, json_t *body)
{
    struct slice verb, name = slice_split(rest, ':', &verb);
    bool is_count = slice_equal(name, SLICE("count-tokens"));
    bool is_raw = slice_equal(verb, SLICE("rawPredict")) || slice_equal(verb, SLICE("streamRawPredict"));
    if (!is_raw || !has_version(body)) return path;
    if (is_count) return SLICE("/v1/messages/count_tokens");
    if (json_object_get(body, "model")) return path;
    json_object_set_new(body, "model", json_stringn(name.ptr, name.len));
    return SLICE("/v1/messages");
}

struct slice vertex_path(struct slice path, json_t *body)
{
    const char *raw = memmem(path.ptr, path.len, RAW, sizeof RAW - 1);
    size_t len = sizeof CHATS - 1;
    if (raw) {
        size_t begin = (size_t)(raw - path.ptr) + sizeof RAW - 1;
        return anthropics_path(path, slice_of(path.ptr + begin, path.len - begin), body);
    }
    bool is_chats = path.len > len && memcmp(path.ptr + path.len - len, CHATS, len) == 0;
    return is_chats ? SLICE("/v1/chat/completions") : path;
}
