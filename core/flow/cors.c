#include "flow/cors.h"

/* What pages may read beside the body. */
#define EXPOSED                                                                                                        \
    "x-request-id, x-moongate-request-id, x-moongate-provider-request-id, x-moongate-warning, "                        \
    "x-moongate-max-tokens, x-moongate-dropped, x-moongate-cost-usd, x-should-retry, retry-after, retry-after-ms"

static struct slice exposed(struct exchange *x)
{
    return arena_printf(&x->arena, EXPOSED ", %s", x->api->client->rate_names);
}

static bool is_for_all(const struct job *job)
{
    return settings_lists(job->settings->cors_origins, SLICE("*"));
}

/* What the page is told of whom this is for; empty: nothing. */
static struct slice allowed(const struct job *job)
{
    struct slice origin = exchange_header(job->x, SLICE("origin"));
    if (!origin.len) return SLICE_NONE;
    if (is_for_all(job)) return SLICE("*");
    return settings_lists(job->settings->cors_origins, origin) ? origin : SLICE_NONE;
}

/* Also to others than those listed: a cache between must not give one page's answer to another. */
size_t cors_headers(struct job *job, struct conn_header *headers)
{
    struct slice origin = allowed(job);
    size_t count = 0;
    if (job->settings->cors_origins.len && !is_for_all(job))
        headers[count++] = (struct conn_header){SLICE("vary"), SLICE("origin")};
    if (!origin.len) return count;
    headers[count++] = (struct conn_header){SLICE("access-control-allow-origin"), origin};
    headers[count++] = (struct conn_header){SLICE("access-control-expose-headers"), exposed(job->x)};
    return count;
}

/* Any header may be sent, since which of them count is decided where they are read. */
size_t cors_preflight(struct job *job, struct conn_header *headers)
{
    struct exchange *x = job->x;
    struct slice asked = exchange_header(x, SLICE("access-control-request-headers"));
    size_t count = 0;
    if (!allowed(job).len) return 0;
    headers[count++] = (struct conn_header){SLICE("access-control-allow-methods"), job->allow};
    if (asked.len) headers[count++] = (struct conn_header){SLICE("access-control-allow-headers"), asked};
    headers[count++] = (struct conn_header){SLICE("access-control-max-age"),
                                            arena_printf(&x->arena, "%u", job->settings->cors_max_age_ms / 1000)};
    return count;
}
