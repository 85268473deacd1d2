#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/accepted.h"
#include "server/control.h"
#include "server/notify.h"
#include "server/supervisor_inner.h"

/* ---- Generations. */

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void generation_clear(struct generation *g)
{
    close_fd(&g->config_fd);
    close_fd(&g->bundle_fd);
    close_fd(&g->rules_fd);
    mem_free(g->jwks_sources);
    *g = (struct generation){.config_fd = -1, .bundle_fd = -1, .rules_fd = -1};
}

void generation_take(struct supervisor *sup, struct generation *next, struct check_result *result)
{
    generation_clear(next);
    next->number = sup->current.number + 1;
    next->config_fd = result->config_fd;
    next->bundle_fd = result->bundle_fd;
    next->rules_fd = result->rules_fd;
    next->policy_files = result->policy_files;
    next->accept_serial = result->accept_serial;
    next->accept_at_s = result->accept_at_s;
    next->jwks_sources = result->jwks_sources;
    result->jwks_sources = NULL;
    memcpy(next->digest, result->digest, sizeof next->digest);
    result->config_fd = result->bundle_fd = result->rules_fd = -1;
}

static void set_gauge(struct supervisor *sup, enum stats_metric metric, const char *label, int64_t value)
{
    struct slice text = slice_str(label);
    stats_set(sup->stats, stats_series(sup->stats, metric, label ? &text : NULL), value);
}

bool generation_remember(struct supervisor *sup, const struct generation *next, struct fault *why)
{
    struct accepted last, accepted = {.serial = next->accept_serial, .at_s = next->accept_at_s};
    if (next->accept_serial == 0) return true;
    if (!accepted_read(sup->data_dir, &last, why)) return false;
    accepted.highest = last.highest;
    memcpy(accepted.digest, next->digest, sizeof accepted.digest);
    return accepted_write(sup->data_dir, &accepted, why);
}

void generation_send_rules(struct supervisor *sup)
{
    struct child *admin = sup->worker_count ? children_running(sup, "admin") : NULL;
    if (admin && sup->current.rules_fd >= 0) child_send(admin, CONTROL_RULES, SLICE_NONE, sup->current.rules_fd);
    if (admin && sup->current.bundle_fd >= 0) child_send(admin, CONTROL_POLICIES, SLICE_NONE, sup->current.bundle_fd);
}

void generation_accept(struct supervisor *sup, struct generation *next)
{
    if (sup->current.digest[0]) set_gauge(sup, STATS_POLICY_INFO, sup->current.digest, 0);
    generation_clear(&sup->current);
    sup->current = *next;
    *next = (struct generation){.config_fd = -1, .bundle_fd = -1, .rules_fd = -1};
    uint64_t now = clock_wall_ns();
    shared_text_set(&sup->board->digest, sup->current.digest);
    shared_text_set(&sup->board->reload_error, "");
    atomic_store(&sup->board->generation, sup->current.number);
    atomic_store(&sup->board->reloaded_wall_ns, now);
    set_gauge(sup, STATS_POLICY_INFO, sup->current.digest, 1);
    set_gauge(sup, STATS_POLICY_RELOAD_OK, NULL, 1);
    set_gauge(sup, STATS_POLICY_LOADED_AT, NULL, (int64_t)(now / NS_PER_S));
    jwks_on_accepted(sup);
    accounts_on_accepted(sup);
    generation_send_rules(sup);
    ledger_on_accepted(sup);
}

/* ---- The answer. */

static json_t *answer_of(struct supervisor *sup, bool is_good)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "ok", json_boolean(is_good));
    if (!is_good) json_object_set_new(answer, "error", json_string("rejected"));
    json_object_set_new(answer, "generation", json_integer((json_int_t)sup->current.number));
    json_object_set_new(answer, "policies", json_string(sup->current.digest));
    json_object_set_new(answer, "config", json_string(sup->current.config_digest));
    json_object_set_new(answer, "workers", json_integer(children_in_state(sup, BOARD_SLOT_READY)));
    json_object_set(answer, "report", report_json(sup->reload.report));
    return answer;
}

static void note_refused(struct supervisor *sup)
{
    struct buf first;
    buf_init(&first);
    report_first_line(sup->reload.report, &first);
    buf_append_char(&first, '\0');
    log_event(LOG_ERROR, "reload_refused", "%s (%zu errors); generation %llu stays in force", buf_ptr(&first),
              report_errors(sup->reload.report), (unsigned long long)sup->current.number);
    shared_text_set(&sup->board->reload_error, buf_ptr(&first));
    atomic_store(&sup->board->reloaded_wall_ns, clock_wall_ns());
    set_gauge(sup, STATS_POLICY_RELOAD_OK, NULL, 0);
    stats_add(sup->stats, stats_series(sup->stats, STATS_POLICY_RELOAD_FAILED, NULL), 1);
    buf_clear(&first);
}

static void reload_begin(struct supervisor *sup);

static void finish(struct supervisor *sup, bool is_good)
{
    struct reload *r = &sup->reload;
    if (is_good) {
        log_event(LOG_INFO, "reloaded", "generation %llu, policies %.12s, configuration %.12s",
                  (unsigned long long)sup->current.number, sup->current.digest, sup->current.config_digest);
    } else {
        note_refused(sup);
    }
    acts_reloaded(sup, is_good);
    r->rollback_serial = 0;
    r->askers = r->next_askers;
    r->next_askers = (struct askers){.count = 0};
    bool is_again = waiters_answer(&r->waiters, answer_of(sup, is_good));
    r->phase = RELOAD_IDLE;
    generation_clear(&r->next);
    report_free(r->report);
    r->report = NULL;
    children_start_missing(sup);
    if (sup->state == BOARD_READY) notify_send("READY=1");
    files_write_listen(sup);
    if (is_again) reload_begin(sup);
}

/* ---- What may not change while it runs. */

static void compare(struct report *report, const char *field, struct slice now, struct slice then)
{
    if (slice_equal(now, then)) return;
    report_say(report, FINDING_NEEDS_RESTART,
               "`%s` changed from %.*s to %.*s: needs restart (everything else in moongate.lua acts at once)", field,
               SLICE_FMT(now), SLICE_FMT(then));
}

struct config *generation_read_config(int fd)
{
    struct slice bytes;
    struct fault why;
    if (!pipe_memfd_map(fd, LIMIT_PIPE_QUEUE_BYTES, &bytes, &why)) return NULL;
    struct config *config = config_unpack(bytes);
    pipe_memfd_unmap(bytes);
    return config;
}

/* It is a secret, which neither is told of. */
static void compare_redis(struct supervisor *sup, const struct config *next)
{
    struct config *now = generation_read_config(sup->current.config_fd);
    if (now && !slice_equal(now->redis_url, next->redis_url))
        report_say(sup->reload.report, FINDING_NEEDS_RESTART,
                   "`redis.url` changed: needs restart (everything else in moongate.lua acts at once)");
    config_free(now);
}

static void compare_registry(struct supervisor *sup, const struct config *next)
{
    struct config *now = generation_read_config(sup->current.config_fd);
    if (now && !slice_equal(now->registry_url, next->registry_url))
        report_say(sup->reload.report, FINDING_NEEDS_RESTART,
                   "`registry.url` changed: needs restart (everything else in moongate.lua acts at once)");
    config_free(now);
}

static bool may_change(struct supervisor *sup, const struct config *next)
{
    const struct config *now = sup->config;
    struct report *report = sup->reload.report;
    size_t before = report_errors(report);
    compare(report, "listen", now->listen, next->listen);
    compare(report, "admin.listen", now->admin_listen, next->admin_listen);
    compare(report, "admin.host", now->admin_host, next->admin_host);
    compare(report, "ledger.gateway", now->gateway, next->gateway);
    compare(report, "billing.timezone", now->billing_zone, next->billing_zone);
    compare_redis(sup, next);
    compare_registry(sup, next);
    compare(report, "data", now->settings->data_dir, next->settings->data_dir);
    if (now->workers != next->workers) {
        report_say(report, FINDING_NEEDS_RESTART,
                   "`workers` changed from %u to %u: needs restart (everything else in moongate.lua acts at once)",
                   now->workers, next->workers);
    }
    return report_errors(report) == before;
}

/* ---- Prepare, then commit or drop. */

static void await(struct reload *r, struct child *c)
{
    r->awaited++;
    c->is_awaited = true;
}

/* True when that was the last one. */
static bool is_last_answer(struct reload *r, struct child *c)
{
    if (!c->is_awaited) return false;
    c->is_awaited = false;
    return --r->awaited == 0;
}

static void commit(struct supervisor *sup)
{
    struct reload *r = &sup->reload;
    struct control_generation body = {r->next.number};
    struct config *config = generation_read_config(r->next.config_fd);
    if (config) {
        config_drop_secrets(config);
        config_free(sup->config);
        sup->config = config;
    }
    generation_accept(sup, &r->next);
    r->phase = RELOAD_COMMITTING;
    r->awaited = 0;
    for (unsigned i = 0; i < sup->worker_count; i++) {
        struct child *c = &sup->children[i];
        if (c->state != BOARD_SLOT_READY) continue;
        await(r, c);
        child_send(c, CONTROL_COMMIT, slice_of((const char *)&body, sizeof body), -1);
    }
    if (r->awaited == 0) finish(sup, true);
}

static void decide(struct supervisor *sup)
{
    struct reload *r = &sup->reload;
    struct control_generation body = {r->next.number};
    struct fault why;
    if (report_errors(r->report) == 0 && !generation_remember(sup, &r->next, &why))
        report_say(r->report, FINDING_UNSIGNED, "%s", fault_message(&why));
    if (report_errors(r->report) == 0) {
        commit(sup);
        return;
    }
    children_send(sup, CONTROL_DROP, slice_of((const char *)&body, sizeof body), -1);
    finish(sup, false);
}

static void prepare(struct supervisor *sup)
{
    struct reload *r = &sup->reload;
    r->phase = RELOAD_PREPARING;
    r->awaited = 0;
    for (unsigned i = 0; i < sup->worker_count; i++) {
        struct child *c = &sup->children[i];
        if (c->state != BOARD_SLOT_READY) continue;
        await(r, c);
        child_send_generation(c, &r->next);
    }
    if (r->awaited == 0) decide(sup);
}

static void prepare_when_settled(struct supervisor *sup)
{
    sup->reload.phase = RELOAD_WAITING;
    if (children_in_state(sup, BOARD_SLOT_STARTING) == 0) prepare(sup);
}

static void on_checked(void *arg, struct check_result *result)
{
    struct supervisor *sup = arg;
    struct reload *r = &sup->reload;
    struct config *next;
    r->checker = NULL;
    report_free(r->report);
    r->report = result->report;
    result->report = NULL;
    if (!result->is_good) {
        finish(sup, false);
        return;
    }
    generation_take(sup, &r->next, result);
    next = generation_read_config(r->next.config_fd);
    if (!next) report_say(r->report, FINDING_OTHER_ERROR, "the configuration that the checker sent cannot be read");
    bool is_good = next && may_change(sup, next);
    if (next) memcpy(r->next.config_digest, next->settings->digest, sizeof r->next.config_digest);
    config_free(next);
    if (is_good) {
        prepare_when_settled(sup);
    } else {
        finish(sup, false);
    }
}

static void reload_begin(struct supervisor *sup)
{
    struct check_job job = {.what = CHECK_CONFIG,
                            .config_path = sup->parts.config_path,
                            .kept_serial = sup->reload.rollback_serial,
                            .has_in_force = sup->current.bundle_fd >= 0,
                            .in_force_fd = sup->current.bundle_fd};
    struct reload *r = &sup->reload;
    notify_reloading();
    r->before.number = sup->current.number;
    memcpy(r->before.digest, sup->current.digest, sizeof r->before.digest);
    memcpy(r->before.config_digest, sup->current.config_digest, sizeof r->before.config_digest);
    r->phase = RELOAD_CHECKING;
    r->report = report_new();
    r->checker = checker_start(sup->loop, &job, on_checked, sup);
}

void reload_request(struct supervisor *sup, struct line_peer *peer, const struct asker *by)
{
    struct reload *r = &sup->reload;
    if (sup->state != BOARD_READY) {
        log_event(LOG_WARN, "reload_refused", "the gateway is %s", board_state_name(sup->state));
        acts_reload_refused(sup, by);
        if (peer) control_answer(peer, json_pack("{s:b, s:s}", "ok", 0, "error", "the gateway is not ready"));
        return;
    }
    ledger_reopen(sup);
    snapshots_request(sup, NULL);
    /* However many ask while one runs, one more sees everything that they could have changed. */
    waiters_add(&r->waiters, r->phase != RELOAD_IDLE, peer);
    askers_add(r->phase == RELOAD_IDLE ? &r->askers : &r->next_askers, by);
    if (r->phase == RELOAD_IDLE) reload_begin(sup);
}

bool reload_roll_back(struct supervisor *sup, struct line_peer *peer, const struct asker *by, uint64_t serial)
{
    if (sup->state != BOARD_READY || sup->reload.phase != RELOAD_IDLE) return false;
    sup->reload.rollback_serial = serial;
    reload_request(sup, peer, by);
    return true;
}

/* ---- What workers say. */

/* A worker that was just started holds the generation in force: let it begin. */
static void begin_worker(struct child *c, bool is_good, struct slice report)
{
    struct control_generation body = {c->sup->current.number};
    if (is_good) {
        child_send(c, CONTROL_COMMIT, slice_of((const char *)&body, sizeof body), -1);
        return;
    }
    struct report *r = report_new();
    struct buf first;
    buf_init(&first);
    report_merge(r, report);
    report_first_line(r, &first);
    buf_append_char(&first, '\0');
    log_event(LOG_ERROR, "worker_refused", "%s: %s", c->name, buf_ptr(&first));
    if (!c->sup->has_started) supervisor_fail(c->sup, report_first(r), "%s: %s", c->name, buf_ptr(&first));
    buf_clear(&first);
    report_free(r);
    kill(c->pid, SIGKILL); /* it can do nothing as it is; the next one is tried after a pause */
}

void reload_on_prepared(struct child *c, const struct pipe_message *message)
{
    struct reload *r = &c->sup->reload;
    struct control_prepared prepared;
    if (message->body.len < sizeof prepared) return;
    memcpy(&prepared, message->body.ptr, sizeof prepared);
    struct slice report = slice_of(message->body.ptr + sizeof prepared, message->body.len - sizeof prepared);
    if (c->state == BOARD_SLOT_STARTING) {
        begin_worker(c, prepared.is_good, report);
        return;
    }
    if (r->phase != RELOAD_PREPARING || prepared.number != r->next.number) return;
    /* All workers load the same bytes: what the first says of them is enough. */
    if (!prepared.is_good && report_errors(r->report) == 0) report_merge(r->report, report);
    if (is_last_answer(r, c)) decide(c->sup);
}

void reload_on_committed(struct child *c, const struct pipe_message *message)
{
    struct supervisor *sup = c->sup;
    (void)message;
    if (c->state == BOARD_SLOT_STARTING) {
        child_set_state(c, BOARD_SLOT_READY);
        /* It may have been told to end meanwhile. */
        if (sup->state == BOARD_STARTING && children_in_state(sup, BOARD_SLOT_READY) == sup->worker_count) {
            supervisor_is_ready(sup);
        }
        reload_on_child_ready(sup);
        return;
    }
    if (sup->reload.phase == RELOAD_COMMITTING && is_last_answer(&sup->reload, c)) finish(sup, true);
}

void reload_on_child_ready(struct supervisor *sup)
{
    if (sup->reload.phase == RELOAD_WAITING) prepare_when_settled(sup);
}

void reload_on_child_gone(struct child *c)
{
    struct supervisor *sup = c->sup;
    struct reload *r = &sup->reload;
    if (r->phase == RELOAD_WAITING) prepare_when_settled(sup);
    if (r->phase == RELOAD_PREPARING && c->is_awaited) {
        report_say(r->report, FINDING_CHECK_DIED, "%s died while it loaded them", c->name);
        if (is_last_answer(r, c)) decide(sup);
    } else if (r->phase == RELOAD_COMMITTING && is_last_answer(r, c)) {
        finish(sup, true);
    }
}

bool reload_holds_starts(const struct supervisor *sup)
{
    return sup->reload.phase == RELOAD_PREPARING || sup->reload.phase == RELOAD_COMMITTING;
}

void reload_init(struct supervisor *sup)
{
    sup->reload.next = sup->current = (struct generation){.config_fd = -1, .bundle_fd = -1, .rules_fd = -1};
}

void reload_clear(struct supervisor *sup)
{
    checker_cancel(sup->reload.checker);
    report_free(sup->reload.report);
    generation_clear(&sup->reload.next);
    generation_clear(&sup->current);
}
