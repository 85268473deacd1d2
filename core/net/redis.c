#include "net/redis.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/redis_inner.h"
#include "net/tls.h"

struct redis {
    struct loop *loop;
    const struct redis_events *events;
    void *arg;
    struct redis_target target;
    struct tls *tls; /* NULL: none, or none yet */
    struct redis_script scripts[LIMIT_REDIS_SCRIPTS];
    size_t script_count;

    struct loop_timer retry, deadline; /* the next try; of the one under way */
    struct redis_find *find;
    struct redis_places places, sentinels;
    struct redis_host master; /* as a Sentinel has told it */
    struct loop_timer check;  /* is it still? */
    size_t tried;             /* of the places */
    struct redis_link *link;
    struct redis_greet greet;
    bool is_ready; /* the link is greeted */
    bool is_down;  /* a whole try has failed since it was */
    bool is_freed;
    unsigned failures, falls; /* tries in a row, and connections that stood for a moment alone */
    struct fault trying; /* what came of the places of this try */

    struct redis_pipeline pipeline;
    struct loop_timer probe, silence;
    bool is_slow;

    struct fault why;
    char place[REDIS_PLACE_BYTES];
    enum redis_eviction eviction;
    struct redis_told told;
    bool has_told_down;
    uint64_t greeted_ns; /* when the last connection was */
    uint64_t connections, refused, opened;
};

static const struct redis_link_events link_events;

/* ---- Down. */

/* Half of it at random, so that the gateways of a fleet do not come back together. */
static unsigned retry_ms(unsigned failures)
{
    unsigned ms = LIMIT_REDIS_RETRY_MS;
    while (failures-- && ms < LIMIT_REDIS_RETRY_MS_MAX)
        ms *= 2;
    if (ms > LIMIT_REDIS_RETRY_MS_MAX) ms = LIMIT_REDIS_RETRY_MS_MAX;
    return ms / 2 + arc4random_uniform(ms / 2 + 1);
}

static void drop_link(struct redis *r)
{
    redis_link_cut(r->link);
    redis_find_free(r->find);
    r->link = NULL;
    r->find = NULL;
    r->is_ready = false;
    r->pipeline.link = NULL;
    loop_timer_disarm(&r->deadline);
    loop_timer_disarm(&r->probe);
    loop_timer_disarm(&r->silence);
    loop_timer_disarm(&r->check);
}

/* Once for every outage. */
static void tell_down(struct redis *r)
{
    if (r->has_told_down || r->is_freed) return;
    r->has_told_down = true;
    log_event(LOG_WARN, "redis_down", "%s", fault_message(&r->why));
    if (r->events && r->events->on_down) r->events->on_down(r->arg, &r->why);
}

/* The one that served is lost. What waits to be sent may still be, if another one is found soon: not behind one that
 * lets in whoever comes and soon cuts him off, who would be called on twenty times a second. */
static void lose(struct redis *r, const struct fault *why)
{
    bool has_stood = loop_now_ns(r->loop) - r->greeted_ns >= LIMIT_REDIS_STOOD_MS * NS_PER_MS;
    r->why = *why;
    drop_link(r);
    r->falls = has_stood ? 0 : r->falls + 1;
    r->is_down = r->falls > 1;
    loop_timer_arm_ms(&r->retry, retry_ms(r->falls));
    redis_pipeline_lose(&r->pipeline);
    if (r->is_down) redis_pipeline_fail(&r->pipeline);
    tell_down(r);
}

static void lose_for(struct redis *r, const char *what)
{
    struct fault why = {0};
    fault_set(&why, FAULT_INTERNAL, "%s: %s", r->place, what);
    lose(r, &why);
}

/* No place has let us in. */
static void give_up_try(struct redis *r, const struct fault *why)
{
    r->why = *why;
    drop_link(r);
    if (r->target.is_sentinel && r->places.count) redis_target_turn(&r->target); /* the one that was believed last */
    r->is_down = true;
    loop_timer_arm_ms(&r->retry, retry_ms(++r->failures));
    redis_pipeline_fail(&r->pipeline);
    tell_down(r);
}

/* ---- Slow. */

static void on_probed(void *arg, const struct redis_answer *answer)
{
    struct redis *r = arg;
    if (answer->outcome != REDIS_ANSWERED || !r->is_slow) return;
    if (answer->reply->kind == REDIS_ERROR && answer->reply->error != REDIS_NOPERM) return;
    r->is_slow = false;
    loop_timer_disarm(&r->probe);
    redis_told_fast(&r->told, r->place);
}

static void pump(struct redis *r)
{
    redis_pipeline_pump(&r->pipeline);
    bool is_owed = redis_pipeline_since_ns(&r->pipeline) != 0;
    if (r->is_ready && is_owed && !loop_timer_is_armed(&r->silence))
        loop_timer_arm_ms(&r->silence, LIMIT_REDIS_SILENT_MS);
}

static void on_probe(void *arg)
{
    static const struct slice ping[] = {SLICE("PING")};
    struct redis *r = arg;
    if (!r->is_slow || !r->is_ready) return;
    struct redis_question q = {.args = ping, .arg_count = 1, .fn = on_probed, .arg = r};
    q.timeout_ms = LIMIT_REDIS_PROBE_ANSWER_MS;
    redis_pipeline_put(&r->pipeline, NULL, &q);
    pump(r);
    loop_timer_arm_ms(&r->probe, LIMIT_REDIS_PROBE_MS);
}

static void on_missed(void *arg)
{
    struct redis *r = arg;
    if (r->is_slow || r->pipeline.misses < LIMIT_REDIS_MISSES) return;
    r->is_slow = true;
    r->opened++;
    loop_timer_arm_ms(&r->probe, LIMIT_REDIS_PROBE_MS);
    redis_told_slow(&r->told, r->place, r->pipeline.misses, loop_now_ns(r->loop));
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A peer that is gone without a word would be waited for by TCP for very long; one that goes on saying a little, for
 * ever. */
static void on_silence(void *arg)
{
    struct redis *r = arg;
    uint64_t since = redis_pipeline_since_ns(&r->pipeline), heard = redis_link_heard_ns(r->link);
    uint64_t now = loop_now_ns(r->loop), from = since > heard ? since : heard;
    if (since == 0) return;
    uint64_t silent_ms = (now - from) / NS_PER_MS, owed_ms = (now - since) / NS_PER_MS;
    if (silent_ms >= LIMIT_REDIS_SILENT_MS) lose_for(r, "it says nothing any more");
    else if (owed_ms >= LIMIT_REDIS_OWED_MS) lose_for(r, "it goes on answering, and never comes to an end");
    else loop_timer_arm_ms(&r->silence, smaller(LIMIT_REDIS_SILENT_MS - silent_ms, LIMIT_REDIS_OWED_MS - owed_ms));
}

/* ---- Sentinels. */

/* A master that is cut off from the others goes on serving whoever still reaches it, for nothing. */
static void on_checked(void *arg, const struct redis_places *sentinels, const struct fault *why)
{
    struct redis *r = arg;
    struct redis_host master = *redis_find_master(r->find);
    (void)sentinels;
    redis_find_free(r->find);
    r->find = NULL;
    bool is_other = !why && (master.port != r->master.port || strcmp(master.name, r->master.name) != 0);
    if (is_other) lose_for(r, "Sentinels name another master now");
    else loop_timer_arm_ms(&r->check, LIMIT_REDIS_SENTINEL_MS);
}

static void on_check(void *arg)
{
    struct redis *r = arg;
    r->find = redis_find_check(r->loop, &r->target, r->tls, &r->sentinels, on_checked, r);
}

/* ---- Greeted. */

static void greeted(struct redis *r)
{
    loop_timer_disarm(&r->deadline);
    redis_place_text(&r->places.list[r->tried - 1], r->place);
    log_event(LOG_INFO, "redis_ready", "connected to %s", r->place);
    redis_told_greeting(&r->told, r->place, &r->greet);
    r->eviction = r->greet.eviction;
    r->greeted_ns = loop_now_ns(r->loop);
    r->is_ready = true;
    r->is_down = r->has_told_down = false;
    r->failures = 0;
    r->connections++;
    r->pipeline.link = r->link;
    if (r->target.is_sentinel) loop_timer_arm_ms(&r->check, LIMIT_REDIS_SENTINEL_MS);
    on_probe(r);
    pump(r);
    if (r->events && r->events->on_ready) r->events->on_ready(r->arg);
}

/* ---- Connecting. */

static void connect_next(struct redis *r)
{
    struct buf hello;
    if (r->tried == r->places.count) {
        give_up_try(r, &r->trying);
        return;
    }
    buf_init(&hello);
    r->link = redis_link_new(r->loop, &r->places.list[r->tried++], r->tls, &link_events, r);
    redis_greet_begin(&r->greet, &r->target, r->scripts, r->script_count, &hello);
    redis_link_send(r->link, buf_slice(&hello));
    explicit_bzero(hello.data, hello.cap);
    buf_clear(&hello);
    loop_timer_arm_ms(&r->deadline, LIMIT_REDIS_CONNECT_MS);
}

static void give_up_place(struct redis *r, const char *what)
{
    struct fault before = r->trying;
    fault_set(&r->trying, FAULT_INTERNAL, "%s%s%s", what, before.text[0] ? "; " : "", before.text);
    redis_link_free(r->link);
    r->link = NULL;
    loop_timer_disarm(&r->deadline);
    connect_next(r);
}

static void give_up_place_for(struct redis *r, const char *what)
{
    char place[REDIS_PLACE_BYTES];
    struct fault why = {0};
    redis_place_text(&r->places.list[r->tried - 1], place);
    fault_set(&why, FAULT_INTERNAL, "%s: %s", place, what);
    give_up_place(r, fault_message(&why));
}

static void on_deadline(void *arg)
{
    give_up_place_for(arg, "no answer in time");
}

static void on_found(void *arg, const struct redis_places *places, const struct fault *why)
{
    struct redis *r = arg;
    r->places = *places;
    r->sentinels = *redis_find_sentinels(r->find);
    r->master = *redis_find_master(r->find);
    redis_find_free(r->find);
    r->find = NULL;
    if (why) give_up_try(r, why);
    else connect_next(r);
}

/* Its files are read until they can be: who is being renewed, or mounted, while we begin is there a moment later. And
 * again when they are others: nobody else needs to be told of a certificate that was renewed. */
static bool has_tls(struct redis *r, struct fault *why)
{
    if (!r->target.is_tls || (r->tls && !tls_is_stale(r->tls))) return true;
    struct tls *anew = tls_new(r->target.ca, r->target.cert, r->target.key, why);
    if (!anew) return r->tls != NULL; /* half of them is there: what was read before may do */
    tls_free(r->tls);
    r->tls = anew;
    return true;
}

static void begin(void *arg)
{
    struct redis *r = arg;
    struct fault why = {0};
    r->tried = 0;
    r->trying = (struct fault){0};
    r->places.count = 0;
    if (!has_tls(r, &why)) {
        give_up_try(r, &why);
        return;
    }
    r->find = redis_find_start(r->loop, &r->target, r->tls, on_found, r);
}

/* ---- The connection. */

static void take_greeting(struct redis *r, const struct redis_reply *reply)
{
    struct fault why = {0};
    if (r->greet.answered == r->greet.asked) return;
    switch (redis_greet_take(&r->greet, reply, &why)) {
    case REDIS_GREET_MORE: break;
    case REDIS_GREET_DONE: greeted(r); break;
    case REDIS_GREET_REFUSED: give_up_place_for(r, fault_message(&why)); break;
    }
}

/* The answer is its owner's; for us it means that this Redis is none to stay with. */
static const char *leaving(const struct redis_reply *reply)
{
    if (reply->kind != REDIS_ERROR) return NULL;
    switch (reply->error) {
    case REDIS_READONLY: return "it has become a replica";
    case REDIS_MASTERDOWN: return "it is a replica without its master";
    case REDIS_LOADING: return "it loads its data anew";
    case REDIS_NOAUTH: return "it wants a password now";
    default: return NULL;
    }
}

static void on_reply(void *arg, const struct redis_reply *reply)
{
    struct redis *r = arg;
    if (!r->is_ready) {
        take_greeting(r, reply);
        return;
    }
    const struct redis_link *link = r->link;
    const char *why = leaving(reply);
    if (!why) redis_told_error(&r->told, r->place, reply, loop_now_ns(r->loop));
    bool is_asked = redis_pipeline_take(&r->pipeline, reply);
    if (r->is_freed || r->link != link) return;
    if (!is_asked) lose_for(r, "it says what nobody has asked for");
    else if (why) lose_for(r, why);
    else pump(r);
}

static void on_room(void *arg)
{
    pump(arg);
}

static void on_end(void *arg, const struct fault *why)
{
    struct redis *r = arg;
    if (r->is_ready) lose(r, why);
    else give_up_place(r, fault_message(why));
}

static const struct redis_link_events link_events = {on_reply, on_room, on_end};

/* ---- The room. */

bool redis_check(const char *url, struct fault *why)
{
    struct redis_target target;
    struct tls *tls = NULL;
    bool is_good = redis_target_read(&target, url, why);
    if (is_good && target.is_tls) is_good = (tls = tls_new(target.ca, target.cert, target.key, why)) != NULL;
    tls_free(tls);
    redis_target_clear(&target);
    return is_good;
}

static void free_now(void *arg)
{
    struct redis *r = arg;
    for (size_t i = 0; i < r->script_count; i++)
        mem_free(r->scripts[i].source);
    tls_free(r->tls);
    redis_target_clear(&r->target);
    mem_free(r);
}

struct redis *redis_new(struct loop *loop, const char *url, const struct redis_events *events, void *arg,
                        struct fault *why)
{
    struct redis *r = mem_zalloc(1, sizeof *r);
    *r = (struct redis){.loop = loop, .events = events, .arg = arg};
    if (!redis_target_read(&r->target, url, why)) {
        free_now(r);
        return NULL;
    }
    redis_pipeline_init(&r->pipeline, loop, on_missed, r);
    loop_timer_init(&r->retry, loop, begin, r);
    loop_timer_init(&r->deadline, loop, on_deadline, r);
    loop_timer_init(&r->probe, loop, on_probe, r);
    loop_timer_init(&r->silence, loop, on_silence, r);
    loop_timer_init(&r->check, loop, on_check, r);
    loop_timer_arm_ms(&r->retry, 0);
    return r;
}

void redis_free(struct redis *r)
{
    if (!r) return;
    r->is_freed = true;
    redis_pipeline_close(&r->pipeline);
    redis_link_free(r->link);
    r->link = NULL;
    drop_link(r);
    loop_timer_disarm(&r->retry);
    loop_defer(r->loop, free_now, r);
}

const struct redis_script *redis_script(struct redis *r, struct slice source)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    check(r->script_count < LIMIT_REDIS_SCRIPTS);
    struct redis_script *script = &r->scripts[r->script_count++];
    script->source = mem_strndup(source.ptr, source.len);
    script->len = source.len;
    check(EVP_Digest(source.ptr, source.len, digest, &len, EVP_sha1(), NULL) == 1 && len == 20);
    hex_write(digest, len, script->sha);
    return script;
}

static enum redis_taken state_of(const struct redis *r)
{
    if (r->is_freed || (!r->is_ready && r->is_down)) return REDIS_DOWN;
    return r->is_slow ? REDIS_SLOW : REDIS_TAKEN;
}

static enum redis_taken put(struct redis *r, const struct redis_script *script, const struct redis_question *q)
{
    enum redis_taken state = state_of(r);
    if (state == REDIS_TAKEN && !redis_pipeline_put(&r->pipeline, script, q)) state = REDIS_FULL;
    if (state == REDIS_TAKEN) pump(r);
    else r->refused++;
    return state;
}

enum redis_taken redis_ask(struct redis *r, const struct redis_question *q)
{
    return put(r, NULL, q);
}

enum redis_taken redis_eval(struct redis *r, const struct redis_script *script, const struct redis_question *q)
{
    return put(r, script, q);
}

struct redis_status redis_status(const struct redis *r)
{
    const struct redis_pipeline *p = &r->pipeline;
    return (struct redis_status){
        .state = state_of(r),
        .is_connected = r->is_ready,
        .eviction = r->eviction,
        .place = r->place,
        .why = r->why.text,
        .waiting = p->count,
        .waiting_bytes = p->bytes,
        .connections = r->connections,
        .missed = p->missed,
        .late = p->late,
        .lost = p->lost,
        .refused = r->refused,
        .sent_again = p->sent_again,
        .opened = r->opened,
    };
}
