/* What somebody did to the gateway itself: told to the ledger process as changes, and kept here until it has them. */
#include <jansson.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/control.h"
#include "server/supervisor_inner.h"
#include "store/change.h"
#include "store/erase.h"

struct act {
    struct list_link place;
    struct line_peer *peer; /* who waits for it, or NULL */
    uint64_t number;
    size_t len;
    char body[]; /* struct control_change, then JSON */
};

void acts_init(struct supervisor *sup)
{
    list_init(&sup->acts.waiting);
    login_of(geteuid(), sup->acts.own_name);
    if (gethostname(sup->acts.host, sizeof sup->acts.host - 1) != 0) sup->acts.host[0] = '\0';
}

/* ---- Who. */

/* No more than root and this user may ask: their names need no look-up, which could take its time. */
static void set_name(const struct supervisor *sup, struct asker *by)
{
    if (by->uid == geteuid())
        snprintf(by->name, sizeof by->name, "%s", sup->acts.own_name);
    else
        snprintf(by->name, sizeof by->name, by->uid == 0 ? "root" : "uid %u", (unsigned)by->uid);
}

struct asker asker_of_peer(const struct supervisor *sup, const struct line_peer *peer, struct slice login)
{
    struct asker by = {.uid = line_uid(peer), .via = "cli"};
    int len = (int)(login.len < LIMIT_LOGIN_BYTES ? login.len : LIMIT_LOGIN_BYTES);
    set_name(sup, &by);
    if (len) snprintf(by.name, sizeof by.name, "%.*s", len, login.ptr);
    return by;
}

struct asker asker_of_signal(const struct supervisor *sup, const struct signalfd_siginfo *info)
{
    /* A terminal's own have no sender. */
    struct asker by = {.uid = info->ssi_code <= 0 ? info->ssi_uid : geteuid(), .via = "signal"};
    set_name(sup, &by);
    return by;
}

static bool is_same(const struct asker *a, const struct asker *b)
{
    return a->uid == b->uid && strcmp(a->via, b->via) == 0 && strcmp(a->name, b->name) == 0;
}

void askers_add(struct askers *all, const struct asker *by)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (is_same(&all->list[i], by)) return;
    }
    if (all->count < LIMIT_CHANGES_ASKERS)
        all->list[all->count++] = *by;
    else
        all->others++;
}

/* ---- To the ledger process. */

static struct act *keep(struct supervisor *sup, struct slice json)
{
    struct control_change head = {++sup->acts.last_number};
    struct act *act = mem_alloc(sizeof *act + sizeof head + json.len);
    struct child *ledger = children_running(sup, "ledger");
    act->peer = NULL;
    act->number = head.number;
    act->len = sizeof head + json.len;
    memcpy(act->body, &head, sizeof head);
    memcpy(act->body + sizeof head, json.ptr, json.len);
    list_append(&sup->acts.waiting, &act->place);
    sup->acts.count++;
    if (ledger) child_send(ledger, CONTROL_CHANGE, slice_of(act->body, act->len), -1);
    return act;
}

static bool is_full(const struct supervisor *sup)
{
    return sup->acts.count >= LIMIT_CHANGES_WAITING;
}

static struct act *tell(struct supervisor *sup, struct change *c, const struct asker *by, struct slice reason)
{
    struct buf json;
    struct change_by who = {.actor = slice_str(by->name),
                            .host = slice_str(sup->acts.host),
                            .via = slice_str(by->via),
                            .reason = reason,
                            .uid = by->uid};
    buf_init(&json);
    c->by = &who;
    c->wall_ns = clock_wall_ns();
    change_make_id(c->id, c->wall_ns);
    change_write(c, &json);
    struct act *act = keep(sup, buf_slice(&json));
    buf_clear(&json);
    return act;
}

/* Behind the last worker the ledger was told to go, and nothing that is asked for then changes anything. */
static bool is_over(const struct supervisor *sup)
{
    return sup->state >= BOARD_DRAINING && children_alive(sup, true) == 0;
}

/* NULL: it was lost, or changes nothing any more. */
static struct act *note(struct supervisor *sup, struct change *c, const struct asker *by)
{
    if (is_over(sup)) return NULL;
    if (!is_full(sup)) return tell(sup, c, by, SLICE_NONE);
    sup->acts.lost++;
    log_event(LOG_ERROR, "change_lost", "the ledger takes none: %.*s by %s", SLICE_FMT(c->action), by->name);
    return NULL;
}

void acts_send(struct child *ledger)
{
    struct list_link *all = &ledger->sup->acts.waiting;
    for (struct list_link *at = all->next; at != all; at = at->next) {
        struct act *act = LIST_OWNER(at, struct act, place);
        child_send(ledger, CONTROL_CHANGE, slice_of(act->body, act->len), -1);
    }
}

static void forget(struct supervisor *sup, struct act *act)
{
    list_remove(&act->place);
    if (sup->acts.refused == act) sup->acts.refused = NULL;
    mem_free(act);
    sup->acts.count--;
}

/* There is room again: the chain says that some are missing. */
static void tell_lost(struct supervisor *sup)
{
    char after[48];
    struct asker own = {.uid = geteuid(), .via = "gateway", .name = "moongate"};
    snprintf(after, sizeof after, "{\"count\":%llu}", (unsigned long long)sup->acts.lost);
    sup->acts.lost = 0;
    note(sup, &(struct change){.action = SLICE("changes.lost"), .result = SLICE("lost"), .after = slice_str(after)},
         &own);
}

static void answer(struct line_peer *peer, const struct control_changed *end, struct slice why)
{
    control_answer(peer, end->is_undone
                             ? json_pack("{s:b, s:s%}", "ok", 0, "error", why.ptr, why.len)
                             : json_pack("{s:b, s:b}", "ok", 1, "had_key", end->had_key != 0));
}

void acts_on_end(struct child *ledger, struct slice body)
{
    struct supervisor *sup = ledger->sup;
    struct control_changed end;
    if (body.len < sizeof end) return;
    memcpy(&end, body.ptr, sizeof end);
    for (struct list_link *at = sup->acts.waiting.next; at != &sup->acts.waiting; at = at->next) {
        struct act *act = LIST_OWNER(at, struct act, place);
        if (act->number != end.number) continue;
        if (act->peer) answer(act->peer, &end, slice_of(body.ptr + sizeof end, body.len - sizeof end));
        forget(sup, act);
        break;
    }
    if (sup->acts.lost && !is_full(sup)) tell_lost(sup);
}

void acts_forget(struct supervisor *sup, const struct line_peer *peer)
{
    for (struct list_link *at = sup->acts.waiting.next; at != &sup->acts.waiting; at = at->next) {
        struct act *act = LIST_OWNER(at, struct act, place);
        if (act->peer == peer) act->peer = NULL;
    }
}

/* ---- What is done. */

void acts_note(struct supervisor *sup, const char *action, const struct asker *by)
{
    note(sup,
         &(struct change){.action = slice_str(action),
                          .target = sup->config ? sup->config->gateway : SLICE_NONE,
                          .result = SLICE("ok")},
         by);
}

bool acts_erase(struct supervisor *sup, struct line_peer *peer, const struct asker *by, struct slice subject,
                struct slice reason)
{
    struct change c = {.action = SLICE(ERASE_ACTION), .target = subject, .result = SLICE("ok")};
    if (is_full(sup)) return false;
    tell(sup, &c, by, reason)->peer = peer;
    return true;
}

static void write_state(struct buf *out, uint64_t number, const char *digest, const char *config_digest)
{
    const char *comma = "";
    buf_append_char(out, '{');
    if (number) buf_printf(out, "\"generation\":%llu", (unsigned long long)number);
    if (number) comma = ",";
    if (digest[0]) buf_printf(out, "%s\"policies\":\"%s\"", comma, digest);
    if (digest[0]) comma = ",";
    if (config_digest[0]) buf_printf(out, "%s\"config\":\"%s\"", comma, config_digest);
    buf_append_char(out, '}');
}

/* Its code and place, not its words, which may repeat what stands in a file. */
static void write_error(struct buf *out, struct report *report)
{
    struct buf place;
    buf_init(&place);
    report_first_place(report, &place);
    buf_printf(out, "{\"code\":\"%s\"", finding_info(report_first(report))->code);
    if (buf_len(&place)) buf_append(out, SLICE(",\"place\":"));
    if (buf_len(&place)) buf_append_json(out, buf_slice(&place));
    buf_append_char(out, '}');
    buf_clear(&place);
}

/* What became of a signed bundle: by whom, beside the reload itself. */
static void note_bundle(struct supervisor *sup, const char *action, const struct generation *g, bool is_good,
                        const struct asker *by)
{
    struct buf after;
    buf_init(&after);
    buf_printf(&after, "{\"serial\":%llu,\"policies\":\"%s\"}", (unsigned long long)g->accept_serial, g->digest);
    note(sup,
         &(struct change){.action = slice_str(action),
                          .target = slice_str(sup->parts.config_path),
                          .result = is_good ? SLICE("ok") : SLICE("refused"),
                          .after = buf_slice(&after)},
         by);
    buf_clear(&after);
}

void acts_started(struct supervisor *sup)
{
    struct asker own = {.uid = geteuid(), .via = "gateway", .name = "moongate"};
    if (sup->current.accept_serial) note_bundle(sup, "bundle.accept", &sup->current, true, &own);
}

static void note_signed(struct supervisor *sup, bool is_good)
{
    const struct reload *r = &sup->reload;
    bool is_refused = !is_good && report_first(r->report) == FINDING_UNSIGNED;
    if (!r->askers.count) return;
    if (r->rollback_serial)
        note_bundle(sup, "bundle.rollback", is_good ? &sup->current : &r->next, is_good, &r->askers.list[0]);
    else if (is_good && sup->current.accept_serial)
        note_bundle(sup, "bundle.accept", &sup->current, true, &r->askers.list[0]);
    else if (is_refused)
        note_bundle(sup, "bundle.refuse", &r->next, false, &r->askers.list[0]);
}

void acts_reloaded(struct supervisor *sup, bool is_good)
{
    struct reload *r = &sup->reload;
    struct buf before, after, error;
    buf_init(&before);
    buf_init(&after);
    buf_init(&error);
    write_state(&before, r->before.number, r->before.digest, r->before.config_digest);
    if (is_good)
        write_state(&after, sup->current.number, sup->current.digest, sup->current.config_digest);
    else if (r->next.digest[0])
        write_state(&after, 0, r->next.digest, r->next.config_digest);
    if (!is_good) write_error(&error, r->report);
    for (unsigned i = 0; i < r->askers.count; i++) {
        note(sup,
             &(struct change){.action = SLICE("reload"),
                              .target = slice_str(sup->parts.config_path),
                              .result = is_good ? SLICE("ok") : SLICE("refused"),
                              .error = buf_slice(&error),
                              .before = buf_slice(&before),
                              .after = buf_slice(&after)},
             &r->askers.list[i]);
    }
    note_signed(sup, is_good);
    if (r->askers.others)
        log_event(LOG_WARN, "change_lost", "%u more asked for this reload, and are not named", r->askers.others);
    buf_clear(&before);
    buf_clear(&after);
    buf_clear(&error);
}

/* Whoever asks again and again while the ledger has not heard of the first time says nothing new, and must not push out
 * what others did. */
static bool is_known_refused(const struct acts *acts, const struct asker *by)
{
    bool is_last = acts->refused && acts->waiting.prev == &acts->refused->place;
    return is_last && is_same(&acts->refused_by, by);
}

void acts_reload_refused(struct supervisor *sup, const struct asker *by)
{
    struct change change = {.action = SLICE("reload"),
                            .target = slice_str(sup->parts.config_path),
                            .result = SLICE("refused"),
                            .error = SLICE("{\"code\":\"not_ready\"}")};
    if (is_known_refused(&sup->acts, by)) return;
    sup->acts.refused = note(sup, &change, by);
    sup->acts.refused_by = *by;
}

void acts_clear(struct supervisor *sup)
{
    if (sup->acts.count + sup->acts.lost && sup->has_started)
        log_event(LOG_ERROR, "change_lost", "%llu changes of the gateway are not in the ledger",
                  (unsigned long long)(sup->acts.count + sup->acts.lost));
    while (!list_is_empty(&sup->acts.waiting))
        forget(sup, LIST_OWNER(sup->acts.waiting.next, struct act, place));
}
