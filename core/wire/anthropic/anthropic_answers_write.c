/*
 * What Anthropic's clients are told, block by block: they know one open block at a time, and a call's arguments as an
 * object. So what comes in between a call that is not yet whole waits until it is, or until the model has finished.
 */
#include "wire/anthropic/anthropic_answers.h"

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "wire/translate/arguments.h"
#include "wire/translate/event.h"

#define REFUSAL_PARTS 0x40000000u /* a refusal is a text of its own, whatever its number */

/* One of what the model says; the first of the list is open, the others wait. */
struct part {
    struct list_link link;
    enum anthropic_block kind;
    uint32_t number;
    bool is_ended;
    struct slice id, name;      /* CALL; in arena */
    struct arguments arguments; /* CALL: all of them */
    struct buf waiting;         /* the text that came while it waits, of whatever kind */
    struct buf signature;       /* THINKING: likewise */
    struct buf redacted;        /* THINKING that is nothing else */
};

struct answer_writer {
    struct anthropic_out out;
    const struct anthropic_form *form;
    struct fault *why;
    struct list_link parts;
    size_t waiting_bytes;
    uint32_t calls, part_count;
    bool has_refusal, has_finished, is_open; /* is_open: the first part is begun */
    enum delta_reason reason;
    struct arena names; /* of calls */
};

static bool refuse(const struct answer_writer *w, const char *text)
{
    return fault_set(w->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

static struct part *first(const struct answer_writer *w)
{
    return list_is_empty(&w->parts) ? NULL : LIST_OWNER(w->parts.next, struct part, link);
}

static struct part *find(const struct answer_writer *w, enum anthropic_block kind, uint32_t number)
{
    for (struct list_link *l = w->parts.prev; l != &w->parts; l = l->prev) {
        struct part *p = LIST_OWNER(l, struct part, link);
        if (p->kind == kind && p->number == number && !p->is_ended && !buf_len(&p->redacted)) return p;
    }
    return NULL;
}

static void drop(struct answer_writer *w, struct part *p)
{
    list_remove(&p->link);
    w->part_count--;
    arguments_clear(&p->arguments);
    buf_clear(&p->waiting);
    buf_clear(&p->signature);
    buf_clear(&p->redacted);
    mem_free(p);
}

/* NULL: too many wait. */
static struct part *add_part(struct answer_writer *w, enum anthropic_block kind, uint32_t number)
{
    if (w->part_count == LIMIT_TRANSLATE_CALLS) {
        refuse(w, "too many of its parts are open at once");
        return NULL;
    }
    struct part *p = mem_zalloc(1, sizeof *p);
    p->kind = kind;
    p->number = number;
    list_append(&w->parts, &p->link);
    w->part_count++;
    return p;
}

/* ---- the part that is open */

static bool open_first(struct answer_writer *w, struct part *p)
{
    w->is_open = true;
    if (!w->form->open(&w->out, p->kind, p->id, p->name)) return false;
    struct slice text = p->kind == ANTHROPIC_CALL ? arguments_text(&p->arguments) : buf_slice(&p->waiting);
    w->waiting_bytes -= text.len + buf_len(&p->signature);
    if (text.len && !w->form->add(&w->out, p->kind, SLICE_NONE, text)) return false;
    buf_clear(&p->waiting);
    return !buf_len(&p->signature) || w->form->sign(&w->out, buf_slice(&p->signature));
}

/* Arguments that the bound of the answer cut off are told as far as they came, where that can be told. */
static bool may_be_cut(const struct answer_writer *w)
{
    return w->has_finished && w->reason == REASON_LENGTH && w->out.manner->is_stream;
}

static bool close_first(struct answer_writer *w, struct part *p)
{
    struct slice json = SLICE_NONE;
    struct arena arena;
    arena_init(&arena);
    bool is_good = p->kind != ANTHROPIC_CALL || arguments_read(&p->arguments, &arena, &json) || may_be_cut(w) ||
                   refuse(w, "what a tool is asked is no JSON object, or was cut");
    bool is_blank = buf_len(&p->arguments.raw) && !p->arguments.has_any; /* which no client reads as an object */
    is_good = is_good && (!is_blank || w->form->add(&w->out, p->kind, SLICE_NONE, json)) &&
              w->form->close(&w->out, p->kind, json);
    arena_clear(&arena);
    drop(w, p);
    w->is_open = false;
    return is_good;
}

static bool write_redacted(struct answer_writer *w, struct part *p)
{
    bool is_good = w->form->redacted(&w->out, buf_slice(&p->redacted));
    w->waiting_bytes -= buf_len(&p->redacted);
    drop(w, p);
    return is_good;
}

/* Nothing can come to it any more, or all that comes can make a part of its own. */
static bool may_close(const struct answer_writer *w, const struct part *p)
{
    return w->has_finished || p->is_ended || p->kind != ANTHROPIC_CALL || p->arguments.is_over;
}

/* Opens and closes as far as that goes; the last one stays open, until another comes or it is ended. */
static bool move_on(struct answer_writer *w)
{
    for (struct part *p; (p = first(w));) {
        bool is_last = p->link.next == &w->parts;
        if (buf_len(&p->redacted)) {
            if (!write_redacted(w, p)) return false;
            continue;
        }
        if (!w->is_open && !open_first(w, p)) return false;
        if (!may_close(w, p) || (is_last && !w->has_finished && !p->is_ended)) return true;
        if (!close_first(w, p)) return false;
    }
    return true;
}

/* ---- deltas */

static bool keep_waiting(struct answer_writer *w, struct buf *text, const struct delta *d)
{
    w->waiting_bytes += d->lead.len + d->text.len;
    if (w->waiting_bytes > LIMIT_RESPONSE_INSPECT_BYTES)
        return refuse(w, "too much of it came before a call of a tool was whole");
    buf_append(text, d->lead);
    buf_append(text, d->text);
    return true;
}

/* Goes on where it is the last part; elsewise another begins, for blocks do not go on later. */
static struct part *part_of_text(struct answer_writer *w, enum anthropic_block kind, uint32_t number)
{
    struct part *p = find(w, kind, number);
    return p && p->link.next == &w->parts ? p : add_part(w, kind, number);
}

static bool is_open_part(const struct answer_writer *w, const struct part *p)
{
    return w->is_open && p == first(w);
}

static bool write_text(struct answer_writer *w, enum anthropic_block kind, uint32_t number, const struct delta *d)
{
    struct part *p = part_of_text(w, kind, number);
    if (!p) return false;
    if (is_open_part(w, p)) return w->form->add(&w->out, kind, d->lead, d->text);
    return keep_waiting(w, &p->waiting, d) && move_on(w);
}

static bool write_signature(struct answer_writer *w, const struct delta *d)
{
    struct part *p = part_of_text(w, ANTHROPIC_THINKING, d->part);
    if (!p) return false;
    if (is_open_part(w, p)) return w->form->sign(&w->out, d->text);
    return keep_waiting(w, &p->signature, d) && move_on(w);
}

static bool write_redacted_part(struct answer_writer *w, const struct delta *d)
{
    struct part *p = add_part(w, ANTHROPIC_THINKING, d->part);
    return p && keep_waiting(w, &p->redacted, d) && move_on(w);
}

static struct slice id_of_call(struct answer_writer *w, const struct delta *d)
{
    if (d->id.len) return arena_copy(&w->names, d->id);
    return arena_printf(&w->names, "toolu_%.*s_%u", SLICE_FMT(w->out.manner->id), w->calls);
}

static bool write_call(struct answer_writer *w, const struct delta *d)
{
    struct part *p = find(w, ANTHROPIC_CALL, d->part) ? NULL : add_part(w, ANTHROPIC_CALL, d->part);
    if (!p) return w->why->code != FAULT_NONE ? false : refuse(w, "a call of a tool begins twice");
    if (++w->calls > LIMIT_TRANSLATE_CALLS) return refuse(w, "too many tools are called");
    p->id = id_of_call(w, d);
    p->name = arena_copy(&w->names, d->name);
    return move_on(w);
}

/* Text of the object itself, as it stands inside a string. */
static bool write_object(struct answer_writer *w, const struct delta *d)
{
    struct buf quoted;
    struct delta text = *d;
    buf_init(&quoted);
    buf_append_json(&quoted, d->text);
    text.is_json = false;
    text.text = slice_of(buf_ptr(&quoted) + 1, buf_len(&quoted) - 2);
    bool goes_on = anthropic_write(w, &text);
    buf_clear(&quoted);
    return goes_on;
}

/* All of a call's arguments are kept until it is whole. */
static bool keep_arguments(struct answer_writer *w, struct part *p, const struct delta *d)
{
    arguments_add(&p->arguments, d->lead);
    arguments_add(&p->arguments, d->text);
    return buf_len(&p->arguments.raw) <= LIMIT_RESPONSE_INSPECT_BYTES ||
           refuse(w, "what a tool is asked is too long");
}

static bool write_arguments(struct answer_writer *w, const struct delta *d)
{
    struct part *p = find(w, ANTHROPIC_CALL, d->part);
    if (!p) return refuse(w, "arguments came for no call of a tool");
    if (d->is_json) return write_object(w, d);
    if (!keep_arguments(w, p, d)) return false;
    if (is_open_part(w, p))
        return w->form->add(&w->out, ANTHROPIC_CALL, d->lead, d->text) && move_on(w);
    w->waiting_bytes += d->lead.len + d->text.len;
    return w->waiting_bytes <= LIMIT_RESPONSE_INSPECT_BYTES ||
           refuse(w, "too much of it came before a call of a tool was whole");
}

static bool end_part(struct answer_writer *w, uint32_t number)
{
    for (struct list_link *l = w->parts.next; l != &w->parts; l = l->next) {
        struct part *p = LIST_OWNER(l, struct part, link);
        p->is_ended |= p->number == number;
    }
    return move_on(w);
}

static bool finish(struct answer_writer *w, enum delta_reason reason)
{
    w->has_finished = true;
    w->reason = reason;
    return move_on(w);
}

/* A call is to be answered, whatever else the provider says of its end. */
static const char *stop_reason(const struct answer_writer *w)
{
    switch (w->reason) {
    case REASON_LENGTH: return "max_tokens";
    case REASON_REFUSED: return "refusal";
    case REASON_STOP:
    case REASON_CALLS: break;
    }
    if (w->calls) return "tool_use";
    return w->has_refusal ? "refusal" : "end_turn";
}

static bool write_inner(struct answer_writer *w, const struct delta *d)
{
    switch (d->kind) {
    case DELTA_TEXT: return write_text(w, ANTHROPIC_TEXT, d->part, d);
    case DELTA_REFUSAL:
        w->has_refusal = true;
        return write_text(w, ANTHROPIC_TEXT, d->part | REFUSAL_PARTS, d);
    case DELTA_REASONING: return write_text(w, ANTHROPIC_THINKING, d->part, d);
    case DELTA_SIGNATURE: return write_signature(w, d);
    case DELTA_REDACTED: return write_redacted_part(w, d);
    case DELTA_CALL: return write_call(w, d);
    case DELTA_ARGUMENTS: return write_arguments(w, d);
    case DELTA_FINISH: return finish(w, d->reason);
    case DELTA_START:
    case DELTA_PART_END:
    case DELTA_END:
    case DELTA_PING:
    case DELTA_LOST: break;
    }
    return true;
}

bool anthropic_write(struct answer_writer *w, const struct delta *d)
{
    switch (d->kind) {
    case DELTA_START: return w->form->start(&w->out, d);
    case DELTA_PING:
        return !w->out.manner->is_stream || event_comment(&w->out.text, SLICE("ping"), w->out.event, w->out.arg);
    case DELTA_PART_END: return end_part(w, d->part);
    case DELTA_END: return w->form->end(&w->out, stop_reason(w), d->usage);
    case DELTA_LOST: return true;
    case DELTA_TEXT:
    case DELTA_REFUSAL:
    case DELTA_REASONING:
    case DELTA_SIGNATURE:
    case DELTA_REDACTED:
    case DELTA_CALL:
    case DELTA_ARGUMENTS:
    case DELTA_FINISH: break;
    }
    return w->has_finished ? refuse(w, "it goes on behind its finish reason") : write_inner(w, d);
}

struct answer_writer *anthropic_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                           struct fault *why)
{
    struct answer_writer *w = mem_zalloc(1, sizeof *w);
    w->out = (struct anthropic_out){.manner = manner, .event = event, .arg = arg};
    w->form = manner->is_stream ? &anthropic_events : &anthropic_body;
    w->why = why;
    list_init(&w->parts);
    arena_init(&w->names);
    return w;
}

void anthropic_writer_free(struct answer_writer *w)
{
    if (!w) return;
    for (struct part *p; (p = first(w));)
        drop(w, p);
    buf_clear(&w->out.text);
    buf_clear(&w->out.signature);
    arena_clear(&w->names);
    mem_free(w);
}
