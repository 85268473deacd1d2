/* A turn of the loop is short whatever peers do: who floods waits for the others, and the urgent comes round. */
#include "base/clock.h"
#include "base/limits.h"
#include "caller.h"
#include "net/loop.h"

/* ---- The loop */

#define BUSY 40

static struct loop *loop;
static unsigned busy_in_turn, busy_longest;
static uint64_t busy_turn;

struct busy {
    struct loop_watch watch;
    int fds[2];
    unsigned calls;
};

/* A millisecond of work, and never done: what is written is not read. */
static void on_busy(void *arg, unsigned ready)
{
    struct busy *b = arg;
    uint64_t began = clock_mono_ns();
    (void)ready;
    if (busy_turn != loop_turn(loop)) busy_in_turn = 0;
    busy_turn = loop_turn(loop);
    if (++busy_in_turn > busy_longest) busy_longest = busy_in_turn;
    b->calls++;
    while (clock_mono_ns() - began < NS_PER_MS)
        continue;
}

static void busy_open(struct busy *b)
{
    *b = (struct busy){0};
    EXPECT_INT(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, b->fds));
    EXPECT_INT(1, write(b->fds[1], "x", 1));
    loop_watch_init(&b->watch, loop, b->fds[0], on_busy, b);
    loop_watch_set(&b->watch, LOOP_READ);
}

static void busy_close(struct busy *b)
{
    loop_watch_set(&b->watch, 0);
    close(b->fds[0]);
    close(b->fds[1]);
}

struct coming {
    struct loop_watch watch;
    unsigned calls;
    uint64_t turn, gap; /* of its last call; the most turns between two */
};

/* Told in every turn, since nothing is read. */
static void on_coming(void *arg, unsigned ready)
{
    struct coming *c = arg;
    uint64_t turn = loop_turn(loop);
    (void)ready;
    if (c->calls++ && turn - c->turn > c->gap) c->gap = turn - c->turn;
    c->turn = turn;
}

static void on_last(void *arg)
{
    unsigned *left = arg;
    if (--*left == 0) loop_stop(loop);
}

struct ticking {
    struct loop_timer timer;
    unsigned left;
};

static void on_tick(void *arg)
{
    struct ticking *t = arg;
    on_last(&t->left);
    loop_timer_arm_ms(&t->timer, 1);
}

/* 40 ms of work lie ready at any time; turns are some callbacks long, what is urgent is called in each, and each of the
 * others gets as many as the next. */
static void a_flood_is_cut_into_turns(void)
{
    struct busy busy[BUSY];
    struct coming urgent = {0};
    struct ticking ticks = {.left = 60};
    int fds[2];
    loop = loop_new();
    for (int i = 0; i < BUSY; i++)
        busy_open(&busy[i]);
    EXPECT_INT(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
    EXPECT_INT(1, write(fds[1], "x", 1));
    loop_watch_init(&urgent.watch, loop, fds[0], on_coming, &urgent);
    loop_watch_set(&urgent.watch, LOOP_READ | LOOP_URGENT);
    loop_timer_init(&ticks.timer, loop, on_tick, &ticks);
    loop_timer_arm_ms(&ticks.timer, 1);
    loop_run(loop);
    EXPECT(busy_longest <= LIMIT_TURN_MS + 1);
    EXPECT_INT(1, urgent.gap);
    unsigned least = busy[0].calls, most = least;
    for (int i = 1; i < BUSY; i++) {
        if (busy[i].calls < least) least = busy[i].calls;
        if (busy[i].calls > most) most = busy[i].calls;
    }
    EXPECT(most >= 1 && most - least <= 1);
    EXPECT(loop_take_longest_ns(loop) >= NS_PER_MS);
    EXPECT_INT(0, loop_take_longest_ns(loop));
    for (int i = 0; i < BUSY; i++)
        busy_close(&busy[i]);
    loop_watch_set(&urgent.watch, 0);
    close(fds[0]);
    close(fds[1]);
    loop_timer_disarm(&ticks.timer);
    loop_free(loop);
}

struct going_on {
    struct loop_work work;
    unsigned calls;
};

static void on_going(void *arg)
{
    struct going_on *g = arg;
    g->calls++;
    loop_work_add(&g->work);
}

/* What stopped early comes behind what has just come in, and comes all the same. */
static void work_and_events_both_get_on(void)
{
    struct busy busy[BUSY];
    struct going_on going = {0};
    struct ticking ticks = {.left = 30};
    loop = loop_new();
    for (int i = 0; i < BUSY; i++)
        busy_open(&busy[i]);
    loop_work_init(&going.work, loop, on_going, &going);
    loop_work_add(&going.work);
    loop_timer_init(&ticks.timer, loop, on_tick, &ticks);
    loop_timer_arm_ms(&ticks.timer, 1);
    loop_run(loop);
    EXPECT(going.calls >= 5 && going.calls <= 200);
    EXPECT(busy[0].calls >= 1);
    for (int i = 0; i < BUSY; i++)
        busy_close(&busy[i]);
    loop_work_drop(&going.work);
    loop_timer_disarm(&ticks.timer);
    loop_free(loop);
}

/* Another process sees turns, whatever they are full of. */
static void a_busy_loop_beats(void)
{
    struct busy busy;
    struct ticking ticks = {.left = 5};
    _Atomic uint64_t beat = 0;
    loop = loop_new();
    loop_set_beat(loop, &beat);
    busy_open(&busy);
    loop_timer_init(&ticks.timer, loop, on_tick, &ticks);
    loop_timer_arm_ms(&ticks.timer, 1);
    loop_run(loop);
    EXPECT(atomic_load(&beat) >= 5);
    busy_close(&busy);
    loop_timer_disarm(&ticks.timer);
    loop_free(loop);
}

/* ---- A provider that sends as fast as it is read */

#define FLOOD_BYTES (2u * MIB)
#define READ_BYTES (16u * KIB)

static void send_flood(struct up_conn *c)
{
    static char block[64 * 1024];
    char head[128];
    memset(block, 'x', sizeof block);
    up_read_request(c);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", FLOOD_BYTES);
    up_send(c, head);
    for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof block)
        up_send_bytes(c, block, sizeof block);
}

static void serve_flood(struct upstream *u)
{
    struct up_conn c = up_accept(u);
    send_flood(&c);
    up_fin(&c);
}

static void serve_two_floods(struct upstream *u)
{
    struct up_conn c = up_accept(u);
    send_flood(&c);
    send_flood(&c);
    up_fin(&c);
}

static uint64_t flood_turn;
static size_t flood_seen, flood_of_turn, flood_most;

static void on_flood(struct call *c)
{
    uint64_t turn = loop_turn(c->w->loop);
    if (turn != flood_turn) flood_of_turn = 0;
    flood_turn = turn;
    flood_of_turn += buf_len(&c->body) - flood_seen;
    flood_seen = buf_len(&c->body);
    if (flood_of_turn > flood_most) flood_most = flood_of_turn;
}

static void on_slow_flood(struct call *c)
{
    on_flood(c);
    usleep(2000); /* while the provider fills the socket again */
}

static void take_flood(bool is_trickle, void (*on_data)(struct call *c))
{
    struct world w;
    struct call c;
    flood_seen = flood_most = flood_of_turn = 0;
    flood_turn = UINT64_MAX;
    world_open(&w, serve_flood);
    call_init(&w, &c);
    c.request.is_trickle = is_trickle;
    c.on_data = on_data;
    call_go(&c);
    world_run(&w);
    EXPECT(c.complete);
    EXPECT_INT(FLOOD_BYTES, buf_len(&c.body));
    EXPECT(flood_most <= LIMIT_TURN_FETCH_BYTES + READ_BYTES);
    call_clear(&c);
    world_close(&w);
}

static void an_answer_that_floods_comes_in_turns(void)
{
    take_flood(false, on_flood);
    take_flood(true, on_flood);
}

/* The time that a callback may take counts too. */
static void who_works_long_on_its_bytes_gets_few(void)
{
    take_flood(false, on_slow_flood);
    EXPECT(flood_most <= 2 * READ_BYTES);
}

/* Reads are small while streams trickle; after one that flooded the next has large ones. */
static void reads_grow_for_those_to_come(void)
{
    struct world w;
    struct call first, second;
    world_open(&w, serve_two_floods);
    call_init(&w, &first);
    first.request.is_trickle = true;
    call_go(&first);
    world_run(&w);
    call_init(&w, &second);
    second.request.is_trickle = true;
    call_go(&second);
    world_run(&w);
    EXPECT(first.complete && second.complete);
    EXPECT(second.datas * 4 < first.datas);
    call_clear(&first);
    call_clear(&second);
    world_close(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(a_flood_is_cut_into_turns);
    RUN(work_and_events_both_get_on);
    RUN(a_busy_loop_beats);
    RUN(an_answer_that_floods_comes_in_turns);
    RUN(who_works_long_on_its_bytes_gets_few);
    RUN(reads_grow_for_those_to_come);
    return unit_close("turns");
}
