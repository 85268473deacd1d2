#include "flow/told.h"

#include <math.h>
#include <stdlib.h>

static const struct slice prefix = {"x-moongate-", 11};

/* Names of the hints, as records have them; headers have - for _. */
static const char *const hints[] = {"task", "quality", "data", "label", "max_latency_ms"};
#define HINTS (sizeof hints / sizeof hints[0])

static const char *const uses[] = {"tools", "hosted_tools", "remote_mcp", "images", "files", "audio", "caching",
                                   "stored"};

static void add(struct buf *told, const char *name, struct slice value)
{
    if (!asked_is_words(value)) return;
    buf_append(told, SLICE(",\""));
    buf_append(told, slice_str(name));
    buf_append(told, SLICE("\":\""));
    buf_append(told, value);
    buf_append_char(told, '"');
}

static void add_number(struct buf *told, const char *name, int64_t value)
{
    buf_append(told, SLICE(",\""));
    buf_append(told, slice_str(name));
    buf_append(told, SLICE("\":"));
    buf_append_u64(told, (uint64_t)value);
}

/* The shortest that is read back as the same. */
static void add_fraction(struct buf *told, const char *name, double value)
{
    char digits[32];
    int precision = 15;
    do
        snprintf(digits, sizeof digits, "%.*g", precision, value);
    while (strtod(digits, NULL) != value && ++precision <= 17);
    buf_printf(told, ",\"%s\":%s", name, digits);
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
static unsigned keep_headers(const struct exchange *x, struct buf *told)
{
    unsigned given = 0;
    for (size_t i = 0; i < x->head.header_count; i++) {
        struct slice name = x->head.headers[i].name;
        if (name.len <= prefix.len || (name.ptr[0] | 0x20) != 'x' ||
            !slice_iequal(slice_of(name.ptr, prefix.len), prefix))
            continue;
        for (unsigned h = 0; h < HINTS; h++) {
            if (!is_hint(slice_of(name.ptr + prefix.len, name.len - prefix.len), hints[h]) || given & 1u << h) continue;
            add(told, hints[h], x->head.headers[i].value);
            given |= 1u << h;
        }
    }
    return given;
}

static void keep_body(struct exchange *x, unsigned given, struct buf *told)
{
    const struct json_tape *tape = &x->request.tape;
    for (unsigned h = 0; h < HINTS; h++) {
        uint32_t node = given & 1u << h ? JSON_NONE : json_get(tape, x->request.hints_node, slice_str(hints[h]));
        if (json_is(tape, node, JSON_STRING)) add(told, hints[h], json_text(tape, node, &x->arena));
        if (json_is(tape, node, JSON_NUMBER)) add(told, hints[h], json_raw(tape, node));
    }
}

static void keep_uses(const struct exchange *x, struct buf *told)
{
    const char *comma = "";
    buf_append(told, SLICE(",\"uses\":["));
    for (unsigned i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (!(x->request.uses & 1u << i)) continue;
        buf_append(told, slice_str(comma));
        buf_append_char(told, '"');
        buf_append(told, slice_str(uses[i]));
        buf_append_char(told, '"');
        comma = ",";
    }
    buf_append_char(told, ']');
}

/* Numbers: what policies may lower or set is the caller's own here. */
static void keep_numbers(const struct exchange *x, struct buf *told)
{
    const struct chat_request *r = &x->request;
    uint64_t at_most = r->max_tokens > 0 ? (uint64_t)r->max_tokens : 0;
    if (r->max_tokens >= 0) add_number(told, "max_tokens", r->max_tokens);
    if (r->generated > 1) add_number(told, "answers", r->generated);
    if (r->pieces.images) add_number(told, "pictures", r->pieces.images);
    if (r->pieces.characters) add_number(told, "characters", r->pieces.characters);
    if (r->pieces.searches) add_number(told, "searches", r->pieces.searches);
    if (r->pieces.may_search) add_number(told, "may_search", r->pieces.may_search);
    if (r->pieces.may_call) add_number(told, "may_call", r->pieces.may_call);
    if (r->pieces.seconds) add_number(told, "seconds", r->pieces.seconds);
    if (r->tool_count) add_number(told, "tools", r->tool_count);
    if (isfinite(r->temperature)) add_fraction(told, "temperature", r->temperature);
    /* where it was given otherwise */
    if (x->estimate.is_made && x->estimate.output_tokens != at_most)
        add_number(told, "output_tokens", (int64_t)x->estimate.output_tokens);
}

static void keep_call(struct exchange *x, unsigned given, struct buf *told)
{
    if (x->request.hints_node != JSON_NONE) keep_body(x, given, told);
    if (x->request.uses) keep_uses(x, told);
    keep_numbers(x, told);
    add(told, "service_tier", x->request.service_tier);
}

void told_keep(struct exchange *x)
{
    struct buf told;
    buf_init(&told);
    unsigned given = keep_headers(x, &told);
    if (x->api->kind == API_CALL) keep_call(x, given, &told);
    if (x->api->kind == API_MODEL) {
        buf_append(&told, SLICE(",\"model_path\":"));
        buf_append_json(&told, x->model_path);
    }
    if (buf_len(&told)) x->told = arena_copy(&x->arena, buf_slice(&told));
    buf_clear(&told);
}
