#include "server/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "lua/policy.h"
#include "server/child.h"
#include "server/control.h"
#include "server/notify.h"
#include "server/supervisor_inner.h"
#include "store/registry/registry.h"

/* After a drain's grace flow ends what is left by itself; who then still lives hangs. */
#define DRAIN_PATIENCE_MS 7000u
#define STOP_PATIENCE_MS 7000u
/* Then the ledger commits what has come, and takes the files it has up. */
#define LEDGER_PATIENCE_MS 15000u
#define ADMIN_PATIENCE_MS 2000u

static void set_state(struct supervisor *sup, enum board_state state)
{
    sup->state = state;
    if (sup->board) atomic_store(&sup->board->state, state);
}

static void stop(struct supervisor *sup);

void supervisor_fail(struct supervisor *sup, enum finding finding, const char *format, ...)
{
    struct report *report = report_new();
    struct buf text;
    va_list args;
    buf_init(&text);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    report_add(report, &(struct diagnostic){.finding = finding, .text = buf_slice(&text)}, SLICE_NONE);
    buf_clear(&text);
    if (sup->exit_code == 0) sup->parts.on_report(sup->parts.arg, report);
    report_free(report);
    sup->exit_code = 1;
    stop(sup);
}

/* ---- The end. */

/* True: it is there, and told to go. */
static bool is_sent_away(struct supervisor *sup, const char *kind, uint32_t patience_ms)
{
    struct child *c = children_running(sup, kind);
    if (!c) return false;
    child_send(c, CONTROL_STOP, SLICE_NONE, -1);
    loop_timer_arm_ms(&sup->phase_timer, patience_ms);
    return true;
}

/* The ledger goes behind the workers, whose records it takes; the admin process goes last: it tells that nobody is
 * ready any more, to the end. */
static void leave_if_alone(struct supervisor *sup)
{
    if (children_alive(sup, true) > 0) return;
    if (is_sent_away(sup, "ledger", LEDGER_PATIENCE_MS) || is_sent_away(sup, "admin", ADMIN_PATIENCE_MS)) return;
    loop_stop(sup->loop);
}

void supervisor_child_left(struct supervisor *sup)
{
    leave_if_alone(sup);
}

/* Drain, second part: the balancers have noticed; no more connections. */
static void stop_accepting(struct supervisor *sup)
{
    struct control_drain order = {sup->config->settings->drain_grace_ms};
    log_event(LOG_INFO, "draining", "no new connections; requests under way have %u ms", order.grace_ms);
    sup->is_accepting_over = true;
    children_send(sup, CONTROL_DRAIN, slice_of((const char *)&order, sizeof order), -1);
    children_close_listeners(sup);
    loop_timer_arm_ms(&sup->phase_timer, (uint64_t)order.grace_ms + DRAIN_PATIENCE_MS);
}

static void on_phase_over(void *arg)
{
    struct supervisor *sup = arg;
    if (sup->state == BOARD_DRAINING && !sup->is_accepting_over) {
        stop_accepting(sup);
        return;
    }
    log_event(LOG_WARN, "killed", "%u processes did not end in time",
              children_alive(sup, true) + children_alive(sup, false));
    children_kill(sup, children_alive(sup, true) > 0);
}

void supervisor_drain(struct supervisor *sup, const struct asker *by)
{
    if (sup->state >= BOARD_DRAINING) return;
    acts_note(sup, "drain", by);
    if (sup->state == BOARD_STARTING) {
        stop(sup);
        return;
    }
    notify_send("STOPPING=1");
    set_state(sup, BOARD_DRAINING);
    children_send(sup, CONTROL_UNREADY, SLICE_NONE, -1);
    if (sup->config->drain_delay_ms == 0) {
        stop_accepting(sup);
        leave_if_alone(sup);
        return;
    }
    log_event(LOG_INFO, "draining", "not ready any more; connections are taken for another %u ms",
              sup->config->drain_delay_ms);
    loop_timer_arm_ms(&sup->phase_timer, sup->config->drain_delay_ms);
}

static void stop(struct supervisor *sup)
{
    if (sup->state == BOARD_STOPPING) return;
    if (sup->has_started) log_event(LOG_INFO, "stopping", "requests under way are ended");
    notify_send("STOPPING=1");
    set_state(sup, BOARD_STOPPING);
    children_send(sup, CONTROL_STOP, SLICE_NONE, -1);
    children_close_listeners(sup);
    loop_timer_arm_ms(&sup->phase_timer, STOP_PATIENCE_MS);
    leave_if_alone(sup);
}

void supervisor_stop(struct supervisor *sup, const struct asker *by)
{
    if (sup->state != BOARD_STOPPING) acts_note(sup, "stop", by);
    stop(sup);
}

/* ---- Signals and time. */

static void take_signal(struct supervisor *sup, const struct signalfd_siginfo *info)
{
    struct asker by = asker_of_signal(sup, info);
    switch (info->ssi_signo) {
    case SIGHUP: reload_request(sup, NULL, &by); break;
    case SIGTERM:
        if (sup->state < BOARD_DRAINING) {
            supervisor_drain(sup, &by);
        } else {
            supervisor_stop(sup, &by);
        }
        break;
    case SIGINT: supervisor_stop(sup, &by); break;
    case SIGCHLD: children_reap(sup); break;
    default: break;
    }
}

static void on_signal(void *arg, unsigned ready)
{
    struct supervisor *sup = arg;
    struct signalfd_siginfo info;
    (void)ready;
    while (read(sup->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        take_signal(sup, &info);
}

static void watch_signals(struct supervisor *sup)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT, SIGCHLD};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(&set, numbers[i]);
    check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* as in children: what may grow no further says so */
    sup->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    check(sup->signal_fd >= 0);
    loop_watch_init(&sup->signals, sup->loop, sup->signal_fd, on_signal, sup);
    loop_watch_set(&sup->signals, LOOP_READ);
}

static void on_tick(void *arg)
{
    struct supervisor *sup = arg;
    if (sup->state < BOARD_STOPPING) {
        children_check_beats(sup);
        snapshots_look(sup);
    }
    if (sup->counters) children_check_counters(sup);
    if (sup->board) accounts_show(sup);
    if (sup->board && sup->config) snapshots_show(sup);
    ledger_link_again(sup);
    loop_timer_arm_ms(&sup->tick, SUPERVISOR_TICK_MS);
}

/* ---- The start. */

static bool make_shared(struct supervisor *sup)
{
    size_t segment = (stats_segment_bytes() + 4095) & ~(size_t)4095;
    if (!shared_create(&sup->stats_area, "moongate-metrics", segment * (sup->worker_count + 2)) ||
        !shared_create(&sup->board_area, "moongate-board", board_bytes(sup->child_count))) {
        supervisor_fail(sup, FINDING_OTHER_ERROR, "no shared memory: %s", strerror(errno));
        return false;
    }
    struct fault why;
    sup->counters = counters_shared_new(0, 0, &why);
    if (!sup->counters) {
        supervisor_fail(sup, FINDING_OTHER_ERROR, "%s", fault_message(&why));
        return false;
    }
    for (unsigned i = 0; i < sup->worker_count + 2; i++)
        sup->segments[i] = (char *)sup->stats_area.base + i * segment;
    sup->stats = stats_attach(sup->segments[sup->worker_count]);
    sup->board = sup->board_area.base;
    sup->board->worker_count = sup->worker_count;
    sup->board->ledger_slot = children_find(sup, "ledger")->slot;
    atomic_store(&sup->board->started_wall_ns, clock_wall_ns());
    set_state(sup, sup->state);
    struct slice version = slice_str(sup->parts.version);
    stats_set(sup->stats, stats_series(sup->stats, STATS_BUILD_INFO, &version), 1);
    if (registry_is_shared()) confirmed_begin(&sup->board->registry);
    return true;
}

static struct config *open_config(int fd)
{
    struct config *config = generation_read_config(fd);
    if (!config) return NULL;
    registry_use(config->registry_url, config->gateway); /* for who is forked from here */
    config_drop_secrets(config);
    return config;
}

/* Configuration and policies are good: take what must be had alone, then start the others. */
static void on_first_check(void *arg, struct check_result *result)
{
    struct supervisor *sup = arg;
    struct generation first = {.config_fd = -1, .bundle_fd = -1, .rules_fd = -1};
    struct fault why;
    sup->reload.checker = NULL;
    if (report_errors(result->report) + report_warnings(result->report) > 0) {
        sup->parts.on_report(sup->parts.arg, result->report);
    }
    if (sup->state != BOARD_STARTING) return;
    if (!result->is_good) {
        sup->exit_code = 1;
        stop(sup);
        return;
    }
    sup->config = open_config(result->config_fd);
    if (!sup->config) {
        supervisor_fail(sup, FINDING_OTHER_ERROR, "the configuration that the checker sent cannot be read");
        return;
    }
    sup->worker_count = sup->config->workers;
    children_init(sup);
    if (!files_claim(sup) || !make_shared(sup) || !control_open(sup)) return;
    generation_take(sup, &first, result);
    memcpy(first.config_digest, sup->config->settings->digest, sizeof first.config_digest);
    if (!generation_remember(sup, &first, &why)) {
        supervisor_fail(sup, FINDING_UNSIGNED, "%s", fault_message(&why));
        generation_clear(&first);
        return;
    }
    generation_accept(sup, &first);
    acts_started(sup);
    snapshots_request(sup, NULL);
}

void supervisor_is_ready(struct supervisor *sup)
{
    struct supervisor_started started = {
        .listen = sup->listen_text,
        .admin_listen = sup->admin_text,
        .data_dir = sup->data_dir,
        .policies_dir = sup->config->policies_dir.ptr,
        .digest = sup->current.digest,
        .workers = sup->worker_count,
        .policy_files = sup->current.policy_files,
        .start_ms = (unsigned)((clock_mono_ns() - sup->born_ns) / NS_PER_MS),
    };
    sup->has_started = true;
    set_state(sup, BOARD_READY);
    files_write_listen(sup);
    notify_send("READY=1");
    sup->parts.on_started(sup->parts.arg, &started);
}

static void raise_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static void supervisor_clear(struct supervisor *sup)
{
    children_clear(sup);
    reload_clear(sup);
    snapshots_clear(sup);
    jwks_clear(sup);
    acts_clear(sup);
    looks_clear(sup);
    control_close(sup);
    files_clear(sup);
    loop_timer_disarm(&sup->tick);
    loop_timer_disarm(&sup->phase_timer);
    loop_watch_set(&sup->signals, 0);
    close(sup->signal_fd);
    stats_detach(sup->stats);
    shared_close(&sup->stats_area);
    counters_shared_free(sup->counters);
    if (sup->board) access_tokens_wipe(&sup->board->access_tokens);
    shared_close(&sup->board_area);
    config_free(sup->config);
    loop_free(sup->loop);
}

int supervisor_run(const struct supervisor_parts *parts)
{
    struct supervisor *sup = mem_zalloc(1, sizeof *sup);
    struct check_job job = {.what = CHECK_CONFIG, .config_path = parts->config_path, .may_serve_kept = true};
    log_init("supervisor");
    child_guard_memory();
    raise_limits();
    sup->parts = *parts;
    sup->born_ns = clock_mono_ns();
    sup->lock_fd = -1;
    sup->loop = loop_new();
    reload_init(sup);
    snapshots_init(sup);
    acts_init(sup);
    looks_init(sup);
    watch_signals(sup);
    loop_timer_init(&sup->tick, sup->loop, on_tick, sup);
    loop_timer_init(&sup->phase_timer, sup->loop, on_phase_over, sup);
    on_tick(sup);
    policy_warm();
    sup->reload.checker = checker_start(sup->loop, &job, on_first_check, sup);
    loop_run(sup->loop);
    int exit_code = sup->exit_code;
    supervisor_clear(sup);
    mem_free(sup);
    return exit_code;
}
