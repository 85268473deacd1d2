#include "replay.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define RECORDING_BYTES_MAX (16u * 1024u * 1024u)

struct replay {
    char *folder;
    json_t *manifest;
};

struct replay_source {
    struct source base;
    struct buf body;
    bool by_event;
};

struct replay *replay_open(const char *folder, struct fault *why)
{
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    json_t *manifest = json_load_file(path, 0, &error);
    if (!manifest) {
        fault_set(why, FAULT_INTERNAL, "%s: %s", path, error.text);
        return NULL;
    }
    struct replay *r = mem_zalloc(1, sizeof *r);
    r->folder = mem_strdup(folder);
    r->manifest = manifest;
    return r;
}

void replay_free(struct replay *r)
{
    if (!r) return;
    json_decref(r->manifest);
    mem_free(r->folder);
    mem_free(r);
}

static const json_t *find(const struct replay *r, const char *id)
{
    size_t i;
    json_t *recording;
    json_array_foreach(json_object_get(r->manifest, "recordings"), i, recording)
    {
        const char *name = json_string_value(json_object_get(recording, "id"));
        if (name && strcmp(name, id) == 0) return recording;
    }
    return NULL;
}

static bool read_file(const char *folder, const char *name, struct buf *out)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    size_t n;
    do {
        n = fread(buf_reserve(out, 65536), 1, 65536, file);
        buf_grew(out, n);
    } while (n && buf_len(out) < RECORDING_BYTES_MAX);
    fclose(file);
    return true;
}

/* One event: to the end of the first blank line, whatever the line ends are. */
static size_t event_len(const struct buf *body)
{
    const char *text = buf_ptr(body);
    size_t len = buf_len(body);
    for (size_t i = 0; i + 1 < len; i++) {
        if (text[i] == '\n' && text[i + 1] == '\n') return i + 2;
        if (i + 3 < len && memcmp(text + i, "\r\n\r\n", 4) == 0) return i + 4;
    }
    return len;
}

static bool replay_next(struct source *s, struct buf *piece)
{
    struct replay_source *r = (struct replay_source *)s;
    if (buf_len(&r->body) == 0) return false;
    size_t len = r->by_event ? event_len(&r->body) : buf_len(&r->body);
    buf_append(piece, slice_of(buf_ptr(&r->body), len));
    buf_consume(&r->body, len);
    return true;
}

static void replay_source_free(struct source *s)
{
    buf_clear(&((struct replay_source *)s)->body);
}

/* Framing is ours; some sources kept no content type. */
static void add_headers(struct source *s, const json_t *recording)
{
    const char *name;
    json_t *value;
    bool has_type = false;
    json_object_foreach(json_object_get(recording, "response_headers"), name, value)
    {
        if (!json_is_string(value) || strcasecmp(name, "transfer-encoding") == 0) continue;
        if (strcasecmp(name, "content-type") == 0) has_type = true;
        buf_printf(&s->headers, "%s: %s\r\n", name, json_string_value(value));
    }
    if (!has_type) s->content_type = s->is_stream ? "text/event-stream" : "application/json";
}

struct source *replay_answer(const struct replay *r, const char *id, bool by_event)
{
    const json_t *recording = r ? find(r, id) : NULL;
    const char *file = json_string_value(json_object_get(recording, "response_file"));
    if (!file) return NULL;
    struct replay_source *s = mem_zalloc(1, sizeof *s);
    bool is_stream = json_is_true(json_object_get(recording, "stream"));
    int status = (int)json_integer_value(json_object_get(recording, "status"));
    s->base = (struct source){replay_next, replay_source_free, status, is_stream, NULL, 0, {0}, NULL, NULL};
    s->by_event = by_event;
    if (!read_file(r->folder, file, &s->body)) {
        source_free(&s->base);
        return NULL;
    }
    add_headers(&s->base, recording);
    return &s->base;
}
