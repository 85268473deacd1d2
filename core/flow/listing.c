#include "flow/listing.h"

#include "base/buf.h"
#include "base/limits.h"
#include "flow/owning.h"
#include "flow/reply.h"
#include "wire/http.h"

/* In the exchange's arena. */
struct listing {
    struct list_link link; /* of those that wait for the ledger */
    struct loop_timer timer;
    struct job *job;
    struct slice after; /* empty: from the beginning */
    struct link_list asked;
};

/* ---- What is asked for. */

static bool read_limit(struct slice value, struct listing *l, struct fault *why)
{
    uint64_t limit;
    if (!slice_to_u64(value, &limit) || limit < 1 || limit > LIMIT_LIST_ASKED)
        return fault_set(why, FAULT_BAD_REQUEST, "\"limit\" in the query must be a number from 1 to %u.",
                         LIMIT_LIST_ASKED);
    l->asked.limit = limit < LIMIT_LISTED ? (uint32_t)limit : LIMIT_LISTED;
    return true;
}

static bool read_order(struct slice value, struct listing *l, struct fault *why)
{
    l->asked.is_ascending = slice_equal(value, SLICE("asc"));
    return l->asked.is_ascending || slice_equal(value, SLICE("desc")) ||
           fault_set(why, FAULT_BAD_REQUEST, "\"order\" in the query must be \"asc\" or \"desc\".");
}

static bool read_after(struct slice value, struct listing *l, struct fault *why)
{
    if (!http_decode_segment(&l->job->x->arena, value, &l->after) || l->after.len > LIMIT_KEPT_ID_BYTES)
        return fault_set(why, FAULT_BAD_REQUEST, "\"after\" in the query is no object's id.");
    l->asked.has_after = l->after.len > 0;
    if (l->after.len) owned_key(&l->asked.after, owning_owner(l->job->x), l->after);
    return true;
}

static bool refuse_purpose(struct slice value, struct listing *l, struct fault *why)
{
    (void)l;
    return !value.len || fault_set(why, FAULT_BAD_REQUEST,
                                   "\"purpose\" in the query is not served: here it is not known what a file is for. "
                                   "List all, and ask for each by its id.");
}

/* Others may hold keys, or are a client's own. */
static bool read_query(struct listing *l, struct fault *why)
{
    static const struct {
        struct slice name;
        bool (*read)(struct slice value, struct listing *l, struct fault *why);
    } parameters[] = {
        {{"limit", 5}, read_limit},
        {{"order", 5}, read_order},
        {{"after", 5}, read_after},
        {{"purpose", 7}, refuse_purpose}};
    struct slice rest = l->job->x->head.query;
    while (rest.len) {
        struct slice value = SLICE_NONE, name = slice_split(slice_split(rest, '&', &rest), '=', &value);
        for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
            if (slice_equal(name, parameters[i].name) && !parameters[i].read(value, l, why)) return false;
        }
    }
    return true;
}

/* ---- What is told. */

static struct slice take_object(struct slice *objects, struct link_object *object)
{
    memcpy(object, objects->ptr, sizeof *object);
    struct slice id = slice_of(objects->ptr + sizeof *object, object->id_bytes);
    *objects = slice_of(id.ptr + id.len, objects->len - sizeof *object - id.len);
    return id;
}

static void write_id(struct buf *out, const char *name, struct slice id)
{
    buf_printf(out, ",\"%s\":", name);
    if (id.len)
        buf_append_json(out, id);
    else
        buf_append(out, SLICE("null"));
}

static void write_page(struct buf *out, const char *kind, const struct link_listed *listed, struct slice objects)
{
    struct slice first = SLICE_NONE, last = SLICE_NONE;
    buf_append(out, SLICE("{\"object\":\"list\",\"data\":["));
    for (uint32_t i = 0; i < listed->count; i++) {
        struct link_object object;
        last = take_object(&objects, &object);
        if (!i) first = last;
        buf_append(out, i ? SLICE(",{\"id\":") : SLICE("{\"id\":"));
        buf_append_json(out, last);
        buf_printf(out, ",\"object\":\"%s\",\"created_at\":%lld}", kind, (long long)object.made_s);
    }
    buf_append_char(out, ']');
    write_id(out, "first_id", first);
    write_id(out, "last_id", last);
    buf_printf(out, ",\"has_more\":%s}", listed->has_more ? "true" : "false");
}

static void tell(struct job *job, const struct link_listed *listed, struct slice objects)
{
    static const struct conn_header scope = {{"x-moongate-scope", 16}, {"gateway", 7}};
    struct buf body;
    buf_init(&body);
    write_page(&body, kept_name(job->x->api->object), listed, objects);
    reply_json(job, buf_slice(&body), job->flow->parts.redis ? &scope : NULL);
    buf_clear(&body);
}

static struct slice shown(struct slice id)
{
    return id.len > 100 ? slice_of(id.ptr, 100) : id;
}

static void refuse(const struct listing *l, uint32_t state)
{
    struct fault why = {.code = FAULT_OBJECTS};
    if (state == LINK_LIST_NOWHERE)
        fault_set(&why, FAULT_UNKNOWN_OBJECT, "No such %s object: %.*s; \"after\" names the last one of a page.",
                  kept_name(l->job->x->api->object), SLICE_FMT(shown(l->after)));
    reply_fault(l->job, &why);
}

/* ---- The ledger is asked. */

static void leave(struct listing *l)
{
    loop_timer_disarm(&l->timer);
    list_remove(&l->link);
    l->job->listing = NULL;
    l->job->stop = NULL;
}

static void cancel(struct job *job)
{
    leave(job->listing);
}

static void on_late(void *arg)
{
    struct listing *l = arg;
    leave(l);
    refuse(l, LINK_LIST_UNREAD);
}

static struct listing *find(struct flow *flow, uint64_t number)
{
    for (struct list_link *at = flow->listing.next; at != &flow->listing; at = at->next) {
        struct listing *l = LIST_OWNER(at, struct listing, link);
        if (l->asked.number == number) return l;
    }
    return NULL;
}

void listing_told(struct flow *flow, const struct link_listed *listed, struct slice objects)
{
    while (!listed && !list_is_empty(&flow->listing))
        on_late(LIST_OWNER(flow->listing.next, struct listing, link));
    struct listing *l = listed ? find(flow, listed->number) : NULL;
    if (!l) return; /* its caller has left */
    leave(l);
    if (listed->state == LINK_LIST_GOOD)
        tell(l->job, listed, objects);
    else
        refuse(l, listed->state);
}

static void ask(struct listing *l)
{
    struct job *job = l->job;
    struct flow *flow = job->flow;
    l->asked.number = ++flow->listed;
    job->listing = l;
    job->stop = cancel;
    list_append(&flow->listing, &l->link);
    loop_timer_init(&l->timer, flow->parts.loop, on_late, l);
    loop_timer_arm_ms(&l->timer, LIMIT_OBJECTS_MS);
    if (!recorder_list(flow->recorder, &l->asked, owning_owner(job->x))) on_late(l);
}

void listing_first(struct job *job)
{
    struct fault why;
    struct listing *l = arena_zalloc(&job->x->arena, sizeof *l);
    l->job = job;
    l->asked.kind = job->x->api->object;
    l->asked.limit = LIMIT_LISTED_USUALLY;
    if (read_query(l, &why))
        ask(l);
    else
        reply_fault(job, &why);
}
