#include "flow/objects.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/recorder.h"
#include "net/redis.h"

#define REDIS_KEY "mg1:o:"
#define KEY_TEXT_BYTES (sizeof REDIS_KEY + 2 * OWNED_KEY_BYTES)
#define VALUE_BYTES (LIMIT_LABEL_BYTES + 32u)

/* What Redis is to be told. */
struct telling {
    struct list_link link; /* in one of the lists */
    struct objects *objects;
    uint64_t number;
    char key[KEY_TEXT_BYTES], value[VALUE_BYTES];
    char seconds[16];
    bool is_gone; /* the key is to be deleted */
};

struct objects {
    struct objects_options options;
    struct redis *redis; /* NULL: this gateway is alone */
    struct list_link asking; /* questions to the ledger, as they were asked */
    struct list_link told, again, resent; /* tellings: under way, that failed, and that are told again */
    struct list_link waiting;             /* for what is in `told` */
    size_t telling_count;
    uint64_t asked, claims; /* numbers of the last question, and claim */
    struct loop_timer retry;
};

static uint64_t now_s(void)
{
    return clock_wall_ns() / NS_PER_S;
}

static void key_text(const struct owned_key *key, char text[KEY_TEXT_BYTES])
{
    memcpy(text, REDIS_KEY, sizeof REDIS_KEY - 1);
    hex_write(key->bytes, sizeof key->bytes, text + sizeof REDIS_KEY - 1);
}

/* ---- Redis is told. */

/* Those in `told` have numbers that grow; what failed once is not waited for. */
static bool is_reached(const struct objects *o, uint64_t claims)
{
    if (list_is_empty(&o->told)) return true;
    return LIST_OWNER(o->told.next, struct telling, link)->number > claims;
}

static void tell_waiting(struct objects *o)
{
    while (!list_is_empty(&o->waiting)) {
        struct objects_wait *wait = LIST_OWNER(o->waiting.next, struct objects_wait, link);
        if (!is_reached(o, wait->claims)) return;
        list_remove(&wait->link);
        wait->then(wait->arg);
    }
}

static void drop(struct telling *t)
{
    list_remove(&t->link);
    t->objects->telling_count--;
    mem_free(t);
}

static void on_taken(void *arg, const struct redis_answer *answer)
{
    struct telling *t = arg;
    struct objects *o = t->objects;
    bool is_done = answer->outcome == REDIS_ANSWERED && answer->reply->kind != REDIS_ERROR;
    if (is_done) {
        drop(t);
    } else {
        list_remove(&t->link);
        list_append(&o->again, &t->link);
        if (!loop_timer_is_armed(&o->retry)) loop_timer_arm_ms(&o->retry, LIMIT_OBJECTS_AGAIN_MS);
    }
    tell_waiting(o);
}

static bool send(struct telling *t)
{
    struct objects *o = t->objects;
    struct slice set[] = {SLICE("SET"), slice_str(t->key), slice_str(t->value), SLICE("EX"), slice_str(t->seconds)};
    struct slice gone[] = {SLICE("DEL"), slice_str(t->key)};
    struct redis_question q = {.args = t->is_gone ? gone : set,
                               .arg_count = t->is_gone ? 2 : 5,
                               .timeout_ms = o->options.redis_ms,
                               .fn = on_taken,
                               .arg = t};
    return redis_ask(o->redis, &q) == REDIS_TAKEN;
}

static void on_retry(void *arg)
{
    struct objects *o = arg;
    size_t count = o->telling_count;
    while (count-- && !list_is_empty(&o->again)) {
        struct telling *t = LIST_OWNER(o->again.next, struct telling, link);
        if (!send(t)) break;
        list_remove(&t->link); /* its answer comes later, from the loop */
        list_append(&o->resent, &t->link);
    }
    if (!list_is_empty(&o->again)) loop_timer_arm_ms(&o->retry, LIMIT_OBJECTS_AGAIN_MS);
}

/* The one that has waited longest goes: this gateway's own ledger knows it still. */
static void make_room(struct objects *o)
{
    if (o->telling_count < LIMIT_OBJECTS_TELLING || list_is_empty(&o->again)) return;
    log_event(LOG_WARN, "objects_untold", "Redis takes nothing: other gateways will not know of what is made here");
    drop(LIST_OWNER(o->again.next, struct telling, link));
}

static void tell(struct objects *o, const struct owned_key *key, const struct owned *owned, struct slice account)
{
    if (!o->redis) return;
    make_room(o);
    struct telling *t = mem_zalloc(1, sizeof *t);
    t->objects = o;
    t->number = ++o->claims;
    t->is_gone = !owned;
    key_text(key, t->key);
    if (owned) {
        snprintf(t->value, sizeof t->value, "%u %u %.*s", owned->until_s, owned->kind, SLICE_FMT(account));
        snprintf(t->seconds, sizeof t->seconds, "%llu", (unsigned long long)(owned->until_s - now_s()));
    }
    o->telling_count++;
    bool is_sent = send(t);
    list_append(is_sent ? &o->told : &o->again, &t->link);
    if (!is_sent && !loop_timer_is_armed(&o->retry)) loop_timer_arm_ms(&o->retry, LIMIT_OBJECTS_AGAIN_MS);
}

void objects_claim(struct objects *o, struct slice owner, const struct object_made *made)
{
    struct owned_key key;
    struct owned owned = {owned_account(made->account), made->until_s, made->kind};
    owned_key(&key, owner, made->id);
    if (!owned_put(o->options.table, &key, &owned, now_s()))
        log_event(LOG_ERROR, "object_unclaimed", "%.*s: it will be known when its record is written",
                  SLICE_FMT(made->id));
    tell(o, &key, &owned, made->account);
}

void objects_forget(struct objects *o, struct slice owner, struct slice id)
{
    struct owned_key key;
    owned_key(&key, owner, id);
    owned_forget(o->options.table, &key);
    tell(o, &key, NULL, SLICE_NONE);
}

bool objects_are_behind(const struct objects *o)
{
    return !list_is_empty(&o->told);
}

bool objects_is_reached(struct objects *o, struct objects_wait *wait, void (*then)(void *arg), void *arg)
{
    if (is_reached(o, o->claims)) return true;
    *wait = (struct objects_wait){.claims = o->claims, .then = then, .arg = arg};
    list_init(&wait->link);
    list_append(&o->waiting, &wait->link);
    return false;
}

void objects_wait_leave(struct objects_wait *wait)
{
    if (wait->then) list_remove(&wait->link);
}

/* ---- Questions. */

static void end(struct objects_question *q, enum objects_state state)
{
    list_remove(&q->link);
    loop_timer_disarm(&q->timer);
    q->is_waiting = false;
    q->then(q->arg, state);
}

static size_t first_missing(const struct objects_question *q)
{
    size_t i = 0;
    while (i < q->count && q->found[i].account)
        i++;
    return i;
}

/* All that is asked for is nobody's but the owner's, or somebody's who could not be asked. */
static void conclude(struct objects_question *q)
{
    q->missing = first_missing(q);
    if (q->missing == q->count)
        end(q, OBJECTS_KNOWN);
    else
        end(q, q->is_unsure ? OBJECTS_UNASKED : OBJECTS_UNKNOWN);
}

/* What others knew all processes here know from now on. */
static void take(struct objects_question *q, size_t at, const struct owned *found)
{
    q->found[at] = *found;
    if (found->account) owned_put(q->objects->options.table, &q->keys[at], found, now_s());
}

static size_t missing_keys(const struct objects_question *q, struct owned_key keys[LIMIT_KEPT])
{
    size_t count = 0;
    for (size_t i = 0; i < q->count; i++)
        if (!q->found[i].account) keys[count++] = q->keys[i];
    return count;
}

static void ask_ledger(struct objects_question *q)
{
    struct objects *o = q->objects;
    struct owned_key keys[LIMIT_KEPT];
    struct link_ask ask = {.number = ++o->asked, .count = (uint32_t)missing_keys(q, keys)};
    if (!ask.count) {
        conclude(q);
        return;
    }
    q->number = ask.number;
    if (recorder_ask(o->options.recorder, &ask, keys)) {
        list_append(&o->asking, &q->link);
        return;
    }
    q->is_unsure = true;
    conclude(q);
}

static void take_all(struct objects_question *q, const struct owned *found, size_t count)
{
    size_t next = 0;
    for (size_t i = 0; i < q->count && next < count; i++)
        if (!q->found[i].account) take(q, i, &found[next++]);
}

static struct objects_question *find(struct objects *o, uint64_t number)
{
    for (struct list_link *at = o->asking.next; at != &o->asking; at = at->next) {
        struct objects_question *q = LIST_OWNER(at, struct objects_question, link);
        if (q->number == number) return q;
    }
    return NULL;
}

static void fail_all(struct objects *o)
{
    while (!list_is_empty(&o->asking)) {
        struct objects_question *q = LIST_OWNER(o->asking.next, struct objects_question, link);
        q->is_unsure = true;
        conclude(q);
    }
}

void objects_told(struct objects *o, const struct link_ask *ask, const struct owned *found)
{
    if (!ask) {
        fail_all(o);
        return;
    }
    struct objects_question *q = find(o, ask->number);
    if (!q) return; /* its owner has left */
    q->is_unsure |= ask->is_failing;
    if (!ask->is_failing) take_all(q, found, ask->count);
    conclude(q);
}

/* "until kind account", as tell() writes it. */
static bool read_value(struct slice value, struct owned *found)
{
    struct slice rest, until = slice_split(value, ' ', &rest), account, kind = slice_split(rest, ' ', &account);
    uint64_t until_s, number;
    if (!slice_to_u64(until, &until_s) || !slice_to_u64(kind, &number) || !account.len) return false;
    if (until_s > UINT32_MAX || number >= KEPT_KINDS) return false;
    *found = (struct owned){owned_account(account), (uint32_t)until_s, (uint32_t)number};
    return true;
}

/* A question that was left is nobody's any more; see objects_leave(). */
struct asked_redis {
    struct objects_question *q;
};

static void take_reply(struct objects_question *q, const struct redis_reply *reply)
{
    size_t next = 0;
    for (size_t i = 0; i < q->count && next < reply->count; i++) {
        struct owned found;
        if (q->found[i].account) continue;
        const struct redis_reply *item = &reply->items[next++];
        if (item->kind == REDIS_TEXT && read_value(item->text, &found)) take(q, i, &found);
    }
}

static void on_redis(void *arg, const struct redis_answer *answer)
{
    struct asked_redis *asked = arg;
    struct objects_question *q = asked->q;
    bool is_good = answer->outcome == REDIS_ANSWERED && answer->reply->kind == REDIS_ARRAY;
    mem_free(asked);
    if (!q) return;
    q->at_redis = NULL;
    if (is_good)
        take_reply(q, answer->reply);
    else
        q->is_unsure = true;
    ask_ledger(q);
}

static void ask_redis(struct objects_question *q)
{
    struct owned_key keys[LIMIT_KEPT];
    char texts[LIMIT_KEPT][KEY_TEXT_BYTES];
    struct slice words[LIMIT_KEPT + 1] = {SLICE("MGET")};
    size_t count = missing_keys(q, keys);
    struct asked_redis *asked = mem_alloc(sizeof *asked);
    asked->q = q;
    for (size_t i = 0; i < count; i++) {
        key_text(&keys[i], texts[i]);
        words[i + 1] = slice_str(texts[i]);
    }
    struct redis_question ask = {.args = words,
                                 .arg_count = count + 1,
                                 .timeout_ms = q->objects->options.redis_ms,
                                 .fn = on_redis,
                                 .arg = asked};
    q->at_redis = asked;
    if (redis_ask(q->objects->redis, &ask) == REDIS_TAKEN) return;
    mem_free(asked);
    q->at_redis = NULL;
    q->is_unsure = true;
    ask_ledger(q);
}

static void on_late(void *arg)
{
    struct objects_question *q = arg;
    q->is_unsure = true;
    objects_leave(q);
    conclude(q);
}

void objects_ask(struct objects *o, struct slice owner, const struct kept_object *named, size_t count,
                 struct objects_question *q)
{
    check(count <= LIMIT_KEPT);
    list_init(&q->link);
    q->objects = o;
    q->count = count;
    q->is_waiting = true;
    memset(q->found, 0, sizeof q->found);
    loop_timer_init(&q->timer, o->options.loop, on_late, q);
    for (size_t i = 0; i < count; i++) {
        owned_key(&q->keys[i], owner, named[i].id);
        q->found[i].account = q->given[i];
        if (!q->given[i]) owned_find(o->options.table, &q->keys[i], now_s(), &q->found[i]);
    }
    if (first_missing(q) == count) {
        conclude(q);
        return;
    }
    loop_timer_arm_ms(&q->timer, LIMIT_OBJECTS_MS);
    if (o->redis)
        ask_redis(q);
    else
        ask_ledger(q);
}

void objects_leave(struct objects_question *q)
{
    if (!q->is_waiting) return;
    q->is_waiting = false;
    loop_timer_disarm(&q->timer);
    list_remove(&q->link);
    if (q->at_redis) q->at_redis->q = NULL;
    q->at_redis = NULL;
}

/* ---- Its life. */

struct objects *objects_new(const struct objects_options *options)
{
    struct objects *o = mem_zalloc(1, sizeof *o);
    struct fault why;
    o->options = *options;
    list_init(&o->asking);
    list_init(&o->told);
    list_init(&o->again);
    list_init(&o->resent);
    list_init(&o->waiting);
    loop_timer_init(&o->retry, options->loop, on_retry, o);
    if (options->redis_url) o->redis = redis_new(options->loop, options->redis_url, NULL, NULL, &why);
    check(!options->redis_url || o->redis); /* one that is none was refused when the configuration was read */
    return o;
}

static void drop_all(struct list_link *list)
{
    while (!list_is_empty(list))
        drop(LIST_OWNER(list->next, struct telling, link));
}

void objects_free(struct objects *o)
{
    if (!o) return;
    loop_timer_disarm(&o->retry);
    redis_free(o->redis);
    drop_all(&o->told);
    drop_all(&o->again);
    drop_all(&o->resent);
    mem_free(o);
}
