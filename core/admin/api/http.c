#include "admin/api/http.h"

#include <jansson.h>
#include <stdio.h>

#include "admin/api/answer.h"
#include "admin/api/body.h"
#include "admin/api/cookie.h"
#include "admin/api/session.h"
#include "admin/scim/refuse.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "net/loop.h"

#define ID_BYTES (4 + UUID_TEXT_BYTES) /* "req_", as requests of callers have them */

struct http_call {
    struct api_http *http;
    struct api_call call;
    struct visitor visitor;
    struct api_browser browser;
    struct scim_key scim_key; /* of a call of SCIM's … */
    struct scim_ask scim;
    bool is_scim; /* … as this one is */
    struct buf body;
    struct conn *conn;
    struct loop_timer floor; /* a sign-in is answered no sooner */
    char id[ID_BYTES];
};

bool api_http_is_api(struct slice path)
{
    struct slice base = SLICE(API_BASE);
    return slice_starts(path, base) && (path.len == base.len || path.ptr[base.len] == '/');
}

bool api_http_is_scim(struct slice path)
{
    struct slice base = SLICE(SCIM_BASE);
    return slice_starts(path, base) && path.len > base.len && path.ptr[base.len] == '/';
}

/* ---- Answers. */

#define HEADERS_MAX 12u
#define STRANGER_BODY_BYTES_MAX 4096u

struct head {
    struct conn_header headers[HEADERS_MAX];
    size_t count;
    char etag[24], wait[16];
};

static void add(struct head *head, const char *name, struct slice value)
{
    head->headers[head->count++] = (struct conn_header){slice_str(name), value};
}

/* Behind what may be read here stands nobody's browser (console.md's list is for pages): nothing is kept or sniffed. */
static void begin_head(struct head *head, const struct http_call *h)
{
    const struct api_answer *answer = &h->call.answer;
    head->count = 0;
    const char *usual = h->is_scim ? "application/scim+json" : "application/json";
    add(head, "Content-Type", slice_str(answer->content_type ? answer->content_type : usual));
    add(head, "Cache-Control", SLICE("no-store"));
    add(head, "X-Content-Type-Options", SLICE("nosniff"));
    add(head, "X-Request-Id", slice_str(h->id));
    if (answer->allow) add(head, "Allow", slice_str(answer->allow));
    if (answer->status == 401) add(head, "WWW-Authenticate", SLICE("Bearer realm=\"moongate admin\""));
    snprintf(head->etag, sizeof head->etag, "\"%lld\"", (long long)answer->rev);
    snprintf(head->wait, sizeof head->wait, "%u", answer->retry_after_s);
    if (answer->cookie.len) add(head, "Set-Cookie", answer->cookie);
    if (answer->rev) add(head, "ETag", slice_str(head->etag));
    if (answer->retry_after_s) add(head, "Retry-After", slice_str(head->wait));
}

/* Shown by a browser it may run and load nothing. */
static void send_text(struct conn *c, struct http_call *h)
{
    struct head head;
    begin_head(&head, h);
    add(&head, "Content-Security-Policy", SLICE("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
    conn_reply(c, h->call.answer.status, head.headers, head.count, h->call.answer.text);
}

static void send_answer(struct conn *c, struct http_call *h)
{
    struct head head;
    if (h->call.answer.content_type) {
        send_text(c, h);
        return;
    }
    struct buf text;
    json_t *error = json_object_get(h->call.answer.body, "error");
    if (error) json_object_set_new(error, "request_id", json_string(h->id));
    char *body = json_dumps(h->call.answer.body, JSON_COMPACT);
    buf_init(&text);
    if (h->call.answer.status != 204) {
        buf_append(&text, body ? slice_str(body) : SLICE("{}"));
        buf_append_char(&text, '\n');
    }
    begin_head(&head, h);
    conn_reply(c, h->call.answer.status, head.headers, head.count, buf_slice(&text));
    if (body) explicit_bzero(body, strlen(body)); /* a new key may stand in it */
    explicit_bzero(buf_ptr(&text), buf_len(&text));
    mem_free(body);
    buf_clear(&text);
}

/* ---- Requests. */

/* Whoever wants to sign in may be nobody yet. */
static bool is_for_anybody(const struct http_call *h, const struct http_head *head)
{
    struct route_match match;
    const struct api_route *routes = h->http->api.routes ? h->http->api.routes : api_routes;
    struct slice path = slice_of(head->path.ptr + sizeof API_BASE - 1, head->path.len - (sizeof API_BASE - 1));
    const struct api_route *route = route_find(routes, head->method, path, &match);
    return route && route->role == API_ANYBODY;
}

static void look_at_browser(struct http_call *h, struct conn *c, const struct http_head *head)
{
    bool is_page = http_find(head, SLICE("origin")).len || http_find(head, SLICE("sec-fetch-site")).len;
    h->browser = (struct api_browser){.door = h->http->door,
                                      .peer = conn_peer(c),
                                      .old = arena_copy(&h->visitor.arena, cookie_read(head)),
                                      .is_plain = cookie_is_plain(head),
                                      .cross = is_page ? door_cross(h->http->door, head) : NULL};
    h->call.browser = &h->browser;
}

static bool let_in(struct http_call *h, struct conn *c, const struct http_head *head, bool is_local)
{
    struct visitor *v = &h->visitor;
    struct door_place place = {.peer = conn_peer(c), .is_local = is_local};
    if (is_local && !conn_user(c, &place.uid)) place.is_local = false;
    bool is_known = door_let(h->http->door, head, &place, v);
    conn_set_known(c, is_known);
    api_call_init(&h->call, &h->http->api, is_known ? &v->caller : NULL);
    look_at_browser(h, c, head);
    if (is_known || (v->status == 401 && is_for_anybody(h, head))) return true;
    answer_refuse(&h->call, v->status, v->code, NULL, v->hint, "%.*s", SLICE_FMT(v->message));
    h->call.answer.retry_after_s = v->retry_after_s;
    return false;
}

static bool begin(struct http_call *h, const struct http_head *head)
{
    struct slice path = head->path;
    path.ptr += sizeof API_BASE - 1;
    path.len -= sizeof API_BASE - 1;
    return api_begin(&h->call, &(struct api_ask){
                                   .method = head->method,
                                   .path = path,
                                   .query = head->query,
                                   .content_type = http_find(head, SLICE("content-type")),
                                   .if_match = http_find(head, SLICE("if-match")),
                                   .idempotency_key = http_find(head, SLICE("idempotency-key")),
                                   .has_body = head->content_length > 0 || head->is_chunked,
                               });
}

/* ---- SCIM: other paths, credentials and errors, on the same connections. */

static void scim_answer_with(struct http_call *h, const struct scim_answer *answer)
{
    json_decref(h->call.answer.body);
    h->call.answer.status = answer->status;
    h->call.answer.body = answer->body;
    h->call.answer.has_changed = answer->has_changed;
}

static void run_scim(struct http_call *h)
{
    struct scim_answer answer;
    scim_run(h->http->api.registry, &h->scim, buf_slice(&h->body), &h->call.arena, &answer);
    scim_answer_with(h, &answer);
}

static bool let_in_scim(struct http_call *h, struct conn *c, const struct http_head *head)
{
    struct visitor *v = &h->visitor;
    struct scim_answer answer = {.status = 0};
    bool is_known = door_let_scim(h->http->door, head, conn_peer(c), &h->scim_key, v);
    conn_set_known(c, is_known);
    api_call_init(&h->call, &h->http->api, is_known ? &v->caller : NULL);
    if (is_known) {
        struct slice path = slice_of(head->path.ptr + sizeof SCIM_BASE - 1, head->path.len - (sizeof SCIM_BASE - 1));
        h->scim = (struct scim_ask){.method = arena_copy(&h->call.arena, head->method),
                                    .path = arena_copy(&h->call.arena, path),
                                    .query = arena_copy(&h->call.arena, head->query),
                                    .key = &h->scim_key};
        return true;
    }
    scim_refuse(&answer, v->status, NULL, "%.*s", SLICE_FMT(v->message));
    scim_answer_with(h, &answer);
    h->call.answer.retry_after_s = v->retry_after_s;
    return false;
}

static void run(struct http_call *h)
{
    struct conn *c = h->conn;
    if (h->is_scim) run_scim(h);
    else
    api_run(&h->call, buf_slice(&h->body));
    if (h->call.answer.has_changed && h->http->on_changed) h->http->on_changed(h->http->arg);
    send_answer(c, h);
}

static void on_floor(void *arg)
{
    run(arg);
}

static void make_id(char id[ID_BYTES])
{
    uint8_t bits[UUID_BYTES];
    uuid_make(bits, clock_wall_ns());
    memcpy(id, "req_", 4);
    uuid_write(id + 4, bits);
}

void api_http_request(struct api_http *http, struct conn *c, const struct http_head *head, bool is_local)
{
    struct http_call *h = mem_zalloc(1, sizeof *h);
    if (!http->api.registry && http->on_wanted) http->on_wanted(http->arg);
    h->http = http;
    h->conn = c;
    loop_timer_init(&h->floor, http->loop, on_floor, h);
    buf_init(&h->body);
    make_id(h->id);
    conn_set_context(c, h);
    h->is_scim = api_http_is_scim(head->path);
    bool is_begun = h->is_scim ? let_in_scim(h, c, head) : let_in(h, c, head, is_local) && begin(h, head);
    if (!is_begun) send_answer(c, h);
}

void api_http_body(struct conn *c, struct slice bytes)
{
    struct http_call *h = conn_context(c);
    unsigned most = h->call.by ? BODY_BYTES_MAX : STRANGER_BODY_BYTES_MAX;
    buf_append(&h->body, bytes);
    if (buf_len(&h->body) <= most) return;
    answer_refuse(&h->call, 413, "request_too_large", NULL, NULL, "the body is over %u bytes", most);
    send_answer(c, h);
}

void api_http_body_end(struct conn *c)
{
    struct http_call *h = conn_context(c);
    if (!h->is_scim && h->call.route->role == API_ANYBODY) loop_timer_arm_ms(&h->floor, API_FLOOR_MS);
    else run(h);
}

void api_http_refused(struct conn *c, const struct fault *why)
{
    struct http_call *h = conn_context(c);
    answer_fault(&h->call, why);
    send_answer(c, h);
}

void api_http_over(struct conn *c)
{
    struct http_call *h = conn_context(c);
    conn_set_context(c, NULL);
    loop_timer_disarm(&h->floor);
    api_call_clear(&h->call);
    door_leave(&h->visitor);
    if (buf_len(&h->body)) explicit_bzero(buf_ptr(&h->body), buf_len(&h->body));
    buf_clear(&h->body);
    mem_free(h);
}
