/*
 * What a response says that its provider keeps, or a conversation. Source: OpenAI API reference, the response object
 * and the events of its stream, the conversation object, the list of its items.
 */
#include "wire/content.h"
#include "wire/kept_answer.h"
#include "wire/responses/responses_inner.h"

/* A file that code made. */
static void tell_annotation(const struct kept_answer *t, uint32_t annotation)
{
    if (!content_is_of_type(t->tape, annotation, SLICE("container_file_citation"))) return;
    kept_tell(t, KEPT_FILE, annotation, SLICE("file_id"));
    kept_tell(t, KEPT_CONTAINER, annotation, SLICE("container_id"));
}

static void tell_part(const struct kept_answer *t, uint32_t part)
{
    kept_each(t, json_get(t->tape, part, SLICE("annotations")), tell_annotation);
}

static void tell_item(const struct kept_answer *t, uint32_t item)
{
    kept_tell(t, KEPT_ITEM, item, SLICE("id"));
    if (content_is_of_type(t->tape, item, SLICE("code_interpreter_call")))
        kept_tell(t, KEPT_CONTAINER, item, SLICE("container_id"));
    if (content_is_of_type(t->tape, item, SLICE("shell_call")))
        kept_tell(t, KEPT_CONTAINER, json_get(t->tape, item, SLICE("environment")), SLICE("container_id"));
    if (content_is_of_type(t->tape, item, SLICE("message")))
        kept_each(t, json_get(t->tape, item, SLICE("content")), tell_part);
}

/* All else of it is what its caller has written. */
static void tell_added(const struct kept_answer *t, uint32_t item)
{
    kept_tell(t, KEPT_ITEM, item, SLICE("id"));
}

static bool is_object(const struct kept_answer *t, struct slice name)
{
    return json_text_is(t->tape, json_get(t->tape, 0, SLICE("object")), name);
}

/* An event has the response, or one item, inside. */
void responses_tell_kept(const struct kept_answer *t)
{
    if (is_object(t, SLICE("conversation"))) {
        kept_tell(t, KEPT_CONVERSATION, 0, SLICE("id"));
        return;
    }
    if (is_object(t, SLICE("list"))) {
        kept_each(t, json_get(t->tape, 0, SLICE("data")), tell_added);
        return;
    }
    uint32_t response = json_get(t->tape, 0, SLICE("response")), item = json_get(t->tape, 0, SLICE("item"));
    if (is_object(t, SLICE("response"))) response = 0;
    if (response != JSON_NONE) {
        kept_tell(t, KEPT_RESPONSE, response, SLICE("id"));
        kept_each(t, json_get(t->tape, response, SLICE("output")), tell_item);
    } else if (item != JSON_NONE) {
        tell_item(t, item);
    }
}
