#include "server/admin_notices.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/sink/sink.h"
#include "store/registry/notices.h"

/* One sink, and what is on its way there. */
struct outlet {
    struct admin_notices *notices;
    struct slice name;
    struct sink_way *way;
    struct notice_item item;
    bool is_busy, is_over, is_good; /* is_over: the way has answered, and it is to be written down */
};

struct admin_notices {
    struct loop *loop;
    struct arena arena;
    struct slice gateway;
    struct outlet *outlets;
    struct slice *names;
    size_t count;
    bool is_failing;
};

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

static void note(struct admin_notices *n, bool is_good, const struct fault *why)
{
    if (!is_good && !n->is_failing) log_event(LOG_ERROR, "notices_failing", "%s", fault_message(why));
    n->is_failing = !is_good;
}

/* ---- Sending. */

/* Not written down from here: a way may call this inside of send(), and the registry may be closed. */
static void on_done(void *arg, bool is_good, const char *why)
{
    struct outlet *o = arg;
    o->is_over = true;
    o->is_good = is_good;
    if (!is_good)
        log_event(LOG_WARN, "notice_failing", "%.*s does not take notice %s: %s", SLICE_FMT(o->name), o->item.id, why);
}

static struct slice member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? slice_str(text) : SLICE("");
}

/* "kim: approvals.approve apr_7Q2f… (for ana, lee)" */
static void write_text(struct buf *out, const json_t *body)
{
    size_t i;
    json_t *one;
    buf_printf(out, "%.*s: %.*s %.*s", SLICE_FMT(member(body, "actor")), SLICE_FMT(member(body, "action")),
               SLICE_FMT(member(body, "object")));
    json_array_foreach(json_object_get(body, "to"), i, one) {
        struct slice name = member(one, "name");
        if (!name.len) name = member(one, "person");
        buf_printf(out, "%s%.*s", i ? ", " : " (for ", SLICE_FMT(name));
    }
    if (i) buf_append_char(out, ')');
}

static void send(struct outlet *o, const json_t *body)
{
    struct buf text;
    char *entry = json_dumps(body, JSON_COMPACT);
    buf_init(&text);
    write_text(&text, body);
    o->is_busy = true;
    o->way->send(o->way, &(struct sink_notice){.id = slice_str(o->item.id),
                                               .text = buf_slice(&text),
                                               .rule = member(body, "action"),
                                               .receiver = o->name,
                                               .gateway = o->notices->gateway,
                                               .entry = slice_str(entry)});
    buf_clear(&text);
    mem_free(entry);
}

/* ---- What came of it. */

static void end(struct outlet *o, struct registry *registry)
{
    struct fault why = {0};
    bool is_given_up = false;
    bool is_written = o->is_good ? registry_notice_taken(registry, &o->item, now_s(), &why)
                                 : registry_notice_failed(registry, &o->item, now_s(), &is_given_up, &why);
    note(o->notices, is_written, &why);
    if (!is_written) return; /* again at the next look */
    if (is_given_up)
        log_event(LOG_ERROR, "notice_given_up", "%.*s took notice %s at none of %d tries", SLICE_FMT(o->name),
                  o->item.id, NOTICE_TRIES);
    o->is_busy = o->is_over = false;
}

static void look_at(struct outlet *o, struct registry *registry)
{
    struct fault why = {0};
    if (o->is_over) end(o, registry);
    if (o->is_busy) return;
    json_t *body = registry_notice_claim(registry, o->name, now_s(), &o->item, &why);
    if (body) send(o, body);
    else if (why.code) note(o->notices, false, &why);
    json_decref(body);
}

void admin_notices_look(struct admin_notices *n, struct registry *registry)
{
    struct fault why = {0};
    if (!registry || !n->names) return; /* no configuration has come yet */
    bool is_shared = registry_notices_share(registry, n->names, n->count, now_s(), &why);
    note(n, is_shared, &why);
    for (size_t i = 0; i < n->count && is_shared; i++)
        look_at(&n->outlets[i], registry);
}

/* ---- Its life. */

static void free_outlets(struct admin_notices *n)
{
    for (size_t i = 0; i < n->count; i++)
        n->outlets[i].way->free(n->outlets[i].way);
    mem_free(n->outlets);
    mem_free(n->names);
    n->outlets = NULL;
    n->names = NULL;
    n->count = 0;
    arena_clear(&n->arena);
    arena_init(&n->arena);
}

void admin_notices_configure(struct admin_notices *n, const struct settings *settings, struct slice gateway)
{
    free_outlets(n);
    n->gateway = arena_copy(&n->arena, gateway);
    n->outlets = mem_zalloc(settings->sink_count + 1, sizeof *n->outlets);
    n->names = mem_zalloc(settings->sink_count + 1, sizeof *n->names);
    n->count = settings->sink_count;
    for (size_t i = 0; i < n->count; i++) {
        struct outlet *o = &n->outlets[i];
        n->names[i] = arena_copy(&n->arena, settings->sinks[i].name);
        *o = (struct outlet){.notices = n, .name = n->names[i], .way = sink_way_new(n->loop, &settings->sinks[i])};
        o->way->done = on_done;
        o->way->arg = o;
    }
}

struct admin_notices *admin_notices_new(struct loop *loop)
{
    struct admin_notices *n = mem_zalloc(1, sizeof *n);
    n->loop = loop;
    arena_init(&n->arena);
    return n;
}

void admin_notices_free(struct admin_notices *n)
{
    if (!n) return;
    free_outlets(n);
    arena_clear(&n->arena);
    mem_free(n);
}
