#include "flow/keeping.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "flow/attempt.h"
#include "flow/intent.h"
#include "flow/owning.h"
#include "flow/reply.h"
#include "wire/http.h"

static bool asks_for_stream(const struct exchange *x)
{
    struct slice rest = x->head.query;
    while (rest.len)
        if (slice_equal(slice_split(rest, '&', &rest), SLICE("stream=true"))) return true;
    return false;
}

/* Behind a dot or two the path would be another. */
static bool read_id(struct exchange *x, struct slice id, struct slice *text, struct fault *why)
{
    if (!http_decode_segment(&x->arena, id, text) || !utf8_is_valid(*text))
        return fault_set(why, FAULT_UNKNOWN_PATH, "The object's id is not valid percent-encoding of UTF-8.");
    bool is_dots = slice_equal(*text, SLICE(".")) || slice_equal(*text, SLICE(".."));
    return (text->len <= LIMIT_KEPT_ID_BYTES && !is_dots) ||
           fault_set(why, FAULT_UNKNOWN_PATH, "There is no object of such an id.");
}

bool keeping_name(struct exchange *x, struct slice id, struct slice inner, struct fault *why)
{
    return read_id(x, id, &x->object_path, why) && (!inner.len || read_id(x, inner, &x->inner_path, why));
}

bool keeping_note(struct exchange *x, struct fault *why)
{
    if (!x->api->place) return true;
    if (x->api->kind == API_OBJECT) x->request.is_stream = asks_for_stream(x);
    return kept_add(&x->request, &x->arena, x->api->object, x->object_path, why);
}

/* ---- Where it goes. */

struct slice keeping_place(const struct exchange *x, struct arena *arena)
{
    struct buf place;
    const char *pattern = x->api->place, *star = pattern ? strchr(pattern, '*') : NULL;
    if (!star) return SLICE_NONE;
    buf_init(&place);
    buf_append(&place, slice_of(pattern, (size_t)(star - pattern)));
    http_encode_segment(&place, x->object_path);
    const char *second = strchr(star + 1, '*');
    buf_append(&place, second ? slice_of(star + 1, (size_t)(second - star - 1)) : slice_str(star + 1));
    if (second) http_encode_segment(&place, x->inner_path);
    struct slice made = arena_copy(arena, buf_slice(&place));
    buf_clear(&place);
    return made;
}

/* Source: OpenAI API reference, GET /v1/responses/{id} and its input_items, /v1/conversations/{id}/items. Others may
 * hold keys. */
static bool is_parameter(struct slice name)
{
    static const struct slice names[] = {
        {"include", 7}, {"include[]", 9}, {"include%5B%5D", 13}, {"stream", 6}, {"starting_after", 14},
        {"include_obfuscation", 19}, {"limit", 5}, {"order", 5}, {"after", 5}, {"before", 6}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (slice_equal(name, names[i])) return true;
    return false;
}

struct slice keeping_query(const struct exchange *x, struct slice url, struct arena *arena)
{
    struct slice rest = x->head.query;
    char mark = memchr(url.ptr, '?', url.len) ? '&' : '?';
    while (rest.len) {
        struct slice value, parameter = slice_split(rest, '&', &rest);
        if (!is_parameter(slice_split(parameter, '=', &value))) continue;
        url = arena_printf(arena, "%.*s%c%.*s", SLICE_FMT(url), mark, SLICE_FMT(parameter));
        mark = '&';
    }
    return url;
}

/* ---- At the account that has it. */

static const struct provider *provider_of(const struct job *job)
{
    const struct settings *s = job->settings;
    for (size_t i = 0; i < s->provider_count; i++)
        if (owned_account(s->providers[i].name) == job->owning.account) return &s->providers[i];
    return NULL;
}

static void refuse_gone(struct job *job)
{
    struct fault why;
    fault_set(&why, FAULT_ELSEWHERE, "The provider's account that has it is not in moongate.lua any more.");
    reply_fault(job, &why);
}

static void go(struct job *job)
{
    struct exchange *x = job->x;
    struct verdict *v = &x->decision.verdict;
    const struct provider *p = provider_of(job);
    if (!p) {
        refuse_gone(job);
        return;
    }
    struct slice name = arena_copy(&x->arena, p->name);
    v->targets = arena_zalloc(&x->arena, sizeof *v->targets);
    v->targets[0] = (struct target){.name = name, .provider = name};
    v->target_count = 1;
    intent_first(job, attempt_first);
}

static bool is_looked_at(const struct job *job)
{
    return policy_has(job->policies, PHASE_DELTA) || policy_has(job->policies, PHASE_RESPONSE);
}

/* What is deleted says nothing more. */
static bool tells(const struct exchange *x)
{
    return strcmp(x->api->method, "DELETE") != 0;
}

void keeping_first(struct job *job)
{
    struct fault why = {.code = FAULT_UNSEEN};
    if (is_looked_at(job) && tells(job->x))
        reply_fault(job, &why);
    else
        owning_first(job, go);
}

void keeping_answered(struct job *job, int status)
{
    bool is_over = (status >= 200 && status < 300) || status == 404;
    if (job->x->api->is_end && is_over) owning_forget(job, job->x->object_path);
}
