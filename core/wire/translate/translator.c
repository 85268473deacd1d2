#include "wire/translate/translator.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "wire/translate/event.h"
#include "wire/translate/halves.h"

#define HALVES_MAX 8 /* texts that may be waiting for the second half of a character */

/* The end of a text, which the next of it goes on with. */
struct half {
    enum delta_kind kind;
    uint32_t part;
    char first[HALF_BYTES];
};

struct translator {
    const struct dialect *client, *provider;
    struct answer_manner manner;
    answer_event_fn event;
    void *arg;
    struct dropped *dropped; /* NULL: nothing was */
    struct answer_reader *in;
    struct answer_writer *out;
    struct fault why;
    const struct usage *usage; /* as told by now */
    struct half halves[HALVES_MAX];
    uint32_t half_count;
    struct slice as_it_came;    /* of an event that was mended: its data, as long as the mended one's */
    const char *mended;         /* … where that begins; NULL: it was not mended */
    struct said_reader reader;  /* of those */
    uint32_t retry_after_s;     /* of an error; 0: it does not say when to come again */
    bool is_over;               /* its end, or an error, has been told: nothing comes behind that */
    struct buf model;           /* the client's name for it, as it stands inside a JSON string */
    struct buf text;            /* of one that is mended */
    struct buf comment;         /* or an error: what is no event of the writer's */
};

/* ---- characters in two halves */

#define NO_CHARACTER SLICE("\\ufffd")

static bool is_text(enum delta_kind kind)
{
    return kind == DELTA_TEXT || kind == DELTA_REFUSAL || kind == DELTA_REASONING || kind == DELTA_ARGUMENTS;
}

static struct half *find_half(struct translator *t, enum delta_kind kind, uint32_t part)
{
    for (uint32_t i = 0; i < t->half_count; i++) {
        if (t->halves[i].kind == kind && t->halves[i].part == part) return &t->halves[i];
    }
    return NULL;
}

static void forget_half(struct translator *t, struct half *half)
{
    *half = t->halves[--t->half_count];
}

/* Its bytes before they were mended. */
static struct slice original(const struct translator *t, struct slice text)
{
    return t->mended ? slice_of(t->as_it_came.ptr + (text.ptr - t->mended), text.len) : text;
}

/* The other half never comes: a sign for that there was a character. */
static bool give_up_half(struct translator *t, struct half *half)
{
    struct delta lost = {.kind = half->kind, .part = half->part, .text = NO_CHARACTER};
    forget_half(t, half);
    return t->client->answers->write(t->out, &lost);
}

static bool give_up_halves(struct translator *t, const struct delta *d)
{
    for (uint32_t i = t->half_count; i-- > 0;) {
        if (d->kind == DELTA_PART_END && t->halves[i].part != d->part) continue;
        if (!give_up_half(t, &t->halves[i])) return false;
    }
    return true;
}

/* The half that waits, with the one that the text begins with. */
static void join(struct translator *t, struct delta *d, char pair[2 * HALF_BYTES])
{
    struct half *half = find_half(t, d->kind, d->part);
    if (!half) return;
    d->lead = NO_CHARACTER;
    if (halves_at_start(original(t, d->text))) {
        memcpy(pair, half->first, HALF_BYTES);
        memcpy(pair + HALF_BYTES, original(t, d->text).ptr, HALF_BYTES);
        d->lead = slice_of(pair, 2 * HALF_BYTES);
        d->text = slice_of(d->text.ptr + HALF_BYTES, d->text.len - HALF_BYTES);
    }
    forget_half(t, half);
}

static void keep_half(struct translator *t, struct delta *d)
{
    struct slice came = original(t, d->text);
    if (!t->mended || t->half_count == HALVES_MAX || !halves_at_end(came)) return;
    struct half *half = &t->halves[t->half_count++];
    *half = (struct half){.kind = d->kind, .part = d->part};
    d->text.len -= HALF_BYTES;
    memcpy(half->first, came.ptr + d->text.len, HALF_BYTES);
}

static bool write_text(struct translator *t, const struct delta *d)
{
    char pair[2 * HALF_BYTES];
    struct delta text = *d;
    join(t, &text, pair);
    keep_half(t, &text);
    return (!text.text.len && !text.lead.len) || t->client->answers->write(t->out, &text);
}

/* ---- from the reader to the writer */

/* Told beside what of the request was dropped. */
static void note_lost(struct translator *t, struct slice name)
{
    char text[DROPPED_NAME_BYTES];
    int len = snprintf(text, sizeof text, "answer.%.*s", SLICE_FMT(name));
    if (!t->dropped) t->dropped = mem_zalloc(1, sizeof *t->dropped);
    dropped_add(t->dropped, slice_of(text, len < (int)sizeof text ? (size_t)len : sizeof text - 1));
}

static bool refuse(struct translator *t, const char *text)
{
    return fault_set(&t->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

/* Writers keep ids and names, and repeat the answer's in each event. Of an id that is too long they make their own. */
static bool bound_names(struct translator *t, struct delta *d)
{
    size_t id_max = d->kind == DELTA_START ? LIMIT_TRANSLATE_ID_BYTES : LIMIT_TRANSLATE_CALL_ID_BYTES;
    if (d->kind != DELTA_START && d->kind != DELTA_CALL) return true;
    if (d->id.len > id_max) d->id = SLICE_NONE;
    if (d->name.len > LIMIT_MODEL_BYTES) return refuse(t, "a name in it is too long");
    if (d->kind == DELTA_START && !d->name.len) d->name = buf_slice(&t->model);
    return true;
}

static bool on_delta(void *arg, const struct delta *delta)
{
    struct translator *t = arg;
    struct delta bound = *delta;
    bound.usage = t->usage;
    t->is_over |= delta->kind == DELTA_END;
    if (delta->kind == DELTA_LOST) {
        note_lost(t, delta->name);
        return true;
    }
    if (is_text(delta->kind) && !delta->is_json && (t->mended || t->half_count)) return write_text(t, delta);
    bool ends_text = delta->kind == DELTA_PART_END || delta->kind == DELTA_FINISH;
    if (ends_text && t->half_count && !give_up_halves(t, delta)) return false;
    return bound_names(t, &bound) && t->client->answers->write(t->out, &bound);
}

static void name_model(struct translator *t)
{
    struct buf quoted;
    buf_init(&quoted);
    buf_append_json(&quoted, t->manner.model);
    buf_append(&t->model, slice_of(buf_ptr(&quoted) + 1, buf_len(&quoted) - 2));
    buf_clear(&quoted);
}

struct translator *translator_new(const struct dialect *client, const struct dialect *provider,
                                  const struct answer_manner *manner, answer_event_fn event, void *arg)
{
    struct translator *t = mem_zalloc(1, sizeof *t);
    t->client = client;
    t->provider = provider;
    t->manner = *manner;
    t->event = event;
    t->arg = arg;
    said_reader_init(&t->reader);
    name_model(t);
    t->in = provider->answers->reader_new(on_delta, t, &t->why);
    t->out = client->answers->writer_new(&t->manner, event, arg, &t->why);
    return t;
}

void translator_free(struct translator *t)
{
    if (!t) return;
    t->provider->answers->reader_free(t->in);
    t->client->answers->writer_free(t->out);
    said_reader_clear(&t->reader);
    buf_clear(&t->model);
    buf_clear(&t->text);
    buf_clear(&t->comment);
    mem_free(t->dropped);
    mem_free(t);
}

const struct dropped *translator_dropped(const struct translator *t)
{
    return t->dropped;
}

/* ---- errors */

/* The object that tells of it. Google's APIs tell of an error as of an answer that is a list, as its element. */
static uint32_t find_failure(const struct json_tape *tape)
{
    if (!tape || !json_is(tape, 0, JSON_ARRAY)) return tape && json_is(tape, 0, JSON_OBJECT) ? 0 : JSON_NONE;
    uint32_t n = json_first(tape, 0);
    while (n != JSON_NONE && json_get(tape, n, SLICE("error")) == JSON_NONE)
        n = json_next(tape, n);
    return n;
}

/* Of a tape of its own: readers begin at the root. */
static void read_element(const struct dialect *provider, struct slice name, struct slice json, struct failure *failure,
                         struct arena *arena)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    if (json_parse(&tape, json, &why)) provider->answers->read_failure(&tape, name, failure, arena);
    json_clear(&tape);
}

static void read_failure(const struct dialect *provider, struct slice name, const struct said *said,
                         struct failure *failure, struct arena *arena)
{
    uint32_t node = find_failure(said->tape);
    if (node == 0)
        provider->answers->read_failure(said->tape, name, failure, arena);
    else if (node != JSON_NONE)
        read_element(provider, name, json_raw(said->tape, node), failure, arena);
    else
        failure->message = utf8_cut(said->json, LIMIT_FAILURE_TEXT_BYTES);
    if (!failure->message.len) failure->message = SLICE("The provider gave no reason.");
}

bool translator_cut(struct translator *t)
{
    return !t->client->answers->write_held || t->client->answers->write_held(t->out);
}

static bool write_failure(struct translator *t, struct slice name, const struct said *said)
{
    struct failure failure = {.kind = FAILURE_SERVER};
    struct dialect_error error = {.request_id = t->manner.id};
    struct arena arena;
    int status;
    if (!translator_cut(t)) return false;
    arena_init(&arena);
    read_failure(t->provider, name, said, &failure, &arena);
    t->client->answers->word_failure(&failure, &error, &status);
    t->is_over = true;
    buf_reset(&t->comment);
    t->client->write_event_error(&t->comment, &error);
    arena_clear(&arena);
    return event_errors(&t->comment, t->event, t->arg);
}

int translator_failure(struct translator *t, int status, struct slice name, const struct said *said,
                       struct slice request_id, struct buf *body)
{
    struct failure failure = {.kind = failure_of_status(status), .status = status < 400 ? 0 : status};
    struct dialect_error error = {.request_id = request_id};
    struct arena arena;
    arena_init(&arena);
    read_failure(t->provider, name, said, &failure, &arena);
    t->client->answers->word_failure(&failure, &error, &status);
    error.retry_after_s = t->retry_after_s = failure.retry_after_s;
    t->client->write_body_error(body, &error);
    arena_clear(&arena);
    return status ? status : 502;
}

enum failure_kind translator_failure_kind(const struct dialect *provider, struct slice name, const struct said *said)
{
    struct failure failure = {.kind = FAILURE_SERVER};
    struct arena arena;
    arena_init(&arena);
    read_failure(provider, name, said, &failure, &arena);
    arena_clear(&arena);
    return failure.kind;
}

uint32_t translator_retry_after_s(const struct translator *t)
{
    return t->retry_after_s;
}

/* ---- events */

/* With signs in the place of characters that were cut in two: to be read again. */
static bool mend(struct translator *t, struct slice json, const char *complaint)
{
    buf_reset(&t->text);
    return halves_mend(json, &t->text) || refuse(t, complaint);
}

/* Usage and texts have been told by the reading before. */
static bool read_mended(struct translator *t, const struct sse_event *event)
{
    struct dialect_stream told;
    struct said said;
    if (!mend(t, event->data, "an event of it is no JSON object")) return false;
    dialect_stream_init(&told, 1);
    t->provider->read_event(&t->reader, &told, event->name, buf_slice(&t->text), &said);
    if (said.what & SAID_ERROR) return write_failure(t, event->name, &said);
    if (said.what & SAID_UNREADABLE) return refuse(t, "an event of it is no JSON object");
    t->as_it_came = event->data;
    t->mended = said.json.ptr;
    bool goes_on = t->provider->answers->read_event(t->in, event->name, &said);
    t->mended = NULL;
    return goes_on;
}

static bool read_event(struct translator *t, const struct sse_event *event, const struct said *said)
{
    if (t->is_over) return true;
    if (event->is_comment_only)
        return event_comment(&t->comment, SLICE("ping"), t->event, t->arg);
    if (said->what & SAID_ERROR) return write_failure(t, event->name, said);
    if (!(said->what & SAID_UNREADABLE)) return t->provider->answers->read_event(t->in, event->name, said);
    return event->is_tail || read_mended(t, event); /* half an event is none */
}

static bool result(struct translator *t, bool is_good, struct fault *why)
{
    *why = t->why;
    return is_good;
}

bool translator_event(struct translator *t, const struct sse_event *event, const struct said *said,
                      const struct dialect_stream *told, struct fault *why)
{
    t->usage = &told->usage;
    return result(t, read_event(t, event, said), why);
}

bool translator_finish(struct translator *t, const struct dialect_stream *told, struct fault *why)
{
    t->usage = &told->usage;
    return result(t, t->provider->answers->read_end(t->in), why);
}

static bool read_body(struct translator *t, const struct said *said)
{
    struct dialect_stream told;
    struct said mended;
    if (!(said->what & SAID_UNREADABLE)) return t->provider->answers->read_body(t->in, said);
    if (!mend(t, said->json, "it is no JSON object")) return false;
    dialect_stream_init(&told, 1);
    t->provider->read_body(&t->reader, &told, buf_slice(&t->text), &mended);
    if (mended.what & (SAID_UNREADABLE | SAID_ERROR)) return refuse(t, "it is no JSON object");
    return t->provider->answers->read_body(t->in, &mended);
}

bool translator_body(struct translator *t, const struct said *said, const struct dialect_stream *told,
                     struct fault *why)
{
    t->usage = &told->usage;
    return result(t, read_body(t, said), why);
}
