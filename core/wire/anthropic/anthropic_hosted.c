#include "wire/anthropic/anthropic_hosted.h"

static const struct anthropic_host hosts[] = {
    {.kind = {"bedrock", 7}, .version = {"bedrock-2023-05-31", 18}, .has_betas_in_body = true},
    {.kind = {"vertex", 6}, .version = {"vertex-2023-10-16", 17}, .says_stream = true},
};

const struct anthropic_host *anthropic_host_of(struct slice kind)
{
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        if (slice_equal(kind, hosts[i].kind)) return &hosts[i];
    }
    return NULL;
}

static bool has(const struct anthropic_betas *betas, struct slice name)
{
    for (size_t i = 0; i < betas->count; i++) {
        if (slice_equal(betas->names[i], name)) return true;
    }
    return false;
}

static void drop(struct anthropic_betas *betas, struct slice name)
{
    struct buf text;
    buf_init(&text);
    buf_printf(&text, "anthropic-beta.%.*s", SLICE_FMT(name));
    if (betas->dropped) dropped_add(betas->dropped, buf_slice(&text));
    buf_clear(&text);
}

static void add(struct anthropic_betas *betas, struct slice name)
{
    if (!name.len || has(betas, name)) return;
    if (betas->count < ANTHROPIC_BETAS_MAX && (!betas->takes || betas->takes(name)))
        betas->names[betas->count++] = name;
    else
        drop(betas, name);
}

void anthropic_betas_add(struct anthropic_betas *betas, struct slice list)
{
    while (list.len)
        add(betas, slice_trim(slice_split(list, ',', &list)));
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

static struct slice list_of(const struct anthropic_betas *betas, struct arena *arena)
{
    struct slice list = SLICE("[");
    for (size_t i = 0; i < betas->count; i++)
        list = arena_printf(arena, "%.*s%s%.*s", SLICE_FMT(list), i ? "," : "",
                            SLICE_FMT(as_json(betas->names[i], arena)));
    return arena_join(arena, list, SLICE("]"));
}

static void add_own(struct anthropic_betas *betas, const struct json_tape *tape, uint32_t list, struct arena *arena)
{
    if (!json_is(tape, list, JSON_ARRAY)) return;
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n)) {
        if (json_is(tape, n, JSON_STRING)) add(betas, json_text(tape, n, arena));
    }
}

/* One that stands twice goes twice. */
void anthropic_host_edit(const struct anthropic_host *host, struct anthropic_betas *betas, struct splice *edits)
{
    const struct json_tape *tape = edits->tape;
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        bool is_beta = host->has_betas_in_body && json_key_is(tape, n, SLICE("anthropic_beta"));
        if (is_beta) add_own(betas, tape, n, edits->arena);
        if (is_beta || json_key_is(tape, n, SLICE("model")) || json_key_is(tape, n, SLICE("anthropic_version")) ||
            (json_key_is(tape, n, SLICE("stream")) && !host->says_stream))
            splice_remove(edits, 0, n);
    }
    splice_append(edits, 0, SLICE("anthropic_version"), as_json(host->version, edits->arena));
    if (host->has_betas_in_body && betas->count)
        splice_append(edits, 0, SLICE("anthropic_beta"), list_of(betas, edits->arena));
}
