#include "flow/told.h"

#define WORD_BYTES_MAX 256u

static const struct slice prefix = {"x-moongate-", 11};

/* Names of the hints, as records have them; headers have - for _. */
static const char *const hints[] = {"task", "quality", "data", "label", "max_latency_ms"};
#define HINTS (sizeof hints / sizeof hints[0])

static const char *const uses[] = {"tools", "hosted_tools", "remote_mcp", "images", "files", "audio"};

static bool is_words(struct slice s)
{
    if (s.len == 0 || s.len > WORD_BYTES_MAX) return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && c != '_' && c != '-' && c != '.' && c != ',' && c != ' ') return false;
    }
    return true;
}

static void add(struct exchange *x, const char *name, struct slice value)
{
    if (!is_words(value)) return;
    x->told = arena_printf(&x->arena, "%.*s,\"%s\":\"%.*s\"", SLICE_FMT(x->told), name, SLICE_FMT(value));
}

/* Is the header's name, behind the prefix, this hint's? */
static bool is_hint(struct slice rest, const char *name)
{
    size_t i = 0;
    for (; i < rest.len && name[i]; i++) {
        char want = name[i] == '_' ? '-' : name[i];
        if ((rest.ptr[i] | 0x20) != (want | 0x20)) return false;
    }
    return i == rest.len && !name[i];
}

/* A set of the hints that headers gave. */
static unsigned keep_headers(struct exchange *x)
{
    unsigned given = 0;
    for (size_t i = 0; i < x->head.header_count; i++) {
        struct slice name = x->head.headers[i].name;
        if (name.len <= prefix.len || (name.ptr[0] | 0x20) != 'x' ||
            !slice_iequal(slice_of(name.ptr, prefix.len), prefix))
            continue;
        for (unsigned h = 0; h < HINTS; h++) {
            if (!is_hint(slice_of(name.ptr + prefix.len, name.len - prefix.len), hints[h]) || given & 1u << h) continue;
            add(x, hints[h], x->head.headers[i].value);
            given |= 1u << h;
        }
    }
    return given;
}

static void keep_body(struct exchange *x, unsigned given)
{
    const struct json_tape *tape = &x->request.tape;
    for (unsigned h = 0; h < HINTS; h++) {
        uint32_t node = given & 1u << h ? JSON_NONE : json_get(tape, x->request.hints_node, slice_str(hints[h]));
        if (json_is(tape, node, JSON_STRING)) add(x, hints[h], json_text(tape, node, &x->arena));
        if (json_is(tape, node, JSON_NUMBER)) add(x, hints[h], json_raw(tape, node));
    }
}

static void keep_uses(struct exchange *x)
{
    const char *comma = "";
    x->told = arena_printf(&x->arena, "%.*s,\"uses\":[", SLICE_FMT(x->told));
    for (unsigned i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (!(x->request.uses & 1u << i)) continue;
        x->told = arena_printf(&x->arena, "%.*s%s\"%s\"", SLICE_FMT(x->told), comma, uses[i]);
        comma = ",";
    }
    x->told = arena_printf(&x->arena, "%.*s]", SLICE_FMT(x->told));
}

void told_keep(struct exchange *x)
{
    unsigned given = keep_headers(x);
    if (x->api->kind != API_CALL) return;
    if (x->request.hints_node != JSON_NONE) keep_body(x, given);
    if (x->request.uses) keep_uses(x);
    if (x->request.max_tokens >= 0) {
        x->told =
            arena_printf(&x->arena, "%.*s,\"max_tokens\":%lld", SLICE_FMT(x->told), (long long)x->request.max_tokens);
    }
}
