#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "server/control.h"
#include "server/supervisor_inner.h"
#include "store/section/file.h"

#define AGAIN_NS (10 * NS_PER_S)
#define KEEP_NS (5 * NS_PER_S)
#define KEEP_AGAIN_NS (60 * NS_PER_S)

static void snapshots_begin(struct supervisor *sup);

static json_t *answer_of(struct report *report)
{
    if (report_errors(report) == 0) return json_pack("{s:b}", "ok", 1);
    return json_pack("{s:b, s:s, s:O}", "ok", 0, "error", "the registry cannot be read", "report", report_json(report));
}

/* ---- Those that workers hold. */

static void send_one(struct child *worker, const struct section_held *held)
{
    struct control_section body = {held->about.kind, held->about.part};
    child_send(worker, CONTROL_SECTION, slice_of((const char *)&body, sizeof body), held->fd);
}

void snapshots_send(struct child *worker)
{
    const struct snapshots *s = &worker->sup->snapshots;
    for (unsigned i = 0; i < s->held_count; i++)
        send_one(worker, &s->held[i]);
}

/* The place of its kind and part; a new one where there is room. NULL: there is none. */
static struct section_held *place_of(struct snapshots *s, const struct section_about *about)
{
    for (unsigned i = 0; i < s->held_count; i++) {
        if (s->held[i].about.kind == about->kind && s->held[i].about.part == about->part) return &s->held[i];
    }
    if (s->held_count == LIMIT_SECTIONS) return NULL;
    s->held[s->held_count] = (struct section_held){.fd = -1};
    return &s->held[s->held_count++];
}

static bool is_same(const struct section_about *next, const struct section_held *now)
{
    if (now->fd < 0 || now->is_refused) return false;
    return next->version == now->about.version && next->content == now->about.content;
}

static void replace(struct supervisor *sup, struct section_held *held, int fd, const struct section_about *about)
{
    sup->snapshots.is_unkept = true;
    if (held->fd >= 0) close(held->fd);
    *held = (struct section_held){.fd = fd, .about = *about};
    for (unsigned i = 0; i < sup->worker_count; i++)
        send_one(&sup->children[i], held);
}

/* What the registry says now is in force, whatever was before: the last reading counts. Another epoch is one that was
 * restored or made anew; a lower revision of the same is an older copy that somebody put in its place, and what was
 * revoked since is good again. */
static void warn_of_return(const struct section_about *next, const struct section_held *now)
{
    if (next->kind != SECTION_KEYS || now->fd < 0) return;
    if (next->epoch != now->about.epoch)
        log_event(LOG_WARN, "registry_replaced", "the registry was restored, or made anew: its revision is %llu",
                  (unsigned long long)next->revision);
    else if (next->revision < now->about.revision)
        log_event(LOG_ERROR, "registry_went_back",
                  "the registry went back from revision %llu to %llu: an older copy is in its place, and what was "
                  "revoked since holds again; `moongate registry restore` takes a copy without that",
                  (unsigned long long)now->about.revision, (unsigned long long)next->revision);
}

void snapshots_take(struct supervisor *sup, int fd)
{
    struct fault why = {0};
    struct section_about about;
    bool is_one = section_head_of(fd, &about, &why);
    struct section_held *held = is_one ? place_of(&sup->snapshots, &about) : NULL;
    if (!held) log_event(LOG_ERROR, "section_refused", "%s", is_one ? "there are too many" : fault_message(&why));
    if (held) warn_of_return(&about, held);
    if (held && !is_same(&about, held)) {
        replace(sup, held, fd, &about);
        return;
    }
    if (held) held->about = about; /* its revision */
    close(fd);
}

/* The same once more is not the same to who has not got it. */
static void mark_refused(struct snapshots *s, const struct control_section *refused)
{
    for (unsigned i = 0; i < s->held_count; i++) {
        const struct section_about *about = &s->held[i].about;
        if (about->kind == refused->kind && about->part == refused->part) s->held[i].is_refused = true;
    }
}

static void count_refused(struct supervisor *sup, const char *name)
{
    struct slice label = slice_str(name ? name : "unknown");
    stats_add(sup->stats, stats_series(sup->stats, STATS_SECTIONS_REFUSED, &label), 1);
}

void snapshots_on_refused(struct child *worker, struct slice body)
{
    struct control_section refused = {0};
    if (body.len == sizeof refused) memcpy(&refused, body.ptr, sizeof refused);
    const char *name = section_kind_name(refused.kind);
    log_event(LOG_ERROR, "section_refused", "%s keeps its old %s, the registry is read again", worker->name,
              name ? name : "section");
    mark_refused(&worker->sup->snapshots, &refused);
    count_refused(worker->sup, name);
    worker->sup->snapshots.again_ns = clock_mono_ns() + AGAIN_NS;
}

/* read_ns: see confirmed_hold(). They are of one moment. */
static void take_all(struct supervisor *sup, struct check_result *result, uint64_t read_ns)
{
    const struct section_about *about = &sup->snapshots.held[0].about;
    for (unsigned i = 0; i < result->section_count; i++)
        snapshots_take(sup, result->sections[i]);
    result->section_count = 0;
    if (sup->snapshots.held_count) confirmed_hold(&sup->board->registry, about->epoch, about->revision, read_ns);
}

/* ---- For a start at which the registry cannot be read. */

static void on_kept(void *arg, struct check_result *result)
{
    struct supervisor *sup = arg;
    struct buf first;
    sup->snapshots.keeper = NULL;
    if (result->is_good) return;
    sup->snapshots.is_unkept = true;
    sup->snapshots.keep_ns = clock_mono_ns() + KEEP_AGAIN_NS;
    buf_init(&first);
    report_first_line(result->report, &first);
    log_event(LOG_WARN, "registry_unkept", "%.*s", SLICE_FMT(buf_slice(&first)));
    buf_clear(&first);
}

/* Behind the workers, who have what is new already; a change a second is one writing in five. */
static void keep(struct supervisor *sup)
{
    int fds[LIMIT_SECTIONS];
    struct snapshots *s = &sup->snapshots;
    if (!s->is_unkept || s->keeper || s->checker || clock_mono_ns() < s->keep_ns) return;
    for (unsigned i = 0; i < s->held_count; i++)
        fds[i] = s->held[i].fd;
    struct check_job job = {.what = CHECK_KEEP, .data_dir = sup->data_dir, .sections = fds};
    job.section_count = s->held_count;
    s->is_unkept = false;
    s->keep_ns = clock_mono_ns() + KEEP_NS;
    s->keeper = checker_start(sup->loop, &job, on_kept, sup);
}

static void use_kept(struct supervisor *sup, struct check_result *result)
{
    log_event(LOG_ERROR, "registry_kept", "what " SECTION_FILE " has is in force until the registry can be read");
    take_all(sup, result, 0);
    sup->snapshots.is_unkept = false;
}

/* ---- Reading the registry. */

static void say_failure(struct supervisor *sup, struct check_result *result)
{
    struct buf first;
    buf_init(&first);
    report_first_line(result->report, &first);
    buf_append_char(&first, '\0');
    log_event(LOG_ERROR, "registry_unread", "%s", buf_ptr(&first));
    if (sup->snapshots.held_count == 0 && result->section_count)
        use_kept(sup, result);
    else if (sup->snapshots.held_count == 0)
        supervisor_fail(sup, report_first(result->report), "%s", buf_ptr(&first));
    buf_clear(&first);
}

/* Who asked may send a request as soon as he has his answer, to whichever worker: before it, all of them are sent. */
static bool answer_waiters(struct supervisor *sup, struct report *report)
{
    for (unsigned i = 0; i < sup->worker_count; i++)
        child_flush(&sup->children[i]);
    return waiters_answer(&sup->snapshots.waiters, answer_of(report));
}

static void on_checked(void *arg, struct check_result *result)
{
    struct supervisor *sup = arg;
    struct snapshots *s = &sup->snapshots;
    bool is_first = s->held_count == 0;
    s->checker = NULL;
    s->again_ns = result->is_good ? 0 : clock_mono_ns() + AGAIN_NS;
    if (result->is_good) {
        take_all(sup, result, s->began_ns);
        ledger_look(sup);
    } else {
        say_failure(sup, result);
    }
    bool is_again = answer_waiters(sup, result->report);
    if (is_first && s->held_count && sup->state == BOARD_STARTING) children_start(sup);
    if (is_again) snapshots_begin(sup);
}

static void snapshots_begin(struct supervisor *sup)
{
    struct check_job job = {.what = CHECK_REGISTRY, .data_dir = sup->data_dir};
    job.may_use_kept = sup->snapshots.held_count == 0;
    if (sup->snapshots.held_count == 0) job.switches = &sup->board->switches; /* before the first worker serves */
    sup->snapshots.mark = registry_mark(sup->data_dir); /* before it: what is changed meanwhile is seen afterwards */
    sup->snapshots.wall_ns = clock_wall_ns();
    sup->snapshots.began_ns = clock_mono_ns();
    sup->snapshots.checker = checker_start(sup->loop, &job, on_checked, sup);
}

void snapshots_request(struct supervisor *sup, struct line_peer *peer)
{
    /* While one is read, what was read may be older than the change that is asked for: another follows. */
    waiters_add(&sup->snapshots.waiters, sup->snapshots.checker != NULL, peer);
    if (!sup->snapshots.checker) snapshots_begin(sup);
}

/* A file that is not there is being replaced, or lost: what workers have is better than a registry made anew. And what
 * a clock that was ahead took for over comes back when it is set right. */
void snapshots_look(struct supervisor *sup)
{
    struct snapshots *s = &sup->snapshots;
    keep(sup);
    if (s->checker || s->held_count == 0) return;
    struct registry_mark now = registry_mark(sup->data_dir);
    bool is_due = !registry_mark_is_same(&s->mark, &now) || clock_wall_ns() < s->wall_ns ||
                  (s->again_ns && clock_mono_ns() >= s->again_ns);
    if (is_due && (registry_is_shared() || now.file.size > 0)) snapshots_request(sup, NULL);
}

/* Of a fleet's registry: for how long nobody could tell whether what workers have is all. */
void snapshots_show(struct supervisor *sup)
{
    struct snapshots *s = &sup->snapshots;
    uint64_t age_ns = confirmed_age_ns(&sup->board->registry, clock_mono_ns());
    if (age_ns == UINT64_MAX) age_ns = clock_mono_ns() - sup->born_ns;
    bool is_stale = age_ns > sup->config->settings->registry_stale_ms * (uint64_t)NS_PER_MS;
    if (is_stale && !s->is_stale)
        log_event(LOG_ERROR, "registry_stale",
                  "the registry's PostgreSQL was not heard of for %llu s: what other gateways revoke is not known here",
                  (unsigned long long)(age_ns / NS_PER_S));
    else if (!is_stale && s->is_stale)
        log_event(LOG_INFO, "registry_confirmed", "the registry's PostgreSQL answers, and workers have all of it");
    s->is_stale = is_stale;
    stats_set(sup->stats, stats_series(sup->stats, STATS_REGISTRY_UNCONFIRMED, NULL), (int64_t)age_ns);
    int64_t ahead_ms = confirmed_ahead_ms(&sup->board->registry);
    stats_set(sup->stats, stats_series(sup->stats, STATS_REGISTRY_CLOCK, NULL), llabs(ahead_ms) * (int64_t)NS_PER_MS);
}

void snapshots_init(struct supervisor *sup)
{
    hash_secret(SLICE_NONE); /* drawn here, so that who builds sections, each in a fork, has the same */
    sup->snapshots.held_count = 0;
}

void snapshots_clear(struct supervisor *sup)
{
    struct snapshots *s = &sup->snapshots;
    checker_cancel(s->checker);
    checker_cancel(s->keeper);
    while (s->held_count)
        close(s->held[--s->held_count].fd);
}
