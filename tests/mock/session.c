#include "session.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"
#include "anthropic.h"
#include "azure.h"
#include "bedrock.h"
#include "conn.h"
#include "control.h"
#include "entries.h"
#include "fast.h"
#include "form.h"
#include "gemini.h"
#include "openai.h"
#include "reply.h"
#include "request.h"
#include "responses.h"
#include "vertex.h"

struct session {
    struct list_link link;
    struct mock *mock;
    struct conn *conn;
    struct event *next; /* the answer is out: on to the next request */
    struct request request;
    struct reply *reply;
    uint64_t id, serial;
    bool is_control, is_answering, is_dead;
    bool is_over; /* the reply has said its end; it is logged when the last byte is written */
    enum reply_end end;
};

/* ---- choosing the answer ---- */

/* Settings that the request itself carries: in model "…?query", metadata.mock, or user "mock?query". */
static bool script_of_request(const json_t *body, struct script *script, struct fault *why)
{
    const char *model = json_string_value(json_object_get(body, "model"));
    const char *user = json_string_value(json_object_get(body, "user"));
    const char *mock = json_string_value(json_object_get(json_object_get(body, "metadata"), "mock"));
    const char *query = model ? strchr(model, '?') : NULL;
    if (query) return script_set_query(script, slice_str(query + 1), why);
    if (mock) return script_set_query(script, slice_str(mock), why);
    if (user && strncmp(user, "mock?", 5) == 0) return script_set_query(script, slice_str(user + 5), why);
    return true;
}

static bool is_authorized(const struct mock *mock, const struct request *request)
{
    struct slice value = request_header(request, SLICE("authorization")), bearer = SLICE("Bearer ");
    struct slice bare = request_header(request, SLICE("x-api-key")); /* Anthropic's */
    if (!bare.len) bare = request_header(request, SLICE("x-goog-api-key")); /* Google's */
    if (!bare.len) bare = request_header(request, SLICE("api-key"));        /* Azure's */
    if (bare.len) return mock->key ? slice_equal(bare, slice_str(mock->key)) : !slice_equal(bare, SLICE(BAD_KEY));
    if (!mock->key) return !slice_equal(value, SLICE("Bearer " BAD_KEY));
    return slice_starts(value, bearer) &&
           slice_equal(slice_of(value.ptr + bearer.len, value.len - bearer.len), slice_str(mock->key));
}

static struct source *scripted_error(const struct script *s, struct slice path)
{
    bool is_limit = s->status == 429;
    if (slice_starts(path, SLICE("/v1/messages")))
        return anthropic_error((int)s->status,
                               s->error_type ? s->error_type
                               : is_limit    ? "rate_limit_error"
                                             : "api_error",
                               s->error_message ? s->error_message : "The mock was asked to fail.");
    if (gemini_is_path(path))
        return gemini_error((int)s->status,
                            s->error_type ? s->error_type
                            : is_limit    ? "RESOURCE_EXHAUSTED"
                                          : "INTERNAL",
                            s->error_message ? s->error_message : "The mock was asked to fail.");
    return source_of_error((int)s->status,
                           s->error_type ? s->error_type
                           : is_limit    ? "requests"
                                         : "server_error",
                           s->error_code ? s->error_code
                           : is_limit    ? "rate_limit_exceeded"
                                         : NULL,
                           s->error_message ? s->error_message : "The mock was asked to fail.");
}

static struct source *choose_source(struct session *s, json_t *body, const struct script *script)
{
    struct slice path = vertex_path(azure_path(s->request.path, s->request.query, body), body);
    struct source *source = NULL;
    if (script->replay) {
        source =
            replay_answer(s->mock->replay, script->replay, script->delay_ms > 0 || script->rate > 0 || script->cut);
        return source ? source : source_of_error(500, "mock_error", "no_recording", script->replay);
    }
    if (!is_authorized(s->mock, &s->request)) {
        return source_of_error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.");
    }
    if (script->body) return source_of_bytes((int)script->status, "application/json", slice_str(script->body), 0);
    if (bedrock_is_path(path)) return bedrock_answer(&s->request, body, script);
    if (script->status != 200) return scripted_error(script, path);
    if (script_is(script->usage, "reject") && json_object_get(body, "stream_options")) {
        return source_of_error(400, "invalid_request_error", "unknown_parameter",
                               "Unrecognized request argument supplied: stream_options");
    }
    source = anthropic_answer(path, body, script);
    if (!source) source = responses_answer(path, body, script);
    if (!source) source = gemini_answer(path, s->request.query, body, script);
    if (source) return source;
    return openai_answer(&(struct openai_ask){s->request.method, path, body, script});
}

static void start_reply(struct session *s, struct source *source, const struct script *script);

/* Integers stay integers unless one is too large for that; NULL: no JSON. */
static json_t *parse_body(struct slice body)
{
    const char *text = body.len ? body.ptr : "";
    json_t *value = json_loadb(text, body.len, JSON_ALLOW_NUL, NULL);
    return value ? value : json_loadb(text, body.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
}

static void answer_parsed(struct session *s, struct script *script, bool is_scripted)
{
    struct fault why = {0};
    json_t *body = form_parse(request_header(&s->request, SLICE("content-type")), buf_slice(&s->request.body));
    if (!body) body = parse_body(buf_slice(&s->request.body));
    bool is_good = is_scripted || script_of_request(body, script, &why);
    struct source *source = is_good ? choose_source(s, body, script)
                                    : source_of_error(400, "mock_error", "bad_script", fault_message(&why));
    start_reply(s, source, script);
    json_decref(body);
}

static void answer_as_provider(struct session *s, struct script *script)
{
    struct mock *mock = s->mock;
    struct slice body = buf_slice(&s->request.body);
    s->serial = ++mock->requests;
    if (journal_is_on(mock->journal))
        journal_add(mock->journal, entry_request(s->id, s->serial, &s->request, mock->entry_bytes));
    script_copy(script, &mock->defaults);
    bool is_scripted = scripts_take(mock->scripts, s->request.path, body, script);
    if (script->fast)
        start_reply(s, fast_answer(body, script), script);
    else
        answer_parsed(s, script, is_scripted);
}

static void answer(struct session *s)
{
    struct script script;
    script_init(&script);
    s->is_answering = true;
    if (s->is_control)
        start_reply(s, control_answer(s->mock, &s->request), &script);
    else
        answer_as_provider(s, &script);
    script_clear(&script);
}

/* ---- one connection's life ---- */

static void log_end(struct session *s, const char *how)
{
    if (s->is_control || !journal_is_on(s->mock->journal)) return;
    journal_add(s->mock->journal, entry_end(s->id, s->serial, s->reply, how, conn_bytes_out(s->conn)));
}

/* Everything of the answer is written, or will never be. */
static void settle(struct session *s)
{
    static const char *const how[] = {"complete", "complete", "cut_fin", "cut_rst"};
    s->is_over = false;
    log_end(s, how[s->end]);
    s->is_answering = false;
    switch (s->end) {
    case REPLY_COMPLETE: event_active(s->next, EV_TIMEOUT, 0); break;
    case REPLY_CLOSE:
    case REPLY_CUT_FIN: conn_finish(s->conn); break;
    case REPLY_CUT_RST: conn_reset(s->conn); break;
    }
}

static void on_reply_done(void *arg, enum reply_end end)
{
    struct session *s = arg;
    s->end = end;
    s->is_over = true;
    if (conn_unsent(s->conn) == 0) settle(s);
}

static void start_reply(struct session *s, struct source *source, const struct script *script)
{
    s->reply = reply_new(s->mock->base, s->conn, source, script, s->serial, s->request.is_keep_alive, on_reply_done, s);
}

static void feed(struct session *s)
{
    if (s->is_answering || s->reply) return;
    bool had_head = s->request.has_head;
    switch (request_feed(&s->request, conn_input(s->conn))) {
    case REQUEST_MORE:
        if (s->request.has_head && !had_head && s->request.wants_continue) {
            conn_send(s->conn, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
        }
        break;
    case REQUEST_WHOLE: answer(s); break;
    case REQUEST_BAD:
        if (!s->is_control) journal_add(s->mock->journal, entry_bad(s->id, conn_bytes_in(s->conn)));
        conn_send(s->conn, SLICE("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
        conn_finish(s->conn);
        break;
    }
}

static void on_next(evutil_socket_t fd, short what, void *arg)
{
    struct session *s = arg;
    (void)fd, (void)what;
    if (s->is_dead) return;
    reply_free(s->reply);
    s->reply = NULL;
    request_reset(&s->request);
    if (buf_len(conn_input(s->conn))) feed(s);
}

static void on_read(void *arg)
{
    feed(arg);
}

static void on_drained(void *arg)
{
    struct session *s = arg;
    if (s->is_over)
        settle(s);
    else if (s->reply)
        reply_drained(s->reply);
}

static void on_closed(void *arg)
{
    struct session *s = arg;
    struct mock *mock = s->mock;
    s->is_dead = true;
    if (!s->is_control) {
        mock->bytes_in += conn_bytes_in(s->conn);
        if (s->is_answering) log_end(s, "client_abort");
        bool is_partial = !s->reply && (s->request.has_head || buf_len(conn_input(s->conn)));
        journal_add(mock->journal, entry_close(s->id, conn_bytes_in(s->conn), conn_bytes_out(s->conn), is_partial));
    }
    list_remove(&s->link);
    list_append(&mock->dead, &s->link);
    event_active(mock->reaper, EV_TIMEOUT, 0);
}

void session_open(struct mock *mock, int fd, bool is_control)
{
    static const struct conn_hooks hooks = {on_read, on_drained, on_closed};
    struct session *s = mem_zalloc(1, sizeof *s);
    s->mock = mock;
    s->is_control = is_control;
    request_init(&s->request);
    s->conn = conn_new(mock->base, fd, is_control ? NULL : mock->tls, &hooks, s);
    s->next = event_new(mock->base, -1, 0, on_next, s);
    list_append(&mock->sessions, &s->link);
    if (is_control) return;
    s->id = ++mock->connections;
    journal_add(mock->journal, entry_open(s->id));
}

static void session_free(struct session *s)
{
    list_remove(&s->link);
    reply_free(s->reply);
    conn_free(s->conn);
    event_free(s->next);
    request_clear(&s->request);
    mem_free(s);
}

void session_reap(struct mock *mock)
{
    while (!list_is_empty(&mock->dead))
        session_free(LIST_OWNER(mock->dead.next, struct session, link));
}

void session_close_all(struct mock *mock)
{
    session_reap(mock);
    while (!list_is_empty(&mock->sessions))
        session_free(LIST_OWNER(mock->sessions.next, struct session, link));
}

json_t *session_states(const struct mock *mock)
{
    json_t *all = json_array();
    for (const struct list_link *l = mock->sessions.next; l != &mock->sessions; l = l->next) {
        struct session *s = LIST_OWNER(l, struct session, link);
        if (!s->is_control) json_array_append_new(all, entry_state(s->id, s->serial, s->reply, conn_bytes_in(s->conn)));
    }
    return all;
}
