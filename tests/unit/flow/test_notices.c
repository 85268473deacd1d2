/* Notices of budgets go to the ledger as entries, few however many requests tell the same. */
#include "../unit.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/notices.h"
#include "net/pipe.h"
#include "wire/json.h"

static struct loop *loop;
static struct recorder *recorder;
static struct pipe *ledger;
static struct notices *notices;
static void *segment;
static struct stats *stats;
static unsigned entries, lost;
static struct buf last; /* body of the last entry */
static uint8_t last_id[LINK_ID_BYTES];

static void on_lost(void *arg, struct slice id)
{
    (void)arg;
    lost += notices_is_id(id);
    if (notices_is_id(id)) notices_lost(notices, id);
}

static void on_nothing(void *arg)
{
    (void)arg;
}

static const struct recorder_events events = {.on_lost = on_lost, .on_change = on_nothing, .on_idle = on_nothing};

static void on_message(void *arg, const struct pipe_message *m)
{
    struct link_entry head;
    (void)arg;
    if (m->type != LINK_ENTRY) return;
    memcpy(&head, m->body.ptr, sizeof head);
    EXPECT_INT(CHAIN_ALERT, head.kind);
    EXPECT_INT(m->body.len, sizeof head + head.body_bytes);
    memcpy(last_id, head.id, sizeof last_id);
    buf_reset(&last);
    buf_append(&last, slice_of(m->body.ptr + sizeof head, head.body_bytes));
    entries++;
}

static const struct pipe_events ledger_events = {.on_message = on_message};

static void stop(void *arg)
{
    loop_stop(arg);
}

static void turns(unsigned ms)
{
    struct loop_timer timer;
    loop_timer_init(&timer, loop, stop, loop);
    loop_timer_arm_ms(&timer, ms);
    loop_run(loop);
    loop_timer_disarm(&timer);
}

static void expect_entries(unsigned wanted)
{
    for (int i = 0; i < 1000 && entries < wanted; i++)
        turns(2);
    turns(10);
    EXPECT_INT(wanted, entries);
}

static void begin(bool has_ledger)
{
    int fds[2];
    struct fault why;
    loop = loop_new();
    segment = mem_zalloc(1, stats_segment_bytes());
    stats = stats_attach(segment);
    recorder = recorder_new(loop, &events, NULL);
    notices = notices_new(recorder, stats);
    entries = lost = 0;
    buf_init(&last);
    if (!has_ledger) return;
    EXPECT(pipe_pair(fds, &why));
    ledger = pipe_new(loop, fds[0], LIMIT_PIPE_QUEUE_BYTES, &ledger_events, NULL);
    recorder_attach(recorder, fds[1]);
}

static void end(void)
{
    recorder_free(recorder);
    notices_free(notices);
    if (ledger) pipe_free(ledger);
    ledger = NULL;
    buf_clear(&last);
    stats_detach(stats);
    mem_free(segment);
    loop_free(loop);
}

static const struct slice receivers[] = {{"slack:#ai-spend", 15}, {"owner", 5}};

static void tell(const char *key, int64_t start_s, uint32_t at)
{
    char rule[40], threshold[16];
    snprintf(threshold, sizeof threshold, "%u%%", at / 100);
    snprintf(rule, sizeof rule, "budget/sales@%s", threshold);
    notices_tell(notices, &(struct counters_notice){.key = slice_str(key),
                                                    .start_s = start_s,
                                                    .at = at,
                                                    .to = receivers,
                                                    .to_count = 2,
                                                    .rule = slice_str(rule),
                                                    .text = SLICE("sales has used \"80%\""),
                                                    .budget = SLICE("sales"),
                                                    .threshold = slice_str(threshold),
                                                    .request = SLICE("req_1"),
                                                    .app = SLICE("bot"),
                                                    .owner = SLICE("ada")});
}

static bool has(const char *part)
{
    return memmem(buf_ptr(&last), buf_len(&last), part, strlen(part)) != NULL;
}

static void a_flood_of_requests_is_one_entry(void)
{
    struct json_tape tape;
    struct fault why;
    begin(true);
    for (int i = 0; i < 100000; i++)
        tell("department=sales", 1000, 8000);
    expect_entries(1);
    EXPECT(slice_starts(buf_slice(&last), SLICE("{\"id\":\"alert_")));
    EXPECT(has("\"key\":\"department=sales\",\"period\":1000,\"at\":8000,\"to\":[\"slack:#ai-spend\",\"owner\"],"
               "\"text\":\"sales has used \\\"80%\\\"\",\"budget\":\"sales\",\"threshold\":\"80%\","
               "\"rule\":\"budget/sales@80%\",\"app\":\"bot\",\"owner\":\"ada\",\"request\":\"req_1\"}"));
    json_init(&tape);
    EXPECT(json_parse(&tape, buf_slice(&last), &why));
    json_clear(&tape);
    tell("department=sales", 1000, 10000);
    tell("department=sales", 2000, 8000);
    tell("department=support", 1000, 8000);
    expect_entries(4);
    end();
}

/* Workers that know nothing of each other name it alike; a session that begins anew does not. */
static void the_id_is_that_of_the_threshold(void)
{
    uint8_t first[LINK_ID_BYTES];
    begin(true);
    tell("department=sales", 1000, 8000);
    expect_entries(1);
    memcpy(first, last_id, sizeof first);
    tell("department=sales", 1000, 8100);
    expect_entries(2);
    EXPECT(memcmp(first, last_id, sizeof first) != 0);
    end();
    begin(true);
    tell("department=sales", 1000, 8000);
    expect_entries(1);
    EXPECT(memcmp(first, last_id, sizeof first) == 0);
    tell("session=1", 0, 8000);
    expect_entries(2);
    memcpy(first, last_id, sizeof first);
    end();
    begin(true);
    tell("session=1", 0, 8000);
    expect_entries(1);
    EXPECT(memcmp(first, last_id, sizeof first) != 0);
    end();
}

static void what_finds_no_room_is_counted_and_told_again(void)
{
    struct buf out;
    void *segments[] = {segment};
    char key[LIMIT_NOTICE_BYTES];
    unsigned told = 0;
    begin(false); /* nobody takes anything */
    segments[0] = segment;
    memset(key, 'k', sizeof key - 2000);
    key[sizeof key - 2000] = '\0';
    while (told < 1000 && !lost) {
        snprintf(key, 9, "%08u", told++);
        key[8] = 'k';
        tell(key, 1000, 8000);
        buf_init(&out);
        stats_render(segments, 1, &out);
        buf_append_char(&out, '\0');
        lost = strstr(buf_ptr(&out), "\nmoongate_notices_lost_total 1\n") != NULL;
        buf_clear(&out);
    }
    EXPECT(lost && told > 100 && told < 1000);
    lost = 0;
    end(); /* those that were kept are named, each */
    EXPECT_INT(told - 1, lost);
}

int main(void)
{
    RUN(a_flood_of_requests_is_one_entry);
    RUN(the_id_is_that_of_the_threshold);
    RUN(what_finds_no_room_is_counted_and_told_again);
    return unit_close("notices");
}
