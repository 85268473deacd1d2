/*
 * The relay: whatever stages are linked, however the answer is cut, refused, ended or left, what leaves is the beginning of
 * what may leave, and it ends once.
 *
 * The first eight bytes choose the stages, the policies' words and when they come, what is done inside which callback, and
 * the end; the rest is a program of events, each a byte that names one, or raw bytes. What may leave is the answer itself;
 * where it is masked, or a usage chunk is taken out, what a relay without policies makes of it in one piece.
 */
#include "../unit/flow/relay_kit.h"

#include <stdio.h>

#include "base/check.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct plan {
    uint8_t stages, policies, act, at, cut, end, when, head;
    struct buf answer;
};

static const char *const events[] = {
    KIT_DELTA("Hello"),
    KIT_DELTA(" a\\u00e9\\n"),
    KIT_DELTA("mail [em"),
    KIT_DELTA("ail] now"),
    KIT_DELTA("EMP-12"),
    KIT_DELTA("3456 and bo@x.org"),
    KIT_DELTA("secret"),
    KIT_FINISH,
    KIT_USAGE,
    KIT_DONE,
    ": a comment\n\n",
    "data: {\"choices\":[{\"index\":1,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"[email]\\\"}\"}}]}}]}\r\n\r\n",
    "event: error\ndata: {\"message\":\"overloaded\"}\n\n",
    "data: {\"error\":{\"message\":\"no\"}}\n\n",
    "data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"two lines\"}}]}\n\n",
    KIT_WHOLE("Hello [email], EMP-123456"),
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"unended\"}}]}\n",
    "data: \xff\xfe not json\n\n",
    "\xEF\xBB\xBF",
    "\r\n",
};
#define EVENTS (sizeof events / sizeof events[0])

static void add_large(struct buf *answer, size_t bytes)
{
    buf_append(answer, SLICE("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\""));
    for (size_t i = 0; i < bytes; i++)
        buf_append_char(answer, 'x');
    buf_append(answer, SLICE("\"}}]}\n\n"));
}

static void make_answer(struct buf *answer, struct slice program)
{
    for (size_t i = 0; i < program.len; i++) {
        uint8_t op = (uint8_t)program.ptr[i];
        if (op == 255)
            add_large(answer, LIMIT_EVENT_BYTES + 100);
        else if (op >= 128)
            buf_append_char(answer, (char)(op & 127));
        else
            buf_append(answer, slice_str(events[op % EVENTS]));
    }
}

static void open_kit(struct kit *k, const struct plan *p, bool has_policies)
{
    static const char *const types[] = {"text/event-stream", "application/json", "", "text/event-stream; charset=utf-8"};
    kit_open(k, types[p->head & 3]);
    if ((p->head & 12) == 12) k->head.status = 500;
    if ((p->head & 48) == 48) k->head.content_encoding = SLICE("gzip");
    k->x->request.is_stream = p->head & 64;
    if (p->stages & 1) kit_redact(k);
    k->parts.drops_usage = p->stages & 2;
    if (p->stages & 4) k->parts.vocabulary = NULL;
    if (!has_policies) return;
    k->parts.hooks.has_delta = p->stages & 8;
    k->parts.hooks.has_response = p->stages & 16;
    k->parts.hooks.buffers = p->stages & 32;
    k->denied_at = p->policies & 7;
    k->denied = p->policies & 8 ? "secret" : NULL;
    k->word = p->policies & 16 ? VERDICT_FAULT : VERDICT_DENY;
    k->answers_later = p->policies & 32;
    k->act = (enum kit_act)(p->act % 5);
    k->act_at = (enum kit_place)(p->act / 5 % 4);
    k->act_in = p->at % 16;
}

/* What a relay lets out that nobody holds or refuses, fed at once. */
static void reference(const struct plan *p, struct buf *may)
{
    struct kit k;
    open_kit(&k, p, false);
    kit_feed(&k, buf_slice(&p->answer), 0);
    kit_finish(&k, NULL);
    struct slice out = buf_slice(&k.out), told = buf_slice(&k.told);
    bool is_told = k.how == RELAY_SENT && told.len && out.len >= told.len;
    buf_append(may, slice_of(out.ptr, is_told ? out.len - told.len : out.len));
    kit_close(&k);
}

/* A word, more time, or the end of it, between two pieces. */
static void meddle(struct kit *k, const struct plan *p, uint32_t draw)
{
    struct fault why = {.code = FAULT_DRAINING};
    if (k->is_asking && draw % 3 == 0) kit_answer(k);
    if (k->relay && !k->is_asking && draw % 5 == 0 && p->when & 1) relay_pass_time(k->relay);
    if (draw % 61 != 0 || !k->relay) return;
    if (p->when & 2) kit_do(k, KIT_DETACH);
    if (p->when & 4 && k->relay) relay_cut(k->relay, &why, OUTCOME_DRAINED);
    if (p->when & 8) kit_do(k, KIT_FREE);
}

static void feed(struct kit *k, const struct plan *p)
{
    struct slice all = buf_slice(&p->answer);
    uint32_t seed = p->cut * 2654435761u + 1;
    for (size_t at = 0, step; at < all.len; at += step) {
        seed = seed * 1664525u + 1013904223u;
        step = p->cut ? 1 + (seed >> 16) % (p->cut < 128 ? p->cut : p->cut * 97u) : all.len;
        if (step > all.len - at) step = all.len - at;
        kit_feed(k, slice_of(all.ptr + at, step), 0);
        meddle(k, p, seed >> 8);
    }
}

/* What on_delta was shown and let through is all that the client may have read. */
static void expect_judged(struct kit *k)
{
    struct dialect_stream stream;
    struct said_reader reader;
    struct said said;
    struct buf text;
    bool is_judged = k->parts.hooks.has_delta && k->head.status == 200 && k->relay && relay_report(k->relay).is_stream;
    if (!is_judged || !slice_starts(buf_slice(&k->out), SLICE("data: {"))) return;
    const char *lf = memchr(buf_ptr(&k->out), '\n', buf_len(&k->out));
    if (!lf || lf[1] != '\n') return;
    said_reader_init(&reader);
    dialect_stream_init(&stream, 1);
    buf_init(&text);
    dialect_openai.read_event(&reader, &stream, SLICE(""),
                              slice_of(buf_ptr(&k->out) + 6, (size_t)(lf - buf_ptr(&k->out)) - 6), &said);
    if (!(said.what & SAID_UNREADABLE)) said_append_text(&said, &text);
    check(slice_starts(buf_slice(&k->allowed), buf_slice(&text)));
    buf_clear(&text);
    said_reader_clear(&reader);
}

static void run(const struct plan *p, struct slice may)
{
    struct kit k;
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    open_kit(&k, p, true);
    bool is_buffered = k.parts.hooks.buffers && k.parts.hooks.has_response && k.head.status == 200;
    kit_begin(&k);
    feed(&k, p);
    if (p->end != 255) kit_finish(&k, p->end & 1 ? &why : NULL);
    if (!(p->end & 2)) kit_answer_all(&k);
    bool is_told = k.how == RELAY_SENT && buf_len(&k.told);
    if (is_buffered && k.heads && !k.is_released && !is_told && k.relay && relay_report(k.relay).is_stream)
        kit_is_wrong(&k, "a stream left that was to wait for its end");
    /* A cut ends the texts that are masked: what a whole text would have been is not known then. */
    bool is_cut_short = p->stages & 1 && (p->act % 5 == KIT_CUT || p->when & 4);
    if (!is_cut_short) kit_check_left(&k, may);
    expect_judged(&k);
    kit_close(&k);
    if (k.wrong) fprintf(stderr, "%s\n", k.wrong);
    check(!k.wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct buf may;
    if (len < 8) return 0;
    struct plan p = {bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], {0}};
    buf_init(&p.answer);
    buf_init(&may);
    make_answer(&p.answer, slice_of((const char *)bytes + 8, len - 8 < 200 ? len - 8 : 200));
    if (p.stages & 3)
        reference(&p, &may);
    else
        buf_append(&may, buf_slice(&p.answer));
    run(&p, buf_slice(&may));
    buf_clear(&p.answer);
    buf_clear(&may);
    return 0;
}
