/*
 * A response for clients of the Responses API, as the events of a stream and as one body. What was asked for is not
 * repeated to who asked for it. Source: OpenAI API reference, the response object and "Streaming events".
 */
#include <stdio.h>

#include "wire/responses/responses_answers.h"
#include "wire/responses/responses_translate.h"
#include "wire/translate/event.h"
#include "wire/translate/reported.h"

#define NAME_BYTES 64

static void append_text(struct buf *out, const char *before, struct slice inside, const char *behind)
{
    buf_append(out, slice_str(before));
    buf_append(out, inside);
    buf_append(out, slice_str(behind));
}

/* ---- what the parts and items are called */

struct words {
    const char *beginning; /* of an item's id */
    const char *text;      /* events of what grows in it */
    const char *member;    /* … where all of it stands */
    const char *part;      /* events of what holds that; NULL: the item itself */
    const char *index;     /* … and its number's name */
};

static const struct words *words_of(const struct responses_item *item)
{
    static const struct words kinds[] = {
        [RESPONSES_MESSAGE] = {"msg", "output_text", "text", "content_part", "content_index"},
        [RESPONSES_REASONING] = {"rs", "reasoning_summary_text", "text", "reasoning_summary_part", "summary_index"},
        [RESPONSES_CALL] = {"fc", "function_call_arguments", "arguments", NULL, NULL},
        [RESPONSES_CUSTOM] = {"ctc", "custom_tool_call_input", "input", NULL, NULL},
    };
    static const struct words refusal = {"msg", "refusal", "refusal", "content_part", "content_index"};
    return item->is_refusal ? &refusal : &kinds[item->kind];
}

static void append_item_id(const struct responses_out *out, struct buf *to, const struct responses_item *item)
{
    buf_printf(to, "%s_%.*s_%u", words_of(item)->beginning, SLICE_FMT(out->manner->id), item->index);
}

/* ---- parts and items */

void responses_append_part(struct buf *out, const struct responses_item *item, struct slice text)
{
    if (item->kind == RESPONSES_REASONING)
        append_text(out, "{\"type\":\"summary_text\",\"text\":\"", text, "\"}");
    else if (item->is_refusal)
        append_text(out, "{\"type\":\"refusal\",\"refusal\":\"", text, "\"}");
    else
        append_text(out, "{\"type\":\"output_text\",\"text\":\"", text, "\",\"annotations\":[],\"logprobs\":[]}");
}

static const char *status_of(const struct responses_item *item)
{
    if (item->is_open) return "in_progress";
    return item->is_cut ? "incomplete" : "completed";
}

/* While it is open nothing of it is told yet. */
static void append_call(struct buf *to, const struct responses_item *item)
{
    append_text(to, ",\"call_id\":\"", item->call_id, "\",\"name\":\"");
    append_text(to, "", item->name, "\"");
    if (item->space.len) append_text(to, ",\"namespace\":\"", item->space, "\"");
    append_text(to, ",\"", slice_str(words_of(item)->member), "\":\"");
    append_text(to, "", item->is_open ? SLICE_NONE : buf_slice(&item->text), "\"");
}

static void append_thought(struct buf *to, const struct responses_item *item)
{
    append_text(to, ",\"summary\":[", buf_slice(&item->done), "]");
    if (!buf_len(&item->signature)) return;
    append_text(to, ",\"encrypted_content\":\"", SLICE_NONE,
                item->is_redacted ? RESPONSES_REDACTED : RESPONSES_SIGNATURE);
    append_text(to, "", buf_slice(&item->signature), "\"");
}

static void append_item(const struct responses_out *out, struct buf *to, const struct responses_item *item)
{
    static const char *const types[] = {[RESPONSES_MESSAGE] = "message",
                                        [RESPONSES_REASONING] = "reasoning",
                                        [RESPONSES_CALL] = "function_call",
                                        [RESPONSES_CUSTOM] = "custom_tool_call"};
    buf_append(to, SLICE("{\"id\":\""));
    append_item_id(out, to, item);
    buf_printf(to, "\",\"type\":\"%s\"", types[item->kind]);
    if (item->kind != RESPONSES_REASONING) buf_printf(to, ",\"status\":\"%s\"", status_of(item));
    switch (item->kind) {
    case RESPONSES_MESSAGE:
        append_text(to, ",\"role\":\"assistant\",\"content\":[", buf_slice(&item->done), "]");
        break;
    case RESPONSES_REASONING: append_thought(to, item); break;
    case RESPONSES_CALL:
    case RESPONSES_CUSTOM: append_call(to, item); break;
    }
    buf_append_char(to, '}');
}

/* ---- the response */

static void append_usage(struct buf *to, const struct usage *usage)
{
    struct reported u = reported_of(usage);
    buf_printf(to,
               ",\"usage\":{\"input_tokens\":%lld,\"input_tokens_details\":{\"cached_tokens\":%lld,"
               "\"cache_write_tokens\":%lld},\"output_tokens\":%lld,"
               "\"output_tokens_details\":{\"reasoning_tokens\":%lld},\"total_tokens\":%lld}",
               (long long)u.input, (long long)u.cached, (long long)u.written, (long long)u.output,
               (long long)u.reasoning, (long long)(u.input + u.output));
}

static const char *word_of(enum responses_status status)
{
    switch (status) {
    case RESPONSES_IN_PROGRESS: return "in_progress";
    case RESPONSES_COMPLETED: return "completed";
    case RESPONSES_CUT:
    case RESPONSES_FILTERED: return "incomplete";
    }
    return "incomplete";
}

static void append_details(struct buf *to, enum responses_status status)
{
    bool is_whole = status == RESPONSES_IN_PROGRESS || status == RESPONSES_COMPLETED;
    buf_append(to, SLICE(",\"incomplete_details\":"));
    if (is_whole)
        buf_append(to, SLICE("null"));
    else
        buf_printf(to, "{\"reason\":\"%s\"}", status == RESPONSES_CUT ? "max_output_tokens" : "content_filter");
}

/* usage NULL: it goes on. Clients know a response's id by its beginning. */
static void append_response(struct responses_out *out, enum responses_status status, const struct usage *usage)
{
    struct buf *to = &out->text;
    struct slice id = out->id.len ? out->id : out->manner->id;
    append_text(to, slice_starts(id, SLICE("resp_")) ? "{\"id\":\"" : "{\"id\":\"resp_", id, "\"");
    buf_printf(to, ",\"object\":\"response\",\"created_at\":%lld,\"status\":\"%s\",\"error\":null",
               (long long)out->manner->created, word_of(status));
    append_details(to, status);
    append_text(to, ",\"instructions\":null,\"metadata\":null,\"model\":\"", out->model, "\",\"output\":[");
    for (struct list_link *l = out->items->next; usage && l != out->items; l = l->next) {
        if (l != out->items->next) buf_append_char(to, ',');
        append_item(out, to, LIST_OWNER(l, struct responses_item, link));
    }
    buf_append(to, SLICE("],\"parallel_tool_calls\":true,\"store\":false,\"temperature\":null,\"tool_choice\":\"auto\","
                         "\"tools\":[],\"top_p\":null"));
    if (usage && usage_is_known(usage))
        append_usage(to, usage);
    else
        buf_append(to, SLICE(",\"usage\":null"));
    buf_append_char(to, '}');
}

/* ---- events */

static void begin(struct responses_out *out, char name[NAME_BYTES], const char *what, const char *end)
{
    snprintf(name, NAME_BYTES, "response.%s%s", what, end);
    event_begin(&out->text, name);
    buf_printf(&out->text, "{\"type\":\"%s\",\"sequence_number\":%llu", name, (unsigned long long)out->sequence++);
}

static bool send(struct responses_out *out, const char *name)
{
    buf_append_char(&out->text, '}');
    return event_end(&out->text, name, out->event, out->arg);
}

/* Where it stands. */
static void append_place(struct responses_out *out, const struct responses_item *item)
{
    const struct words *w = words_of(item);
    buf_append(&out->text, SLICE(",\"item_id\":\""));
    append_item_id(out, &out->text, item);
    buf_printf(&out->text, "\",\"output_index\":%u", item->index);
    if (w->index) buf_printf(&out->text, ",\"%s\":%u", w->index, item->parts - 1);
}

static bool tell_response(struct responses_out *out, const char *what, enum responses_status status,
                          const struct usage *usage)
{
    char name[NAME_BYTES];
    begin(out, name, what, "");
    buf_append(&out->text, SLICE(",\"response\":"));
    append_response(out, status, usage);
    return send(out, name);
}

bool responses_tell_start(struct responses_out *out)
{
    return !out->manner->is_stream || (tell_response(out, "created", RESPONSES_IN_PROGRESS, NULL) &&
                                       tell_response(out, "in_progress", RESPONSES_IN_PROGRESS, NULL));
}

bool responses_tell_item(struct responses_out *out, const struct responses_item *item)
{
    char name[NAME_BYTES];
    if (!out->manner->is_stream) return true;
    begin(out, name, "output_item", item->is_open ? ".added" : ".done");
    buf_printf(&out->text, ",\"output_index\":%u,\"item\":", item->index);
    append_item(out, &out->text, item);
    return send(out, name);
}

bool responses_tell_part(struct responses_out *out, const struct responses_item *item)
{
    char name[NAME_BYTES];
    if (!out->manner->is_stream) return true;
    begin(out, name, words_of(item)->part, item->has_part ? ".added" : ".done");
    append_place(out, item);
    buf_append(&out->text, SLICE(",\"part\":"));
    responses_append_part(&out->text, item, item->has_part ? SLICE_NONE : buf_slice(&item->text));
    return send(out, name);
}

static void append_logprobs(struct responses_out *out, const struct responses_item *item)
{
    if (item->kind == RESPONSES_MESSAGE && !item->is_refusal) buf_append(&out->text, SLICE(",\"logprobs\":[]"));
}

bool responses_tell_delta(struct responses_out *out, const struct responses_item *item, struct slice lead,
                          struct slice text)
{
    char name[NAME_BYTES];
    if (!out->manner->is_stream) return true;
    begin(out, name, words_of(item)->text, ".delta");
    append_place(out, item);
    append_text(&out->text, ",\"delta\":\"", lead, "");
    append_text(&out->text, "", text, "\"");
    append_logprobs(out, item);
    return send(out, name);
}

bool responses_tell_text(struct responses_out *out, const struct responses_item *item)
{
    char name[NAME_BYTES];
    if (!out->manner->is_stream) return true;
    begin(out, name, words_of(item)->text, ".done");
    append_place(out, item);
    if (item->kind == RESPONSES_CALL) append_text(&out->text, ",\"name\":\"", item->name, "\"");
    append_text(&out->text, ",\"", slice_str(words_of(item)->member), "\":\"");
    append_text(&out->text, "", buf_slice(&item->text), "\"");
    append_logprobs(out, item);
    return send(out, name);
}

bool responses_tell_end(struct responses_out *out, enum responses_status status, const struct usage *usage)
{
    if (out->manner->is_stream) return tell_response(out, word_of(status), status, usage);
    append_response(out, status, usage);
    return event_body(&out->text, out->event, out->arg);
}
