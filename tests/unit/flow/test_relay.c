/* The whole chain: whatever is linked, however its bytes are cut, and whatever is done to it while it calls out. */
#include "../unit.h"

#include "relay_kit.h"

#define BEGUN KIT_DELTA("Hello ") ": busy\n\n"
#define ENDED KIT_USAGE KIT_FINISH KIT_DONE
#define STREAM BEGUN KIT_DELTA("[email] and EMP-1") KIT_DELTA("23999, ok") ENDED
#define MASKED BEGUN KIT_DELTA("ana@example.com and [employee_id]") KIT_DELTA(", ok") ENDED

/* Which stages there are, one bit each. */
enum { WITH_MASK = 1, WITH_DELTA = 2, WITH_RESPONSE = 4, WITH_BUFFER = 8, LATER = 16, SETTINGS = 32 };

static void open_with(struct kit *k, unsigned settings, const char *type)
{
    kit_open(k, type);
    if (settings & WITH_MASK) kit_redact(k);
    k->x->request.is_stream = true;
    k->parts.hooks.has_delta = settings & WITH_DELTA;
    k->parts.hooks.has_response = settings & WITH_RESPONSE;
    k->parts.hooks.buffers = settings & WITH_BUFFER;
    k->answers_later = settings & LATER;
}

static void close_of(struct kit *k, struct slice may, const char *which)
{
    kit_check_left(k, may);
    kit_close(k);
    if (k->wrong) UNIT_FAIL("%s: %s", which, k->wrong);
}

static void finish_and_answer(struct kit *k)
{
    kit_finish(k, NULL);
    kit_answer_all(k);
}

/* A comment overtakes what waits to be masked, and nothing else may. */
static struct slice may_leave(unsigned settings)
{
    return settings & WITH_MASK ? SLICE(MASKED) : SLICE(STREAM);
}

static void run_cut(unsigned settings, size_t from, size_t to)
{
    struct kit k;
    char which[64];
    open_with(&k, settings, "text/event-stream");
    kit_feed_cut(&k, SLICE(STREAM), from, to);
    finish_and_answer(&k);
    EXPECT_INT(1, k.ends);
    EXPECT_INT(RELAY_SENT, k.how);
    EXPECT_INT(OUTCOME_OK, k.outcome);
    snprintf(which, sizeof which, "settings %u cut at %zu and %zu", settings, from, to);
    close_of(&k, may_leave(settings), which);
}

static void a_stream_leaves_the_same_however_it_is_cut(void)
{
    for (unsigned settings = 0; settings < SETTINGS; settings++) {
        for (size_t at = 0; at < sizeof STREAM; at++)
            run_cut(settings, at, at);
    }
}

static void byte_by_byte_it_is_the_same(void)
{
    for (unsigned settings = 0; settings < SETTINGS; settings++) {
        struct kit k;
        open_with(&k, settings, "text/event-stream");
        kit_feed(&k, SLICE(STREAM), 1);
        finish_and_answer(&k);
        EXPECT_INT(RELAY_SENT, k.how);
        close_of(&k, may_leave(settings), "byte by byte");
    }
}

/* What is done inside each call of each callback, for all stages. */
static void run_act(unsigned settings, enum kit_act act, enum kit_place place, unsigned call, size_t step)
{
    struct kit k;
    char which[96];
    open_with(&k, settings, "text/event-stream");
    k.act = act, k.act_at = place, k.act_in = call;
    kit_feed(&k, SLICE(STREAM), step);
    finish_and_answer(&k);
    snprintf(which, sizeof which, "settings %u, act %d in call %u of %d, step %zu", settings, act, call, place, step);
    if (k.act == KIT_NOTHING && act == KIT_DETACH && place != KIT_END) EXPECT_INT(1, k.ends);
    close_of(&k, may_leave(settings), which);
}

static void inside_each_callback_it_may_be_freed_detached_cut_and_stopped(void)
{
    for (unsigned settings = 0; settings < SETTINGS; settings++) {
        for (enum kit_act act = KIT_FREE; act <= KIT_STOP; act++) {
            for (enum kit_place place = KIT_HEAD; place <= KIT_ASK; place++) {
                for (unsigned call = 1; call <= 8; call++) {
                    run_act(settings, act, place, call, 0);
                    run_act(settings, act, place, call, 1);
                    run_act(settings, act, place, call, 100);
                }
            }
        }
    }
}

/* From outside, behind each byte. */
static void run_between(unsigned settings, enum kit_act act, size_t at)
{
    struct kit k;
    char which[96];
    open_with(&k, settings, "text/event-stream");
    kit_feed(&k, slice_of(STREAM, at), 0);
    kit_do(&k, act);
    kit_feed(&k, slice_of(&STREAM[at], sizeof STREAM - 1 - at), 0);
    finish_and_answer(&k);
    snprintf(which, sizeof which, "settings %u, act %d behind byte %zu", settings, act, at);
    EXPECT_INT(act == KIT_DETACH || act == KIT_CUT, k.ends);
    /* A cut ends the texts that wait: what is masked in half a secret is another matter than in a whole one. */
    close_of(&k, act == KIT_CUT && settings & WITH_MASK ? buf_slice(&k.out) : may_leave(settings), which);
}

static void behind_each_byte_it_may_be_freed_detached_cut_and_stopped(void)
{
    for (unsigned settings = 0; settings < SETTINGS; settings++) {
        for (enum kit_act act = KIT_FREE; act <= KIT_STOP; act++) {
            for (size_t at = 0; at < sizeof STREAM; at++)
                run_between(settings, act, at);
        }
    }
}

static void detached_it_is_read_to_its_end(void)
{
    for (unsigned settings = 0; settings < SETTINGS; settings++) {
        for (size_t at = 0; at < sizeof STREAM; at++) {
            struct kit k;
            open_with(&k, settings, "text/event-stream");
            kit_feed(&k, slice_of(STREAM, at), 0);
            kit_do(&k, KIT_DETACH);
            EXPECT_INT(0, relay_held_bytes(k.relay));
            kit_feed(&k, slice_of(&STREAM[at], sizeof STREAM - 1 - at), 3);
            kit_finish(&k, NULL);
            EXPECT_INT(RELAY_DETACHED, k.how);
            EXPECT_INT(2, relay_report(k.relay).usage->output_tokens);
            EXPECT_STR("stop", relay_report(k.relay).finish_reason);
            close_of(&k, may_leave(settings), "detached");
        }
    }
}

/* Nobody is there to be told. */
static void who_is_gone_is_not_told_of_a_cut(void)
{
    for (unsigned settings = 0; settings < SETTINGS; settings++) {
        for (size_t at = 0; at < sizeof STREAM; at++) {
            struct kit k;
            open_with(&k, settings, "text/event-stream");
            kit_feed(&k, slice_of(STREAM, at), 0);
            kit_do(&k, KIT_DETACH);
            kit_do(&k, KIT_CUT);
            EXPECT_INT(1, k.ends);
            EXPECT_INT(RELAY_DETACHED, k.how);
            EXPECT_INT(OUTCOME_CLIENT_CLOSED, k.outcome);
            close_of(&k, may_leave(settings), "detached, then cut");
        }
    }
}

/* While a question is open behind the end of the answer. */
static void run_act_behind_the_end(unsigned settings, enum kit_act act, const char *body, const char *type)
{
    struct kit k;
    open_with(&k, settings | LATER, type);
    kit_feed(&k, slice_str(body), 0);
    kit_finish(&k, NULL);
    bool was_asking = k.is_asking;
    kit_do(&k, act);
    EXPECT(!k.is_asking || act == KIT_NOTHING);
    kit_answer_all(&k);
    if (was_asking) EXPECT_INT(act != KIT_FREE && act != KIT_STOP, k.ends);
    if (was_asking && act == KIT_DETACH) EXPECT_INT(RELAY_DETACHED, k.how);
    close_of(&k, slice_str(body), "behind the end");
}

static void behind_the_end_too(void)
{
    for (unsigned settings = WITH_DELTA; settings < LATER; settings++) {
        if (settings & WITH_MASK) continue;
        for (enum kit_act act = KIT_NOTHING; act <= KIT_STOP; act++) {
            run_act_behind_the_end(settings, act, STREAM, "text/event-stream");
            run_act_behind_the_end(settings, act, KIT_WHOLE("Hello"), "application/json");
        }
    }
}

/* The client is told once why an answer ends. */
static void an_end_that_is_being_told_is_not_told_again(void)
{
    struct kit k;
    open_with(&k, 0, "text/event-stream");
    kit_feed(&k, SLICE(KIT_DELTA("a")), 0);
    k.act = KIT_CUT, k.act_at = KIT_WRITE, k.act_in = 1;
    kit_do(&k, KIT_CUT);
    EXPECT_INT(1, k.ends);
    EXPECT_INT(sizeof KIT_DELTA("a") - 1 + buf_len(&k.told), buf_len(&k.out));
    close_of(&k, SLICE(KIT_DELTA("a")), "told twice");
}

/* Held whole for on_response, ended by its marker, and then the connection broke: nothing is missing, and all is judged. */
static void behind_the_marker_a_fault_is_none(void)
{
    struct kit k;
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    kit_open(&k, "text/event-stream");
    k.parts.hooks.has_response = k.parts.hooks.buffers = true;
    kit_feed(&k, SLICE(KIT_DELTA("a") KIT_FINISH KIT_DONE "\t"), 0);
    kit_finish(&k, &why);
    EXPECT_INT(1, k.responses);
    EXPECT_INT(RELAY_SENT, k.how);
    EXPECT_INT(OUTCOME_OK, k.outcome);
    EXPECT_SLICE(SLICE(KIT_DELTA("a") KIT_FINISH KIT_DONE "\t"), buf_slice(&k.out));
    kit_close(&k);
}

/* The same where the provider said that it failed: the client has its words, and not what stood unended behind them. */
static void behind_an_error_a_fault_is_none(void)
{
    struct kit k;
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    struct slice body = SLICE(KIT_DELTA("a") "data: {\"error\":{\"message\":\"no\"}}\n\n" KIT_DONE);
    kit_open(&k, "text/event-stream");
    k.parts.hooks.has_response = k.parts.hooks.buffers = true;
    kit_feed(&k, body, 0);
    kit_finish(&k, &why);
    EXPECT_INT(1, k.responses);
    EXPECT_INT(RELAY_SENT, k.how);
    EXPECT_INT(OUTCOME_UPSTREAM_ERROR, k.outcome);
    EXPECT_SLICE(body, buf_slice(&k.out));
    kit_close(&k);
}

int main(void)
{
    RUN(behind_an_error_a_fault_is_none);
    RUN(behind_the_marker_a_fault_is_none);
    RUN(a_stream_leaves_the_same_however_it_is_cut);
    RUN(byte_by_byte_it_is_the_same);
    RUN(inside_each_callback_it_may_be_freed_detached_cut_and_stopped);
    RUN(behind_each_byte_it_may_be_freed_detached_cut_and_stopped);
    RUN(detached_it_is_read_to_its_end);
    RUN(who_is_gone_is_not_told_of_a_cut);
    RUN(behind_the_end_too);
    RUN(an_end_that_is_being_told_is_not_told_again);
    loop_free(kit_loop);
    return unit_close("relay");
}
