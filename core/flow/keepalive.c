#include "flow/keepalive.h"

#include "base/clock.h"

#define COMMENT SLICE(": keep-alive\n")

static void on_silence(void *arg)
{
    struct call *call = arg;
    struct job *job = call->job;
    uint32_t period_ms = job->settings->keepalive_ms;
    uint64_t silent_ms = (loop_now_ns(job->flow->parts.loop) - call->last_write_ns) / NS_PER_MS;
    if (silent_ms < period_ms) {
        loop_timer_arm_ms(&call->timer, period_ms - silent_ms);
        return;
    }
    if (conn_output_bytes(job->conn) == 0 && relay_is_at_rest(call->relay)) {
        conn_write(job->conn, COMMENT);
        job->x->response.bytes_out += COMMENT.len;
    }
    loop_timer_arm_ms(&call->timer, period_ms);
}

void keepalive_begin(struct call *call)
{
    struct job *job = call->job;
    if (!job->settings->keepalive_ms || !relay_report(call->relay).is_stream) return;
    loop_timer_init(&call->timer, job->flow->parts.loop, on_silence, call);
    loop_timer_arm_ms(&call->timer, job->settings->keepalive_ms);
}

/* Its record has the bytes of the answer, and not these. */
static void on_wait(void *arg)
{
    struct call *call = arg;
    conn_write_before_end(call->job->conn, COMMENT);
    loop_timer_arm_ms(&call->timer, call->job->settings->keepalive_ms);
}

void keepalive_wait(struct job *job)
{
    struct call *call = job->call;
    if (!job->settings->keepalive_ms || !call || !call->relay) return;
    struct relay_report told = relay_report(call->relay);
    if (!told.is_stream || told.is_list || told.is_inside) return;
    loop_timer_init(&call->timer, job->flow->parts.loop, on_wait, call);
    loop_timer_arm_ms(&call->timer, job->settings->keepalive_ms);
}

void keepalive_end(struct job *job)
{
    if (job->call) loop_timer_disarm(&job->call->timer);
}
