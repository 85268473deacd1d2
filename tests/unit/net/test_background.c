/* Long work between the turns of a loop. */
#include "../unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fiber.h"
#include "net/background.h"

struct piece {
    struct background_work work;
    struct background *background;
    struct buf *log;
    char name;
    int pauses;
    struct piece *next; /* added when this one ends */
};

static void run(void *arg)
{
    struct piece *p = arg;
    for (int i = 0; i < p->pauses && !fiber_is_cancelled(); i++) {
        buf_append_char(p->log, p->name);
        fiber_pause();
    }
}

static void on_end(void *arg)
{
    struct piece *p = arg;
    buf_append_char(p->log, (char)(p->name - 'a' + 'A'));
    if (p->next) background_add(p->background, &p->next->work, run, on_end, p->next);
}

struct ticks {
    struct loop_timer timer;
    struct buf *log;
    int left;
};

static void on_tick(void *arg)
{
    struct ticks *t = arg;
    buf_append_char(t->log, '.');
    if (--t->left > 0) loop_timer_arm_ms(&t->timer, 0);
}

static void others_have_their_turn_after_each_slice(void)
{
    struct loop *loop = loop_new();
    struct background background;
    struct buf log;
    struct piece a = {.log = &log, .name = 'a', .pauses = 3}, b = {.log = &log, .name = 'b', .pauses = 1};
    struct ticks ticks = {.log = &log, .left = 6};
    buf_init(&log);
    background_init(&background, loop);
    EXPECT(background_is_idle(&background));
    background_add(&background, &a.work, run, on_end, &a);
    background_add(&background, &b.work, run, on_end, &b);
    loop_timer_init(&ticks.timer, loop, on_tick, &ticks);
    loop_timer_arm_ms(&ticks.timer, 0);
    loop_run(loop);
    EXPECT(background_is_idle(&background));
    EXPECT_SLICE(SLICE("a.a.a.A.b.B."), buf_slice(&log));
    background_clear(&background);
    loop_free(loop);
    buf_clear(&log);
}

static void what_is_cancelled_ends_and_says_so(void)
{
    struct loop *loop = loop_new();
    struct background background;
    struct buf log;
    struct piece b = {.log = &log, .name = 'b', .pauses = 1};
    struct piece a = {.background = &background, .log = &log, .name = 'a', .pauses = 9, .next = &b};
    buf_init(&log);
    background_init(&background, loop);
    background_add(&background, &a.work, run, on_end, &a);
    background_cancel(&a.work);
    loop_run(loop);
    EXPECT_SLICE(SLICE("AbB"), buf_slice(&log)); /* an end may begin the next */
    background_clear(&background);
    loop_free(loop);
    buf_clear(&log);
}

static void clearing_ends_all_at_once(void)
{
    struct loop *loop = loop_new();
    struct background background, none = {0};
    struct buf log;
    struct piece c = {.log = &log, .name = 'c', .pauses = 3};
    struct piece b = {.background = &background, .log = &log, .name = 'b', .pauses = 3, .next = &c};
    struct piece a = {.log = &log, .name = 'a', .pauses = 3};
    buf_init(&log);
    background_init(&background, loop);
    background_add(&background, &a.work, run, on_end, &a);
    background_add(&background, &b.work, run, on_end, &b);
    background_clear(&background);
    background_clear(&none);
    EXPECT_SLICE(SLICE("ABC"), buf_slice(&log));
    loop_run(loop); /* nothing is armed any more */
    loop_free(loop);
    buf_clear(&log);
}

int main(void)
{
    RUN(others_have_their_turn_after_each_slice);
    RUN(what_is_cancelled_ends_and_says_so);
    RUN(clearing_ends_all_at_once);
    return unit_close("background");
}
