/* A worker's generations on their way: loaded, refused, given up, freed, while its loop goes on. */
#include "../unit.h"

#include "base/buf.h"
#include "net/pipe.h"
#include "server/loading.h"

struct worker {
    struct loop *loop;
    struct background background;
    struct policy_set *policies;
    size_t errors;
    unsigned loaded, turns;
    uint64_t number;
};

static void on_loaded(void *arg, const struct loading_result *result)
{
    struct worker *w = arg;
    w->loaded++;
    w->number = result->number;
    w->policies = result->policies;
    w->errors = report_errors(result->report);
}

static void on_turn_end(void *arg)
{
    struct worker *w = arg;
    w->turns++;
}

static void begin(struct worker *w)
{
    *w = (struct worker){.loop = loop_new()};
    background_init(&w->background, w->loop);
    loading_watch_dead(&w->background);
    loop_at_turn_end(w->loop, on_turn_end, w);
}

static void end(struct worker *w)
{
    policy_set_unref(w->policies);
    background_clear(&w->background);
    loading_watch_dead(NULL);
    loop_free(w->loop);
    EXPECT_INT(0, policy_live_generations());
}

static struct slice sealed(struct slice bytes)
{
    struct fault why;
    struct slice mapped = SLICE_NONE;
    int fd = pipe_memfd_new("bundle", bytes, &why);
    EXPECT(fd >= 0 && pipe_memfd_map(fd, bytes.len, &mapped, &why));
    return mapped;
}

/* `rows` models, and an access matrix over them. */
static struct loading *load(struct worker *w, uint64_t number, const char *access, int rows)
{
    struct fault why;
    struct buf models, bytes;
    buf_init(&models);
    buf_init(&bytes);
    buf_append(&models, SLICE("return models {\n"));
    for (int i = 1; i <= rows; i++)
        buf_printf(&models, "['m%d'] = { targets = { 'p/m%d' }, price = free },\n", i, i);
    buf_append(&models, SLICE("}\n"));
    struct bundle_file files[] = {{SLICE("init.lua"), SLICE("return chain { 'access' }")},
                                  {SLICE("models.lua"), buf_slice(&models)},
                                  {SLICE("access.lua"), slice_str(access)}};
    struct bundle *bundle = bundle_of(files, 3, &why);
    bundle_serialise(bundle, &bytes);
    struct loading_order order = {.number = number, .bytes = sealed(buf_slice(&bytes)), .settings = settings_new()};
    struct loading *loading = loading_begin(&w->background, &order, on_loaded, w);
    settings_unref(order.settings); /* the loading holds its own */
    bundle_unref(bundle);
    buf_clear(&models);
    buf_clear(&bytes);
    return loading;
}

#define ACCESS "return access { models = { ['m1'] = { departments = any, data = 'internal' } } }"

static void a_generation_comes_after_many_turns(void)
{
    struct worker w;
    begin(&w);
    load(&w, 7, ACCESS, 2000);
    EXPECT_INT(0, w.loaded);
    loop_run(w.loop);
    EXPECT_INT(1, w.loaded);
    EXPECT_INT(7, w.number);
    EXPECT(w.policies && w.errors == 0);
    EXPECT(w.turns > 5);
    end(&w);
}

static void what_is_wrong_comes_as_a_report(void)
{
    struct worker w;
    begin(&w);
    load(&w, 1, "return access { models = { ['m1'] = { departments = any, dta = 'internal' } } }", 1);
    loop_run(w.loop);
    EXPECT_INT(1, w.loaded);
    EXPECT(!w.policies);
    EXPECT_INT(2, w.errors); /* unknown field, missing field */
    struct loading_order order = {.number = 2, .bytes = sealed(SLICE("no bundle")), .settings = settings_new()};
    loading_begin(&w.background, &order, on_loaded, &w);
    settings_unref(order.settings);
    loop_run(w.loop);
    EXPECT_INT(2, w.loaded);
    EXPECT_INT(1, w.errors);
    end(&w);
}

struct cancelling {
    struct worker *w;
    struct loading *loading;
    struct loop_timer timer;
    unsigned turns_left;
};

static void on_turn(void *arg)
{
    struct cancelling *c = arg;
    if (c->turns_left-- > 0) {
        loop_timer_arm_ms(&c->timer, 0);
        return;
    }
    if (c->w->loaded == 0) loading_cancel(c->loading);
    load(c->w, 9, ACCESS, 10); /* a newer one, while the older ends */
}

static void a_newer_one_takes_its_place(void)
{
    for (unsigned turns = 0; turns < 12; turns++) {
        struct worker w;
        begin(&w);
        struct cancelling c = {.w = &w, .loading = load(&w, 8, ACCESS, 4000), .turns_left = turns};
        loop_timer_init(&c.timer, w.loop, on_turn, &c);
        loop_timer_arm_ms(&c.timer, 0);
        loop_run(w.loop);
        EXPECT_INT(9, w.number);
        EXPECT_INT(1, w.loaded);
        EXPECT(w.policies);
        end(&w);
    }
}

static void the_end_of_a_worker_is_not_kept_waiting(void)
{
    struct worker w;
    begin(&w);
    loading_cancel(load(&w, 1, ACCESS, 1000));
    loading_cancel(load(&w, 2, ACCESS, 1000));
    end(&w);
    EXPECT_INT(0, w.loaded);
}

static void old_generations_are_freed_between_turns(void)
{
    struct worker w;
    begin(&w);
    load(&w, 1, ACCESS, 2000);
    loop_run(w.loop);
    policy_set_unref(w.policies);
    w.policies = NULL;
    EXPECT_INT(1, policy_live_generations());
    loop_run(w.loop);
    EXPECT_INT(0, policy_live_generations());
    end(&w);
}

int main(void)
{
    RUN(a_generation_comes_after_many_turns);
    RUN(what_is_wrong_comes_as_a_report);
    RUN(a_newer_one_takes_its_place);
    RUN(the_end_of_a_worker_is_not_kept_waiting);
    RUN(old_generations_are_freed_between_turns);
    return unit_close("loading");
}
