#include "flow/tally.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/flow.h"
#include "flow/metrics.h"
#include "store/counters/post.h"
#include "store/counters/redis.h"
#include "store/counters/shared.h"

#define AGAIN_MS 5u
#define SAY_AGAIN_MS 10000u /* that Redis is out of reach is said no more often */

/* Where this gateway counts in Redis, as the board shows it. */
struct place {
    uint64_t version, number; /* the board's; another for each place */
    struct counters_post_view view;
    uint64_t refused_ns; /* when Redis did not know it: another will come, or it is known again; 0: it is known */
    bool is_given_up;    /* somebody has waited for that in vain */
};

struct tally {
    struct loop *loop;
    struct counters_shared *counters;
    uint64_t owner;
    struct list_link early; /* questions that are put again */
    size_t waiting_count;
    struct loop_timer timer;
    struct metrics *metrics;

    const struct flow_redis *fleet; /* NULL, as those below */
    struct counters_redis *redis;
    struct fallback *fallback;
    struct place place;
    uint64_t said_ns; /* when it was out of reach, and that was said; 0: it is not */
    uint64_t lost_ns;
};

static bool is_question(enum counters_operation operation)
{
    return operation == COUNTERS_ADMIT || operation == COUNTERS_PEEK;
}

/* --- on this machine --- */

static void ask_plainly(struct tally *t, const struct counters_question *q, struct fallback_space *space,
                        struct counters_answer *answer)
{
    struct counters_asker asker = {.owner = t->owner, .now_ns = (int64_t)clock_wall_ns()};
    if (t->counters)
        counters_shared_ask(t->counters, q, asker, space->states, answer);
    else
        *answer = (struct counters_answer){.error = "nobody counts here"};
}

/* It, and nobody else, is asked about this. */
static bool is_here(const struct tally *t, const struct counters_question *q)
{
    return !t->fleet || fallback_is_own(q->hold);
}

static uint32_t gateways(const struct tally *t)
{
    uint32_t heard = t->place.view.gateways, told = t->fleet->gateways;
    uint32_t most = heard > told ? heard : told;
    return most ? most : 1;
}

static void count_fallback(struct tally *t, const struct counters_answer *answer)
{
    for (size_t i = 0; i < answer->state_count; i++)
        metrics_counters_lost(t->metrics, counters_loss_name(answer->states[i].lost));
}

static void ask_instead(struct tally *t, const struct counters_question *q, struct fallback_space *space,
                        struct counters_answer *answer)
{
    struct fallback_here here = {.counters = t->counters,
                                 .owner = t->owner,
                                 .wall_ns = (int64_t)clock_wall_ns(),
                                 .now_ns = clock_mono_ns(),
                                 .gateways = gateways(t)};
    if (!t->counters) {
        ask_plainly(t, q, space, answer);
        return;
    }
    fallback_ask(t->fallback, &here, q, space, answer);
    if (!answer->error && q->operation == COUNTERS_ADMIT) count_fallback(t, answer);
}

static bool may_come(const struct counters_answer *said)
{
    return said->error && (strcmp(said->error, "starting") == 0 || strcmp(said->error, "unreachable") == 0);
}

/* --- Redis, as far as one can see --- */

static void look_at_place(struct tally *t)
{
    struct place *place = &t->place;
    struct counters_post_view before = place->view;
    if (counters_post_version(t->fleet->post) == place->version) return;
    place->version = counters_post_read(t->fleet->post, &place->view);
    if (strcmp(before.session, place->view.session) == 0 && strcmp(before.epoch, place->view.epoch) == 0) return;
    place->refused_ns = 0;
    place->is_given_up = false;
    place->number++;
    counters_redis_enter(t->redis, place->view.session, place->view.epoch);
}

/* One that was refused is tried again after a beat: its lease was over, and is not any more. */
static bool has_place(const struct tally *t)
{
    const struct place *place = &t->place;
    bool is_refused = place->refused_ns && clock_mono_ns() - place->refused_ns < LIMIT_COUNTERS_BEAT_MS * NS_PER_MS;
    return place->view.epoch[0] && !is_refused;
}

/* A worker that has just begun has no connection yet. */
static bool may_ask(const struct tally *t)
{
    return has_place(t) && counters_redis_status(t->redis).connections > 0;
}

static bool is_reachable(const struct tally *t)
{
    return counters_redis_status(t->redis).state == REDIS_TAKEN;
}

/* Once in a while: with each answer that comes too late it would be said else. */
static void say_lost(struct tally *t, const char *why)
{
    uint64_t now_ns = clock_mono_ns();
    metrics_counters_asked(t->metrics, why);
    if (t->said_ns || (t->lost_ns && now_ns - t->lost_ns < SAY_AGAIN_MS * NS_PER_MS)) return;
    t->said_ns = t->lost_ns = now_ns;
    if (strcmp(why, "clock") == 0)
        log_event(LOG_WARN, "counters_clock", "by the clock of Redis a budget's period is another than by this "
                                              "machine's: it goes by its on_store_loss until both agree");
    else
        log_event(LOG_WARN, "counters_lost", "Redis does not answer what limits and budgets ask (%s): each goes by its "
                                             "on_store_loss", why);
}

static void say_heard(struct tally *t)
{
    metrics_counters_asked(t->metrics, "answered");
    t->place.refused_ns = 0;
    t->place.is_given_up = false;
    if (!t->said_ns) return;
    t->said_ns = 0;
    log_event(LOG_INFO, "counters_back", "Redis answers what limits and budgets ask");
}

/* Why it is not to be asked; NULL: it is, or will be soon. */
static const char *why_not(const struct tally *t)
{
    if (!is_reachable(t)) return "unreachable";
    return !may_ask(t) && t->place.is_given_up ? "starting" : NULL;
}

/* --- there and then --- */

static bool refuse(struct counters_answer *answer, const struct counters_question *q, const char *error)
{
    *answer = (struct counters_answer){.error = error};
    memcpy(answer->hold, q->hold, sizeof answer->hold);
    return true;
}

static bool is_kept_waiting(const struct counters_question *q, const struct counters_answer *answer)
{
    return is_question(q->operation) && q->timeout_ms && may_come(answer);
}

bool tally_now(struct tally *t, const struct counters_question *q, struct fallback_space *space,
               struct counters_answer *answer)
{
    if (is_here(t, q)) {
        ask_plainly(t, q, space, answer);
        return !is_kept_waiting(q, answer);
    }
    look_at_place(t);
    const char *why = why_not(t);
    if (!why && !may_ask(t) && !q->timeout_ms) why = "starting";
    if (!why) return false;
    if (!is_question(q->operation)) return refuse(answer, q, why);
    say_lost(t, why);
    ask_instead(t, q, space, answer);
    return !is_kept_waiting(q, answer);
}

/* --- what is waited for --- */

static void turn(struct tally *t, struct tally_asked *asked);

static void on_turns(void *arg)
{
    struct tally *t = arg;
    size_t count = 0;
    for (struct list_link *at = t->early.next; at != &t->early; at = at->next)
        count++;
    while (count-- > 0 && !list_is_empty(&t->early))
        turn(t, LIST_OWNER(t->early.next, struct tally_asked, link));
    if (!list_is_empty(&t->early) && !loop_timer_is_armed(&t->timer)) loop_timer_arm_ms(&t->timer, AGAIN_MS);
}

static void put_aside(struct tally *t, struct tally_asked *asked, uint32_t again_ms)
{
    asked->is_asked = false;
    list_remove(&asked->link);
    list_append(&t->early, &asked->link);
    if (!loop_timer_is_armed(&t->timer)) loop_timer_arm_ms(&t->timer, again_ms);
}

/* It may be gone when the answer has been heard. */
static void finish(struct tally *t, struct tally_asked *asked, const struct counters_answer *answer)
{
    list_remove(&asked->link);
    t->waiting_count--;
    asked->fn(asked->arg, answer);
}

static bool is_late(const struct tally_asked *asked)
{
    return clock_mono_ns() >= asked->until_ns;
}

static void ask_here(struct tally *t, struct tally_asked *asked)
{
    struct fallback_space space;
    struct counters_answer answer;
    if (is_here(t, &asked->question)) ask_plainly(t, &asked->question, &space, &answer);
    else ask_instead(t, &asked->question, &space, &answer);
    if (is_kept_waiting(&asked->question, &answer) && !is_late(asked)) put_aside(t, asked, AGAIN_MS);
    else finish(t, asked, &answer);
}

static void give_up(struct tally *t, struct tally_asked *asked, const char *why)
{
    struct counters_answer answer;
    asked->is_lost = true;
    if (is_question(asked->question.operation)) {
        ask_here(t, asked);
    } else {
        refuse(&answer, &asked->question, why);
        finish(t, asked, &answer);
    }
}

static void lose(struct tally *t, struct tally_asked *asked, const char *why)
{
    say_lost(t, why);
    give_up(t, asked, why);
}

static void on_redis(void *arg, const struct counters_answer *answer);

/* What it does not take is lost in the next turn. */
static void ask_redis(struct tally *t, struct tally_asked *asked)
{
    struct counters_question *q = &asked->question;
    uint32_t most_ms = t->fleet->timeout_ms ? t->fleet->timeout_ms : LIMIT_COUNTERS_REDIS_MS;
    if (q->timeout_ms > most_ms || !q->timeout_ms) q->timeout_ms = most_ms;
    list_remove(&asked->link);
    asked->place = t->place.number;
    const char *refused = counters_redis_ask(t->redis, q, on_redis, asked, &asked->ticket);
    asked->is_asked = !refused;
    if (!refused) return;
    say_lost(t, refused);
    asked->is_lost = true;
    put_aside(t, asked, 0);
}

/* Redis does not know the place that it was asked for. */
static void wait_for_place(struct tally *t, struct tally_asked *asked)
{
    look_at_place(t);
    if (asked->place == t->place.number) t->place.refused_ns = clock_mono_ns();
    if (is_question(asked->question.operation) && !why_not(t)) put_aside(t, asked, AGAIN_MS);
    else lose(t, asked, "starting");
}

static void on_redis(void *arg, const struct counters_answer *answer)
{
    struct tally_asked *asked = arg;
    struct tally *t = asked->tally;
    asked->is_asked = false;
    if (answer->error && strcmp(answer->error, "starting") == 0) {
        wait_for_place(t, asked);
    } else if (answer->error && strcmp(answer->error, "not held") != 0) {
        lose(t, asked, answer->error);
    } else {
        say_heard(t);
        if (is_question(asked->question.operation))
            fallback_note(t->fallback, &asked->question, answer, clock_mono_ns());
        finish(t, asked, answer);
    }
}

static void turn(struct tally *t, struct tally_asked *asked)
{
    if (is_here(t, &asked->question) || asked->is_lost) {
        give_up(t, asked, "unreachable");
        return;
    }
    look_at_place(t);
    const char *why = why_not(t);
    if (!why && !may_ask(t) && is_late(asked)) {
        t->place.is_given_up |= asked->until_ns > 0;
        why = "starting";
    }
    if (why) lose(t, asked, why);
    else if (may_ask(t)) ask_redis(t, asked);
    else put_aside(t, asked, AGAIN_MS);
}

void tally_wait(struct tally *t, struct tally_asked *asked)
{
    uint32_t wait_ms = asked->question.timeout_ms;
    if (wait_ms > LIMIT_COUNTERS_WAIT_MS) wait_ms = LIMIT_COUNTERS_WAIT_MS;
    asked->tally = t;
    asked->until_ns = wait_ms ? clock_mono_ns() + wait_ms * NS_PER_MS : 0;
    asked->is_asked = asked->is_lost = false;
    list_init(&asked->link);
    t->waiting_count++;
    if (!is_here(t, &asked->question) && may_ask(t) && !why_not(t)) ask_redis(t, asked);
    else put_aside(t, asked, AGAIN_MS);
}

void tally_forget(struct tally *t, struct tally_asked *asked)
{
    if (asked->is_asked) counters_redis_forget(t->redis, asked->ticket);
    list_remove(&asked->link);
    t->waiting_count--;
}

void tally_end(struct tally *t, const struct counters_question *q)
{
    struct fallback_space space;
    struct counters_answer answer;
    if (is_here(t, q)) {
        ask_plainly(t, q, &space, &answer);
        return;
    }
    look_at_place(t);
    counters_redis_ask(t->redis, q, NULL, NULL, NULL);
}

const char *tally_trouble(const struct tally *t)
{
    struct redis_status redis;
    if (!t->fleet) return "";
    redis = counters_redis_status(t->redis);
    if (redis.state == REDIS_TAKEN) return "";
    if (redis.state == REDIS_DOWN && redis.why[0]) return redis.why;
    return redis.state == REDIS_FULL ? "too many questions wait for its answers" : "its answers come too late";
}

/* --- its life --- */

/* A URL that is none was refused when the configuration was read. */
static void join_fleet(struct tally *t, const struct flow_redis *fleet)
{
    struct fault why;
    t->fleet = fleet;
    t->fallback = fallback_new(fleet->workers);
    t->redis = counters_redis_new(t->loop, fleet->url, t->owner, NULL, NULL, &why);
    check(t->redis != NULL);
}

struct tally *tally_new(const struct tally_options *options)
{
    struct tally *t = mem_zalloc(1, sizeof *t);
    t->loop = options->loop;
    t->counters = options->counters;
    t->owner = options->owner;
    t->metrics = options->metrics;
    list_init(&t->early);
    loop_timer_init(&t->timer, options->loop, on_turns, t);
    if (options->redis) join_fleet(t, options->redis);
    return t;
}

void tally_free(struct tally *t)
{
    if (!t) return;
    check(t->waiting_count == 0);
    loop_timer_disarm(&t->timer);
    counters_redis_free(t->redis);
    fallback_free(t->fallback);
    mem_free(t);
}
