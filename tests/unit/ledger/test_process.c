/* The ledger process's work, with workers that are played here: what they send is acknowledged when it is on the disk,
 * and nothing is lost or doubled when one of both dies. */
#include "../store/ledger_kit.h"

#include <sys/wait.h>

#include "base/limits.h"
#include "base/mem.h"
#include "ledger/abandoned.h"
#include "ledger/changes.h"
#include "ledger/process.h"
#include "net/loop.h"
#include "net/pipe.h"
#include "store/ledger/link.h"
#include "store/ledger/lock.h"

static struct loop *loop;
static struct process *process;
static void *segment;
static struct stats *stats;
static unsigned opened, ended;
static char shut_why[256];
static struct process_state last_state;
static char last_why[256];

/* ---- The process. */

static void on_open(void *arg)
{
    (void)arg;
    opened++;
}

static void on_shut(void *arg, const char *why)
{
    (void)arg;
    snprintf(shut_why, sizeof shut_why, "%s", why);
}

static void on_state(void *arg, const struct process_state *state)
{
    (void)arg;
    last_state = *state;
    snprintf(last_why, sizeof last_why, "%s", state->why);
}

static void on_ended(void *arg)
{
    (void)arg;
    ended++;
    loop_stop(loop);
}

static uint64_t change_kept;

static void on_change_end(void *arg, const struct change_end *end)
{
    (void)arg;
    change_kept = end->why ? 0 : end->number;
    loop_stop(loop);
}

static const struct process_events process_events = {on_open, on_shut, on_state, on_ended, on_change_end};

static void start(const char *gateway)
{
    loop = loop_new();
    segment = mem_zalloc(1, stats_segment_bytes());
    stats = stats_attach(segment);
    opened = ended = 0;
    struct process_options options = {.version = "1.2.3",
                                      .data_dir = slice_str(kit_dir),
                                      .gateway = slice_str(gateway),
                                      .zone = SLICE("UTC")};
    process = process_new(loop, stats, &options, &process_events, NULL);
}

/* As if it were killed: what is not committed is gone. */
static void drop(void)
{
    process_free(process);
    process = NULL;
    loop_free(loop);
    stats_detach(stats);
    mem_free(segment);
}

static void fresh(void)
{
    static const char *const names[] = {"anchor.key", "anchor.pub"};
    for (size_t i = 0; i < 2; i++) {
        char path[96];
        kit_path(path, names[i]);
        unlink(path);
    }
    kit_fresh();
}

/* ---- Workers. */

struct worker {
    struct pipe *pipe;
    uint64_t number, committed;
    unsigned states, ends;
    bool is_failing;
    char reason[256];
};

static void on_message(void *arg, const struct pipe_message *m)
{
    struct worker *w = arg;
    if (m->type == LINK_ACK) {
        struct link_ack ack;
        EXPECT_INT(sizeof ack, m->body.len);
        memcpy(&ack, m->body.ptr, sizeof ack);
        EXPECT(ack.committed >= w->committed);
        w->committed = ack.committed;
    }
    if (m->type == LINK_STATE) {
        struct link_state state;
        EXPECT(m->body.len >= sizeof state);
        memcpy(&state, m->body.ptr, sizeof state);
        w->is_failing = state.is_failing;
        snprintf(w->reason, sizeof w->reason, "%.*s", (int)(m->body.len - sizeof state), m->body.ptr + sizeof state);
        w->states++;
    }
    loop_stop(loop);
}

static void on_end(void *arg, const struct fault *why)
{
    struct worker *w = arg;
    EXPECT(why == NULL);
    w->ends++;
    loop_stop(loop);
}

static const struct pipe_events worker_events = {on_message, on_end};

static void say(struct worker *w, uint8_t type, struct slice body)
{
    struct fault why;
    EXPECT(pipe_send(w->pipe, type, body, -1, &why));
}

static void hello(struct worker *w, uint64_t instance)
{
    struct link_hello body;
    kit_id(body.instance, instance);
    say(w, LINK_HELLO, slice_of((const char *)&body, sizeof body));
}

static void connect_worker(struct worker *w, pid_t pid)
{
    int fds[2];
    struct fault why;
    EXPECT(pipe_pair(fds, &why));
    *w = (struct worker){.pipe = pipe_new(loop, fds[0], LIMIT_PIPE_QUEUE_BYTES, &worker_events, w)};
    process_add_worker(process, 0, pid, fds[1]);
}

static void send_text(struct worker *w, enum chain_kind kind, uint64_t n, struct slice text)
{
    struct buf body;
    struct link_entry head = {.number = ++w->number,
                              .kind = (uint8_t)kind,
                              .durability = DURABILITY_LOCAL,
                              .body_bytes = (uint32_t)text.len};
    buf_init(&body);
    kit_id(head.id, n);
    buf_append(&body, slice_of((const char *)&head, sizeof head));
    buf_append(&body, text);
    say(w, LINK_ENTRY, buf_slice(&body));
    buf_clear(&body);
}

static void send(struct worker *w, enum chain_kind kind, uint64_t n)
{
    struct buf body;
    buf_init(&body);
    kit_body(&body, n, KIT_TIME);
    send_text(w, kind, n, buf_slice(&body));
    buf_clear(&body);
}

static void wait_committed(struct worker *w, uint64_t number)
{
    while (w->committed < number)
        loop_run(loop);
}

/* A process that has gone: its id is nobody's. */
static pid_t dead_pid(void)
{
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

/* ---- */

static void what_is_acknowledged_is_on_the_disk(void)
{
    struct worker w;
    fresh();
    start("gw-1");
    EXPECT_INT(1, opened);
    connect_worker(&w, getpid());
    hello(&w, 1);
    for (uint64_t n = 0; n < 300; n++)
        send(&w, CHAIN_EXCHANGE, n);
    wait_committed(&w, 300);
    EXPECT_INT(1, w.states);
    EXPECT(!w.is_failing);
    EXPECT_STR("300", kit_ask("SELECT count(*) FROM records"));
    EXPECT_STR("1|gw-1|1.2.3", kit_ask("SELECT kind, body ->> '$.gateway', body ->> '$.version' FROM chain LIMIT 1"));
    pipe_free(w.pipe);
    process_leave(process, true);
    while (!ended)
        loop_run(loop);
    EXPECT_STR("6", kit_ask("SELECT kind FROM chain ORDER BY seq DESC LIMIT 1"));
    EXPECT_INT(0, last_state.waiting);
    drop();
}

/* What was not acknowledged comes again, on the next pipe, and to the next process. */
static void what_comes_again_is_there_once(void)
{
    struct worker w;
    fresh();
    start("gw-1");
    connect_worker(&w, getpid());
    hello(&w, 1);
    for (uint64_t n = 0; n < 10; n++)
        send(&w, CHAIN_EXCHANGE, n);
    wait_committed(&w, 10);
    pipe_free(w.pipe);
    drop();
    start("gw-1");
    connect_worker(&w, getpid());
    hello(&w, 1);
    for (uint64_t n = 5; n < 15; n++)
        send(&w, CHAIN_EXCHANGE, n);
    wait_committed(&w, 10);
    EXPECT_STR("15", kit_ask("SELECT count(*) FROM records"));
    EXPECT_STR("15", kit_ask("SELECT count(*) FROM chain WHERE kind = 2"));
    EXPECT_STR("15", kit_ask("SELECT sum(requests) FROM rollup"));
    pipe_free(w.pipe);
    drop();
}

/* What was done to the gateway itself is kept by who tells it until it is on the disk, also at the end. */
static void a_change_that_is_told_is_committed_and_said_to_be(void)
{
    fresh();
    start("gw-1");
    changes_tell(process_changes(process), 7,
                 SLICE("{\"id\":\"chg_019a3e0c-5b1f-7c00-8000-000000000001\",\"action\":\"drain\"}"));
    process_leave(process, true);
    while (!ended)
        loop_run(loop);
    EXPECT_INT(7, change_kept);
    EXPECT_STR("drain", kit_ask("SELECT body ->> '$.action' FROM chain WHERE kind = 4"));
    EXPECT_STR("6", kit_ask("SELECT kind FROM chain ORDER BY seq DESC LIMIT 1"));
    drop();
}

/* A worker that died: what it had sent counts, to the last byte that the kernel took. */
static void what_a_dead_worker_sent_counts(void)
{
    struct worker w;
    struct fault why;
    fresh();
    start("gw-1");
    connect_worker(&w, dead_pid());
    hello(&w, 1);
    for (uint64_t n = 0; n < 50; n++)
        send(&w, CHAIN_EXCHANGE, n);
    EXPECT(pipe_flush_wait(w.pipe, 1000, &why));
    pipe_free(w.pipe);
    process_leave(process, true);
    while (!ended)
        loop_run(loop);
    EXPECT_STR("50", kit_ask("SELECT count(*) FROM records"));
    drop();
}

static void what_was_announced_and_never_told_is_abandoned(void)
{
    struct worker dead, living;
    struct fault why;
    fresh();
    start("gw-1");
    connect_worker(&dead, dead_pid());
    hello(&dead, 1);
    send(&dead, CHAIN_INTENT, 1);
    send(&dead, CHAIN_INTENT, 2);
    send(&dead, CHAIN_EXCHANGE, 2);
    EXPECT(pipe_flush_wait(dead.pipe, 1000, &why));
    pipe_free(dead.pipe);
    connect_worker(&living, getpid());
    hello(&living, 2);
    send(&living, CHAIN_INTENT, 3);
    wait_committed(&living, 1);
    while (strcmp("abandoned", kit_ask("SELECT outcome FROM records WHERE outcome <> 'ok'")) != 0) {
        struct loop_timer timer; /* LIMIT_LEDGER_CLAIM_MS */
        loop_timer_init(&timer, loop, (loop_fn)(void (*)(void))loop_stop, loop);
        loop_timer_arm_ms(&timer, 50);
        loop_run(loop);
        loop_timer_disarm(&timer);
    }
    EXPECT_STR("2", kit_ask("SELECT count(*) FROM records")); /* the third is still under way */
    EXPECT_STR("1", kit_ask("SELECT count(*) FROM intents WHERE open = 1"));
    EXPECT_STR("app-1|chat", kit_ask("SELECT app, model_asked FROM records WHERE outcome = 'abandoned'"));
    pipe_free(living.pipe);
    process_leave(process, true);
    while (!ended)
        loop_run(loop);
    EXPECT_STR("2|0", kit_ask("SELECT sum(outcome = 'abandoned'), (SELECT count(*) FROM intents WHERE open = 1)"
                              " FROM records"));
    drop();
}

/* A supervisor was killed: its ledger process takes what its workers end, while the next gateway is at work. */
static void whose_ledger_process_lives_is_not_abandoned(void)
{
    struct worker dead;
    struct fault why;
    fresh();
    int other = ledger_living(kit_dir, &why);
    start("gw-1");
    connect_worker(&dead, dead_pid());
    hello(&dead, 1);
    send(&dead, CHAIN_INTENT, 1);
    wait_committed(&dead, 1);
    pipe_free(dead.pipe);
    process_leave(process, true);
    while (!ended)
        loop_run(loop);
    EXPECT_STR("0", kit_ask("SELECT count(*) FROM records"));
    drop();
    close(other);
    start("gw-1");
    process_leave(process, true);
    while (!ended)
        loop_run(loop);
    EXPECT_STR("abandoned", kit_ask("SELECT outcome FROM records"));
    drop();
}

static void an_announcement_becomes_a_record(void)
{
    struct buf out;
    buf_init(&out);
    abandoned_format(SLICE("{\"id\":\"req_1\",\"outcome\":null,\"facts\":{\"seed\":0.10000000000000001}}"), &out);
    EXPECT_SLICE(SLICE("{\"id\":\"req_1\",\"outcome\":\"abandoned\",\"facts\":{\"seed\":0.10000000000000001}}"),
                 buf_slice(&out));
    buf_reset(&out);
    abandoned_format(SLICE("{\"id\":\"req_1\"}"), &out);
    EXPECT_SLICE(SLICE("{\"id\":\"req_1\",\"outcome\":\"abandoned\"}"), buf_slice(&out));
    buf_reset(&out);
    abandoned_format(SLICE("{\"id\":"), &out);
    EXPECT_SLICE(SLICE("{\"outcome\":\"abandoned\"}"), buf_slice(&out));
    buf_clear(&out);
}

/* Each of these closes one pipe, and leaves the others alone. */
static void what_no_worker_says_closes_its_pipe(void)
{
    struct worker good, bad;
    struct link_entry head = {.number = 2, .kind = CHAIN_EXCHANGE, .durability = DURABILITY_LOCAL};
    fresh();
    start("gw-1");
    connect_worker(&good, getpid());
    hello(&good, 1);
    for (int i = 0; i < 6; i++) {
        connect_worker(&bad, getpid());
        if (i != 0) hello(&bad, 2);
        if (i == 0) send(&bad, CHAIN_EXCHANGE, 1); /* without a hello */
        if (i == 1) hello(&bad, 2);
        if (i == 2) say(&bad, LINK_ENTRY, slice_of((const char *)&head, sizeof head)); /* not the first */
        if (i == 3) say(&bad, LINK_ENTRY, SLICE("short"));
        if (i == 4) say(&bad, 77, SLICE_NONE);
        head.number = 1;
        head.body_bytes = 10; /* more than comes */
        if (i == 5) say(&bad, LINK_ENTRY, slice_of((const char *)&head, sizeof head));
        while (!bad.ends)
            loop_run(loop);
        pipe_free(bad.pipe);
    }
    send(&good, CHAIN_EXCHANGE, 1);
    wait_committed(&good, 1);
    EXPECT_INT(0, good.ends);
    EXPECT_STR("1", kit_ask("SELECT count(*) FROM records"));
    pipe_free(good.pipe);
    drop();
}

static void another_gateways_ledger_is_not_taken(void)
{
    struct worker w;
    fresh();
    start("gw-1");
    process_leave(process, true);
    while (!ended)
        loop_run(loop);
    drop();
    start("gw-2");
    EXPECT_INT(0, opened);
    EXPECT(strstr(shut_why, "gw-1") != NULL);
    EXPECT(last_state.is_failing);
    connect_worker(&w, getpid());
    hello(&w, 1);
    while (!w.states)
        loop_run(loop);
    EXPECT(w.is_failing && strstr(w.reason, "gw-1"));
    pipe_free(w.pipe);
    drop();
    start("gw-2");
    process_leave(process, true); /* nothing is there to be written: no disk is waited for */
    EXPECT_INT(1, ended);
    drop();
}

/* Also while nobody asks for anything. */
static void a_ledger_that_is_moved_away_is_told_of(void)
{
    char path[96], away[96];
    fresh();
    kit_path(path, "ledger.db");
    kit_path(away, "away.db");
    start("gw-1");
    struct worker w;
    connect_worker(&w, getpid());
    hello(&w, 1);
    send(&w, CHAIN_EXCHANGE, 1);
    wait_committed(&w, 1);
    EXPECT_INT(0, rename(path, away));
    while (!w.is_failing)
        loop_run(loop);
    EXPECT(strstr(w.reason, "ledger.db: it was removed"));
    EXPECT(last_state.is_failing);
    send(&w, CHAIN_EXCHANGE, 2);
    EXPECT_INT(0, rename(away, path));
    wait_committed(&w, 2);
    EXPECT(!last_state.is_failing);
    EXPECT_STR("2", kit_ask("SELECT count(*) FROM records"));
    pipe_free(w.pipe);
    drop();
}

static void losses_are_counted(void)
{
    struct worker w;
    fresh();
    start("gw-1");
    connect_worker(&w, getpid());
    hello(&w, 1);
    send_text(&w, CHAIN_LOSS, 0, SLICE("{\"count\":7,\"reason\":\"no room\",\"time\":\"2025-06-03T12:00:00.250Z\"}"));
    wait_committed(&w, 1);
    EXPECT_STR("5|7", kit_ask("SELECT kind, body ->> '$.count' FROM chain ORDER BY seq DESC LIMIT 1"));
    EXPECT_INT(7, stats_value(stats, stats_series(stats, STATS_LEDGER_LOST, NULL)));
    pipe_free(w.pipe);
    drop();
}

int main(void)
{
    RUN(what_is_acknowledged_is_on_the_disk);
    RUN(what_comes_again_is_there_once);
    RUN(a_change_that_is_told_is_committed_and_said_to_be);
    RUN(what_a_dead_worker_sent_counts);
    RUN(what_was_announced_and_never_told_is_abandoned);
    RUN(whose_ledger_process_lives_is_not_abandoned);
    RUN(an_announcement_becomes_a_record);
    RUN(what_no_worker_says_closes_its_pipe);
    RUN(another_gateways_ledger_is_not_taken);
    RUN(a_ledger_that_is_moved_away_is_told_of);
    RUN(losses_are_counted);
    fresh();
    kit_end();
    return unit_close("process");
}
