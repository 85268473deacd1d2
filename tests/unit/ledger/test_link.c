/* A worker's pipe as the ledger sees it: what is told of what PostgreSQL has, and when a link is over. */
#include "../unit.h"

#include "base/limits.h"
#include "ledger/link.h"
#include "net/loop.h"
#include "net/pipe.h"

static struct loop *loop;
static unsigned over, acks;
static struct link_ack last;

static void on_entry(void *arg, struct link *link, const struct link_item *item)
{
    (void)arg;
    (void)item;
    link_waits(link, 1);
}

static void on_over(void *arg, struct link *link)
{
    (void)arg;
    over++;
    link_free(link);
    loop_stop(loop);
}

static const struct link_events events = {.on_entry = on_entry, .on_over = on_over};

static void on_message(void *arg, const struct pipe_message *m)
{
    (void)arg;
    if (m->type != LINK_ACK || m->body.len != sizeof last) return;
    memcpy(&last, m->body.ptr, sizeof last);
    acks++;
    loop_stop(loop);
}

static const struct pipe_events worker_events = {.on_message = on_message};

static struct pipe *start(struct link **link)
{
    int fds[2];
    struct fault why;
    struct link_who who = {0, 1};
    over = acks = 0;
    last = (struct link_ack){0};
    loop = loop_new();
    EXPECT(pipe_pair(fds, &why));
    *link = link_new(loop, fds[1], &who, &events, NULL);
    return pipe_new(loop, fds[0], LIMIT_PIPE_QUEUE_BYTES, &worker_events, NULL);
}

static void commit(struct link *link, uint64_t from, uint64_t to, uint64_t head)
{
    link_waits(link, (unsigned)(to - from + 1));
    for (uint64_t n = from; n <= to; n++)
        link_committed(link, n);
    link_acknowledge(link, head);
}

static void shipped_follows_committed(void)
{
    struct link *link;
    struct pipe *worker = start(&link);
    commit(link, 1, 3, 10);
    loop_run(loop);
    EXPECT_INT(3, last.committed);
    EXPECT_INT(0, last.shipped);
    commit(link, 4, 5, 20);
    link_shipped(link, 9);
    loop_run(loop);
    EXPECT_INT(0, last.shipped);
    link_shipped(link, 15); /* those with 20 are not all there */
    loop_run(loop);
    EXPECT_INT(5, last.committed);
    EXPECT_INT(3, last.shipped);
    link_shipped(link, 20);
    loop_run(loop);
    EXPECT_INT(5, last.shipped);
    pipe_free(worker);
    link_free(link);
    loop_free(loop);
}

/* However long PostgreSQL is away: nothing is told too early, and all in the end. */
static void a_long_outage_needs_no_more_memory(void)
{
    struct link *link;
    struct pipe *worker = start(&link);
    for (uint64_t n = 1; n <= 5000; n++) {
        commit(link, n, n, n * 10);
        loop_run(loop);
    }
    for (uint64_t seq = 5; seq < 50000; seq += 10) {
        link_shipped(link, seq);
        EXPECT(last.shipped <= seq / 10);
    }
    link_shipped(link, 50000);
    while (last.shipped < 5000)
        loop_run(loop);
    EXPECT_INT(5000, last.committed);
    pipe_free(worker);
    link_free(link);
    loop_free(loop);
}

static void a_link_is_over_behind_its_last_entry(void)
{
    struct link *link;
    struct pipe *worker = start(&link);
    link_waits(link, 2);
    pipe_free(worker);
    loop_run(loop); /* the end is seen; then nobody watches anything */
    EXPECT(link_has_ended(link));
    EXPECT_INT(0, over);
    link_committed(link, 1);
    link_acknowledge(link, 0);
    EXPECT_INT(0, over);
    link_committed(link, 2);
    link_acknowledge(link, 0);
    EXPECT_INT(1, over);
    loop_free(loop);
}

int main(void)
{
    RUN(shipped_follows_committed);
    RUN(a_long_outage_needs_no_more_memory);
    RUN(a_link_is_over_behind_its_last_entry);
    return unit_close("link");
}
