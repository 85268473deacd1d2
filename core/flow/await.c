#include "flow/await.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/loop.h"

struct awaited {
    struct list_link link;
    struct await *a;
    struct arena arena; /* the texts of notice and item */
    struct counters_notice notice;
    struct counters_item item; /* its budget, of which nothing is taken */
    struct tally_asked asked;
    bool is_asked;
    uint64_t until_ns, next_ns; /* of one that is uncounted */
};

struct await {
    struct tally *tally;
    struct notices *notices;
    struct loop_timer timer;
    struct list_link list; /* as they came: lower thresholds first */
    size_t count, uncounted;
};

static void drop(struct awaited *w)
{
    if (w->is_asked) tally_forget(w->a->tally, &w->asked);
    list_remove(&w->link);
    w->a->count--;
    w->a->uncounted -= w->notice.is_uncounted;
    arena_clear(&w->arena);
    mem_free(w);
}

static int64_t percent(int64_t of, int64_t whole)
{
    return whole > 0 ? (int64_t)((__int128)of * 100 / whole) : 0;
}

/* In the words of scripts/constructors/budget_words.lua. */
static void tell(struct awaited *w, int64_t spent)
{
    struct counters_notice *n = &w->notice;
    n->text = arena_printf(&w->arena, "%.*s has used %lld%% of its %.*s", SLICE_FMT(n->who),
                           (long long)percent(spent, n->whole), SLICE_FMT(n->what));
    notices_tell(w->a->notices, n);
}

/* From now on the counters may hear of what was spent without them. */
static void begin_to_wait(struct awaited *w)
{
    w->until_ns = clock_mono_ns() + LIMIT_NOTICE_UNCOUNTED_S * NS_PER_S;
}

static bool is_over(const struct awaited *w, const struct counters_state *state)
{
    return state->held == 0 && (!w->notice.is_uncounted || clock_mono_ns() >= w->until_ns);
}

static void take(struct awaited *w, const struct counters_answer *said)
{
    if (said->error || !said->state_count || said->is_unspent || said->states[0].lost != COUNTERS_NOT_LOST) {
        begin_to_wait(w);
        return;
    }
    struct counters_state state = said->states[0];
    if (state.spent >= w->notice.from) tell(w, state.spent);
    if (state.spent >= w->notice.from || is_over(w, &state)) drop(w);
}

static void on_answer(void *arg, const struct counters_answer *said)
{
    struct awaited *w = arg;
    w->is_asked = false;
    take(w, said);
}

static void look(struct awaited *w)
{
    struct fallback_space space;
    struct counters_answer said;
    w->asked = (struct tally_asked){
        .question = {.operation = COUNTERS_PEEK, .items = &w->item, .item_count = 1, .time_ns = clock_wall_ns()},
        .fn = on_answer,
        .arg = w};
    if (tally_now(w->a->tally, &w->asked.question, &space, &said)) {
        take(w, &said);
    } else {
        w->is_asked = true;
        tally_wait(w->a->tally, &w->asked);
    }
}

static bool is_past(const struct awaited *w)
{
    return w->item.stop_s && w->item.stop_s <= (int64_t)(clock_wall_ns() / NS_PER_S);
}

static bool is_due(struct awaited *w)
{
    uint64_t now_ns = clock_mono_ns();
    if (now_ns < w->next_ns) return false;
    if (w->notice.is_uncounted) w->next_ns = now_ns + LIMIT_NOTICE_UNCOUNTED_MS * NS_PER_MS;
    return true;
}

static void on_time(void *arg)
{
    struct await *a = arg;
    for (struct list_link *at = a->list.next, *next; at != &a->list; at = next) {
        struct awaited *w = LIST_OWNER(at, struct awaited, link);
        next = at->next;
        if (is_past(w)) drop(w);
        else if (!w->is_asked && is_due(w)) look(w);
    }
    if (a->count) loop_timer_arm_ms(&a->timer, LIMIT_NOTICE_AWAIT_MS);
}

struct await *await_new(struct loop *loop, struct tally *tally, struct notices *notices)
{
    struct await *a = mem_zalloc(1, sizeof *a);
    a->tally = tally;
    a->notices = notices;
    list_init(&a->list);
    loop_timer_init(&a->timer, loop, on_time, a);
    return a;
}

void await_free(struct await *a)
{
    if (!a) return;
    while (!list_is_empty(&a->list))
        drop(LIST_OWNER(a->list.next, struct awaited, link));
    loop_timer_disarm(&a->timer);
    mem_free(a);
}

static bool is_same(const struct counters_notice *a, const struct counters_notice *b)
{
    return a->start_s == b->start_s && a->at == b->at && slice_equal(a->key, b->key) && slice_equal(a->rule, b->rule);
}

static struct awaited *find(const struct await *a, const struct counters_notice *notice)
{
    for (struct list_link *at = a->list.next; at != &a->list; at = at->next) {
        struct awaited *w = LIST_OWNER(at, struct awaited, link);
        if (is_same(&w->notice, notice)) return w;
    }
    return NULL;
}

static bool has_room(const struct await *a, const struct counters_notice *notice)
{
    return a->count < LIMIT_NOTICES_AWAITED && (!notice->is_uncounted || a->uncounted < LIMIT_NOTICES_AWAITED / 2);
}

/* Once more, by another request. */
static void meet(struct awaited *w, const struct counters_notice *notice)
{
    if (!notice->is_uncounted) return;
    w->a->uncounted += !w->notice.is_uncounted;
    w->notice.is_uncounted = true;
    begin_to_wait(w);
}

/* A copy whose texts live in the arena. */
static struct counters_notice copy(const struct counters_notice *notice, struct arena *arena)
{
    struct counters_notice c = *notice;
    struct slice *texts[] = {&c.key, &c.rule, &c.text, &c.budget, &c.threshold,
                             &c.request, &c.app, &c.owner, &c.who, &c.what};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = arena_copy(arena, *texts[i]);
    struct slice *to = arena_alloc(arena, (c.to_count + 1) * sizeof *to);
    for (size_t i = 0; i < c.to_count; i++)
        to[i] = arena_copy(arena, notice->to[i]);
    c.to = to;
    return c;
}

void await_notice(struct await *a, const struct counters_notice *notice)
{
    struct awaited *w = find(a, notice);
    if (w) meet(w, notice);
    if (w || !has_room(a, notice)) return;
    w = mem_zalloc(1, sizeof *w);
    w->a = a;
    arena_init(&w->arena);
    w->notice = copy(notice, &w->arena);
    w->item = (struct counters_item){.unit = COUNTERS_MONEY,
                                     .key = w->notice.key,
                                     .rule = w->notice.budget,
                                     .limit = COUNTERS_NO_LIMIT,
                                     .start_s = notice->start_s,
                                     .stop_s = notice->stop_s,
                                     .idle_s = notice->idle_s,
                                     .on_loss = COUNTERS_OPEN};
    list_append(&a->list, &w->link);
    a->count++;
    a->uncounted += notice->is_uncounted;
    begin_to_wait(w);
    if (!loop_timer_is_armed(&a->timer)) loop_timer_arm_ms(&a->timer, LIMIT_NOTICE_AWAIT_MS);
}
