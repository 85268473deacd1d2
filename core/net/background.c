#include "net/background.h"

#include "base/clock.h"
#include "base/fiber.h"
#include "base/limits.h"

static struct background_work *first(const struct background *b)
{
    return LIST_OWNER(b->works.next, struct background_work, link);
}

static void end_first(struct background *b)
{
    struct background_work *work = first(b);
    list_remove(&work->link);
    fiber_free(work->fiber);
    work->fiber = NULL;
    work->on_end(work->arg);
}

bool background_is_idle(const struct background *b)
{
    return list_is_empty(&b->works);
}

static void on_turn(void *arg)
{
    struct background *b = arg;
    if (fiber_run(first(b)->fiber, LIMIT_BACKGROUND_SLICE_MS * NS_PER_MS)) end_first(b);
    if (!background_is_idle(b)) loop_timer_arm_ms(&b->timer, 0);
}

void background_init(struct background *b, struct loop *loop)
{
    loop_timer_init(&b->timer, loop, on_turn, b);
    list_init(&b->works);
}

void background_clear(struct background *b)
{
    if (!b->timer.loop) return;
    while (!background_is_idle(b))
        end_first(b);
    loop_timer_disarm(&b->timer);
}

void background_add(struct background *b, struct background_work *work, loop_fn run, loop_fn on_end, void *arg)
{
    *work = (struct background_work){.fiber = fiber_new(run, arg), .on_end = on_end, .arg = arg};
    list_append(&b->works, &work->link);
    loop_timer_arm_ms(&b->timer, 0);
}

void background_cancel(struct background_work *work)
{
    fiber_cancel(work->fiber);
}
