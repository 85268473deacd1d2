/* Anthropic's API where others host it. */
#include "wire/hosting.h"

static const struct host hosts[] = {
    {.kind = {"bedrock", 7}, .version = {"bedrock-2023-05-31", 18}, .has_previews_in_body = true},
    {.kind = {"vertex", 6}, .version = {"vertex-2023-10-16", 17}, .says_stream = true},
};

static const struct host *host_of(struct slice kind)
{
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        if (slice_equal(kind, hosts[i].kind)) return &hosts[i];
    }
    return NULL;
}

static bool has(const struct previews *previews, struct slice name)
{
    for (size_t i = 0; i < previews->count; i++) {
        if (slice_equal(previews->names[i], name)) return true;
    }
    return false;
}

static void drop(struct previews *previews, struct slice name)
{
    struct buf text;
    buf_init(&text);
    buf_printf(&text, "anthropic-beta.%.*s", SLICE_FMT(name));
    if (previews->dropped) dropped_add(previews->dropped, buf_slice(&text));
    buf_clear(&text);
}

static void add(struct previews *previews, struct slice name)
{
    if (!name.len || has(previews, name)) return;
    if (previews->count < PREVIEWS_MAX && (!previews->takes || previews->takes(name)))
        previews->names[previews->count++] = name;
    else
        drop(previews, name);
}

static void add_previews(struct previews *previews, struct slice list)
{
    while (list.len)
        add(previews, slice_trim(slice_split(list, ',', &list)));
}

static void add_all(struct previews *previews, const struct json_tape *tape, uint32_t list, struct arena *arena)
{
    if (!json_is(tape, list, JSON_ARRAY)) return;
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_is(tape, n, JSON_STRING)) add(previews, json_text(tape, n, arena));
    }
}

static void add_own(struct previews *previews, const struct json_tape *tape, struct arena *arena)
{
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_key_is(tape, n, SLICE("anthropic_beta"))) add_all(previews, tape, n, arena);
    }
}

static struct slice as_json(struct slice text, struct arena *arena)
{
    struct buf out;
    buf_init(&out);
    buf_append_json(&out, text);
    struct slice json = arena_copy(arena, buf_slice(&out));
    buf_clear(&out);
    return json;
}

static struct slice list_of(const struct previews *previews, struct arena *arena)
{
    struct slice list = SLICE("[");
    for (size_t i = 0; i < previews->count; i++)
        list = arena_printf(arena, "%.*s%s%.*s", SLICE_FMT(list), i ? "," : "",
                            SLICE_FMT(as_json(previews->names[i], arena)));
    return arena_join(arena, list, SLICE("]"));
}

/* One that stands twice goes twice. */
static void edit(const struct host *host, struct previews *previews, struct splice *edits)
{
    const struct json_tape *tape = edits->tape;
    if (host->has_previews_in_body) add_own(previews, tape, edits->arena);
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        bool is_beta = host->has_previews_in_body && json_key_is(tape, n, SLICE("anthropic_beta"));
        bool is_model = !previews->keeps_model && json_key_is(tape, n, SLICE("model"));
        if (is_beta || is_model || json_key_is(tape, n, SLICE("anthropic_version")) ||
            (json_key_is(tape, n, SLICE("stream")) && !host->says_stream))
            splice_remove(edits, 0, n);
    }
    splice_append(edits, 0, SLICE("anthropic_version"), as_json(host->version, edits->arena));
    if (host->has_previews_in_body && previews->count)
        splice_append(edits, 0, SLICE("anthropic_beta"), list_of(previews, edits->arena));
}

const struct hosting anthropic_hosting = {
    .header = {"anthropic-beta", 14},
    .host_of = host_of,
    .add_previews = add_previews,
    .add_own = add_own,
    .edit = edit,
};
