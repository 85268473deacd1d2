/*
 * A comment line into a silent stream, where the operator asked for it: load balancers and proxies cut connections that
 * carry nothing for a minute, while models think for longer.
 *
 * One line end and no blank line: a blank line would make clients that have seen an id dispatch an empty event. Only
 * between events, and only while the client takes what it is sent.
 */
#include "flow/job.h"

#include "base/clock.h"

#define COMMENT SLICE(": keep-alive\n")

static void on_silence(void *arg)
{
    struct job *job = arg;
    uint32_t period_ms = job->settings->keepalive_ms;
    uint64_t silent_ms = (loop_now_ns(job->flow->parts.loop) - job->last_write_ns) / NS_PER_MS;
    if (silent_ms < period_ms) {
        loop_timer_arm_ms(&job->keepalive, period_ms - silent_ms);
        return;
    }
    if (conn_output_bytes(job->conn) == 0 && job->sse && sse_is_at_boundary(job->sse) && !sse_held_bytes(job->sse)) {
        conn_write(job->conn, COMMENT);
        job->x->response.bytes_out += COMMENT.len;
    }
    loop_timer_arm_ms(&job->keepalive, period_ms);
}

void keepalive_begin(struct job *job)
{
    if (!job->settings->keepalive_ms || job->mode != RELAY_EVENTS) return;
    loop_timer_init(&job->keepalive, job->flow->parts.loop, on_silence, job);
    loop_timer_arm_ms(&job->keepalive, job->settings->keepalive_ms);
}
