#include "flow/earlier.h"

#include "base/mem.h"
#include "flow/breaking.h"
#include "flow/deliver.h"
#include "flow/headers.h"
#include "flow/reply.h"
#include "wire/conceal.h"

struct earlier {
    int status;       /* the provider's; 0: there is none, and `why` says what became of the call */
    struct fault why;
    struct arena arena;
    struct fetch_header *headers;
    size_t header_count;
    struct buf body;
    bool is_whole;
    loop_fn then; /* when the body is in */
    const struct provider *provider; /* the job's settings have it */
    const struct dialect *dialect;
    struct tool_names tool_names;
};

void earlier_free(struct job *job)
{
    struct earlier *earlier = job->earlier;
    if (!earlier) return;
    arena_clear(&earlier->arena);
    buf_clear(&earlier->body);
    mem_free(earlier);
    job->earlier = NULL;
}

static struct earlier *keep(struct job *job)
{
    earlier_free(job);
    struct earlier *earlier = job->earlier = mem_zalloc(1, sizeof *earlier);
    arena_init(&earlier->arena);
    buf_init(&earlier->body);
    return earlier;
}

/* What of its token an answer may repeat is known as long as the call is there. */
static bool is_secret(const struct call *call, struct slice text)
{
    return conceal_finds(call->secrets, call->secret_count, text);
}

static void keep_head(struct job *job, const struct fetch_head *head)
{
    const struct call *call = job->call;
    struct earlier *earlier = keep(job);
    earlier->status = head->status;
    earlier->provider = call->provider;
    earlier->dialect = call->dialect;
    earlier->tool_names = call->tool_names;
    earlier->headers = arena_alloc(&earlier->arena, (head->header_count + 1) * sizeof *earlier->headers);
    for (size_t i = 0; i < head->header_count; i++) {
        struct slice name = head->headers[i].name, value = head->headers[i].value;
        if (is_secret(call, value)) continue;
        earlier->headers[earlier->header_count++] =
            (struct fetch_header){arena_copy(&earlier->arena, name), arena_copy(&earlier->arena, value)};
    }
}

void earlier_await(struct job *job, const struct fetch_head *head, loop_fn then)
{
    struct call *call = job->call;
    keep_head(job, head);
    job->earlier->then = then;
    call->is_failing = true;
    loop_timer_init(&call->timer, job->flow->parts.loop, then, job);
    loop_timer_arm_ms(&call->timer, LIMIT_EARLIER_MS);
}

bool earlier_hears(struct job *job, struct slice bytes, bool is_whole)
{
    struct earlier *earlier = job->earlier;
    if (!job->call->is_failing) return false;
    if (bytes.len && !job->call->is_drained && buf_try_append(&earlier->body, bytes, LIMIT_EARLIER_BYTES)) return true;
    earlier->is_whole = is_whole && buf_len(&earlier->body) > 0 && !is_secret(job->call, buf_slice(&earlier->body));
    earlier->then(job);
    return true;
}

void earlier_keep_fault(struct job *job, const struct fault *why)
{
    keep(job)->why = *why;
}

struct fetch_head earlier_head(const struct job *job)
{
    const struct earlier *earlier = job->earlier;
    return (struct fetch_head){earlier->status, earlier->headers, earlier->header_count};
}

struct slice earlier_body(const struct job *job)
{
    return buf_slice(&job->earlier->body);
}

/* When to come again, and what its limits leave. */
static bool is_of_limits(struct slice name)
{
    return slice_iequal(name, SLICE("retry-after")) || slice_iequal(name, SLICE("retry-after-ms")) ||
           headers_is_rate(name);
}

static void reply_status(struct job *job)
{
    const struct earlier *earlier = job->earlier;
    struct reply_again again = {.count = 0};
    for (size_t i = 0; i < earlier->header_count && again.count < REPLY_AGAIN_MAX; i++) {
        struct slice name = earlier->headers[i].name;
        if (!is_of_limits(name)) continue;
        name = deliver_header_name(job->x, &job->x->arena, name);
        again.headers[again.count++] = (struct conn_header){name, earlier->headers[i].value};
    }
    reply_failure(job, earlier->status, &again);
}

enum earlier_word earlier_begin(struct job *job)
{
    const struct earlier *earlier = job->earlier;
    if (!earlier) return EARLIER_NONE;
    breaking_leave(job);
    job->x->target_index = exchange_attempt(job->x)->target;
    if (earlier->is_whole) {
        call_new(job, earlier->provider, earlier->dialect)->tool_names = earlier->tool_names;
        return EARLIER_AGAIN;
    }
    if (earlier->status)
        reply_status(job);
    else
        reply_fault(job, &earlier->why);
    return EARLIER_REPLIED;
}
