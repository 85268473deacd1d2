/*
 * What Gemini's clients are told, part by part. They know a call's arguments as an object, so a call is told once it is
 * whole, and calls in the order in which they began. What was thought they are told when they asked for it; what OpenAI
 * has encrypted of it, always.
 */
#include "wire/gemini/gemini_answers.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/gemini/gemini_signature.h"
#include "wire/gemini/gemini_told.h"
#include "wire/translate/arguments.h"
#include "wire/translate/event.h"
#include "wire/translate/writing.h"

struct call {
    uint32_t part;
    bool is_ended, is_broken; /* broken: ended, and what it is asked is no object */
    struct slice id, name; /* in arena */
    struct arguments arguments;
};

struct answer_writer {
    struct gemini_out out;
    const struct gemini_form *form;
    struct fault *why;
    struct call *calls; /* NULL: none began */
    uint32_t call_count, call_cap, told; /* told: calls, from the first on */
    size_t asked_bytes;
    struct buf signature; /* of a thought, so far: inside of a JSON string */
    uint32_t signed_part;
    bool has_refusal, has_finished;
    enum delta_reason reason;
    struct arena names; /* of calls */
};

static bool refuse(const struct answer_writer *w, const char *text)
{
    return fault_set(w->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

/* ---- what it thought */

static bool tell_signature(struct answer_writer *w, enum gemini_signature kind, uint32_t part, struct slice text)
{
    struct buf coded;
    buf_init(&coded);
    gemini_signature_write(&coded, kind, text);
    bool goes_on = w->form->sign(&w->out, part, buf_slice(&coded));
    buf_clear(&coded);
    return goes_on;
}

/* It may come in pieces: nothing else has come in between. */
static bool end_signature(struct answer_writer *w)
{
    if (!buf_len(&w->signature)) return true;
    bool goes_on = tell_signature(w, GEMINI_SIGNED, w->signed_part, buf_slice(&w->signature));
    buf_reset(&w->signature);
    return goes_on;
}

static bool keep_signature(struct answer_writer *w, const struct delta *d)
{
    w->signed_part = d->part;
    return buf_try_append(&w->signature, d->text, LIMIT_RESPONSE_INSPECT_BYTES) ||
           refuse(w, "a signature in it is too long");
}

/* For its provider alone, and good there without any words: it says nothing to the client, and is given back. */
static bool is_sealed(const struct delta *d)
{
    bool is_for_provider = d->kind == DELTA_SIGNATURE || d->kind == DELTA_REDACTED;
    return is_for_provider && slice_starts(d->text, SLICE(SIGNATURE_OF_OPENAI));
}

static bool write_thought(struct answer_writer *w, const struct delta *d)
{
    if (w->out.manner->hides_thoughts && !is_sealed(d)) return true;
    if (d->kind == DELTA_SIGNATURE) return keep_signature(w, d);
    if (d->kind == DELTA_REDACTED) return tell_signature(w, GEMINI_REDACTED, d->part, d->text);
    return w->form->say(&w->out, GEMINI_THOUGHT, d->part, d->lead, d->text);
}

/* ---- calls */

/* NULL: none of that number waits for more. */
static struct call *find_call(const struct answer_writer *w, uint32_t part)
{
    for (uint32_t i = w->call_count; i-- > w->told;) {
        if (w->calls[i].part == part && !w->calls[i].is_ended) return &w->calls[i];
    }
    return NULL;
}

static bool begin_call(struct answer_writer *w, const struct delta *d)
{
    uint32_t number = w->call_count;
    if (find_call(w, d->part)) return refuse(w, "a call of a tool begins twice");
    if (number == LIMIT_TRANSLATE_CALLS) return refuse(w, "too many tools are called");
    if (number == w->call_cap) {
        w->call_cap = w->call_cap ? 2 * w->call_cap : 4;
        w->calls = mem_realloc(w->calls, w->call_cap * sizeof *w->calls);
    }
    w->calls[w->call_count++] = (struct call){
        .part = d->part,
        .id = d->id.len ? arena_copy(&w->names, d->id)
                        : arena_printf(&w->names, "call_%.*s_%u", SLICE_FMT(w->out.manner->id), number),
        .name = arena_copy(&w->names, d->name),
    };
    return true;
}

static bool ask(struct answer_writer *w, struct call *call, struct slice lead, struct slice text)
{
    w->asked_bytes += lead.len + text.len;
    if (w->asked_bytes > LIMIT_RESPONSE_INSPECT_BYTES) return refuse(w, "what its tools are asked is too long");
    arguments_add(&call->arguments, lead);
    arguments_add(&call->arguments, text);
    return true;
}

static bool write_arguments(struct answer_writer *w, const struct delta *d)
{
    struct buf quoted;
    struct call *call = find_call(w, d->part);
    if (!call) return refuse(w, "arguments came for no call of a tool");
    if (!d->is_json) return ask(w, call, d->lead, d->text);
    buf_init(&quoted);
    buf_append_json(&quoted, d->text);
    bool goes_on = ask(w, call, SLICE_NONE, slice_of(buf_ptr(&quoted) + 1, buf_len(&quoted) - 2));
    buf_clear(&quoted);
    return goes_on;
}

/* Sets *is_whole: what it is asked is an object. */
static bool tell_call(struct answer_writer *w, struct call *call, bool *is_whole)
{
    struct arena arena;
    struct slice json;
    arena_init(&arena);
    *is_whole = !call->is_broken && arguments_read(&call->arguments, &arena, &json);
    call->is_broken = call->is_ended && !*is_whole;
    bool goes_on = !*is_whole || w->form->call(&w->out, call->id, call->name, json);
    arena_clear(&arena);
    return goes_on;
}

/* One that is not whole waits for the reason: the bound of the answer may have cut it. */
static bool tell_ended(struct answer_writer *w)
{
    bool is_whole = true;
    while (w->told < w->call_count && w->calls[w->told].is_ended) {
        if (!tell_call(w, &w->calls[w->told], &is_whole)) return false;
        if (!is_whole) return true;
        arguments_clear(&w->calls[w->told++].arguments);
    }
    return true;
}

static bool end_part(struct answer_writer *w, uint32_t part)
{
    struct call *call = find_call(w, part);
    if (!call) return true;
    call->is_ended = true;
    return tell_ended(w);
}

/* Half of an object is not what the tool was to be given: nothing of it is told. */
static bool tell_rest(struct answer_writer *w, bool may_be_cut)
{
    for (; w->told < w->call_count; w->told++) {
        bool is_whole;
        if (!tell_call(w, &w->calls[w->told], &is_whole)) return false;
        if (!is_whole && !may_be_cut) return refuse(w, "what a tool is asked is no JSON object, or was cut");
        arguments_clear(&w->calls[w->told].arguments);
    }
    return true;
}

/* ---- the end */

static const char *finish_reason(const struct answer_writer *w)
{
    switch (w->reason) {
    case REASON_LENGTH: return "MAX_TOKENS";
    case REASON_REFUSED: return "SAFETY";
    case REASON_STOP:
    case REASON_CALLS: break;
    }
    return w->has_refusal && !w->call_count ? "SAFETY" : "STOP";
}

static bool finish(struct answer_writer *w, enum delta_reason reason)
{
    w->has_finished = true;
    w->reason = reason;
    return tell_rest(w, reason == REASON_LENGTH);
}

static bool write_inner(struct answer_writer *w, const struct delta *d)
{
    bool goes_on_signing = d->kind == DELTA_SIGNATURE && d->part == w->signed_part;
    if (!goes_on_signing && !end_signature(w)) return false;
    switch (d->kind) {
    case DELTA_REFUSAL: w->has_refusal = true; /* fall through */
    case DELTA_TEXT: return w->form->say(&w->out, GEMINI_SAID, d->part, d->lead, d->text);
    case DELTA_REASONING:
    case DELTA_SIGNATURE:
    case DELTA_REDACTED: return write_thought(w, d);
    case DELTA_CALL: return begin_call(w, d);
    case DELTA_ARGUMENTS: return write_arguments(w, d);
    case DELTA_PART_END: return end_part(w, d->part);
    case DELTA_FINISH: return finish(w, d->reason);
    case DELTA_START:
    case DELTA_END:
    case DELTA_PING:
    case DELTA_LOST: break;
    }
    return true;
}

bool gemini_write(struct answer_writer *w, const struct delta *d)
{
    switch (d->kind) {
    case DELTA_START: gemini_out_begin(&w->out, d); return true;
    case DELTA_PING:
        return !w->out.manner->is_stream || event_comment(&w->out.text, SLICE("ping"), w->out.event, w->out.arg);
    case DELTA_END: return w->form->end(&w->out, finish_reason(w), d->usage);
    case DELTA_LOST: return true;
    case DELTA_TEXT:
    case DELTA_REFUSAL:
    case DELTA_REASONING:
    case DELTA_SIGNATURE:
    case DELTA_REDACTED:
    case DELTA_CALL:
    case DELTA_ARGUMENTS:
    case DELTA_PART_END:
    case DELTA_FINISH: break;
    }
    return w->has_finished ? refuse(w, "it goes on behind its finish reason") : write_inner(w, d);
}

bool gemini_write_held(struct answer_writer *w)
{
    return w->form->cut(&w->out);
}

struct answer_writer *gemini_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                        struct fault *why)
{
    struct answer_writer *w = mem_zalloc(1, sizeof *w);
    w->out = (struct gemini_out){.manner = manner, .event = event, .arg = arg};
    w->form = manner->is_stream ? &gemini_events : &gemini_body;
    w->why = why;
    arena_init(&w->names);
    return w;
}

void gemini_writer_free(struct answer_writer *w)
{
    if (!w) return;
    for (uint32_t i = 0; i < w->call_count; i++)
        arguments_clear(&w->calls[i].arguments);
    gemini_out_clear(&w->out);
    buf_clear(&w->signature);
    arena_clear(&w->names);
    mem_free(w->calls);
    mem_free(w);
}
