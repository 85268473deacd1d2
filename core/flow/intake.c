#include "flow/intake.h"

#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"

/* A key with requests under way. */
struct holder {
    char *id; /* NULL: the place is free */
    size_t id_len, bytes;
    uint32_t requests, next_free; /* next_free: a place + 1; 0: none */
};

struct intake {
    size_t key_bytes, worker_bytes; /* the caps */
    size_t bytes;                   /* of all holders */
    struct holder *holders;
    uint32_t count, cap, first_free; /* first_free: a place + 1; 0: none */
    struct map by_id;
};

static struct slice id_of(const void *owner, uint32_t place)
{
    const struct holder *h = &((const struct intake *)owner)->holders[place];
    return slice_of(h->id, h->id_len);
}

struct intake *intake_new(size_t key_bytes, size_t worker_bytes)
{
    struct intake *intake = mem_zalloc(1, sizeof *intake);
    intake_set_limits(intake, key_bytes, worker_bytes);
    map_init(&intake->by_id, id_of, intake);
    return intake;
}

void intake_free(struct intake *intake)
{
    if (!intake) return;
    check(intake->by_id.count == 0);
    map_clear(&intake->by_id);
    mem_free(intake->holders);
    mem_free(intake);
}

void intake_set_limits(struct intake *intake, size_t key_bytes, size_t worker_bytes)
{
    intake->key_bytes = key_bytes;
    intake->worker_bytes = worker_bytes;
}

static uint32_t take_place(struct intake *intake)
{
    uint32_t place = intake->first_free;
    if (place) {
        intake->first_free = intake->holders[place - 1].next_free;
        return place - 1;
    }
    if (intake->count == intake->cap) {
        intake->cap = intake->cap ? intake->cap * 2 : 16;
        intake->holders = mem_realloc(intake->holders, intake->cap * sizeof *intake->holders);
    }
    return intake->count++;
}

void intake_join(struct intake *intake, struct intake_hold *hold, struct slice key_id)
{
    check(!hold->intake);
    *hold = (struct intake_hold){.intake = intake};
    if (!map_find(&intake->by_id, key_id, &hold->holder)) {
        hold->holder = take_place(intake);
        intake->holders[hold->holder] = (struct holder){mem_strndup(key_id.ptr, key_id.len), key_id.len, 0, 0, 0};
        map_add(&intake->by_id, hold->holder);
    }
    intake->holders[hold->holder].requests++;
}

/* `others`: what is held beside this request. */
static bool fits(size_t others, size_t bytes, size_t cap)
{
    return others == 0 || (bytes <= cap && others <= cap - bytes);
}

bool intake_hold(struct intake_hold *hold, size_t bytes, struct fault *why)
{
    struct intake *intake = hold->intake;
    if (!intake) return true;
    struct holder *h = &intake->holders[hold->holder];
    size_t of_key = h->bytes - hold->bytes, of_all = intake->bytes - hold->bytes;
    bool is_more = bytes > hold->bytes;
    if (is_more && !fits(of_key, bytes, intake->key_bytes))
        return fault_set(why, FAULT_KEY_FULL,
                         "other requests of this key hold %zu bytes here, and together they may hold %zu "
                         "(limits.key_bytes): send it again when some have been answered",
                         of_key, intake->key_bytes);
    if (is_more && !fits(of_all, bytes, intake->worker_bytes))
        return fault_set(
            why, FAULT_WORKER_FULL,
            "the requests under way hold all that they may (limits.worker_bytes): send it again in a moment");
    h->bytes = of_key + bytes;
    intake->bytes = of_all + bytes;
    hold->bytes = bytes;
    return true;
}

void intake_leave(struct intake_hold *hold)
{
    struct intake *intake = hold->intake;
    if (!intake) return;
    struct holder *h = &intake->holders[hold->holder];
    h->bytes -= hold->bytes;
    intake->bytes -= hold->bytes;
    if (--h->requests == 0) {
        map_remove(&intake->by_id, slice_of(h->id, h->id_len));
        mem_free(h->id);
        h->id = NULL;
        h->next_free = intake->first_free;
        intake->first_free = hold->holder + 1;
    }
    *hold = (struct intake_hold){0};
}

size_t intake_bytes(const struct intake *intake)
{
    return intake->bytes;
}

uint32_t intake_holders(const struct intake *intake)
{
    return intake->by_id.count;
}
