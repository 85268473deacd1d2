/*
 * What clients of the OpenAI API are told: one choice, whose calls of tools are numbered as they begin, whatever else
 * came between them.
 */
#include "wire/openai/openai_answers.h"

#include "base/limits.h"
#include "base/mem.h"
#include "wire/translate/event.h"

struct call {
    uint32_t part;
    bool is_asked, is_ended; /* some of its arguments were told */
};

struct answer_writer {
    struct openai_out out;
    const struct openai_form *form;
    struct fault *why;
    struct call *calls; /* NULL: none began */
    uint32_t call_count, call_cap, thoughts;
    uint32_t thought_part; /* of the last thought */
    bool has_finished;
    enum delta_reason reason;
};

static bool refuse(const struct answer_writer *w, const char *text)
{
    return fault_set(w->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

/* ---- what it thought */

static uint32_t thought_of(struct answer_writer *w, const struct delta *d)
{
    if (!w->thoughts || w->thought_part != d->part) w->thoughts++;
    w->thought_part = d->part;
    return w->thoughts - 1;
}

/* ---- calls */

static struct call *find_call(struct answer_writer *w, uint32_t part)
{
    for (uint32_t i = w->call_count; i-- > 0;) {
        if (w->calls[i].part == part && !w->calls[i].is_ended) return &w->calls[i];
    }
    return NULL;
}

static bool write_call(struct answer_writer *w, const struct delta *d)
{
    char made[80];
    uint32_t number = w->call_count;
    if (find_call(w, d->part)) return refuse(w, "a call of a tool begins twice");
    if (number == LIMIT_TRANSLATE_CALLS) return refuse(w, "too many tools are called");
    if (number == w->call_cap) {
        w->call_cap = w->call_cap ? 2 * w->call_cap : 4;
        w->calls = mem_realloc(w->calls, w->call_cap * sizeof *w->calls);
    }
    w->calls[w->call_count++] = (struct call){.part = d->part};
    snprintf(made, sizeof made, "call_%.*s_%u", SLICE_FMT(w->out.manner->id), number);
    return w->form->call(&w->out, number, d->id.len ? d->id : slice_str(made), d->name);
}

static bool write_arguments(struct answer_writer *w, const struct delta *d)
{
    struct call *call = find_call(w, d->part);
    if (!call) return refuse(w, "arguments came for no call of a tool");
    uint32_t number = (uint32_t)(call - w->calls);
    if (!w->out.manner->is_stream && number + 1 != w->call_count)
        return refuse(w, "arguments came for a call of a tool that was over");
    call->is_asked = true;
    return w->form->ask(&w->out, number, d);
}

/* Nothing at all is an empty object, which a string must say. */
static bool end_call(struct answer_writer *w, struct call *call)
{
    struct delta empty = {.kind = DELTA_ARGUMENTS, .part = call->part, .is_json = true, .text = SLICE("{}")};
    call->is_ended = call->is_asked || w->form->ask(&w->out, (uint32_t)(call - w->calls), &empty);
    return call->is_ended;
}

static bool end_part(struct answer_writer *w, uint32_t part)
{
    struct call *call = find_call(w, part);
    return !call || end_call(w, call);
}

/* ---- the end */

/* A call is to be answered, whatever else the provider says of its end. */
static const char *finish_reason(const struct answer_writer *w)
{
    switch (w->reason) {
    case REASON_LENGTH: return "length";
    case REASON_REFUSED: return "content_filter";
    case REASON_STOP:
    case REASON_CALLS: break;
    }
    return w->call_count ? "tool_calls" : "stop";
}

static bool finish(struct answer_writer *w, enum delta_reason reason)
{
    for (uint32_t i = 0; i < w->call_count; i++) {
        if (!w->calls[i].is_ended && !end_call(w, &w->calls[i])) return false;
    }
    w->has_finished = true;
    w->reason = reason;
    return w->form->finish(&w->out, finish_reason(w));
}

static bool write_inner(struct answer_writer *w, const struct delta *d)
{
    switch (d->kind) {
    case DELTA_TEXT: return w->form->text(&w->out, OPENAI_CONTENT, d);
    case DELTA_REFUSAL: return w->form->text(&w->out, OPENAI_REFUSAL, d);
    case DELTA_REASONING: return w->form->think(&w->out, thought_of(w, d), d);
    case DELTA_SIGNATURE: return w->form->sign(&w->out, thought_of(w, d), d->text);
    case DELTA_REDACTED: return w->form->redacted(&w->out, thought_of(w, d), d->text);
    case DELTA_CALL: return write_call(w, d);
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

bool openai_write(struct answer_writer *w, const struct delta *d)
{
    switch (d->kind) {
    case DELTA_START: return w->form->start(&w->out, d);
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

struct answer_writer *openai_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                        struct fault *why)
{
    struct answer_writer *w = mem_zalloc(1, sizeof *w);
    w->out = (struct openai_out){.manner = manner, .event = event, .arg = arg};
    w->form = manner->is_stream ? &openai_chunks : &openai_body;
    w->why = why;
    return w;
}

void openai_writer_free(struct answer_writer *w)
{
    if (!w) return;
    struct openai_out *out = &w->out;
    struct buf *texts[] = {&out->text,      &out->head,    &out->content, &out->refusal,
                           &out->reasoning, &out->details, &out->calls};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_clear(texts[i]);
    mem_free(w->calls);
    mem_free(w);
}
