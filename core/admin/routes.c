#include "admin/routes.h"

#include "admin/health.h"
#include "base/stats.h"

static void handle_metrics(const struct admin_parts *parts, struct slice query, struct admin_answer *answer)
{
    (void)query;
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    stats_render(parts->segments, parts->segment_count, &answer->body);
}

const struct admin_route admin_routes[] = {
    {"/livez", health_live, "this process answers"},
    {"/healthz", health_live, "an old name of /livez"},
    {"/readyz", health_ready, "requests are taken; ?verbose says why, or why not"},
    {"/metrics", handle_metrics, "Prometheus text format"},
    {NULL, NULL, NULL},
};

const struct admin_route *admin_route_find(struct slice path)
{
    for (const struct admin_route *r = admin_routes; r->path; r++) {
        if (slice_equal(slice_str(r->path), path)) return r;
    }
    return NULL;
}
