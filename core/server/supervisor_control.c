#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/supervisor_inner.h"
#include "store/erase.h"

/* ---- Answers. */

void control_answer(struct line_peer *peer, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    line_reply(peer, text ? slice_str(text) : SLICE("{\"ok\":false,\"error\":\"no answer could be written\"}"));
    mem_free(text);
    json_decref(object);
}

void waiters_add(struct waiters *w, bool is_running, struct line_peer *peer)
{
    if (is_running) w->is_again = true;
    struct line_peer **list = is_running ? w->next : w->now;
    size_t *count = is_running ? &w->next_count : &w->now_count;
    if (peer && *count < SUPERVISOR_WAITERS) list[(*count)++] = peer;
}

bool waiters_answer(struct waiters *w, json_t *object)
{
    for (size_t i = 0; i < w->now_count; i++)
        control_answer(w->now[i], json_incref(object));
    json_decref(object);
    memcpy(w->now, w->next, sizeof w->now);
    w->now_count = w->next_count;
    w->next_count = 0;
    bool is_again = w->is_again;
    w->is_again = false;
    return is_again;
}

static void forget(struct line_peer **list, size_t *count, const struct line_peer *peer)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        if (list[i] != peer) list[kept++] = list[i];
    }
    *count = kept;
}

void waiters_forget(struct waiters *w, const struct line_peer *peer)
{
    forget(w->now, &w->now_count, peer);
    forget(w->next, &w->next_count, peer);
}

/* ---- Commands. */

struct asking {
    struct line_peer *peer;
    struct asker by;
    json_t *request;
};

static json_t *status_of_child(const struct child *c)
{
    const struct board_slot *slot = &c->sup->board->slots[c->slot];
    char digest[SHARED_TEXT_BYTES], trouble[SHARED_TEXT_BYTES];
    json_t *all = json_object();
    json_object_set_new(all, "name", json_string(c->name));
    json_object_set_new(all, "pid", json_integer(c->pid));
    json_object_set_new(all, "state", json_string(board_slot_state_name(c->state)));
    json_object_set_new(all, "restarts", json_integer(atomic_load(&slot->restarts)));
    if (!c->kind->has_generations) return all;
    shared_text_get(&slot->digest, digest, sizeof digest);
    json_object_set_new(all, "generation", json_integer((json_int_t)atomic_load(&slot->generation)));
    json_object_set_new(all, "generations_alive", json_integer((json_int_t)atomic_load(&slot->live_generations)));
    json_object_set_new(all, "policies", json_string(digest));
    shared_text_get(&slot->redis_trouble, trouble, sizeof trouble);
    if (trouble[0]) json_object_set_new(all, "redis_trouble", json_string(trouble));
    return all;
}

/* As the ledger process sees it, which tells sums there. NULL: there is none. */
static json_t *status_of_redis(struct supervisor *sup)
{
    char why[SHARED_TEXT_BYTES];
    struct counters_post_view view;
    if (!atomic_load(&sup->board->counters.is_used)) return NULL;
    shared_text_get(&sup->board->counters.why, why, sizeof why);
    counters_post_read(&sup->board->counters, &view);
    if (!view.epoch[0] && !why[0]) snprintf(why, sizeof why, "starting");
    return json_pack("{s:i, s:s?}", "gateways", (int)view.gateways, "trouble", why[0] ? why : NULL);
}

static void set_time(json_t *all, const char *name, uint64_t wall_ns)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(wall_ns, text);
    json_object_set_new(all, name, json_string(text));
}

static json_t *status_of(struct supervisor *sup)
{
    char error[SHARED_TEXT_BYTES];
    json_t *all = json_object(), *children = json_array();
    json_object_set_new(all, "ok", json_true());
    json_object_set_new(all, "state", json_string(board_state_name(sup->state)));
    json_object_set_new(all, "version", json_string(sup->parts.version));
    json_object_set_new(all, "pid", json_integer(getpid()));
    json_object_set_new(all, "listen", json_string(sup->listen_text));
    json_object_set_new(all, "admin", json_string(sup->admin_text));
    json_object_set_new(all, "generation", json_integer((json_int_t)sup->current.number));
    json_object_set_new(all, "policies", json_string(sup->current.digest));
    json_object_set_new(all, "config", json_string(sup->current.config_digest));
    set_time(all, "started_at", atomic_load(&sup->board->started_wall_ns));
    set_time(all, "reloaded_at", atomic_load(&sup->board->reloaded_wall_ns));
    shared_text_get(&sup->board->reload_error, error, sizeof error);
    json_object_set_new(all, "reload_error", error[0] ? json_string(error) : json_null());
    json_t *redis = status_of_redis(sup);
    if (redis) json_object_set_new(all, "redis", redis);
    for (unsigned i = 0; i < sup->child_count; i++) {
        json_array_append_new(children, status_of_child(&sup->children[i]));
    }
    json_object_set_new(all, "processes", children);
    return all;
}

static void command_reload(struct supervisor *sup, const struct asking *a)
{
    reload_request(sup, a->peer, &a->by);
}

static void command_status(struct supervisor *sup, const struct asking *a)
{
    control_answer(a->peer, status_of(sup));
}

/* Who changed it is noted with what he changed. */
static void command_registry_changed(struct supervisor *sup, const struct asking *a)
{
    snapshots_request(sup, a->peer);
}

static void command_drain(struct supervisor *sup, const struct asking *a)
{
    control_answer(a->peer, json_pack("{s:b}", "ok", 1));
    supervisor_drain(sup, &a->by);
}

static void command_stop(struct supervisor *sup, const struct asking *a)
{
    control_answer(a->peer, json_pack("{s:b}", "ok", 1));
    supervisor_stop(sup, &a->by);
}

static struct slice text_of(const json_t *request, const char *name)
{
    const json_t *text = json_object_get(request, name);
    return slice_of(json_string_value(text), json_string_length(text));
}

static void refuse(struct line_peer *peer, const char *why)
{
    control_answer(peer, json_pack("{s:b, s:s}", "ok", 0, "error", why));
}

static void command_erase(struct supervisor *sup, const struct asking *a)
{
    struct fault why;
    struct slice subject = text_of(a->request, "subject"), reason = text_of(a->request, "reason");
    if (!erase_check(subject, reason, &why))
        refuse(a->peer, fault_message(&why));
    else if (!acts_erase(sup, a->peer, &a->by, subject, reason))
        refuse(a->peer, "nothing is erased: the ledger takes no changes, and as many as may wait do so");
}

static void command_bundle_rollback(struct supervisor *sup, const struct asking *a)
{
    json_int_t serial = json_integer_value(json_object_get(a->request, "serial"));
    if (serial <= 0)
        refuse(a->peer, "serial is a number from 1");
    else if (!reload_roll_back(sup, a->peer, &a->by, (uint64_t)serial))
        refuse(a->peer, "a reload is under way, or the gateway is not ready: try again");
}

static void command_counters(struct supervisor *sup, const struct asking *a)
{
    looks_begin(sup, a->peer, a->request);
}

static void command_spent(struct supervisor *sup, const struct asking *a)
{
    looks_begin_spent(sup, a->peer, a->request);
}

static const struct command {
    const char *name;
    /* Answers its peer now or later. */
    void (*run)(struct supervisor *sup, const struct asking *a);
} commands[] = {
    {"reload", command_reload}, {"status", command_status}, {"registry_changed", command_registry_changed},
    {"erase", command_erase},   {"drain", command_drain},   {"stop", command_stop},
    {"counters", command_counters}, {"spent", command_spent},
    {"bundle_rollback", command_bundle_rollback},
};

static void on_line(void *arg, struct line_peer *peer, struct slice line)
{
    json_t *request = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(request, "cmd"));
    const struct command *found = NULL;
    for (size_t i = 0; name && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0) found = &commands[i];
    }
    struct asking a = {peer, asker_of_peer(arg, peer, text_of(request, "login")), request};
    if (found)
        found->run(arg, &a);
    else
        refuse(peer, "unknown command: reload, status, registry_changed, erase, counters, spent, drain, "
                        "stop, bundle_rollback");
    json_decref(request);
}

static void on_gone(void *arg, struct line_peer *peer)
{
    struct supervisor *sup = arg;
    waiters_forget(&sup->reload.waiters, peer);
    waiters_forget(&sup->snapshots.waiters, peer);
    acts_forget(sup, peer);
    looks_forget(sup, peer);
}

static const struct line_events events = {.on_line = on_line, .on_gone = on_gone};

bool control_open(struct supervisor *sup)
{
    struct fault why;
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/control.sock", sup->data_dir);
    buf_append_char(&path, '\0');
    sup->control = line_server_new(sup->loop, buf_ptr(&path), &events, sup, &why);
    buf_clear(&path);
    if (!sup->control) supervisor_fail(sup, FINDING_OTHER_ERROR, "control socket: %s", fault_message(&why));
    return sup->control != NULL;
}

void control_close(struct supervisor *sup)
{
    if (sup->control) line_server_free(sup->control);
    sup->control = NULL;
}
