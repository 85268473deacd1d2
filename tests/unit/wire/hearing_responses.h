/*
 * Of hearing.h: a strict client of the Responses API. Every event has its number, every item and part begins and is
 * done, what is done is what its deltas came to, and the response at its end holds the items as they were done.
 */
#ifndef MOONGATE_TESTS_UNIT_HEARING_RESPONSES_H
#define MOONGATE_TESTS_UNIT_HEARING_RESPONSES_H

#include "hearing.h"

static inline void hearing_responses_same(struct hearing *h, json_t *object, const char *key, struct slice text)
{
    json_t *value = json_object_get(object, key);
    bool is_text = ORACLE_IS(value, STRING);
    hearing_must(h, is_text, "no text where one is due");
    if (!is_text) return;
    struct slice got = slice_of(json_string_value(value), json_string_length(value));
    hearing_must(h, slice_equal(got, text), "what is done is not what its deltas came to");
}

/* ---- items, once they are done */

static inline void hearing_responses_message(struct hearing *h, json_t *item)
{
    json_t *content = json_object_get(item, "content");
    hearing_must(h, strcmp(hearing_text(item, "role"), "assistant") == 0, "no role");
    for (size_t i = 0; i < json_array_size(content); i++) {
        json_t *part = json_array_get(content, i);
        bool is_refusal = strcmp(hearing_text(part, "type"), "refusal") == 0;
        hearing_must(h, is_refusal || strcmp(hearing_text(part, "type"), "output_text") == 0, "a part of another kind");
        if (!is_refusal) hearing_must(h, ORACLE_IS(json_object_get(part, "annotations"), ARRAY), "no annotations");
        hearing_add(is_refusal ? &h->refusal : &h->text, part, is_refusal ? "refusal" : "text");
    }
}

static inline void hearing_responses_thought(struct hearing *h, json_t *item)
{
    static const char signature[] = "moongate.signature.", redacted[] = "moongate.redacted.";
    json_t *summary = json_object_get(item, "summary");
    const char *encrypted = hearing_text(item, "encrypted_content");
    bool is_signed = strncmp(encrypted, signature, strlen(signature)) == 0;
    bool is_redacted = strncmp(encrypted, redacted, strlen(redacted)) == 0;
    hearing_must(h, ORACLE_IS(summary, ARRAY), "no summary");
    hearing_must(h, !encrypted[0] || is_signed || is_redacted, "encrypted_content of nobody");
    for (size_t i = 0; i < json_array_size(summary); i++)
        hearing_add(&h->reasoning, json_array_get(summary, i), "text");
    if (is_signed) buf_append(&h->signatures, slice_str(encrypted + strlen(signature)));
    if (is_redacted) buf_append(&h->redacted, slice_str(encrypted + strlen(redacted)));
}

static inline void hearing_responses_call(struct hearing *h, json_t *item, const char *asked)
{
    hearing_must(h, hearing_has(item, "call_id"), "a call without an id");
    hearing_must(h, ORACLE_IS(json_object_get(item, asked), STRING), "a call that is asked nothing");
    int call = hearing_new_call(h, item);
    if (hearing_has(item, "namespace")) buf_append(&h->names[call], SLICE("@"));
    if (hearing_has(item, "namespace")) hearing_add(&h->names[call], item, "namespace");
    hearing_add(&h->asked[call], item, asked);
}

static inline void hearing_responses_item(struct hearing *h, json_t *item)
{
    const char *type = hearing_text(item, "type"), *status = hearing_text(item, "status");
    bool is_thought = strcmp(type, "reasoning") == 0;
    bool is_done = strcmp(status, "completed") == 0 || strcmp(status, "incomplete") == 0;
    hearing_must(h, hearing_has(item, "id"), "an item without an id");
    hearing_must(h, is_thought || is_done, "an item that is not done");
    if (strcmp(type, "message") == 0)
        hearing_responses_message(h, item);
    else if (is_thought)
        hearing_responses_thought(h, item);
    else if (strcmp(type, "function_call") == 0)
        hearing_responses_call(h, item, "arguments");
    else if (strcmp(type, "custom_tool_call") == 0)
        hearing_responses_call(h, item, "input");
    else
        hearing_wrong(h, "an item of another kind");
}

/* ---- the response */

static inline void hearing_responses_usage(struct hearing *h, json_t *usage)
{
    if (!ORACLE_IS(usage, OBJECT)) return;
    h->has_usage = true;
    h->input = hearing_number(usage, "input_tokens");
    h->output = hearing_number(usage, "output_tokens");
    h->cached = hearing_number(json_object_get(usage, "input_tokens_details"), "cached_tokens");
    h->thought = hearing_number(json_object_get(usage, "output_tokens_details"), "reasoning_tokens");
    hearing_must(h, hearing_number(usage, "total_tokens") == h->input + h->output, "the total is no sum");
}

static inline void hearing_responses_head(struct hearing *h, json_t *response, const char *status)
{
    hearing_must(h, strcmp(hearing_text(response, "object"), "response") == 0, "no response");
    hearing_must(h, strncmp(hearing_text(response, "id"), "resp_", 5) == 0, "no id");
    hearing_must(h, hearing_number(response, "created_at") > 0, "no time");
    hearing_must(h, strcmp(hearing_text(response, "status"), status) == 0, "another status");
    hearing_must(h, ORACLE_IS(json_object_get(response, "error"), NULL), "an error where none is due");
    hearing_must(h, ORACLE_IS(json_object_get(response, "output"), ARRAY), "no output");
    hearing_head(h, response);
    h->has_begun = true;
}

/* All of it at once: of a body, or at the end of a stream. */
static inline void hearing_responses_whole(struct hearing *h, json_t *response)
{
    json_t *output = json_object_get(response, "output");
    json_t *details = json_object_get(response, "incomplete_details");
    const char *status = hearing_text(response, "status"), *reason = hearing_text(details, "reason");
    bool is_completed = strcmp(status, "completed") == 0;
    hearing_must(h, is_completed || strcmp(status, "incomplete") == 0, "it is not done");
    hearing_must(h, is_completed == !reason[0], "why it is incomplete");
    hearing_responses_head(h, response, status);
    for (size_t i = 0; i < json_array_size(output); i++)
        hearing_responses_item(h, json_array_get(output, i));
    snprintf(h->reason, sizeof h->reason, "%s", is_completed ? status : reason);
    hearing_responses_usage(h, json_object_get(response, "usage"));
}

/* ---- events */

static inline int hearing_responses_index(struct hearing *h, json_t *root)
{
    int index = (int)hearing_number(root, "output_index");
    bool is_good = index >= 0 && index < h->blocks && h->heard[index].is_open;
    hearing_must(h, is_good, "an event of no item that is open");
    return is_good ? index : -1;
}

static inline void hearing_responses_added(struct hearing *h, json_t *root)
{
    json_t *item = json_object_get(root, "item");
    const char *type = hearing_text(item, "type");
    bool is_thought = strcmp(type, "reasoning") == 0;
    bool is_single = is_thought || strcmp(type, "message") == 0;
    hearing_must(h, hearing_number(root, "output_index") == h->blocks, "items are not numbered in turn");
    hearing_must(h, is_thought || strcmp(hearing_text(item, "status"), "in_progress") == 0, "it is done as it begins");
    if (h->wrong) return;
    for (int i = 0; i < h->blocks; i++)
        hearing_must(h, !h->heard[i].is_open || !is_single || strstr(h->heard[i].type, "call"),
                     "a message or thought inside another");
    h->heard = realloc(h->heard, ((size_t)h->blocks + 1) * sizeof *h->heard);
    struct heard_item *heard = &h->heard[h->blocks++];
    *heard = (struct heard_item){.is_open = true};
    snprintf(heard->id, sizeof heard->id, "%s", hearing_text(item, "id"));
    snprintf(heard->type, sizeof heard->type, "%s", type);
}

static inline void hearing_responses_part(struct hearing *h, json_t *root, bool is_done)
{
    int at = hearing_responses_index(h, root);
    if (at < 0) return;
    struct heard_item *heard = &h->heard[at];
    json_t *part = json_object_get(root, "part");
    bool is_thought = strcmp(heard->type, "reasoning") == 0;
    bool is_refusal = strcmp(hearing_text(part, "type"), "refusal") == 0;
    int number = (int)hearing_number(root, is_thought ? "summary_index" : "content_index");
    hearing_must(h, strcmp(heard->id, hearing_text(root, "item_id")) == 0, "another item_id");
    hearing_must(h, heard->has_part == is_done, "a part out of order");
    hearing_must(h, number == heard->parts - is_done, "parts are not numbered in turn");
    hearing_must(h, heard->has_text == false || !is_done, "a part is done before its text");
    heard->has_part = heard->has_text = !is_done;
    heard->parts += !is_done;
    hearing_responses_same(h, part, is_refusal ? "refusal" : "text", is_done ? buf_slice(&heard->text) : SLICE(""));
    if (is_done) buf_reset(&heard->text);
}

/* Of a text that grows: which events tell of it, where all of it stands. */
static inline const char *hearing_responses_text(const char *type)
{
    static const char *const kinds[][2] = {{"response.output_text.", "text"},
                                           {"response.refusal.", "refusal"},
                                           {"response.reasoning_summary_text.", "text"},
                                           {"response.function_call_arguments.", "arguments"},
                                           {"response.custom_tool_call_input.", "input"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strncmp(type, kinds[i][0], strlen(kinds[i][0])) == 0) return kinds[i][1];
    }
    return NULL;
}

static inline void hearing_responses_grows(struct hearing *h, json_t *root, const char *type, const char *member)
{
    int at = hearing_responses_index(h, root);
    if (at < 0) return;
    struct heard_item *heard = &h->heard[at];
    bool is_done = strcmp(type + strlen(type) - 5, ".done") == 0, is_call = strstr(heard->type, "call") != NULL;
    hearing_must(h, strcmp(heard->id, hearing_text(root, "item_id")) == 0, "another item_id");
    hearing_must(h, is_call ? !heard->is_asked : heard->has_part && heard->has_text, "a text of no part");
    if (!is_done) {
        hearing_must(h, ORACLE_IS(json_object_get(root, "delta"), STRING), "a delta without its text");
        hearing_add(&heard->text, root, "delta");
        return;
    }
    hearing_responses_same(h, root, member, buf_slice(&heard->text));
    heard->has_text = false;
    heard->is_asked = is_call;
}

static inline void hearing_responses_done(struct hearing *h, json_t *root)
{
    int at = hearing_responses_index(h, root);
    if (at < 0) return;
    struct heard_item *heard = &h->heard[at];
    json_t *item = json_object_get(root, "item");
    const char *asked = strcmp(heard->type, "custom_tool_call") == 0 ? "input" : "arguments";
    hearing_must(h, strcmp(heard->id, hearing_text(item, "id")) == 0, "another id");
    hearing_must(h, strcmp(heard->type, hearing_text(item, "type")) == 0, "another type");
    hearing_must(h, !heard->has_part, "an item is done before its part");
    if (strstr(heard->type, "call")) {
        hearing_must(h, heard->is_asked, "a call is done before what it is asked");
        hearing_responses_same(h, item, asked, buf_slice(&heard->text));
    }
    heard->is_open = false;
    if (!h->done) h->done = json_array();
    while (json_array_size(h->done) < (size_t)h->blocks)
        json_array_append_new(h->done, json_null());
    json_array_set(h->done, (size_t)at, item);
}

static inline void hearing_responses_end(struct hearing *h, json_t *response)
{
    json_t *output = json_object_get(response, "output");
    for (int i = 0; i < h->blocks; i++)
        hearing_must(h, !h->heard[i].is_open, "it ends inside an item");
    bool is_same = h->blocks ? json_equal(h->done, output) : json_array_size(output) == 0;
    hearing_must(h, is_same, "its output is not the items as they were done");
    hearing_responses_whole(h, response);
    h->has_ended = true;
    hearing_end_calls(h);
}

static inline void hearing_responses_typed(struct hearing *h, const char *type, json_t *root)
{
    json_t *response = json_object_get(root, "response");
    const char *member = hearing_responses_text(type);
    long long number = h->sequence++;
    hearing_must(h, hearing_number(root, "sequence_number") == number, "events are not numbered in turn");
    if (number < 2) {
        hearing_must(h, strcmp(type, number ? "response.in_progress" : "response.created") == 0, "its beginning");
        hearing_must(h, json_array_size(json_object_get(response, "output")) == 0, "output at the beginning");
        hearing_responses_head(h, response, "in_progress");
    } else if (member) {
        hearing_responses_grows(h, root, type, member);
    } else if (strcmp(type, "response.output_item.added") == 0) {
        hearing_responses_added(h, root);
    } else if (strcmp(type, "response.output_item.done") == 0) {
        hearing_responses_done(h, root);
    } else if (strstr(type, "_part.added")) {
        hearing_responses_part(h, root, false);
    } else if (strstr(type, "_part.done")) {
        hearing_responses_part(h, root, true);
    } else {
        const char *status = hearing_text(response, "status");
        hearing_must(h, strncmp(type, "response.", 9) == 0 && strcmp(type + 9, status) == 0, "an unknown event");
        hearing_responses_end(h, response);
    }
}

static inline void hearing_responses_event(struct hearing *h, const struct sse_event *e)
{
    json_t *root = hearing_load(h, e->data);
    const char *type = hearing_text(root, "type");
    if (root) hearing_must(h, slice_equal(slice_str(type), e->name), "another name than its type");
    if (strcmp(type, "error") == 0)
        hearing_take_error(h, json_object_get(root, "error"));
    else if (h->has_error)
        hearing_must(h, strcmp(type, "response.failed") == 0, "something behind the error");
    else if (root)
        hearing_responses_typed(h, type, root);
    json_decref(root);
}

#endif
