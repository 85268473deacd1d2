/* The cases of all back ends, on counters in Redis: the whole way through scripts, connection and answers. */
#include "counters_suite.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "redis_sync.h"
#include "store/counters/redis.h"

#define LEASE_MS 4000000000u /* cases go on by hours */

/*
 * The scripts read the time of Redis, and cases have times of their own: these are the same scripts, linked before the
 * store's, but for the clock, which are two keys that are set before each question.
 */
#define CLOCK "call(\"TIME\")"
#define TEST_CLOCK "call(\"MGET\", \"clock:s\", \"clock:us\")"

struct redis_script_text {
    const char *name, *text;
    uint64_t len;
};
struct redis_script_text redis_script_table[COUNTERS_SCRIPTS + 1];

/* As the Makefile makes them whole: "--with NAME …" stands for the texts of these parts. */
static void append_file(struct buf *text, const char *folder, const char *name)
{
    char path[128], line[256];
    snprintf(path, sizeof path, "core/store/counters/redis/%s%s.lua", folder, name);
    FILE *file = fopen(path, "r");
    EXPECT(file != NULL);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "--with ", 7) != 0) {
            buf_append(text, slice_str(line));
            continue;
        }
        char *rest = line + 7, *part;
        while ((part = strtok_r(rest, " \n", &rest)))
            append_file(text, "parts/", part);
    }
    if (file) fclose(file);
}

static void append_with_clock(struct buf *to, const char *text)
{
    const char *clock = strstr(text, CLOCK);
    if (!clock) {
        buf_append(to, slice_str(text));
        return;
    }
    buf_append(to, slice_of(text, (size_t)(clock - text)));
    buf_append(to, slice_str(TEST_CLOCK));
    append_with_clock(to, clock + strlen(CLOCK));
}

static void make_scripts(void)
{
    static const char *const names[] = {"admit", "beat", "breakers", "claim", "extend", "fence", "holds",
                                        "return", "seed", "settle", "spend", "spent", "sweep"};
    for (size_t i = 0; i < COUNTERS_SCRIPTS; i++) {
        struct buf whole, text;
        buf_init(&whole);
        buf_init(&text);
        append_file(&whole, "", names[i]);
        buf_append_char(&whole, '\0');
        append_with_clock(&text, buf_ptr(&whole));
        redis_script_table[i] = (struct redis_script_text){names[i], mem_strndup(buf_ptr(&text), buf_len(&text)),
                                                           buf_len(&text)};
        buf_clear(&whole);
        buf_clear(&text);
    }
}

/* --- the back end --- */

struct under_test {
    struct loop *loop;
    struct counters_redis *counters;
    struct arena arena;
    struct counters_state *states;
    struct counters_answer answer;
    const char *name; /* of the memory, told by beat */
};

static void set_clock(int64_t now_ns)
{
    static int64_t last_ns;
    char s[24], us[24];
    if (last_ns == now_ns) return;
    last_ns = now_ns;
    snprintf(s, sizeof s, "%" PRId64, now_ns / NS);
    snprintf(us, sizeof us, "%" PRId64, now_ns % NS / 1000);
    sync_ask("MSET", "clock:s", s, "clock:us", us, NULL);
    sync_forget();
}

static void on_answer(void *arg, const struct counters_answer *answer)
{
    struct under_test *t = arg;
    t->answer = *answer;
    if (answer->state_count) memcpy(t->states, answer->states, answer->state_count * sizeof *answer->states);
    if (answer->states) t->answer.states = t->states;
    loop_stop(t->loop);
}

static void redis_backend_ask(void *self, const struct counters_question *q, int64_t now_ns,
                              struct counters_state *to, struct counters_answer *answer)
{
    struct under_test *t = self;
    struct counters_question patient = *q;
    patient.timeout_ms = 30000;
    t->states = to;
    set_clock(now_ns);
    const char *refused = counters_redis_ask(t->counters, &patient, on_answer, t, NULL);
    if (refused) t->answer = (struct counters_answer){.error = refused};
    else loop_run(t->loop);
    *answer = t->answer;
}

static void on_reply(void *arg, const struct redis_answer *answer)
{
    struct under_test *t = arg;
    EXPECT(answer->outcome == REDIS_ANSWERED && counters_script_reply(answer->reply) == COUNTERS_REPLY_OK);
    if (answer->reply && answer->reply->count > 1) t->name = arena_copy(&t->arena, answer->reply->items[1].text).ptr;
    loop_stop(t->loop);
}

static void call(struct under_test *t, struct counters_call call_of)
{
    EXPECT(counters_redis_call(t->counters, &call_of, 30000, on_reply, t) == REDIS_TAKEN);
    loop_run(t->loop);
}

static void redis_backend_spend(void *self, const char (*holds)[COUNTERS_HOLD_BYTES], size_t hold_count,
                                const struct counters_spent *sums, size_t count, int64_t now_ns)
{
    struct under_test *t = self;
    struct counters_place place = counters_redis_place(t->counters);
    set_clock(now_ns);
    while (hold_count + count > 0) {
        size_t some = hold_count < LIMIT_COUNTERS_TOLD ? hold_count : LIMIT_COUNTERS_TOLD;
        size_t more = count < LIMIT_COUNTERS_TOLD ? count : LIMIT_COUNTERS_TOLD;
        call(t, counters_call_spend(&place, "ledger", true, holds, some, sums, more, &t->arena));
        holds += some, hold_count -= some;
        sums += more, count -= more;
    }
    arena_clear(&t->arena);
}

static void redis_backend_bury(void *self)
{
    struct under_test *t = self;
    struct counters_place place = counters_redis_place(t->counters);
    char cursor[24] = "0";
    do {
        call(t, counters_call_return(&place, cursor, &t->arena));
        snprintf(cursor, sizeof cursor, "%s", t->name);
    } while (strcmp(cursor, "0") != 0);
    arena_clear(&t->arena);
}

static void on_ready(void *arg)
{
    struct under_test *t = arg;
    loop_stop(t->loop);
}

static void enter(struct under_test *t)
{
    counters_redis_enter(t->counters, "gw-1", "");
    struct counters_place place = counters_redis_place(t->counters);
    set_clock((int64_t)(clock_wall_ns() / NS_PER_S) * NS);
    call(t, counters_call_beat(&place, "src", true, LEASE_MS, &t->arena));
    call(t, counters_call_seed(t->name, 0, &t->arena));
    counters_redis_enter(t->counters, "gw-1", t->name);
    arena_clear(&t->arena);
}

int main(void)
{
    static const struct counters_redis_events events = {.on_ready = on_ready};
    struct under_test t = {.loop = loop_new()};
    struct counters_backend backend = {.name = "redis", .self = &t, .ask = redis_backend_ask,
                                       .spend = redis_backend_spend, .bury = redis_backend_bury,
                                       .exact = COUNTERS_AMOUNT_MAX};
    struct fault why;
    signal(SIGPIPE, SIG_IGN);
    setenv("MOONGATE_LOG", "error", 0);
    log_init("test");
    arena_init(&t.arena);
    make_scripts();
    sync_start();
    t.counters = counters_redis_new(t.loop, sync_server.url, 7, &events, &t, &why);
    loop_run(t.loop);
    enter(&t);
    counters_suite(&backend);
    counters_redis_free(t.counters);
    loop_free(t.loop);
    sync_end();
    for (size_t i = 0; i < COUNTERS_SCRIPTS; i++)
        mem_free((void *)(uintptr_t)redis_script_table[i].text);
    return unit_close("counters_redis_suite");
}
