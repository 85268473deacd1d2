/* Lists that the ledger process tells are taken whole or not at all. */
#include "../unit.h"

#include "base/limits.h"
#include "flow/recorder.h"
#include "net/pipe.h"

static struct loop *loop;
static struct recorder *recorder;
static struct pipe *ledger; /* its end of the pipe */
static unsigned heard, asked, lists, lists_lost;
static char listed_id[16], owner[16];

static void on_nothing(void *arg)
{
    (void)arg;
}

/* Of one object. */
static void on_listed(void *arg, const struct link_listed *listed, struct slice objects)
{
    struct link_object object;
    (void)arg;
    if (!listed) {
        lists_lost++;
        return;
    }
    lists++;
    memcpy(&object, objects.ptr, sizeof object);
    snprintf(listed_id, sizeof listed_id, "%.*s", (int)object.id_bytes, objects.ptr + sizeof object);
}

static const struct recorder_events events = {.on_change = on_nothing, .on_idle = on_nothing, .on_listed = on_listed};

static void on_message(void *arg, const struct pipe_message *m)
{
    (void)arg;
    heard++;
    if (m->type != LINK_LIST) return;
    asked++;
    EXPECT(m->body.len > sizeof(struct link_list));
    snprintf(owner, sizeof owner, "%.*s", (int)(m->body.len - sizeof(struct link_list)),
             m->body.ptr + sizeof(struct link_list));
}

static const struct pipe_events ledger_events = {.on_message = on_message};

static void stop(void *arg)
{
    loop_stop(arg);
}

static void turn_until(const unsigned *count, unsigned wanted)
{
    struct loop_timer timer;
    loop_timer_init(&timer, loop, stop, loop);
    for (int i = 0; i < 2000 && *count < wanted; i++) {
        loop_timer_arm_ms(&timer, 2);
        loop_run(loop);
    }
    loop_timer_disarm(&timer);
    EXPECT_INT(wanted, *count);
}

/* Another process of the ledger's, in the place of the one before. */
static void ledger_comes(void)
{
    int fds[2];
    struct fault why;
    pipe_free(ledger);
    EXPECT(pipe_pair(fds, &why));
    ledger = pipe_new(loop, fds[0], LIMIT_PIPE_QUEUE_BYTES, &ledger_events, NULL);
    recorder_attach(recorder, fds[1]);
    heard = 0;
    turn_until(&heard, 1);
}

static void tell_list(uint32_t count, uint32_t id_bytes)
{
    struct buf body;
    struct fault why;
    struct link_listed head = {.number = 1, .count = count};
    struct link_object object = {.id_bytes = id_bytes};
    buf_init(&body);
    buf_append(&body, slice_of((const char *)&head, sizeof head));
    buf_append(&body, slice_of((const char *)&object, sizeof object));
    buf_append(&body, SLICE("f_1"));
    EXPECT(pipe_send(ledger, LINK_LISTED, buf_slice(&body), -1, &why));
    buf_clear(&body);
}

static bool ask(void)
{
    return recorder_list(recorder, &(struct link_list){.number = 1, .limit = 1}, SLICE("app:a"));
}

static void a_list_is_asked_for_and_told(void)
{
    ledger_comes();
    EXPECT(ask());
    turn_until(&asked, 1);
    EXPECT_STR("app:a", owner);
    tell_list(1, 3);
    turn_until(&lists, 1);
    EXPECT_STR("f_1", listed_id);
}

/* The pipe is left, and who waits for a list hears of that. */
static void of_a_broken_one_nothing_is_taken(void)
{
    static const struct {
        uint32_t count, id_bytes;
    } broken[] = {{2, 3}, {1, 2}, {1, 4}, {0, 3}, {1, UINT32_MAX}, {UINT32_MAX, 3}};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        ledger_comes();
        lists = lists_lost = 0;
        tell_list(broken[i].count, broken[i].id_bytes);
        turn_until(&lists_lost, 1);
        EXPECT_INT(0, lists);
        EXPECT(!ask());
    }
}

int main(void)
{
    loop = loop_new();
    recorder = recorder_new(loop, &events, NULL);
    RUN(a_list_is_asked_for_and_told);
    RUN(of_a_broken_one_nothing_is_taken);
    recorder_free(recorder);
    pipe_free(ledger);
    loop_free(loop);
    return unit_close("recorder lists");
}
