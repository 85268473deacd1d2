/*
 * What clients of the Responses API are told, item by item: texts that follow each other are parts of one message, each
 * thought and each call is an item of its own. Calls may be told in turns; nothing else may.
 */
#include "wire/responses/responses_answers.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "wire/translate/event.h"

struct answer_writer {
    struct responses_out out;
    struct fault *why;
    struct list_link items;
    struct responses_item *current; /* the open message or thought; NULL: there is none */
    struct responses_item *asked[LIMIT_TRANSLATE_CALLS]; /* calls of which more may come */
    uint32_t asked_count;
    uint32_t count, calls;
    size_t bytes; /* of all that is kept */
    bool has_finished;
    enum delta_reason reason;
    struct arena names; /* ids and names */
};

static bool refuse(const struct answer_writer *w, const char *text)
{
    return fault_set(w->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

static bool grow(struct answer_writer *w, size_t bytes)
{
    w->bytes += bytes;
    return w->bytes <= LIMIT_RESPONSE_INSPECT_BYTES || refuse(w, "it is too long to be told whole at its end");
}

/* ---- items */

/* NULL: there are too many, which their bytes bound. It is to be told when all of it is known that it begins with. */
static struct responses_item *add_item(struct answer_writer *w, enum responses_kind kind, uint32_t part)
{
    if (!grow(w, sizeof(struct responses_item))) return NULL;
    struct responses_item *item = mem_zalloc(1, sizeof *item);
    *item = (struct responses_item){.kind = kind, .index = w->count++, .part = part, .is_open = true};
    list_append(&w->items, &item->link);
    return item;
}

static void drop_item(struct responses_item *item)
{
    list_remove(&item->link);
    buf_clear(&item->text);
    buf_clear(&item->done);
    buf_clear(&item->signature);
    arguments_clear(&item->arguments);
    mem_free(item);
}

/* ---- messages and thoughts */

static bool open_part(struct answer_writer *w, struct responses_item *item, uint32_t part, bool is_refusal)
{
    item->part = part;
    item->is_refusal = is_refusal;
    item->has_part = true;
    item->parts++;
    return responses_tell_part(&w->out, item);
}

static bool close_part(struct answer_writer *w, struct responses_item *item)
{
    if (!item->has_part) return true;
    item->has_part = false;
    if (!responses_tell_text(&w->out, item) || !responses_tell_part(&w->out, item)) return false;
    if (buf_len(&item->done)) buf_append_char(&item->done, ',');
    responses_append_part(&item->done, item, buf_slice(&item->text));
    buf_reset(&item->text);
    return true;
}

static bool close_current(struct answer_writer *w)
{
    struct responses_item *item = w->current;
    w->current = NULL;
    if (!item) return true;
    if (!close_part(w, item)) return false;
    item->is_open = false;
    return responses_tell_item(&w->out, item);
}

/* The one that is open, if more of that may stand in it. NULL: nobody hears more of it. */
static struct responses_item *current_for(struct answer_writer *w, enum responses_kind kind, uint32_t part)
{
    struct responses_item *item = w->current;
    bool goes_on = item && item->kind == kind && (kind == RESPONSES_MESSAGE || item->part == part);
    if (goes_on) return item;
    if (!close_current(w)) return NULL;
    w->current = add_item(w, kind, part);
    return w->current && responses_tell_item(&w->out, w->current) ? w->current : NULL;
}

static bool write_text(struct answer_writer *w, enum responses_kind kind, bool is_refusal, const struct delta *d)
{
    struct responses_item *item = current_for(w, kind, d->part);
    if (!item) return false;
    bool goes_on = item->has_part && item->part == d->part && item->is_refusal == is_refusal;
    if (!goes_on && (!close_part(w, item) || !open_part(w, item, d->part, is_refusal))) return false;
    buf_append(&item->text, d->lead);
    buf_append(&item->text, d->text);
    return grow(w, d->lead.len + d->text.len) && responses_tell_delta(&w->out, item, d->lead, d->text);
}

static bool write_signature(struct answer_writer *w, const struct delta *d)
{
    struct responses_item *item = current_for(w, RESPONSES_REASONING, d->part);
    if (!item) return false;
    buf_append(&item->signature, d->text);
    return grow(w, d->text.len);
}

static bool write_redacted(struct answer_writer *w, const struct delta *d)
{
    if (!close_current(w)) return false;
    struct responses_item *item = w->current = add_item(w, RESPONSES_REASONING, d->part);
    if (!item) return false;
    item->is_redacted = true;
    buf_append(&item->signature, d->text);
    return grow(w, d->text.len) && responses_tell_item(&w->out, item) && close_current(w);
}

/* ---- calls */

static bool is_call(const struct responses_item *item)
{
    return item->kind == RESPONSES_CALL || item->kind == RESPONSES_CUSTOM;
}

/* NULL: none of that number waits for more. */
static struct responses_item *find_call(const struct answer_writer *w, uint32_t part)
{
    for (uint32_t i = w->asked_count; i-- > 0;) {
        if (w->asked[i]->part == part) return w->asked[i];
    }
    return NULL;
}

/* Nothing comes to it any more. */
static void leave_call(struct answer_writer *w, const struct responses_item *item)
{
    uint32_t i = 0;
    while (w->asked[i] != item)
        i++;
    w->asked[i] = w->asked[--w->asked_count];
}

static struct slice inside(struct slice raw)
{
    return raw.len > 2 ? slice_of(raw.ptr + 1, raw.len - 2) : SLICE_NONE;
}

/* As the client knows it. */
static void name_call(struct answer_writer *w, struct responses_item *item, const struct delta *d)
{
    const struct tool_name *known = tool_names_find(w->out.manner->names, d->name);
    item->name = arena_copy(&w->names, known ? inside(known->name) : d->name);
    item->space = known ? arena_copy(&w->names, inside(known->space)) : SLICE_NONE;
    if (known && known->takes_text) item->kind = RESPONSES_CUSTOM;
    item->call_id = d->id.len ? arena_copy(&w->names, d->id)
                              : arena_printf(&w->names, "call_%.*s_%u", SLICE_FMT(w->out.manner->id), w->calls);
}

static bool write_call(struct answer_writer *w, const struct delta *d)
{
    if (find_call(w, d->part)) return refuse(w, "a call of a tool begins twice");
    if (w->calls++ == LIMIT_TRANSLATE_CALLS) return refuse(w, "too many tools are called");
    if (!close_current(w)) return false;
    struct responses_item *item = add_item(w, RESPONSES_CALL, d->part);
    if (!item || !grow(w, d->id.len + d->name.len)) return false;
    name_call(w, item, d);
    w->asked[w->asked_count++] = item;
    return responses_tell_item(&w->out, item);
}

static bool ask(struct answer_writer *w, struct responses_item *item, struct slice lead, struct slice text)
{
    if (!grow(w, lead.len + text.len)) return false;
    if (item->kind == RESPONSES_CUSTOM) {
        arguments_add(&item->arguments, lead);
        arguments_add(&item->arguments, text);
        return true;
    }
    buf_append(&item->text, lead);
    buf_append(&item->text, text);
    return responses_tell_delta(&w->out, item, lead, text);
}

static bool write_arguments(struct answer_writer *w, const struct delta *d)
{
    struct buf quoted;
    struct responses_item *item = find_call(w, d->part);
    if (!item) return refuse(w, "arguments came for no call of a tool");
    if (!d->is_json) return ask(w, item, d->lead, d->text);
    buf_init(&quoted);
    buf_append_json(&quoted, d->text);
    bool goes_on = ask(w, item, SLICE_NONE, inside(buf_slice(&quoted)));
    buf_clear(&quoted);
    return goes_on;
}

/* Nothing at all is {}. */
static bool is_whole(const struct responses_item *item)
{
    struct arena arena;
    struct slice json;
    arena_init(&arena);
    bool is_object = item->kind == RESPONSES_CUSTOM ? arguments_read(&item->arguments, &arena, &json)
                                                    : arguments_parse(buf_slice(&item->text), &arena, &json);
    arena_clear(&arena);
    return is_object || (item->kind == RESPONSES_CALL && !buf_len(&item->text));
}

/* The one text that it is asked; of an object without it, the object. */
static void take_input(struct responses_item *item, struct slice json)
{
    struct json_tape tape;
    struct fault why;
    struct slice text = arguments_text(&item->arguments);
    json_init(&tape);
    if (json_parse(&tape, json, &why)) {
        uint32_t input = json_get(&tape, 0, SLICE("input"));
        if (json_is(&tape, input, JSON_STRING)) text = inside(json_raw(&tape, input));
    }
    buf_append(&item->text, text);
    json_clear(&tape);
}

/* Half of an object is not what the tool was to be given: nothing of it is told. */
static bool tell_input(struct answer_writer *w, struct responses_item *item)
{
    struct arena arena;
    struct slice json;
    arena_init(&arena);
    bool is_object = arguments_read(&item->arguments, &arena, &json);
    if (is_object) take_input(item, json);
    arena_clear(&arena);
    if (!is_object && !item->is_cut) return refuse(w, "what a tool is asked is no JSON object, or was cut");
    return !buf_len(&item->text) || responses_tell_delta(&w->out, item, SLICE_NONE, buf_slice(&item->text));
}

static bool end_call(struct answer_writer *w, struct responses_item *item)
{
    bool is_empty = item->kind == RESPONSES_CALL && !buf_len(&item->text); /* which says nothing in JSON */
    if (is_empty && !ask(w, item, SLICE_NONE, SLICE("{}"))) return false;
    if (item->kind == RESPONSES_CUSTOM && !tell_input(w, item)) return false;
    item->is_open = false;
    return responses_tell_text(&w->out, item) && responses_tell_item(&w->out, item);
}

/* ---- ends */

/* One that is not whole waits for the reason: the bound of the answer may have cut it. */
static bool end_asking(struct answer_writer *w, struct responses_item *call)
{
    leave_call(w, call);
    return !is_whole(call) || end_call(w, call);
}

/* A message stays open for what may be said next. */
static bool end_part(struct answer_writer *w, uint32_t part)
{
    struct responses_item *item = w->current;
    struct responses_item *call = find_call(w, part);
    if (call) return end_asking(w, call);
    if (!item || item->part != part) return true;
    return item->kind == RESPONSES_MESSAGE ? close_part(w, item) : close_current(w);
}

static bool end_item(struct answer_writer *w, struct responses_item *item)
{
    bool has_all = is_call(item) && is_whole(item);
    item->is_cut = w->reason == REASON_LENGTH && !has_all;
    return is_call(item) ? end_call(w, item) : close_current(w);
}

static bool finish(struct answer_writer *w, enum delta_reason reason)
{
    w->has_finished = true;
    w->reason = reason;
    w->asked_count = 0;
    for (struct list_link *l = w->items.next; l != &w->items; l = l->next) {
        struct responses_item *item = LIST_OWNER(l, struct responses_item, link);
        if (item->is_open && !end_item(w, item)) return false;
    }
    return true;
}

static enum responses_status status_of(const struct answer_writer *w)
{
    switch (w->reason) {
    case REASON_LENGTH: return RESPONSES_CUT;
    case REASON_REFUSED: return RESPONSES_FILTERED;
    case REASON_STOP:
    case REASON_CALLS: break;
    }
    return RESPONSES_COMPLETED;
}

static bool start(struct answer_writer *w, const struct delta *d)
{
    w->out.id = arena_copy(&w->names, d->id);
    w->out.model = arena_copy(&w->names, d->name);
    return responses_tell_start(&w->out);
}

static bool write_inner(struct answer_writer *w, const struct delta *d)
{
    switch (d->kind) {
    case DELTA_TEXT: return write_text(w, RESPONSES_MESSAGE, false, d);
    case DELTA_REFUSAL: return write_text(w, RESPONSES_MESSAGE, true, d);
    case DELTA_REASONING: return write_text(w, RESPONSES_REASONING, false, d);
    case DELTA_SIGNATURE: return write_signature(w, d);
    case DELTA_REDACTED: return write_redacted(w, d);
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

bool responses_write(struct answer_writer *w, const struct delta *d)
{
    switch (d->kind) {
    case DELTA_START: return start(w, d);
    case DELTA_PING:
        return !w->out.manner->is_stream || event_comment(&w->out.text, SLICE("ping"), w->out.event, w->out.arg);
    case DELTA_END: return responses_tell_end(&w->out, status_of(w), d->usage);
    case DELTA_LOST: return true;
    case DELTA_PART_END: return end_part(w, d->part);
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

struct answer_writer *responses_writer_new(const struct answer_manner *manner, answer_event_fn event, void *arg,
                                           struct fault *why)
{
    struct answer_writer *w = mem_zalloc(1, sizeof *w);
    list_init(&w->items);
    w->out = (struct responses_out){.manner = manner, .event = event, .arg = arg, .items = &w->items};
    w->why = why;
    arena_init(&w->names);
    return w;
}

void responses_writer_free(struct answer_writer *w)
{
    if (!w) return;
    while (!list_is_empty(&w->items))
        drop_item(LIST_OWNER(w->items.next, struct responses_item, link));
    buf_clear(&w->out.text);
    arena_clear(&w->names);
    mem_free(w);
}
