#include "server/admin_process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/access_token_fetcher.h"
#include "admin/api/owner.h"
#include "admin/api/providers.h"
#include "admin/jwks_fetcher.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "server/admin_checks.h"
#include "server/admin_notices.h"
#include "server/config.h"
#include "server/control.h"
#include "store/governance.h"
#include "store/registry/calls.h"
#include "store/registry/registry.h"
#include "store/registry/reviews.h"
#include "store/registry/watch.h"
#include "wire/reach.h"

#define BEAT_MS (LIMIT_HEARTBEAT_MS / 10)
#define AGAIN_NS NS_PER_S /* until others are told again of what has not reached workers */
#define REVIEWS_NS (2 * NS_PER_S) /* between two looks at what is due */

struct admin_process {
    struct loop *loop;
    struct loop_timer timer;
    struct pipe *control;
    struct jwks_fetcher *jwks;
    struct access_token_fetcher *access_tokens;
    struct admin *admin;
    struct admin_checks *checks;
    struct admin_notices *notices;
    const char *data_dir;
    struct provider_switches *switches;
    struct owner *owner; /* of the registry; NULL: it could not be opened yet, and trouble says why */
    char trouble[FAULT_TEXT_BYTES];
    struct governance *rules; /* by which the registry decides; NULL: none came yet */
    struct registry_mark opened; /* the file that it has open, or that could not be opened */
    int64_t revision;            /* that others were told of; -1: none */
    uint64_t epoch, told_ns;     /* its, of a fleet's; when they were last told */
    struct registry_watch *watch; /* of a fleet's; NULL: it is a file */
    struct confirmed *confirmed;
    bool is_clock_off; /* and that is said */
    uint64_t reviews_next_ns;
};

/* ---- The registry. */

static void tell_changed(struct admin_process *p)
{
    struct fault why;
    p->told_ns = clock_mono_ns();
    if (!pipe_send(p->control, REPORT_REGISTRY_CHANGED, SLICE_NONE, -1, &why))
        log_event(LOG_ERROR, "control_lost", "%s", fault_message(&why));
}

static void be_without(struct admin_process *p, const struct fault *why)
{
    if (strcmp(p->trouble, fault_message(why)) != 0)
        log_event(LOG_WARN, "registry_closed", "the registry cannot be changed now: %s", fault_message(why));
    snprintf(p->trouble, sizeof p->trouble, "%s", fault_message(why));
    admin_set_registry(p->admin, NULL, p->trouble);
}

/* Another process may have it for a moment: a command that found no gateway running. */
static void open_registry(struct admin_process *p)
{
    struct fault why;
    p->opened = registry_mark(p->data_dir);
    p->owner = owner_open(p->data_dir, 0, &why);
    if (!p->owner) {
        be_without(p, &why);
        return;
    }
    p->trouble[0] = '\0';
    p->opened = registry_mark(p->data_dir);
    registry_govern(owner_registry(p->owner), p->rules);
    admin_set_registry(p->admin, owner_registry(p->owner), NULL);
}

static void close_registry(struct admin_process *p)
{
    admin_set_registry(p->admin, NULL, NULL);
    owner_close(p->owner);
    p->owner = NULL;
}

/* Somebody took the file away, or put another in its place: what is written into the old one would be lost. */
static void leave_lost(struct admin_process *p)
{
    struct registry_mark now = registry_mark(p->data_dir);
    bool is_same = now.file.inode == p->opened.file.inode && now.file.device == p->opened.file.device;
    if (!p->owner || is_same || now.file.size == 0) return;
    close_registry(p);
    p->revision = -1;
}

/* What others changed, and what stood there at the start. */
static void take_revision(struct admin_process *p, uint64_t epoch, int64_t revision)
{
    struct fault why;
    if (revision == p->revision && epoch == p->epoch) return;
    if (!providers_tell(owner_registry(p->owner), p->switches, &why)) {
        log_event(LOG_ERROR, "registry_unread", "%s", fault_message(&why));
        return;
    }
    if (p->revision >= 0) tell_changed(p);
    p->revision = revision;
    p->epoch = epoch;
}

static void look_at_registry(struct admin_process *p)
{
    int64_t revision;
    struct fault why;
    leave_lost(p);
    if (!p->owner) open_registry(p);
    if (p->owner && registry_revision(owner_registry(p->owner), &revision, &why)) take_revision(p, p->epoch, revision);
}

/* Its own change others are told of at once; of a fleet's the watch confirms it behind that. */
static void on_changed(void *arg)
{
    struct admin_process *p = arg;
    if (!p->watch)
        look_at_registry(p);
    else if (p->owner)
        take_revision(p, p->epoch, registry_rev(owner_registry(p->owner)));
    if (p->watch) registry_watch_look(p->watch);
}

/* Reviews whose time is over: what nobody answered is done as their plan says. */
static void look_at_reviews(struct admin_process *p)
{
    unsigned count;
    struct fault why;
    static const struct change_by by = {.actor = SLICE("moongate"), .via = SLICE("due")};
    uint64_t now_ns = clock_wall_ns();
    if (!p->owner || now_ns < p->reviews_next_ns) return;
    p->reviews_next_ns = now_ns + REVIEWS_NS;
    if (!registry_reviews_due(owner_registry(p->owner), (int64_t)(now_ns / NS_PER_S), &by, &count, &why))
        log_event(LOG_ERROR, "reviews_not_ended", "%s", fault_message(&why));
    else if (count) on_changed(p);
}

/* It could not be opened as it was: is it another file by now? */
static void on_wanted(void *arg)
{
    struct admin_process *p = arg;
    struct registry_mark now = registry_mark(p->data_dir);
    if (!p->watch && !registry_mark_is_same(&p->opened, &now)) look_at_registry(p);
}

/* ---- A fleet's, which is watched. Statements to it wait, so that none is made while it is away. */

static void compare_clocks(struct admin_process *p, int64_t ahead_ms)
{
    bool is_off = ahead_ms > LIMIT_REGISTRY_CLOCK_MS || ahead_ms < -LIMIT_REGISTRY_CLOCK_MS;
    if (is_off && !p->is_clock_off)
        log_event(LOG_ERROR, "clock_differs",
                  "this machine's clock and that of the registry's PostgreSQL differ by %lld ms: grants may end early",
                  (long long)(ahead_ms < 0 ? -ahead_ms : ahead_ms));
    p->is_clock_off = is_off;
}

static void on_seen(void *arg, const struct confirmed_seen *seen)
{
    struct admin_process *p = arg;
    if (!p->owner) open_registry(p);
    if (p->owner) take_revision(p, seen->epoch, (int64_t)seen->revision);
    bool is_all = confirmed_see(p->confirmed, seen);
    if (!is_all && clock_mono_ns() - p->told_ns > AGAIN_NS) tell_changed(p);
    compare_clocks(p, seen->ahead_ms);
}

static void on_empty(void *arg)
{
    struct admin_process *p = arg;
    if (!p->owner) open_registry(p); /* which makes it */
}

static void on_lost(void *arg, const struct fault *why)
{
    struct admin_process *p = arg;
    close_registry(p);
    be_without(p, why);
}

static const struct registry_watch_events watch_events = {
    .on_seen = on_seen, .on_empty = on_empty, .on_lost = on_lost};

static void start_watch(struct admin_process *p)
{
    struct fault why;
    if (!registry_is_shared()) return;
    p->watch = registry_watch_new(p->loop, &watch_events, p, &why);
    if (!p->watch) be_without(p, &why);
}

/* Makes turns, which beat, when nothing else does. */
static void on_beat(void *arg)
{
    struct admin_process *p = arg;
    loop_timer_arm_ms(&p->timer, BEAT_MS);
    access_token_fetcher_look(p->access_tokens);
    if (!registry_is_shared()) look_at_registry(p);
    admin_notices_look(p->notices, p->owner ? owner_registry(p->owner) : NULL);
    look_at_reviews(p);
}

/* ---- Tokens of provider accounts. */

static bool is_listed(const struct access_token_source *sources, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (sources[i].id == id) return true;
    return false;
}

static void take_accounts(struct admin_process *p, const struct settings *s)
{
    struct access_token_source sources[LIMIT_ACCESS_TOKENS];
    size_t count = 0;
    for (size_t i = 0; i < s->provider_count && count < LIMIT_ACCESS_TOKENS; i++) {
        const struct provider *account = &s->providers[i];
        struct provider_credentials own = provider_credentials(account);
        if (!own.id || is_listed(sources, count, own.id)) continue;
        sources[count++] = (struct access_token_source){own.id, account->name, own.key_file, reach_scope(account->kind),
                                                        account->ca_file};
    }
    access_token_fetcher_sources(p->access_tokens, sources, count);
}

static void read_accounts(struct admin_process *p, int fd)
{
    struct slice bytes;
    struct fault why = {0};
    struct config *config = NULL;
    if (pipe_memfd_map(fd, LIMIT_PIPE_QUEUE_BYTES, &bytes, &why)) {
        config = config_unpack(bytes);
        pipe_memfd_unmap(bytes);
    }
    if (config) {
        const struct settings *s = config->settings;
        take_accounts(p, s);
        admin_set_console(p->admin, &(struct admin_console){s->console_url, s->session_idle_ms, s->session_longest_ms});
    } else {
        log_event(LOG_ERROR, "control_refused", "the accounts cannot be read: %s", fault_message(&why));
        return;
    }
    admin_notices_configure(p->notices, config->settings, config->gateway);
    admin_checks_take_config(p->checks, config);
}

/* ---- The rules of governance. */

/* Those that cannot be read leave the ones before in force, and a line in the log. */
static void take_rules(struct admin_process *p, struct governance *rules)
{
    struct governance *old = p->rules;
    p->rules = rules;
    if (p->owner) registry_govern(owner_registry(p->owner), rules);
    governance_free(old);
}

static void read_rules(struct admin_process *p, int fd)
{
    struct slice bytes;
    struct fault why = {0};
    struct governance *rules = NULL;
    if (pipe_memfd_map(fd, LIMIT_GOVERNANCE_BYTES, &bytes, &why)) {
        rules = governance_read(bytes, &why);
        pipe_memfd_unmap(bytes);
    }
    if (rules)
        take_rules(p, rules);
    else
        log_event(LOG_ERROR, "control_refused", "the rules of governance cannot be read: %s", fault_message(&why));
}

static void on_access_token(void *arg, struct slice account, bool is_good)
{
    struct admin_process *p = arg;
    struct fault why;
    struct buf body;
    buf_init(&body);
    buf_append_char(&body, is_good ? '+' : '-');
    buf_append(&body, account);
    if (!pipe_send(p->control, REPORT_ACCESS_TOKEN, buf_slice(&body), -1, &why))
        log_event(LOG_ERROR, "control_lost", "%s", fault_message(&why));
    buf_clear(&body);
}

static const struct governance *rules_of(void *arg)
{
    const struct admin_process *p = arg;
    return p->rules;
}

/* ---- Orders. */

static void on_message(void *arg, const struct pipe_message *message)
{
    struct admin_process *p = arg;
    if (message->type == CONTROL_STOP) loop_stop(p->loop);
    if (message->type == CONTROL_RULES) read_rules(p, message->fd);
    if (message->type == CONTROL_POLICIES) admin_checks_take_policies(p->checks, message->fd);
    if (message->type == CONTROL_ACCOUNTS) read_accounts(p, message->fd);
    if (message->type == CONTROL_JWKS_SOURCES) jwks_fetcher_sources(p->jwks, message->body);
    if (message->type == CONTROL_JWKS_WANTED) jwks_fetcher_want(p->jwks, message->body);
    if (message->fd >= 0) close(message->fd);
}

static void on_end(void *arg, const struct fault *why)
{
    struct admin_process *p = arg;
    (void)why;
    loop_stop(p->loop);
}

static void on_outcome(void *arg, const struct jwks_outcome *outcome)
{
    struct admin_process *p = arg;
    struct buf body;
    struct fault why;
    struct control_jwks head = {
        .outcome = outcome->json.ptr ? JWKS_FETCHED : outcome->is_attempt ? JWKS_FAILED : JWKS_ASKED_TOO_OFTEN,
        .is_changed = outcome->is_changed,
        .url_bytes = (uint32_t)outcome->url.len,
        .wall_ns = outcome->wall_ns,
    };
    buf_init(&body);
    buf_append(&body, slice_of((const char *)&head, sizeof head));
    buf_append(&body, outcome->url);
    if (outcome->json.ptr) buf_append(&body, outcome->json);
    if (!pipe_send(p->control, REPORT_JWKS, buf_slice(&body), -1, &why))
        log_event(LOG_ERROR, "control_lost", "%s", fault_message(&why));
    buf_clear(&body);
}

static const struct pipe_events events = {.on_message = on_message, .on_end = on_end};

int admin_process_run(int control_fd, const struct admin_parts *parts, _Atomic uint64_t *beat)
{
    struct admin_process p = {.loop = loop_new(), .revision = -1};
    struct admin_parts own = *parts;
    own.loop = p.loop;
    p.control = pipe_new(p.loop, control_fd, LIMIT_PIPE_QUEUE_BYTES, &events, &p);
    own.jwks = p.jwks = jwks_fetcher_new(p.loop, parts->data_dir, on_outcome, &p);
    p.access_tokens = access_token_fetcher_new(p.loop, parts->access_tokens, on_access_token, &p);
    own.access_token_fetcher = p.access_tokens;
    own.on_changed = on_changed;
    own.on_wanted = on_wanted;
    own.api.rules = rules_of;
    own.api.rules_arg = &p;
    own.arg = &p;
    p.data_dir = parts->data_dir;
    p.switches = parts->api.switches;
    p.confirmed = parts->confirmed;
    p.notices = admin_notices_new(p.loop);
    p.checks = admin_checks_new(parts->board);
    own.api.checks = admin_checks_api(p.checks);
    p.admin = admin_new(&own);
    loop_set_beat(p.loop, beat);
    loop_timer_init(&p.timer, p.loop, on_beat, &p);
    start_watch(&p);
    on_beat(&p);
    loop_run(p.loop);
    loop_timer_disarm(&p.timer);
    registry_watch_free(p.watch);
    admin_free(p.admin);
    admin_notices_free(p.notices);
    admin_checks_free(p.checks);
    owner_close(p.owner);
    governance_free(p.rules);
    access_token_fetcher_free(p.access_tokens);
    jwks_fetcher_free(p.jwks);
    pipe_free(p.control);
    loop_free(p.loop);
    return 0;
}
