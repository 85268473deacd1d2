#include "admin/admin.h"

#include "admin/hosts.h"
#include "admin/routes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "exchange/exchange.h"
#include "net/conn.h"
#include "net/descriptors.h"

/* Small: whoever asks here asks briefly. */
#define ADMIN_BODY_BYTES (64u * KIB)

struct admin {
    struct admin_parts parts;
    struct conn_server *server;
};

static void send_answer(struct conn *c, const struct admin_answer *answer, const struct conn_header *more)
{
    char id[EXCHANGE_ID_BYTES];
    exchange_make_id(id, clock_wall_ns());
    struct conn_header headers[] = {{SLICE("Content-Type"), slice_str(answer->content_type)},
                                    {SLICE("Cache-Control"), SLICE("no-store")},
                                    {SLICE("X-Request-Id"), slice_str(id)},
                                    {SLICE("X-Moongate-Request-Id"), slice_str(id)},
                                    more ? *more : (struct conn_header){SLICE_NONE, SLICE_NONE}};
    conn_reply(c, answer->status, headers, more ? 5 : 4, buf_slice(&answer->body));
}

static void send_fault(struct conn *c, const struct fault *why, const struct conn_header *more)
{
    const struct fault_info *info = fault_info(why->code);
    struct admin_answer answer = {.status = info->status, .content_type = "application/json"};
    buf_init(&answer.body);
    buf_append(&answer.body, SLICE("{\"error\":{\"message\":"));
    buf_append_json(&answer.body, slice_str(fault_message(why)));
    buf_printf(&answer.body, ",\"type\":\"%s\",\"code\":\"%s\",\"param\":null}}\n", info->type, info->code);
    send_answer(c, &answer, more);
    buf_clear(&answer.body);
}

static void send_unknown_path(struct conn *c)
{
    struct fault why;
    struct buf known;
    buf_init(&known);
    for (const struct admin_route *r = admin_routes; r->path; r++)
        buf_printf(&known, " %s", r->path);
    fault_set(&why, FAULT_UNKNOWN_PATH, "There is no such path on the admin listener; it has%.*s.",
              SLICE_FMT(buf_slice(&known)));
    buf_clear(&known);
    send_fault(c, &why, NULL);
}

static void refuse_host(struct conn *c, struct slice host)
{
    struct fault why;
    fault_set(&why, FAULT_WRONG_HOST,
              "The admin listener is not asked as %.*s: ask it as localhost or by its address, or name it in "
              "moongate.lua (admin.host).",
              (int)(host.len < LIMIT_HOST_BYTES / 4 ? host.len : LIMIT_HOST_BYTES / 4), host.ptr);
    send_fault(c, &why, NULL);
}

static void on_request(struct conn *c, const struct http_head *head, void *arg)
{
    struct admin *a = arg;
    struct slice host = http_find(head, SLICE("host"));
    if (!hosts_is_ours(host, a->parts.host)) {
        refuse_host(c, host);
        return;
    }
    const struct admin_route *route = admin_route_find(head->path);
    if (!route) {
        send_unknown_path(c);
        return;
    }
    if (!slice_equal(head->method, SLICE("GET")) && !slice_equal(head->method, SLICE("HEAD"))) {
        struct fault why;
        fault_set(&why, FAULT_METHOD, "%s takes GET.", route->path);
        send_fault(c, &why, &(struct conn_header){SLICE("Allow"), SLICE("GET, HEAD")});
        return;
    }
    struct admin_answer answer = {.status = 200, .content_type = "text/plain"};
    buf_init(&answer.body);
    route->handle(&a->parts, head->query, &answer);
    send_answer(c, &answer, NULL);
    buf_clear(&answer.body);
}

static void on_refused(struct conn *c, const struct fault *why, void *arg)
{
    (void)arg;
    send_fault(c, why, NULL);
}

static void on_body(struct conn *c, struct slice bytes, void *arg)
{
    (void)c;
    (void)bytes;
    (void)arg;
}

static void on_nothing(struct conn *c, void *arg)
{
    (void)c;
    (void)arg;
}

/* Every answer is given whole inside on_request, so that nothing remains to be done at the later events. */
static const struct conn_events events = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_nothing,
    .on_refused = on_refused,
    .on_drained = on_nothing,
    .on_gone = on_nothing,
    .on_reply_end = on_nothing,
};

struct admin *admin_new(const struct admin_parts *parts)
{
    struct admin *a = mem_zalloc(1, sizeof *a);
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.body_bytes_max = ADMIN_BODY_BYTES;
    struct descriptors d = descriptors_share(descriptors_limit(), LIMIT_ADMIN_CONNECTIONS);
    options.connections_max = options.strangers_max = d.clients;
    options.overloaded_max = d.overloaded;
    a->parts = *parts;
    a->server = conn_server_new(parts->loop, &options, &events, a);
    conn_server_listen(a->server, parts->listen_fd);
    return a;
}

void admin_free(struct admin *a)
{
    if (!a) return;
    conn_server_free(a->server);
    mem_free(a);
}
