#include "ledger/answering.h"

#include "base/buf.h"
#include "base/clock.h"
#include "store/ledger/objects.h"

void answering_ask(struct ledger *ledger, struct link *link, const struct link_ask *ask, const struct owned_key *keys)
{
    struct owned found[LIMIT_KEPT] = {{0}};
    struct link_ask answer = {.number = ask->number, .count = ask->count, .is_failing = !ledger};
    uint64_t now_s = clock_wall_ns() / NS_PER_S;
    for (uint32_t i = 0; i < ask->count && !answer.is_failing; i++)
        answer.is_failing = ledger_find_object(ledger, &keys[i], now_s, &found[i]) == LEDGER_OBJECT_UNREAD;
    link_tell(link, &answer, found);
}

/* What is being told; of the one that is too many no more than that there is one. */
struct telling {
    struct link_listed head;
    uint32_t limit;
    struct buf objects;
};

static void on_object(void *arg, struct slice id, int64_t made_s)
{
    struct telling *t = arg;
    struct link_object object = {.made_s = made_s, .id_bytes = (uint32_t)id.len};
    if (t->head.count == t->limit) {
        t->head.has_more = 1;
        return;
    }
    t->head.count++;
    buf_append(&t->objects, slice_of((const char *)&object, sizeof object));
    buf_append(&t->objects, id);
}

static uint32_t state_of(enum ledger_found found)
{
    switch (found) {
    case LEDGER_OBJECT_FOUND: return LINK_LIST_GOOD;
    case LEDGER_OBJECT_UNKNOWN: return LINK_LIST_NOWHERE;
    case LEDGER_OBJECT_UNREAD: break;
    }
    return LINK_LIST_UNREAD;
}

void answering_list(struct ledger *ledger, struct link *link, const struct link_list *list, struct slice owner)
{
    struct telling t = {.head = {.number = list->number, .state = LINK_LIST_UNREAD}, .limit = list->limit};
    struct ledger_page page = {.owner = owner,
                               .kind = (int)list->kind,
                               .after = list->has_after ? &list->after : NULL,
                               .is_ascending = list->is_ascending,
                               .limit = list->limit};
    buf_init(&t.objects);
    if (ledger) t.head.state = state_of(ledger_list_objects(ledger, &page, clock_wall_ns() / NS_PER_S, on_object, &t));
    if (t.head.state != LINK_LIST_GOOD) {
        t.head.count = t.head.has_more = 0;
        buf_reset(&t.objects);
    }
    link_tell_list(link, &t.head, buf_slice(&t.objects));
    buf_clear(&t.objects);
}
