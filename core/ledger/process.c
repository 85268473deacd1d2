#include "ledger/process.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/abandoned.h"
#include "ledger/alerts.h"
#include "ledger/anchors.h"
#include "ledger/answering.h"
#include "ledger/changes.h"
#include "ledger/charging.h"
#include "ledger/commit.h"
#include "ledger/copy.h"
#include "ledger/files.h"
#include "ledger/fleet.h"
#include "ledger/gauges.h"
#include "ledger/import.h"
#include "ledger/session/session.h"
#include "ledger/upkeep.h"
#include "ledger/workers.h"
#include "net/loop.h"
#include "store/anchor/anchor.h"
#include "store/ledger/follow.h"

#define TICK_MS 1000u

struct process {
    struct loop *loop;
    const struct process_events *events;
    void *arg;
    struct gauges *gauges;
    char *version, *data_dir, *gateway, *zone, *copy_path; /* copy_path: NULL: none */
    struct anchors *anchors;
    struct files files; /* its ledger is NULL: it is still to be opened */
    struct commit *commit;
    struct charging *charging;
    struct session *session; /* NULL: this gateway counts alone */
    struct alerts *alerts;
    struct changes *changes;
    struct upkeep *upkeep; /* NULL as the ledger is */
    uint64_t retain_ms, retain_texts_ms;
    struct copy *copy;     /* NULL: none */
    struct fleet *fleet;
    char ship_why[FAULT_TEXT_BYTES];
    struct import *import; /* NULL: none, or over */
    struct loop_work importing;
    struct workers *workers;
    struct loop_timer opening, claiming, tick, giving_up;
    struct link_state state;
    char why[FAULT_TEXT_BYTES];
    bool is_committing;
    bool is_remote_awaited; /* of what is queued or being committed, something is waited for until it is shipped */
    bool is_leaving, is_last, has_ended; /* is_last: the last entry is on its way */
};

/* ---- What others are told. */

static void tell_state(struct process *p)
{
    struct process_state state = {.is_failing = p->state.is_failing,
                                  .why = p->why,
                                  .copy_why = p->copy ? copy_why(p->copy) : "",
                                  .ship_why = p->ship_why,
                                  .witness_why = anchors_why(p->anchors),
                                  .is_committing = p->is_committing,
                                  .waiting = commit_waiting(p->commit)};
    p->events->on_state(p->arg, &state);
}

static void set_failing(void *arg, bool is_failing, const char *why)
{
    struct process *p = arg;
    if (is_failing)
        log_event(LOG_ERROR, "ledger_failing", "nothing can be committed: %s", why);
    else
        log_event(LOG_INFO, "ledger_committing", "records are committed again");
    p->state.is_failing = is_failing;
    snprintf(p->why, sizeof p->why, "%s", why);
    gauges_failing(p->gauges, is_failing);
    workers_say(p->workers, &p->state, p->why);
    tell_state(p);
}

/* ---- Workers. */

static void on_entry(void *arg, struct link *link, const struct link_item *item)
{
    struct process *p = arg;
    commit_add(p->commit, &(struct commit_entry){.kind = (enum chain_kind)item->head.kind,
                                                 .link = link,
                                                 .number = item->head.number,
                                                 .id = item->head.kind == CHAIN_LOSS ? NULL : item->head.id,
                                                 .instance = link_instance(link),
                                                 .prompt = item->prompt,
                                                 .answer = item->answer,
                                                 .subject = item->subject,
                                                 .body = item->body});
    if (item->head.durability == DURABILITY_REMOTE) p->is_remote_awaited = true;
    if (item->head.kind == CHAIN_LOSS) gauges_lost(p->gauges, item->body);
    if (!workers_are_paused(p->workers) && commit_is_full(p->commit)) workers_pause(p->workers, true);
}

static void on_ask(void *arg, struct link *link, const struct link_ask *ask, const struct owned_key *keys)
{
    struct process *p = arg;
    answering_ask(p->files.ledger, link, ask, keys);
}

static void on_list(void *arg, struct link *link, const struct link_list *list, struct slice owner)
{
    struct process *p = arg;
    answering_list(p->files.ledger, link, list, owner);
}

static void leave_when_done(struct process *p);

static void on_gone(void *arg)
{
    struct process *p = arg;
    if (p->files.ledger && !loop_timer_is_armed(&p->claiming)) loop_timer_arm_ms(&p->claiming, LIMIT_LEDGER_CLAIM_MS);
    leave_when_done(p);
}

static const struct workers_events workers_events = {
    .on_entry = on_entry, .on_ask = on_ask, .on_list = on_list, .on_gone = on_gone};

void process_add_worker(struct process *p, uint32_t slot, pid_t pid, int fd)
{
    workers_add(p->workers, slot, pid, fd);
}

/* ---- Requests that were abandoned. */

/* True: some were found. */
static bool look_for_abandoned(struct process *p)
{
    struct fault why;
    unsigned found = abandoned_record(p->files.ledger, p->commit, workers_have, p->workers, &why);
    if (found == UINT_MAX) {
        log_event(LOG_ERROR, "abandoned_unread", "%s", fault_message(&why));
        return false;
    }
    if (found > 0)
        log_event(LOG_WARN, "abandoned", "%u requests of workers that died are recorded as abandoned", found);
    if (found >= LIMIT_LEDGER_SLICE) loop_timer_arm_ms(&p->claiming, LIMIT_LEDGER_RETRY_MS);
    return found > 0;
}

/* What the dead have sent may wait still: what it is charged is held until then. */
static bool is_behind(const struct process *p)
{
    return p->state.is_failing || commit_waiting(p->commit) > LIMIT_LEDGER_BATCH;
}

/* What the dead held can be told from what the living do. */
static bool is_clear(const struct process *p)
{
    return workers_are_known(p->workers) && files_are_alone(&p->files) && !is_behind(p);
}

static bool is_claimed(void *arg, uint64_t owner)
{
    struct process *p = arg;
    return !is_clear(p) || workers_have_owner(p->workers, owner);
}

static bool is_alone(void *arg)
{
    struct process *p = arg;
    return files_are_alone(&p->files);
}

static void on_claimed(void *arg, uint64_t seq, enum alerts_whose whose)
{
    struct process *p = arg;
    alerts_claimed(p->alerts, seq, whose);
}

static const struct session_events session_events = {is_claimed, is_alone, on_claimed};

static bool claim_notice(void *arg, const struct ledger_alert *alert, uint64_t seq)
{
    struct process *p = arg;
    return session_claim_notice(p->session, alert, seq);
}

static void on_claim_time(void *arg)
{
    struct process *p = arg;
    if (!is_clear(p)) {
        loop_timer_arm_ms(&p->claiming, LIMIT_LEDGER_CLAIM_MS);
        return;
    }
    if (!charging_claim(p->charging, workers_have_owner, p->workers))
        loop_timer_arm_ms(&p->claiming, LIMIT_LEDGER_CLAIM_MS);
    session_claim(p->session);
    look_for_abandoned(p);
}

/* ---- Commits. */

static void on_begin(void *arg)
{
    struct process *p = arg;
    p->is_committing = true;
    tell_state(p);
}

static void on_batch(void *arg, const struct commit_batch *batch)
{
    struct process *p = arg;
    uint8_t hash[CHAIN_HASH_BYTES];
    p->is_committing = false;
    gauges_batch(p->gauges, batch, p->files.ledger, commit_waiting(p->commit));
    if (workers_are_paused(p->workers) && !commit_is_full(p->commit)) workers_pause(p->workers, false);
    if (batch->entries) {
        charging_committed(p->charging);
        session_committed(p->session);
        alerts_committed(p->alerts);
        workers_acknowledge(p->workers, fleet_is_on(p->fleet) ? ledger_head(p->files.ledger, hash) : 0);
        changes_committed(p->changes);
        upkeep_put(p->upkeep);
        anchors_committed(p->anchors, batch->stored);
        if (p->copy) copy_follow(p->copy);
        fleet_committed(p->fleet, p->is_remote_awaited);
        p->is_remote_awaited = commit_waiting(p->commit) && p->is_remote_awaited;
        if (p->import) loop_work_add(&p->importing);
    }
    tell_state(p);
    leave_when_done(p);
}

static const struct commit_events commit_events = {on_begin, on_batch, set_failing};

/* ---- What PostgreSQL has. */

static void on_shipped(void *arg, uint64_t seq)
{
    struct process *p = arg;
    workers_shipped(p->workers, seq);
}

static void on_ship_state(void *arg, bool is_failing, const char *why)
{
    struct process *p = arg;
    p->state.is_remote_failing = is_failing;
    snprintf(p->ship_why, sizeof p->ship_why, "%s", why);
    workers_say(p->workers, &p->state, p->why);
    tell_state(p);
}

static const struct fleet_events fleet_events = {on_shipped, on_ship_state};

/* ---- Entries of its own. */

static void add_own(struct process *p, enum chain_kind kind)
{
    struct buf body;
    char now[CLOCK_TEXT_BYTES];
    clock_format(clock_wall_ns(), now);
    buf_init(&body);
    buf_printf(&body, "{\"gateway\":\"%s\",\"version\":\"%s\",\"time\":\"%s\",\"key\":\"%s\"}", p->gateway, p->version,
               now, anchor_key_public(p->files.key)->fingerprint);
    commit_add(p->commit, &(struct commit_entry){.kind = kind, .body = buf_slice(&body)});
    buf_clear(&body);
}

/* ---- Opening. */

static void set_copy(struct process *p)
{
    copy_free(p->copy);
    p->copy = p->copy_path ? copy_new(p->loop, p->files.ledger, p->copy_path) : NULL;
    if (!p->copy_path) copy_forget(p->files.ledger);
}

static void on_importing(void *arg)
{
    struct process *p = arg;
    if (!p->import || import_some(p->import)) return;
    import_free(p->import);
    p->import = NULL;
}

/* What an older version wrote, unless it is what the copy goes on with. */
static void begin_import(struct process *p)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/audit.jsonl", p->data_dir);
    if (p->copy_path && strcmp(path, p->copy_path) == 0) return;
    p->import = import_new(path, p->commit);
    if (p->import) loop_work_add(&p->importing);
}

static bool open_ledger(struct process *p, struct fault *why)
{
    struct ledger_options options = {.data_dir = p->data_dir, .zone = p->zone, .gateway = slice_str(p->gateway)};
    return files_open(&p->files, &options, p->anchors, why);
}

static void on_opening(void *arg)
{
    struct process *p = arg;
    struct fault why;
    if (!open_ledger(p, &why)) {
        if (strcmp(p->why, fault_message(&why)) != 0) set_failing(p, true, fault_message(&why));
        p->events->on_shut(p->arg, fault_message(&why));
        loop_timer_arm_ms(&p->opening, TICK_MS);
        return;
    }
    if (p->state.is_failing) set_failing(p, false, "");
    p->upkeep = upkeep_new(p->loop, p->files.ledger, p->commit);
    upkeep_retain(p->upkeep, p->retain_ms, p->retain_texts_ms);
    add_own(p, CHAIN_START);
    charging_open(p->charging, p->files.ledger);
    session_open(p->session, p->files.ledger);
    alerts_open(p->alerts, p->files.ledger);
    commit_open(p->commit, p->files.ledger, p->files.texts);
    changes_open(p->changes, p->files.texts);
    changes_look(p->changes);
    set_copy(p);
    fleet_open(p->fleet, p->files.ledger, p->upkeep);
    begin_import(p);
    loop_timer_arm_ms(&p->claiming, LIMIT_LEDGER_CLAIM_MS);
    p->events->on_open(p->arg);
}

/* ---- The end. */

static void on_left(void *arg)
{
    struct process *p = arg;
    p->events->on_end(p->arg);
}

static void end(void *arg)
{
    struct process *p = arg;
    if (p->has_ended) return;
    p->has_ended = true;
    loop_timer_disarm(&p->giving_up);
    if (commit_waiting(p->commit))
        log_event(LOG_ERROR, "records_lost", "%llu entries could not be committed: %s",
                  (unsigned long long)commit_waiting(p->commit), p->why);
    anchors_sign(p->anchors);
    if (p->copy) copy_all(p->copy);
    session_leave(p->session, on_left, p);
}

/* Behind the last word of the last worker: nobody claims anything any more. */
static void leave_when_done(struct process *p)
{
    if (!p->is_leaving || !workers_are_gone(p->workers) || p->is_committing) return;
    if (!loop_timer_is_armed(&p->giving_up)) loop_timer_arm_ms(&p->giving_up, LIMIT_LEDGER_STOP_MS);
    if (commit_waiting(p->commit)) return;
    if (p->files.ledger && files_are_alone(&p->files) && look_for_abandoned(p)) return;
    if (p->is_last || !p->files.ledger) { /* it never opened: a start that is refused ends at once */
        end(p);
        return;
    }
    p->is_last = true;
    add_own(p, CHAIN_STOP);
}

void process_leave(struct process *p, bool are_workers_gone)
{
    p->is_leaving = true;
    if (are_workers_gone && !loop_timer_is_armed(&p->giving_up))
        loop_timer_arm_ms(&p->giving_up, LIMIT_LEDGER_STOP_MS);
    leave_when_done(p);
}

/* ---- The whole. */

static void on_tick(void *arg)
{
    struct process *p = arg;
    commit_look(p->commit);
    if (p->copy) copy_mark(p->copy);
    fleet_mark(p->fleet);
    gauges_ship(p->gauges, fleet_state(p->fleet));
    gauges_tick(p->gauges, p->files.ledger, p->copy ? copy_position(p->copy) : UINT64_MAX);
    tell_state(p);
    loop_timer_arm_ms(&p->tick, TICK_MS);
}

struct changes *process_changes(struct process *p)
{
    return p->changes;
}

void process_reopen(struct process *p)
{
    if (p->copy) copy_reopen(p->copy);
}

void process_configure(struct process *p, const struct process_options *options)
{
    anchors_configure(p->anchors, &options->witnesses);
    alerts_configure(p->alerts, options->sinks, options->sink_count);
    session_configure(p->session, options->redis_lease_ms);
    char *path = copy_path(p->data_dir, options->copy);
    fleet_configure(p->fleet, options->postgres, options->retain_ms);
    p->retain_ms = options->retain_ms;
    p->retain_texts_ms = options->retain_texts_ms;
    if (p->upkeep) upkeep_retain(p->upkeep, p->retain_ms, p->retain_texts_ms);
    bool is_same = path && p->copy_path ? strcmp(path, p->copy_path) == 0 : path == p->copy_path;
    if (is_same) {
        mem_free(path);
        return;
    }
    mem_free(p->copy_path);
    p->copy_path = path;
    if (p->files.ledger) set_copy(p);
}

static struct session *new_session(struct process *p, struct stats *stats, const struct process_options *options)
{
    struct session_options session = {.url = options->redis,
                                      .gateway = options->gateway,
                                      .zone = options->zone,
                                      .lease_ms = options->redis_lease_ms,
                                      .post = options->post,
                                      .breakers = options->breakers};
    return session_new(p->loop, stats, &session, &session_events, p);
}

struct process *process_new(struct loop *loop, struct stats *stats, const struct process_options *options,
                            const struct process_events *events, void *arg)
{
    struct process *p = mem_zalloc(1, sizeof *p);
    p->loop = loop;
    p->events = events;
    p->arg = arg;
    p->version = mem_strdup(options->version);
    p->data_dir = mem_strndup(options->data_dir.ptr, options->data_dir.len);
    p->gateway = mem_strndup(options->gateway.ptr, options->gateway.len);
    p->zone = mem_strndup(options->zone.ptr, options->zone.len);
    p->copy_path = copy_path(p->data_dir, options->copy);
    p->retain_ms = options->retain_ms;
    p->retain_texts_ms = options->retain_texts_ms;
    p->gauges = gauges_new(stats);
    p->fleet = fleet_new(loop, p->data_dir, options->gateway, &fleet_events, p);
    fleet_configure(p->fleet, options->postgres, options->retain_ms);
    p->anchors = anchors_new(loop, stats, p->data_dir, slice_str(p->gateway), &options->witnesses);
    p->workers = workers_new(loop, &workers_events, p);
    p->commit = commit_new(loop, &commit_events, p);
    p->charging = charging_new(loop, options->counters);
    p->session = new_session(p, stats, options);
    p->alerts = alerts_new(loop, stats, slice_str(p->gateway));
    if (p->session) alerts_claim_by(p->alerts, claim_notice, p);
    alerts_configure(p->alerts, options->sinks, options->sink_count);
    p->changes = changes_new(loop, p->data_dir, p->commit, events->on_change_end, arg);
    loop_work_init(&p->importing, loop, on_importing, p);
    loop_timer_init(&p->opening, loop, on_opening, p);
    loop_timer_init(&p->claiming, loop, on_claim_time, p);
    loop_timer_init(&p->giving_up, loop, end, p);
    loop_timer_init(&p->tick, loop, on_tick, p);
    on_opening(p);
    on_tick(p);
    return p;
}

void process_free(struct process *p)
{
    if (!p) return;
    loop_timer_disarm(&p->opening);
    loop_timer_disarm(&p->claiming);
    loop_timer_disarm(&p->giving_up);
    loop_timer_disarm(&p->tick);
    loop_work_drop(&p->importing);
    import_free(p->import);
    copy_free(p->copy);
    changes_free(p->changes);
    fleet_free(p->fleet);
    upkeep_free(p->upkeep);
    commit_free(p->commit);
    session_free(p->session);
    charging_free(p->charging);
    alerts_free(p->alerts);
    workers_free(p->workers);
    anchors_free(p->anchors);
    files_close(&p->files);
    gauges_free(p->gauges);
    mem_free(p->version);
    mem_free(p->data_dir);
    mem_free(p->gateway);
    mem_free(p->zone);
    mem_free(p->copy_path);
    mem_free(p);
}
