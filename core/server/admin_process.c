#include "server/admin_process.h"

#include <unistd.h>

#include "base/limits.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "server/control.h"

#define BEAT_MS (LIMIT_HEARTBEAT_MS / 10)

struct admin_process {
    struct loop *loop;
    struct loop_timer timer;
    _Atomic uint64_t *beat;
};

static void on_beat(void *arg)
{
    struct admin_process *p = arg;
    atomic_fetch_add_explicit(p->beat, 1, memory_order_relaxed);
    loop_timer_arm_ms(&p->timer, BEAT_MS);
}

static void on_message(void *arg, const struct pipe_message *message)
{
    struct admin_process *p = arg;
    if (message->type == CONTROL_STOP) loop_stop(p->loop);
    if (message->fd >= 0) close(message->fd);
}

static void on_end(void *arg, const struct fault *why)
{
    struct admin_process *p = arg;
    (void)why;
    loop_stop(p->loop);
}

static const struct pipe_events events = {.on_message = on_message, .on_end = on_end};

int admin_process_run(int control_fd, const struct admin_parts *parts, _Atomic uint64_t *beat)
{
    struct admin_process p = {.loop = loop_new(), .beat = beat};
    struct admin_parts own = *parts;
    own.loop = p.loop;
    struct pipe *control = pipe_new(p.loop, control_fd, LIMIT_PIPE_QUEUE_BYTES, &events, &p);
    struct admin *admin = admin_new(&own);
    loop_timer_init(&p.timer, p.loop, on_beat, &p);
    on_beat(&p);
    loop_run(p.loop);
    loop_timer_disarm(&p.timer);
    admin_free(admin);
    pipe_free(control);
    loop_free(p.loop);
    return 0;
}
