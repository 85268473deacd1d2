#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/admin_process.h"
#include "server/child.h"
#include "server/control.h"
#include "server/ledger_process.h"
#include "server/supervisor_inner.h"
#include "server/worker.h"

#define BACKOFF_FIRST_MS 100u
#define BACKOFF_LAST_MS 10000u
/* A child that lived this long is replaced at once: its death says little about the next one's chances. */
#define BACKOFF_FORGET_NS (10 * NS_PER_S)

static struct board_slot *slot_of(const struct child *c)
{
    return &c->sup->board->slots[c->slot];
}

void child_set_state(struct child *c, enum board_slot_state state)
{
    c->state = state;
    atomic_store(&slot_of(c)->state, state);
}

/* ---- Speaking. */

static bool is_listening(const struct child *c)
{
    return c->pipe && !pipe_has_ended(c->pipe);
}

/* It takes no orders any more: better a new one. */
static void give_up(const struct child *c, const struct fault *why)
{
    log_event(LOG_ERROR, "control_failed", "%s: %s", c->name, fault_message(why));
    kill(c->pid, SIGKILL);
}

void child_send(struct child *c, uint8_t order, struct slice body, int fd)
{
    struct fault why;
    if (is_listening(c) && !pipe_send(c->pipe, order, body, fd, &why)) give_up(c, &why);
}

void child_give(struct child *c, uint8_t order, struct slice body, int fd)
{
    struct fault why;
    if (!is_listening(c))
        close(fd);
    else if (!pipe_give(c->pipe, order, body, fd, &why))
        give_up(c, &why);
}

void children_send(struct supervisor *sup, uint8_t order, struct slice body, int fd)
{
    for (unsigned i = 0; i < sup->worker_count; i++)
        child_send(&sup->children[i], order, body, fd);
}

void child_flush(struct child *c)
{
    if (is_listening(c)) pipe_flush(c->pipe);
}

void child_send_generation(struct child *c, const struct generation *g)
{
    struct control_generation body = {g->number};
    child_send(c, CONTROL_CONFIG, SLICE_NONE, g->config_fd);
    child_send(c, CONTROL_PREPARE, slice_of((const char *)&body, sizeof body), g->bundle_fd);
}

static void on_message(void *arg, const struct pipe_message *message)
{
    struct child *c = arg;
    c->kind->on_message(c, message);
    if (message->fd >= 0) close(message->fd);
}

static const struct pipe_events events = {.on_message = on_message};

/* ---- Starting. */

static bool fork_child(struct child *c)
{
    struct fault why;
    int fds[2];
    if (!pipe_pair(fds, &why)) {
        log_event(LOG_ERROR, "start_failed", "%s: %s", c->name, fault_message(&why));
        return false;
    }
    pid_t pid = child_fork(c->name, (int[]){fds[1], c->listen_fd}, 2);
    if (pid == 0) child_forget_environment();
    if (pid == 0) c->kind->run(c, fds[1]);
    close(fds[1]);
    if (pid < 0) {
        log_event(LOG_ERROR, "start_failed", "%s: %s", c->name, strerror(errno));
        close(fds[0]);
        return false;
    }
    c->pid = pid;
    c->pipe = pipe_new(c->sup->loop, fds[0], LIMIT_PIPE_QUEUE_BYTES, &events, c);
    return true;
}

static void plan_restart(struct child *c)
{
    uint64_t wait_ms = 0;
    if (c->failures > 0) {
        unsigned doublings = c->failures - 1 < 10 ? c->failures - 1 : 10;
        wait_ms = BACKOFF_FIRST_MS << doublings;
        if (wait_ms > BACKOFF_LAST_MS) wait_ms = BACKOFF_LAST_MS;
    }
    loop_timer_arm_ms(&c->restart, wait_ms);
}

/* While workers drain they may hold what only the ledger takes. */
static bool is_wanted(const struct child *c)
{
    const struct supervisor *sup = c->sup;
    return sup->state < BOARD_DRAINING || (c->kind->serves_workers && children_alive(sup, true) > 0);
}

static void child_start(struct child *c)
{
    struct supervisor *sup = c->sup;
    if (c->pid || !is_wanted(c)) return;
    if (c->kind->has_generations && reload_holds_starts(sup)) return; /* children_start_missing() comes after it */
    c->born_ns = clock_mono_ns();
    c->silent_ticks = 0;
    c->is_hung = false;
    if (!fork_child(c)) {
        c->failures++;
        plan_restart(c);
        return;
    }
    atomic_store(&slot_of(c)->pid, c->pid);
    log_event(LOG_DEBUG, "started", "%s: process %d", c->name, (int)c->pid);
    c->kind->on_started(c);
}

static void on_restart(void *arg)
{
    struct child *c = arg;
    child_start(c);
    if (c->sup->has_started) files_write_listen(c->sup);
}

/* ---- The kinds. */

_Noreturn static void run_worker(struct child *c, int control_fd)
{
    struct worker_parts parts = {
        .control_fd = control_fd,
        .listen_fd = c->listen_fd,
        .slot = slot_of(c),
        .segment = c->sup->segments[c->slot],
        .counters = c->sup->counters,
        .post = &c->sup->board->counters,
        .breakers = &c->sup->board->breakers,
        .switches = &c->sup->board->switches,
        .confirmed = &c->sup->board->registry,
        .access_tokens = &c->sup->board->access_tokens,
        .owned = &c->sup->board->owned,
        .workers = c->sup->worker_count,
    };
    exit(worker_run(&parts));
}

_Noreturn static void run_admin(struct child *c, int control_fd)
{
    struct supervisor *sup = c->sup;
    struct admin_parts parts = {
        .host = sup->config->admin_host,
        .listen_fd = c->listen_fd,
        .board = sup->board,
        .segments = sup->segments,
        .segment_count = sup->worker_count + 2,
        .data_dir = sup->data_dir,
        .access_tokens = &sup->board->access_tokens,
        .api.switches = &sup->board->switches,
        .confirmed = &sup->board->registry,
        .api.data_dir = sup->data_dir,
    };
    exit(admin_process_run(control_fd, &parts, &slot_of(c)->beat));
}

_Noreturn static void run_ledger(struct child *c, int control_fd)
{
    struct supervisor *sup = c->sup;
    struct ledger_process_parts parts = {
        .control_fd = control_fd,
        .version = sup->parts.version,
        .slot = slot_of(c),
        .board = &sup->board->ledger,
        .segment = sup->segments[sup->worker_count + 1],
        .counters = sup->counters,
        .post = &sup->board->counters,
        .breakers = &sup->board->breakers,
    };
    exit(ledger_process_run(&parts));
}

static unsigned count_workers(const struct supervisor *sup)
{
    return sup->worker_count;
}

static unsigned count_one(const struct supervisor *sup)
{
    return sup->worker_count ? 1 : 0; /* before the configuration is read there is nobody */
}

/* Just started, outside of a reload: it is brought to what is in force; reloads wait for it. */
static void on_worker_started(struct child *c)
{
    child_set_state(c, BOARD_SLOT_STARTING);
    snapshots_send(c);
    jwks_send_held(c);
    ledger_link_worker(c);
    child_send_generation(c, &c->sup->current);
}

static void on_admin_started(struct child *c)
{
    child_set_state(c, BOARD_SLOT_READY);
    jwks_send_sources(c->sup);
    accounts_send(c->sup);
    generation_send_rules(c->sup);
}

static void on_worker_message(struct child *c, const struct pipe_message *message)
{
    if (message->type == REPORT_PREPARED) reload_on_prepared(c, message);
    if (message->type == REPORT_COMMITTED) reload_on_committed(c, message);
    if (message->type == REPORT_SECTIONS_WANTED) snapshots_send(c);
    if (message->type == REPORT_SECTION_REFUSED) snapshots_on_refused(c, message->body);
    if (message->type == REPORT_JWKS_WANTED) jwks_on_wanted(c, message);
    if (message->type == REPORT_LEDGER_WANTED) ledger_link_worker(c);
}

static void on_admin_message(struct child *c, const struct pipe_message *message)
{
    if (message->type == REPORT_JWKS) jwks_on_outcome(c, message);
    if (message->type == REPORT_REGISTRY_CHANGED) snapshots_request(c->sup, NULL);
    if (message->type == REPORT_ACCESS_TOKEN) accounts_on_access_token(c, message);
}

/* Workers stand first: their slot is their number. */
static const struct child_kind kinds[] = {
    {.name = "worker",
     .count = count_workers,
     .run = run_worker,
     .on_started = on_worker_started,
     .on_message = on_worker_message,
     .silence_ms = LIMIT_HEARTBEAT_MS,
     .is_numbered = true,
     .has_generations = true},
    {.name = "admin",
     .count = count_one,
     .run = run_admin,
     .on_started = on_admin_started,
     .on_message = on_admin_message,
     .silence_ms = LIMIT_LEDGER_HEARTBEAT_MS}, /* it commits changes of the registry to the same disk */
    {.name = "ledger",
     .count = count_one,
     .run = run_ledger,
     .on_started = ledger_on_started,
     .on_message = ledger_on_message,
     .silence_ms = LIMIT_LEDGER_HEARTBEAT_MS,
     .is_first = true,
     .serves_workers = true},
};
#define KINDS (sizeof kinds / sizeof kinds[0])
_Static_assert(KINDS - 1 <= SUPERVISOR_OTHERS_MAX, "each kind but the workers has one process");

static void add_child(struct supervisor *sup, const struct child_kind *kind, unsigned number)
{
    struct child *c = &sup->children[sup->child_count];
    *c = (struct child){.sup = sup, .kind = kind, .slot = sup->child_count++, .listen_fd = -1};
    if (kind->is_numbered)
        snprintf(c->name, sizeof c->name, "%s %u", kind->name, number);
    else
        snprintf(c->name, sizeof c->name, "%s", kind->name);
    loop_timer_init(&c->restart, sup->loop, on_restart, c);
}

void children_init(struct supervisor *sup)
{
    sup->child_count = 0;
    for (size_t k = 0; k < KINDS; k++) {
        unsigned count = kinds[k].count(sup);
        for (unsigned number = 0; number < count; number++)
            add_child(sup, &kinds[k], number);
    }
}

struct child *children_find(struct supervisor *sup, const char *kind)
{
    for (unsigned i = 0; i < sup->child_count; i++) {
        if (strcmp(sup->children[i].kind->name, kind) == 0) return &sup->children[i];
    }
    return NULL;
}

struct child *children_running(struct supervisor *sup, const char *kind)
{
    struct child *c = children_find(sup, kind);
    return c && c->pid ? c : NULL;
}

static void start_those(struct supervisor *sup, bool is_first)
{
    for (unsigned i = 0; i < sup->child_count; i++) {
        if (sup->children[i].kind->is_first == is_first) child_start(&sup->children[i]);
    }
}

void children_start(struct supervisor *sup)
{
    start_those(sup, true);
}

void children_start_rest(struct supervisor *sup)
{
    start_those(sup, false);
}

void children_start_missing(struct supervisor *sup)
{
    for (unsigned i = 0; i < sup->child_count; i++) {
        struct child *c = &sup->children[i];
        if (!c->pid && !loop_timer_is_armed(&c->restart)) plan_restart(c);
    }
}

/* ---- Ending. */

static void say_how(const struct child *c, int status, char *text, size_t size)
{
    if (c->is_hung) {
        snprintf(text, size, "gave no sign of life for %u ms and was killed", c->kind->silence_ms);
    } else if (WIFSIGNALED(status)) {
        snprintf(text, size, "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(text, size, "ended with exit code %d", WEXITSTATUS(status));
    }
}

static void note_restart(struct child *c)
{
    struct supervisor *sup = c->sup;
    atomic_fetch_add(&slot_of(c)->restarts, 1);
    if (c->kind->has_generations) stats_add(sup->stats, stats_series(sup->stats, STATS_WORKER_RESTARTS, NULL), 1);
    c->failures = clock_mono_ns() - c->born_ns >= BACKOFF_FORGET_NS ? 0 : c->failures + 1;
    plan_restart(c);
}

static void child_gone(struct child *c, int status)
{
    struct supervisor *sup = c->sup;
    char how[128];
    pid_t pid = c->pid;
    say_how(c, status, how, sizeof how);
    c->pid = 0;
    pipe_free(c->pipe);
    c->pipe = NULL;
    atomic_store(&slot_of(c)->pid, 0);
    child_set_state(c, BOARD_SLOT_DOWN);
    if (!is_wanted(c)) {
        if (status != 0) log_event(LOG_WARN, "child_lost", "%s (process %d) %s", c->name, (int)pid, how);
        supervisor_child_left(sup);
        return;
    }
    log_event(LOG_ERROR, "child_lost", "%s (process %d) %s; it is being replaced", c->name, (int)pid, how);
    if ((c->kind->has_generations || c->kind->is_first) && !sup->has_started) {
        supervisor_fail(sup, FINDING_OTHER_ERROR, "%s %s before it was ready", c->name, how);
        return;
    }
    note_restart(c);
    if (c->kind->has_generations) reload_on_child_gone(c);
}

void children_reap(struct supervisor *sup)
{
    for (unsigned i = 0; i < sup->child_count; i++) {
        struct child *c = &sup->children[i];
        int status;
        if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid) child_gone(c, status);
    }
}

void children_check_beats(struct supervisor *sup)
{
    for (unsigned i = 0; i < sup->child_count; i++) {
        struct child *c = &sup->children[i];
        if (!c->pid) continue;
        uint64_t beat = atomic_load_explicit(&slot_of(c)->beat, memory_order_relaxed);
        c->silent_ticks = beat == c->beat_seen ? c->silent_ticks + 1 : 0;
        c->beat_seen = beat;
        if (c->silent_ticks <= c->kind->silence_ms / SUPERVISOR_TICK_MS || c->is_hung) continue;
        c->is_hung = true;
        kill(c->pid, SIGKILL); /* reaches a stopped process too */
    }
}

void children_check_counters(struct supervisor *sup)
{
    uint64_t since_ns;
    pid_t holder = counters_shared_holder(sup->counters, &since_ns);
    if (!holder || clock_mono_ns() - since_ns < LIMIT_COUNTERS_HELD_MS * NS_PER_MS) return;
    for (unsigned i = 0; i < sup->child_count; i++) {
        struct child *c = &sup->children[i];
        if (c->pid != holder || c->is_hung) continue;
        log_event(LOG_ERROR, "counters_held", "%s keeps all others out of the counters, and is killed", c->name);
        c->is_hung = true;
        kill(c->pid, SIGKILL);
    }
}

void children_kill(struct supervisor *sup, bool has_generations)
{
    for (unsigned i = 0; i < sup->child_count; i++) {
        struct child *c = &sup->children[i];
        if (c->pid && c->kind->has_generations == has_generations) kill(c->pid, SIGKILL);
    }
}

unsigned children_alive(const struct supervisor *sup, bool has_generations)
{
    unsigned alive = 0;
    for (unsigned i = 0; i < sup->child_count; i++) {
        if (sup->children[i].pid && sup->children[i].kind->has_generations == has_generations) alive++;
    }
    return alive;
}

unsigned children_in_state(const struct supervisor *sup, enum board_slot_state state)
{
    unsigned count = 0;
    for (unsigned i = 0; i < sup->worker_count; i++)
        count += sup->children[i].state == state;
    return count;
}

void children_close_listeners(struct supervisor *sup)
{
    for (unsigned i = 0; i < sup->worker_count; i++) {
        if (sup->children[i].listen_fd >= 0) close(sup->children[i].listen_fd);
        sup->children[i].listen_fd = -1;
    }
}

void children_clear(struct supervisor *sup)
{
    for (unsigned i = 0; i < sup->child_count; i++) {
        struct child *c = &sup->children[i];
        loop_timer_disarm(&c->restart);
        if (c->pipe) pipe_free(c->pipe);
        c->pipe = NULL;
        if (c->pid) waitpid(c->pid, NULL, 0); /* was killed */
    }
    children_close_listeners(sup);
    struct child *admin = children_find(sup, "admin");
    if (admin && admin->listen_fd >= 0) close(admin->listen_fd);
}
