#include "flow/deliver.h"

#include "base/clock.h"
#include "base/limits.h"
#include "exchange/money.h"
#include "exchange/rates.h"
#include "flow/account.h"
#include "flow/durable.h"
#include "flow/headers.h"
#include "flow/holds.h"
#include "flow/keepalive.h"
#include "flow/reply.h"
#include "flow/settle.h"
#include "wire/conceal.h"
#include "wire/http.h"

/* The request id that SDKs read is ours: it is the one that stands in our records, and leads to the provider's. So are
 * the limits, where we count some. */
struct slice deliver_header_name(const struct exchange *x, struct arena *arena, struct slice name)
{
    bool is_id = slice_iequal(name, SLICE("x-request-id")) || slice_iequal(name, x->api->client->request_id_header);
    bool is_rate = rates_are_told(&x->rates) && headers_is_rate(name);
    bool has_x = name.len > 2 && (name.ptr[0] | 0x20) == 'x' && name.ptr[1] == '-';
    if (!is_id && !is_rate) return arena_copy(arena, name);
    return arena_join(arena, SLICE("x-moongate-provider-"), has_x ? slice_of(name.ptr + 2, name.len - 2) : name);
}

void deliver_keep_headers(struct call *call, const struct fetch_head *head)
{
    struct arena *arena = &call->passing;
    struct conn_header common[REPLY_HEADERS_MAX];
    size_t count = reply_common_headers(call->job, common);
    call->headers = arena_alloc(arena, (count + head->header_count + 4) * sizeof *call->headers);
    /* Four more are for the cost, for what was dropped, and for the type and the delay of what was translated. */
    memcpy(call->headers, common, count * sizeof *common);
    for (size_t i = 0; i < head->header_count; i++) {
        struct slice name = head->headers[i].name, value = head->headers[i].value;
        if (!headers_reach_client(name) || conceal_finds(call->secrets, call->secret_count, value)) continue;
        name = deliver_header_name(call->job->x, arena, name);
        call->headers[count++] = (struct conn_header){name, arena_copy(arena, value)};
    }
    call->header_count = count;
}

/* While the upload goes on its bytes are borrowed. */
static bool is_uploading(const struct job *job)
{
    return job->call->fetch && !fetch_has_body(job->call->fetch);
}

/* Streams are many and long: what no later hook can ask for goes. */
static void forget_request(struct job *job)
{
    struct exchange *x = job->x;
    job->call->headers = NULL;
    job->call->header_count = 0;
    if (!is_uploading(job)) arena_clear(&job->call->passing);
    if (!is_uploading(job)) buf_clear(&job->call->crossed);
    if (policy_has(job->policies, PHASE_DELTA) || policy_has(job->policies, PHASE_RESPONSE) ||
        policy_has(job->policies, PHASE_DONE))
        return;
    json_clear(&x->request.tape);
    count_free(x->count);
    x->count = NULL;
    if (!is_uploading(job)) {
        buf_clear(&x->body);
        buf_clear(&x->upload);
    }
    intake_hold(&job->hold, exchange_request_bytes(x) + buf_len(&job->call->crossed), NULL); /* less than before */
}

/* Of a whole answer: what it cost is known. */
static void add_cost(struct job *job)
{
    struct call *call = job->call;
    char usd[MONEY_TEXT_BYTES];
    struct conn_header *header = &call->headers[call->header_count];
    account_settle(job->x, call->relay);
    if (!reply_cost_header(job->x, header, usd)) return;
    header->value = arena_copy(&call->passing, header->value);
    call->header_count++;
}

/* header_count: there is none. */
static size_t find_header(const struct call *call, struct slice name)
{
    size_t i = 0;
    while (i < call->header_count && !slice_iequal(call->headers[i].name, name))
        i++;
    return i;
}

/* What another dialect's was, or came in other frames, is now of this kind. */
static void tell_type(struct call *call, const struct relay_head *head)
{
    if (!head->content_type.len) return;
    size_t i = find_header(call, SLICE("content-type"));
    call->headers[i] = (struct conn_header){SLICE("content-type"), head->content_type};
    if (i == call->header_count) call->header_count++;
}

/* What was in a coding, and gave way to words of ours, is in none. */
static void tell_coding(struct call *call, const struct relay_head *head)
{
    size_t i = find_header(call, SLICE("content-encoding"));
    if (!head->content_encoding.len && i < call->header_count) call->headers[i] = call->headers[--call->header_count];
}

/* As clients of other dialects look for it: in a header, unless the provider has one of its own. */
static void tell_delay(struct call *call, const struct relay_head *head)
{
    bool is_told = find_header(call, SLICE("retry-after")) < call->header_count ||
                   find_header(call, SLICE("retry-after-ms")) < call->header_count;
    if (!head->retry_after_s || is_told) return;
    call->headers[call->header_count++] =
        (struct conn_header){SLICE("retry-after"), arena_printf(&call->passing, "%u", head->retry_after_s)};
}

/* Of the request, and of an answer that is whole: what a stream's loses is not known yet. */
static void tell_dropped(struct call *call)
{
    const struct attempt *a = exchange_attempt(call->job->x);
    bool has_both = a->dropped.len && a->dropped_answer.len;
    struct slice names = arena_join(&call->passing, a->dropped, has_both ? SLICE(", ") : SLICE(""));
    if (!a->dropped.len && !a->dropped_answer.len) return;
    names = arena_join(&call->passing, names, a->dropped_answer);
    call->headers[call->header_count++] = (struct conn_header){SLICE("x-moongate-dropped"), names};
}

/* Nothing in a run of bytes says where it ends: its last byte so far may be the last of all. */
static bool keeps_last(const struct job *job)
{
    return !relay_report(job->call->relay).is_stream && durable_wanted(job) != DURABILITY_ASYNC;
}

void deliver_head(struct job *job, const struct relay_head *head, int64_t length)
{
    struct exchange *x = job->x;
    exchange_move(x, EXCHANGE_STREAMING);
    x->response.status = head->status;
    x->first_byte_ns = clock_mono_ns();
    tell_type(job->call, head);
    tell_coding(job->call, head);
    tell_delay(job->call, head);
    if (length != CONN_STREAM) {
        add_cost(job);
        holds_close(job);
        durable_hold_end(job);
    }
    tell_dropped(job->call);
    conn_reply_head(job->conn, head->status, job->call->headers, job->call->header_count, length);
    if (length != CONN_STREAM) return;
    job->call->keeps_last = keeps_last(job);
    forget_request(job);
    if (!job->end.is_held) keepalive_begin(job->call);
}

static void write_last(struct job *job)
{
    struct call *call = job->call;
    if (call->has_last) conn_write(job->conn, slice_of(&call->last, 1));
    call->has_last = false;
}

static void write_but_last(struct job *job, struct slice bytes)
{
    write_last(job);
    conn_write(job->conn, slice_of(bytes.ptr, bytes.len - 1));
    job->call->last = bytes.ptr[bytes.len - 1];
    job->call->has_last = true;
}

void deliver_bytes(struct job *job, struct slice bytes)
{
    job->x->response.bytes_out += bytes.len;
    job->call->last_write_ns = loop_now_ns(job->flow->parts.loop);
    if (job->call->keeps_last)
        write_but_last(job, bytes);
    else
        conn_write(job->conn, bytes);
}

/* What a stream cost is known only now: for clients that read trailers (RFC 9110 6.5.1). */
void deliver_end(struct job *job, enum exchange_outcome outcome)
{
    struct conn_header trailer;
    char usd[MONEY_TEXT_BYTES];
    job->end.outcome = outcome;
    loop_timer_disarm(&job->call->timer);
    account_settle(job->x, job->call->relay);
    holds_close(job);
    durable_hold_end(job);
    write_last(job);
    bool is_wanted = http_list_has(exchange_header(job->x, SLICE("te")), SLICE("trailers"));
    conn_end_with(job->conn, &trailer, is_wanted && reply_cost_header(job->x, &trailer, usd) ? 1 : 0);
}

void deliver_abort(struct job *job, enum exchange_outcome outcome)
{
    write_last(job);
    conn_abort(job->conn);
    job->conn = NULL;
    job_end(job, outcome);
}

void deliver_hold_back(struct call *call)
{
    struct conn *conn = call->job->conn;
    if (call->is_paused || !call->fetch || !conn) return;
    if (conn_output_bytes(conn) + relay_held_bytes(call->relay) <= conn_output_max(conn)) return;
    call->is_paused = true;
    conn_await_drained(conn);
    fetch_pause(call->fetch);
}

void deliver_drained(struct job *job)
{
    struct call *call = job->call;
    if (!call || !call->is_paused || relay_held_bytes(call->relay) > conn_output_max(job->conn)) return;
    call->is_paused = false;
    if (call->fetch) fetch_resume(call->fetch);
}

void deliver_let_flow(struct call *call)
{
    struct conn *conn = call->job->conn;
    if (conn && call->is_paused) conn_await_drained(conn);
}
