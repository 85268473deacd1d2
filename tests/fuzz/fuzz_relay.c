/*
 * A whole relay under libFuzzer: random stages, cuts, ends, words of policies now or later, and a sink that goes, is
 * cut off or is freed at any byte and inside any callback. The first bytes are the plan (struct plan), the rest is the
 * body: by the grammar below, a production a byte, or as it stands, or events of the grammar among raw bytes.
 *
 * Whatever happens, what relay.h promises holds (tests/unit/flow/relay_kit.h). What left is the beginning of what may
 * leave: the body without the usage chunk, put together beside the relay; where it is masked, what a relay without
 * policies makes of it in one piece, of which the texts are those that were written, by plain replacement. The texts
 * that left were let through, and no word that is denied is in them.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/flow/relay_kit.h"

#include "base/check.h"
#include "wire/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PLAN_BYTES 10
#define DENIED "wOrD" /* stands in no id and in no error */

enum finish { COMPLETE, BROKEN_OFF, CUT, FREED, STOPPED, FINISHES };

struct plan {
    bool has_mask, has_delta, has_response, buffers, answers_later, drops_usage, is_stream, is_grammar, is_mixed;
    const char *type, *encoding;
    int status;
    enum finish finish;
    enum kit_act act;
    enum kit_place act_at;
    unsigned act_in, denied_at, detach_at; /* detach_at: in 256ths of the body; 0: never */
    bool denies_word;
    uint32_t seed;
};

static struct plan read_plan(const uint8_t b[PLAN_BYTES])
{
    static const char *const types[] = {"text/event-stream", "application/json", "text/plain", ""};
    static const int statuses[] = {200, 200, 200, 500};
    return (struct plan){
        .has_mask = b[0] & 1,
        .has_delta = b[0] & 2,
        .has_response = b[0] & 4,
        .buffers = b[0] & 8,
        .answers_later = b[0] & 16,
        .drops_usage = b[0] & 32,
        .is_stream = b[0] & 64,
        .is_grammar = !(b[0] & 128),
        .is_mixed = b[0] & 128 && b[1] & 128,
        .type = types[b[1] & 3],
        .encoding = (b[1] & 0x1C) == 4 ? "gzip" : "",
        .status = statuses[b[1] >> 5 & 3],
        .finish = (enum finish)(b[2] % FINISHES),
        .act = (enum kit_act)(b[3] % (KIT_STOP + 1)),
        .act_at = (enum kit_place)(b[3] / (KIT_STOP + 1) % (KIT_ASK + 1)),
        .act_in = 1 + b[4] % 16,
        .denied_at = b[5] % 32,
        .denies_word = b[5] & 32,
        .detach_at = b[6] & 1 ? b[6] : 0,
        .seed = (uint32_t)b[7] | (uint32_t)b[8] << 8 | (uint32_t)b[9] << 16,
    };
}

/* --- the body --- */

/* What is fed, what of it may leave where nothing is masked, and the texts that the client may read. */
struct body {
    struct buf fed, may, texts;
};

/* A LF behind a CR is no line of its own, but the first byte of whatever comes next (wire/sse.h), and goes with it. */
static bool is_half_a_line_end(const struct body *b, struct slice event)
{
    struct slice fed = buf_slice(&b->fed);
    return fed.len && fed.ptr[fed.len - 1] == '\r' && slice_starts(event, SLICE("\n"));
}

static void add(struct body *b, struct slice event)
{
    if (is_half_a_line_end(b, event)) return;
    buf_append(&b->fed, event);
    buf_append(&b->may, event);
}

static void add_event(struct body *b, const char *before, const char *text, const char *behind)
{
    add(b, slice_str(before));
    add(b, slice_str(text));
    add(b, slice_str(behind));
}

/* An event too large to be kept, with all that may stand in one. */
static void add_picture(struct body *b)
{
    static const char *const runs[] = {"iVBORw0KGgoAAAANSUhEUg", "\\u00e9\\ud83d\\ude00", "\xE2\x82\xAC"};
    if (buf_len(&b->fed) > 20000) return;
    add(b, SLICE("event: x\ndata: {\"choices\":[{\"delta\":{\"content\":\"\",\"images\":[\""));
    for (size_t i = 0; i < 4000; i++)
        add(b, slice_str(runs[i % 3]));
    add(b, SLICE("\"],\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"length\"}],\n"
                 "data: \"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9}}\n\n"));
    buf_append(&b->texts, SLICE("{}")); /* what the tool is asked is a text too */
}

/* In three kinds of lines. */
static void add_delta(struct body *b, const char *text, int kind)
{
    static const char *const heads[] = {"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
                                        "id: 7\r\ndata:{\"choices\":[{\"delta\":{\"content\":\"",
                                        "data: {\"choices\":[\ndata: {\"index\":0,\"delta\":{\"content\":\""};
    static const char *const tails[] = {"\"}}]}\n\n", "\"}}]}\r\n\r\n", "\"}}]}\n\n"};
    add_event(b, heads[kind], text, tails[kind]);
}

/* The texts of one channel, and what the client reads instead. */
static void add_text(struct body *b, const char *first, const char *second, const char *becomes, int kind)
{
    add_delta(b, first, kind);
    if (second) add_delta(b, second, kind);
    buf_append(&b->texts, slice_str(becomes));
}

static void add_large(struct body *b, size_t bytes)
{
    static char large[70000];
    if (buf_len(&b->fed) > 20000) return;
    for (size_t i = 0; !large[i] && i < sizeof large - 1; i++)
        large[i] = i % 7 ? 'x' : ' '; /* words: a long one takes long to count */
    const char *text = large + sizeof large - 1 - bytes;
    add_text(b, text, NULL, text, 0);
}

#define DROPPED "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n"
#define NAMED "event: error\n" DROPPED

static void add_other(struct body *b, bool drops_usage, int which)
{
    static const char *const others[] = {
        KIT_FINISH, KIT_DONE, ": comment\n\n", ": comment\r\r", "\n", "\r\n\r\n", "event: x\n\n",
        "data\n\n", "data: 7\n\n",
        "data: {\"choices\":\n\n", "data: {\"choices\":[]}\n\n", "retry: 5\n\n",
        "data: {\"error\":{\"message\":\"busy\"}}\n\n", "event: error\ndata: x\n\n",
        "data: {\"choices\":[{\"delta\":{},\"logprobs\":{\"content\":[]}}]}\n\n", NAMED,
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\"}}]}}]}\n\n"};
    size_t count = sizeof others / sizeof others[0];
    if ((size_t)which < count) {
        add(b, slice_str(others[which]));
        return;
    }
    buf_append(&b->fed, SLICE(DROPPED));
    if (!drops_usage) buf_append(&b->may, SLICE(DROPPED));
}

/* Blanks stand around what is masked, so that nothing else becomes a part of it. */
static void add_production(struct body *b, bool drops_usage, uint8_t byte)
{
    static const char *const texts[][3] = {
        {"hello ", NULL, "hello "},
        {"", NULL, ""},
        {" EMP-123456 ", NULL, " [employee_id] "},
        {" EMP-12", "3456 ", " [employee_id] "},
        {" [email] ", NULL, " ana@example.com "},
        {" [ema", "il] ", " ana@example.com "},
        {" [ema", "ilx] ", " [emailx] "},
        {" " DENIED " ", NULL, " " DENIED " "},
        {"caf\\u00e9 \xF0\x9F\x98\x80", " ", "caf\xC3\xA9 \xF0\x9F\x98\x80 "},
        {"\\n\\\"{", "} ", "\n\"{} "},
    };
    int count = (int)(sizeof texts / sizeof texts[0]), which = byte & 31;
    if (which < count)
        add_text(b, texts[which][0], texts[which][1], texts[which][2], byte >> 5 < 2 ? byte >> 5 : 2);
    else if (which == 31 && byte >> 5 == 7)
        add_large(b, 66000);
    else if (which == 30 && byte >> 5 == 7)
        add_large(b, 5000);
    else if (which == 29 && byte >> 5 == 7)
        add_picture(b);
    else
        add_other(b, drops_usage, which - count + (byte >> 7 ? 0 : 3));
}

static void write_body(struct body *b, const struct plan *p, const uint8_t *data, size_t size)
{
    *b = (struct body){0};
    for (size_t i = 0; i < size; i++) {
        if (p->is_grammar || (p->is_mixed && data[i] >= 128))
            add_production(b, p->drops_usage, data[i]);
        else
            buf_append_char(&b->fed, (char)data[i]);
    }
}

static void clear_body(struct body *b)
{
    buf_clear(&b->fed);
    buf_clear(&b->may);
    buf_clear(&b->texts);
}

/* --- a run --- */

static void open_run(struct kit *k, const struct plan *p)
{
    kit_open(k, p->type);
    if (p->has_mask) kit_redact(k);
    k->x->request.is_stream = p->is_stream;
    k->head.content_encoding = slice_str(p->encoding);
    k->head.status = p->status;
    k->parts.drops_usage = p->drops_usage;
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 12) % below;
}

/* Between two pieces time may pass, and a word be said. */
static void pause_run(struct kit *k, uint32_t *seed)
{
    if (k->relay && draw(seed, 4) == 0) relay_pass_time(k->relay);
    if (k->relay && draw(seed, 3) == 0) kit_answer(k);
}

static void feed_run(struct kit *k, const struct plan *p, struct slice bytes)
{
    static const uint32_t longest[] = {0, 1, 3, 40, 300, 70000};
    uint32_t seed = p->seed, most = longest[draw(&seed, 6)];
    if (bytes.len > 20000 && most && most < 300) most = 70000;
    size_t detach_at = p->detach_at ? bytes.len * p->detach_at / 256 : SIZE_MAX;
    kit_begin(k);
    for (size_t at = 0, step; at < bytes.len; at += step) {
        step = most ? 1 + draw(&seed, most) : bytes.len;
        if (step > bytes.len - at) step = bytes.len - at;
        if (at < detach_at && step > detach_at - at) step = detach_at - at;
        if (at == detach_at) kit_do(k, KIT_DETACH);
        kit_feed_piece(k, slice_of(bytes.ptr + at, step));
        pause_run(k, &seed);
    }
}

static void finish_run(struct kit *k, const struct plan *p)
{
    static const enum kit_act acts[] = {[CUT] = KIT_CUT, [FREED] = KIT_FREE, [STOPPED] = KIT_STOP};
    struct fault why = {.code = FAULT_UPSTREAM_CLOSED};
    switch (p->finish) {
    case COMPLETE: kit_finish(k, NULL); break;
    case BROKEN_OFF: kit_finish(k, &why); break;
    case CUT:
    case FREED:
    case STOPPED: kit_do(k, acts[p->finish]); return;
    case FINISHES: break;
    }
    if (k->is_asking && p->seed & 2) kit_do(k, KIT_DETACH);
    kit_answer_all(k);
}

/* What a relay without policies makes of it in one piece. */
static void run_plainly(const struct plan *p, struct slice bytes, struct buf *left)
{
    struct kit k;
    open_run(&k, p);
    k.parts.vocabulary = NULL;
    kit_feed(&k, bytes, 0);
    kit_finish(&k, NULL);
    check(k.ends == 1);
    struct slice out = buf_slice(&k.out);
    if (k.how == RELAY_SENT && buf_len(&k.told)) out.len -= buf_len(&k.told);
    buf_append(left, out);
    kit_close(&k);
    check(!k.wrong);
}

/* --- what must hold --- */

struct joining {
    struct said_reader reader;
    struct dialect_stream told;
    struct buf *texts;
};

static void on_event(void *arg, const struct sse_event *event)
{
    struct joining *j = arg;
    struct said said;
    if (event->is_comment_only || event->is_raw) return;
    dialect_openai.read_event(&j->reader, &j->told, event->name, event->data, &said);
    said_append_text(&said, j->texts);
}

static void join_texts(struct slice sse, struct buf *texts)
{
    struct joining j = {.texts = texts};
    struct sse_parser *parser = sse_new();
    said_reader_init(&j.reader);
    dialect_stream_init(&j.told, 1);
    sse_keep(parser, LIMIT_REDACT_EVENT_BYTES);
    sse_feed(parser, sse, on_event, &j);
    sse_finish(parser, on_event, &j);
    sse_free(parser);
    said_reader_clear(&j.reader);
}

static bool is_cut(const struct plan *p, bool has_acted)
{
    return p->finish == CUT || (has_acted && p->act == KIT_CUT);
}

/* Of what left as a stream: the texts are those that were let through, and those that may be read. */
static void check_texts(const struct kit *k, const struct plan *p, const struct body *b, bool has_acted)
{
    struct buf texts = {0};
    join_texts(buf_slice(&k->out), &texts);
    if (p->has_delta) check(slice_starts(buf_slice(&k->allowed), buf_slice(&texts)));
    if (p->has_mask && p->is_grammar && !is_cut(p, has_acted))
        check(slice_starts(buf_slice(&b->texts), buf_slice(&texts)));
    if (p->has_delta && p->denies_word && p->is_grammar)
        check(!kit_holds(&k->out, DENIED));
    buf_clear(&texts);
}

/* What was read is the same for events that were kept whole, because policies must read them, and for those that were
 * read on the way; and however they were cut. */
static void check_read(const struct kit *k, const struct plan *p, const struct body *b)
{
    struct kit plain;
    bool is_whole = k->ends && k->how == RELAY_SENT && !k->has_why && !k->has_refusal && p->finish == COMPLETE;
    if (!k->relay || !is_whole || p->encoding[0] || p->status != 200) return;
    open_run(&plain, p);
    plain.parts.redact = NULL;
    kit_feed(&plain, buf_slice(&b->fed), 0);
    kit_finish(&plain, NULL);
    struct relay_report told = relay_report(k->relay), want = relay_report(plain.relay);
    check(memcmp(told.usage, want.usage, sizeof *told.usage) == 0);
    check(strcmp(told.finish_reason, want.finish_reason) == 0);
    check(told.has_error == want.has_error && told.is_cut == want.is_cut);
    check(told.counted.text_tokens == want.counted.text_tokens);
    check(told.counted.calls == want.counted.calls);
    kit_close(&plain);
    check(!plain.wrong);
}

static void check_run(struct kit *k, const struct plan *p, const struct body *b, bool has_acted)
{
    bool is_piece = k->length != CONN_STREAM, is_success = p->status == 200;
    bool is_stream = !is_piece && !p->encoding[0];
    bool is_plain = !p->has_mask && (p->is_grammar || !p->drops_usage);
    struct buf left = {0};
    if (is_plain)
        buf_append(&left, buf_slice(p->is_grammar && is_stream ? &b->may : &b->fed));
    else
        run_plainly(p, buf_slice(&b->fed), &left);
    /* A cut inside a callback ends the texts that wait for what was fed, and would have been masked with it. */
    bool is_early = p->has_mask && has_acted && p->act == KIT_CUT;
    if (!is_early) kit_check_left(k, buf_slice(&left));
    if (k->heads && is_success && p->has_response && (is_piece || p->buffers)) check(k->is_released);
    if (k->heads && is_stream) check_texts(k, p, b, has_acted);
    buf_clear(&left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct body body;
    struct kit k;
    if (size < PLAN_BYTES) return 0;
    struct plan p = read_plan(data);
    write_body(&body, &p, data + PLAN_BYTES, size - PLAN_BYTES);
    open_run(&k, &p);
    k.parts.hooks.has_delta = p.has_delta;
    k.parts.hooks.has_response = p.has_response;
    k.parts.hooks.buffers = p.buffers;
    k.answers_later = p.answers_later;
    k.denied_at = p.denied_at;
    k.denied = p.denies_word ? DENIED : NULL;
    k.word = p.seed & 1 ? VERDICT_DENY : VERDICT_FAULT;
    k.act = p.act, k.act_at = p.act_at, k.act_in = p.act_in;
    feed_run(&k, &p, buf_slice(&body.fed));
    finish_run(&k, &p);
    check_run(&k, &p, &body, k.act == KIT_NOTHING);
    if (p.is_grammar) check_read(&k, &p, &body);
    kit_close(&k);
    if (k.wrong) fprintf(stderr, "broken: %s\n", k.wrong);
    check(!k.wrong);
    clear_body(&body);
    return 0;
}
