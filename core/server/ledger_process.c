#include "server/ledger_process.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/stats.h"
#include "ledger/changes.h"
#include "ledger/process.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "server/config.h"
#include "server/control.h"

#define BEAT_MS (LIMIT_HEARTBEAT_MS / 10)
#define AGAIN_MS 1000u

struct ledger_process {
    struct ledger_process_parts parts;
    struct loop *loop;
    struct loop_timer beat, config_again;
    struct pipe *control;
    struct stats *stats;
    struct process *process; /* NULL until the configuration is here */
};

/* Makes turns, which beat, when nothing else does. */
static void on_beat(void *arg)
{
    struct ledger_process *l = arg;
    loop_timer_arm_ms(&l->beat, BEAT_MS);
}

static void report(struct ledger_process *l, uint8_t type, struct slice body)
{
    struct fault why;
    if (!pipe_send(l->control, type, body, -1, &why)) log_event(LOG_ERROR, "control_lost", "%s", fault_message(&why));
}

/* ---- What it shows. */

static void on_open(void *arg)
{
    report(arg, REPORT_LEDGER_OPEN, SLICE_NONE);
}

static void on_shut(void *arg, const char *why)
{
    report(arg, REPORT_LEDGER_SHUT, slice_str(why));
}

/* The reason is written when there is one or was: it is shared memory, and this happens at each commit. */
static void show_lag(struct board_lag *lag, const char *why)
{
    bool is_failing = why[0] != '\0';
    if (is_failing || atomic_load(&lag->is_failing)) shared_text_set(&lag->reason, why);
    atomic_store(&lag->is_failing, is_failing);
}

static void on_state(void *arg, const struct process_state *state)
{
    struct board_ledger *board = ((struct ledger_process *)arg)->parts.board;
    bool was_failing = atomic_load(&board->is_failing);
    atomic_store(&board->waiting, state->waiting);
    atomic_store(&board->commit_began_ns, state->is_committing ? clock_mono_ns() : 0);
    if (state->is_failing && !was_failing) atomic_store(&board->failing_since_ns, clock_wall_ns());
    if (state->is_failing || was_failing) shared_text_set(&board->reason, state->why);
    atomic_store(&board->is_failing, state->is_failing);
    show_lag(&board->copy, state->copy_why);
    show_lag(&board->ship, state->ship_why);
    show_lag(&board->witness, state->witness_why);
}

static void on_change_end(void *arg, const struct change_end *end)
{
    struct control_changed head = {.number = end->number, .is_undone = end->why != NULL, .had_key = end->had_key};
    struct buf body;
    buf_init(&body);
    buf_append(&body, slice_of((const char *)&head, sizeof head));
    buf_append(&body, slice_str(end->why));
    report(arg, REPORT_CHANGE, buf_slice(&body));
    buf_clear(&body);
}

static void on_process_end(void *arg)
{
    struct ledger_process *l = arg;
    loop_stop(l->loop);
}

static const struct process_events process_events = {on_open, on_shut, on_state, on_process_end,
                                                     on_change_end};

/* ---- Orders. */

static void use_config(struct ledger_process *l, const struct config *config)
{
    struct process_options options = {.version = l->parts.version,
                                      .data_dir = config->settings->data_dir,
                                      .gateway = config->gateway,
                                      .zone = config->billing_zone,
                                      .copy = config->ledger_copy,
                                      .postgres = config->postgres_url,
                                      .retain_ms = config->retain_ms,
                                      .retain_texts_ms = config->retain_texts_ms,
                                      .counters = l->parts.counters,
                                      .redis = config->redis_url,
                                      .redis_lease_ms = config->redis_lease_ms,
                                      .post = l->parts.post,
                                      .breakers = l->parts.breakers,
                                      .sinks = config->settings->sinks,
                                      .sink_count = config->settings->sink_count,
                                      .witnesses = {.file = config->witness_file,
                                                    .webhook = config->witness_webhook,
                                                    .secret = config->witness_secret,
                                                    .has_syslog = config->has_witness_syslog}};
    if (l->process)
        process_configure(l->process, &options);
    else
        l->process = process_new(l->loop, l->stats, &options, &process_events, l);
}

static void ask_for_config(void *arg)
{
    report(arg, REPORT_LEDGER_WANTED, SLICE_NONE);
}

static bool take_config(struct ledger_process *l, int fd, struct fault *why)
{
    struct slice bytes;
    if (fd < 0) {
        loop_timer_arm_ms(&l->config_again, AGAIN_MS);
        return fault_set(why, FAULT_INTERNAL, "the configuration could not be taken, and is asked for again");
    }
    if (!pipe_memfd_map(fd, LIMIT_PIPE_QUEUE_BYTES, &bytes, why)) return false;
    struct config *config = config_unpack(bytes);
    pipe_memfd_unmap(bytes);
    if (!config) return fault_set(why, FAULT_INTERNAL, "the configuration that came is not one");
    use_config(l, config);
    config_free(config);
    return true;
}

/* True: the descriptor is the process's now. */
static bool take_worker(struct ledger_process *l, const struct pipe_message *message)
{
    struct control_worker worker;
    if (message->body.len != sizeof worker || !l->process) return false;
    memcpy(&worker, message->body.ptr, sizeof worker);
    if (message->fd < 0) {
        log_event(LOG_ERROR, "control_refused", "a worker's pipe could not be taken, and is asked for again");
        report(l, REPORT_LEDGER_WANTED, message->body);
        return false;
    }
    process_add_worker(l->process, worker.slot, worker.pid, message->fd);
    return true;
}

/* Without its configuration it asks for that, and what was missed comes with it again. */
static void take_change(struct ledger_process *l, struct slice body)
{
    struct control_change head;
    if (body.len < sizeof head || !l->process) return;
    memcpy(&head, body.ptr, sizeof head);
    changes_tell(process_changes(l->process), head.number,
                 slice_of(body.ptr + sizeof head, body.len - sizeof head));
}

static void leave(struct ledger_process *l, bool are_workers_gone)
{
    if (l->process)
        process_leave(l->process, are_workers_gone);
    else
        loop_stop(l->loop);
}

static void on_message(void *arg, const struct pipe_message *message)
{
    struct ledger_process *l = arg;
    struct fault why;
    bool is_taken = false;
    switch (message->type) {
    case CONTROL_CONFIG:
        if (!take_config(l, message->fd, &why)) log_event(LOG_ERROR, "control_refused", "%s", fault_message(&why));
        break;
    case CONTROL_WORKER: is_taken = take_worker(l, message); break;
    case CONTROL_REOPEN:
        if (l->process) process_reopen(l->process);
        break;
    case CONTROL_LOOK:
        if (l->process) changes_look(process_changes(l->process));
        break;
    case CONTROL_CHANGE: take_change(l, message->body); break;
    case CONTROL_STOP: leave(l, true); break;
    default: break;
    }
    if (message->fd >= 0 && !is_taken) close(message->fd);
}

static void on_end(void *arg, const struct fault *why)
{
    (void)why;
    leave(arg, false);
}

static const struct pipe_events events = {.on_message = on_message, .on_end = on_end};

int ledger_process_run(const struct ledger_process_parts *parts)
{
    struct ledger_process l = {.parts = *parts};
    l.loop = loop_new();
    l.stats = stats_attach(parts->segment);
    l.control = pipe_new(l.loop, parts->control_fd, LIMIT_PIPE_QUEUE_BYTES, &events, &l);
    loop_set_beat(l.loop, &parts->slot->beat);
    loop_timer_init(&l.beat, l.loop, on_beat, &l);
    loop_timer_init(&l.config_again, l.loop, ask_for_config, &l);
    on_beat(&l);
    loop_run(l.loop);
    loop_timer_disarm(&l.beat);
    loop_timer_disarm(&l.config_again);
    process_free(l.process);
    pipe_free(l.control);
    stats_detach(l.stats);
    loop_free(l.loop);
    return 0;
}
