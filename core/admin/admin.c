#include "admin/admin.h"

#include <unistd.h>

#include "admin/api/body.h"
#include "admin/api/csrf.h"
#include "admin/api/http.h"
#include "admin/hosts.h"
#include "admin/routes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "exchange/exchange.h"
#include "net/conn.h"
#include "net/descriptors.h"
#include "net/line_path.h"

#define LOCAL_BACKLOG 64

/* One way in. */
struct side {
    struct admin *admin;
    struct conn_server *server;
    bool is_local; /* the Unix socket */
};

struct admin {
    struct admin_parts parts;
    struct api_http http;
    struct side listener, local;
    int local_fd;
    char *local_path;
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
    struct side *side = arg;
    struct admin *a = side->admin;
    struct slice host = http_find(head, SLICE("host"));
    if (!hosts_is_ours(host, a->parts.host)) {
        refuse_host(c, host);
        return;
    }
    if (api_http_is_api(head->path) || api_http_is_scim(head->path)) {
        api_http_request(&a->http, c, head, side->is_local);
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
    if (conn_context(c))
        api_http_refused(c, why);
    else
        send_fault(c, why, NULL);
}

static void on_body(struct conn *c, struct slice bytes, void *arg)
{
    (void)arg;
    if (conn_context(c)) api_http_body(c, bytes);
}

static void on_body_end(struct conn *c, void *arg)
{
    (void)arg;
    if (conn_context(c)) api_http_body_end(c);
}

static void on_over(struct conn *c, void *arg)
{
    (void)arg;
    if (conn_context(c)) api_http_over(c);
}

static void on_nothing(struct conn *c, void *arg)
{
    (void)c;
    (void)arg;
}

/* Answers beside the API's are given whole inside on_request, so that nothing remains to be done at later events. */
static const struct conn_events events = {
    .on_request = on_request,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_refused = on_refused,
    .on_drained = on_nothing,
    .on_gone = on_over,
    .on_reply_end = on_over,
};

static void open_side(struct admin *a, struct side *side, int fd, bool is_local)
{
    struct conn_options options = CONN_OPTIONS_DEFAULT;
    options.body_bytes_max = BODY_BYTES_MAX;
    struct descriptors d = descriptors_share(descriptors_limit(), LIMIT_ADMIN_CONNECTIONS);
    options.connections_max = options.strangers_max = is_local ? LIMIT_CONTROL_CLIENTS : d.clients;
    options.overloaded_max = d.overloaded;
    *side = (struct side){.admin = a, .is_local = is_local};
    side->server = conn_server_new(a->parts.loop, &options, &events, side);
    conn_server_listen(side->server, fd);
}

static void open_local(struct admin *a)
{
    struct fault why;
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" ADMIN_SOCKET, a->parts.data_dir);
    a->local_path = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    a->local_fd = line_path_listen(a->local_path, LOCAL_BACKLOG, &why);
    if (a->local_fd >= 0)
        open_side(a, &a->local, a->local_fd, true);
    else
        log_event(LOG_ERROR, "admin_socket", "commands cannot change anything: %s", fault_message(&why));
}

/* Whoever stands before this listener under its further name speaks TLS: pages there are ours. */
static void trust_host(struct admin *a)
{
    struct buf origin;
    if (!a->parts.host.len) return;
    buf_init(&origin);
    buf_printf(&origin, "https://%.*s", SLICE_FMT(a->parts.host));
    door_trust(a->http.door, 0, buf_slice(&origin));
    buf_clear(&origin);
}

void admin_set_console(struct admin *a, const struct admin_console *console)
{
    door_trust(a->http.door, 1, csrf_origin_of(console->url));
    door_set_times(a->http.door, (console->idle_ms + 999) / 1000, (console->longest_ms + 999) / 1000);
}

struct admin *admin_new(const struct admin_parts *parts)
{
    struct admin *a = mem_zalloc(1, sizeof *a);
    a->parts = *parts;
    a->http = (struct api_http){.loop = parts->loop, .on_changed = parts->on_changed, .arg = parts->arg};
    a->http.api = parts->api;
    a->http.door = door_new(&a->http.api);
    trust_host(a);
    open_side(a, &a->listener, parts->listen_fd, false);
    open_local(a);
    return a;
}

void admin_set_registry(struct admin *a, struct registry *registry, const char *trouble)
{
    a->http.api.registry = registry;
    a->http.api.trouble = trouble;
}

void admin_free(struct admin *a)
{
    if (!a) return;
    conn_server_free(a->listener.server);
    conn_server_free(a->local.server);
    if (a->local_fd >= 0) {
        close(a->local_fd);
        unlink(a->local_path);
    }
    door_free(a->http.door);
    mem_free(a->local_path);
    mem_free(a);
}
