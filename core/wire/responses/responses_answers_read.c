/*
 * What providers that speak the Responses API say, as deltas: events of a stream and whole responses.
 * Source: OpenAI API reference, the response object and "Streaming events"; what others were seen to send.
 */
#include "base/mem.h"
#include "wire/openai/openai_told.h"
#include "wire/responses/responses_answers.h"
#include "wire/responses/responses_reading.h"

/* What it begins with says nothing yet, and may be followed by its failure: that another target may still make good. So
 * the client hears of it with the first item. */
static void begin(struct answer_reader *in, uint32_t response)
{
    if (in->has_begun) return;
    in->has_begun = true;
    buf_append(&in->id, responses_member(in, response, "id"));
    buf_append(&in->model, responses_member(in, response, "model"));
}

static bool start(struct answer_reader *in)
{
    if (in->has_started) return true;
    in->has_started = true;
    return in->take(in->arg, &(struct delta){.kind = DELTA_START,
                                             .id = buf_slice(&in->id),
                                             .name = buf_slice(&in->model)});
}

/* ---- the end */

static uint32_t count_of(const struct answer_reader *in, uint32_t first)
{
    uint32_t count = 0;
    for (uint32_t n = first; n != JSON_NONE; n = json_next(in->tape, n))
        count++;
    return count;
}

/* Items that have not ended; those of which nothing was told, where there are more than were. */
static bool read_output(struct answer_reader *in, uint32_t response)
{
    uint32_t place = 0, output = responses_first(in, response, "output");
    bool has_more = count_of(in, output) > in->begun;
    for (uint32_t n = output; n != JSON_NONE; n = json_next(in->tape, n), place++) {
        const struct responses_told *item = responses_item_at(in, place);
        if (!item) return false;
        bool is_due = item->kind == RESPONSES_NOTHING ? has_more : !item->is_ended;
        if (is_due && !responses_end_item(in, place, n)) return false;
    }
    return true;
}

/* What is not whole for a reason that nobody here knows was cut all the same. */
static enum delta_reason reason_of(const struct answer_reader *in, uint32_t response, bool *is_known)
{
    uint32_t status = responses_get(in, response, "status");
    uint32_t reason = responses_get(in, responses_get(in, response, "incomplete_details"), "reason");
    *is_known = true;
    if (!json_text_is(in->tape, status, SLICE("incomplete"))) return in->has_calls ? REASON_CALLS : REASON_STOP;
    if (json_text_is(in->tape, reason, SLICE("content_filter"))) return REASON_REFUSED;
    *is_known = json_text_is(in->tape, reason, SLICE("max_output_tokens"));
    return REASON_LENGTH;
}

/* A response that has failed is an error, and read as that. */
static bool is_over(const struct answer_reader *in, uint32_t response)
{
    static const struct {
        struct slice status;
        const char *text;
    } unfinished[] = {{{"cancelled", 9}, "it was cancelled"},
                      {{"queued", 6}, "it has not begun"},
                      {{"in_progress", 11}, "it goes on in the background"}};
    for (size_t i = 0; i < sizeof unfinished / sizeof unfinished[0]; i++) {
        if (json_text_is(in->tape, responses_get(in, response, "status"), unfinished[i].status))
            return responses_refuse(in, unfinished[i].text);
    }
    return true;
}

static bool finish(struct answer_reader *in, uint32_t response)
{
    bool is_known;
    struct delta end = {.kind = DELTA_FINISH};
    if (!is_over(in, response)) return false;
    begin(in, response);
    in->is_cut = json_text_is(in->tape, responses_get(in, response, "status"), SLICE("incomplete"));
    if (!start(in) || !read_output(in, response)) return false;
    end.reason = reason_of(in, response, &is_known);
    in->has_ended = true;
    return (is_known || responses_lose(in, SLICE("incomplete_details"))) &&
           responses_lose_filled(in, response, "content_filters") && in->take(in->arg, &end) &&
           in->take(in->arg, &(struct delta){.kind = DELTA_END});
}

/* ---- events of items */

/* False: it is not there, or no number of that kind. */
static bool read_number(const struct answer_reader *in, const char *name, uint32_t *number)
{
    int64_t value = -1;
    uint32_t node = responses_get(in, 0, name);
    if (json_is(in->tape, node, JSON_NUMBER)) json_to_i64(in->tape, node, &value);
    *number = (uint32_t)value;
    return value >= 0 && value < UINT32_MAX;
}

static bool read_item(struct answer_reader *in, bool (*read)(struct answer_reader *in, uint32_t place, uint32_t node))
{
    uint32_t place, item = responses_get(in, 0, "item");
    if (!read_number(in, "output_index", &place) || !json_is(in->tape, item, JSON_OBJECT))
        return responses_refuse(in, "an event of an item has none");
    return read(in, place, item);
}

static bool read_added(struct answer_reader *in)
{
    return read_item(in, responses_begin_item);
}

static bool read_done(struct answer_reader *in)
{
    return read_item(in, responses_end_item);
}

/* NULL, and refused: it names no item that may go on so. */
static struct responses_told *item_of(struct answer_reader *in, enum responses_item_kind kind)
{
    uint32_t place;
    if (!read_number(in, "output_index", &place)) {
        responses_refuse(in, "an event of it names no item");
        return NULL;
    }
    struct responses_told *item = responses_item_at(in, place);
    return item && responses_enter(in, item, kind) ? item : NULL;
}

/* Of a content, or of a thought's summary; servers that have but one may leave it out. */
static bool read_place(const struct answer_reader *in, const char *name, uint32_t *number)
{
    *number = 0;
    return responses_get(in, 0, name) == JSON_NONE || read_number(in, name, number) ||
           responses_refuse(in, "an event of it names no part");
}

static bool add_content(struct answer_reader *in, enum delta_kind kind, const char *text, bool is_whole)
{
    uint32_t content;
    struct responses_told *item = item_of(in, RESPONSES_SAID);
    return item && read_place(in, "content_index", &content) &&
           responses_say(in, item, content, kind, responses_member(in, 0, text), is_whole);
}

static bool read_text(struct answer_reader *in)
{
    return add_content(in, DELTA_TEXT, "delta", false) && responses_lose_filled(in, 0, "logprobs");
}

static bool read_whole_text(struct answer_reader *in)
{
    return add_content(in, DELTA_TEXT, "text", true);
}

static bool read_refusal(struct answer_reader *in)
{
    return add_content(in, DELTA_REFUSAL, "delta", false);
}

static bool read_whole_refusal(struct answer_reader *in)
{
    return add_content(in, DELTA_REFUSAL, "refusal", true);
}

/* is_whole: it counts when no piece of it came. */
static bool add_thought(struct answer_reader *in, bool is_summary, const char *text, bool is_whole)
{
    uint32_t number;
    struct responses_told *item = item_of(in, RESPONSES_THOUGHT);
    if (!item || !read_place(in, is_summary ? "summary_index" : "content_index", &number)) return false;
    uint32_t *begun = is_summary ? &item->summaries : &item->contents;
    return (is_whole && number < *begun) ||
           responses_think(in, item, begun, number, responses_member(in, 0, text));
}

static bool read_summary(struct answer_reader *in)
{
    return add_thought(in, true, "delta", false);
}

static bool read_whole_summary(struct answer_reader *in)
{
    return add_thought(in, true, "text", true);
}

static bool read_thinking(struct answer_reader *in)
{
    return add_thought(in, false, "delta", false);
}

static bool read_whole_thinking(struct answer_reader *in)
{
    return add_thought(in, false, "text", true);
}

static bool read_arguments(struct answer_reader *in)
{
    struct responses_told *item = item_of(in, RESPONSES_ASKED);
    return item && responses_ask(in, item, responses_member(in, 0, "delta"));
}

static bool read_annotation(struct answer_reader *in)
{
    return responses_lose(in, SLICE("annotations"));
}

/* ---- a stream */

static bool read_start(struct answer_reader *in)
{
    uint32_t response = responses_get(in, 0, "response");
    if (!json_is(in->tape, response, JSON_OBJECT)) return responses_refuse(in, "an event of a response has none");
    begin(in, response);
    return true;
}

static bool read_end(struct answer_reader *in)
{
    uint32_t response = responses_get(in, 0, "response");
    return json_is(in->tape, response, JSON_OBJECT) ? finish(in, response)
                                                    : responses_refuse(in, "an event of a response has none");
}

static bool read_cancelled(struct answer_reader *in)
{
    return responses_refuse(in, "it was cancelled");
}

static bool read_ping(struct answer_reader *in)
{
    return in->take(in->arg, &(struct delta){.kind = DELTA_PING});
}

/* What an item's end says once more, or that tools of the provider's are at work. */
static bool is_told_elsewhere(struct answer_reader *in, struct slice type)
{
    static const struct slice beginnings[] = {{"response.content_part.", 22},
                                              {"response.reasoning_summary_part.", 32},
                                              {"response.function_call_arguments.done", 37},
                                              {"response.custom_tool_call_input.", 32}};
    uint32_t place;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        if (slice_starts(type, beginnings[i])) return true;
    }
    return read_number(in, "output_index", &place) && place < in->item_count &&
           in->items[place].kind == RESPONSES_ELSE;
}

/* What is not among the events of today is no error. */
static bool read_other(struct answer_reader *in)
{
    struct slice type = responses_member(in, 0, "type");
    if (!type.len) return responses_refuse(in, "an event of it is none of the Responses API");
    return is_told_elsewhere(in, type) || responses_lose(in, type);
}

static const struct event {
    struct slice type;
    bool (*read)(struct answer_reader *in);
} beginnings[] = {{{"response.created", 16}, read_start},
                  {{"response.in_progress", 20}, read_start},
                  {{"response.queued", 15}, read_start},
                  {{"response.completed", 18}, read_end},
                  {{"response.incomplete", 19}, read_end},
                  {{"response.cancelled", 18}, read_cancelled},
                  {{"keepalive", 9}, read_ping}},
  inner[] = {{{"response.output_text.delta", 26}, read_text},
             {{"response.output_text.done", 25}, read_whole_text},
             {{"response.refusal.delta", 22}, read_refusal},
             {{"response.refusal.done", 21}, read_whole_refusal},
             {{"response.reasoning_summary_text.delta", 37}, read_summary},
             {{"response.reasoning_summary_text.done", 36}, read_whole_summary},
             {{"response.reasoning_text.delta", 29}, read_thinking},
             {{"response.reasoning_text.done", 28}, read_whole_thinking},
             {{"response.function_call_arguments.delta", 38}, read_arguments},
             {{"response.output_item.added", 26}, read_added},
             {{"response.output_item.done", 25}, read_done},
             {{"response.output_text.annotation.added", 37}, read_annotation}};

static const struct event *find(const struct answer_reader *in, const struct event *events, size_t count)
{
    uint32_t type = responses_get(in, 0, "type");
    for (size_t i = 0; i < count; i++) {
        if (json_text_is(in->tape, type, events[i].type)) return &events[i];
    }
    return NULL;
}

static bool read_event(struct answer_reader *in, struct slice name, const struct said *said)
{
    (void)name; /* the type inside says it */
    if (in->has_ended) return true;
    in->tape = said->tape;
    if (!in->tape) return responses_refuse(in, "it ended without response.completed"); /* "[DONE]" of a proxy's */
    const struct event *event = find(in, beginnings, sizeof beginnings / sizeof beginnings[0]);
    if (event) return event->read(in);
    event = find(in, inner, sizeof inner / sizeof inner[0]);
    if (!event) return read_other(in);
    if (!in->has_begun) return responses_refuse(in, "it does not begin with response.created");
    return start(in) && event->read(in);
}

/* A stream of this API has an end marker or none: then it was cut. */
static bool read_cut(struct answer_reader *in)
{
    return responses_refuse(in, "it ended without response.completed");
}

/* ---- a whole answer */

static bool read_body(struct answer_reader *in, const struct said *said)
{
    in->tape = said->tape;
    if (!json_is(in->tape, responses_get(in, 0, "output"), JSON_ARRAY))
        return responses_refuse(in, "it is no response of the Responses API");
    return finish(in, 0);
}

static struct answer_reader *reader_new(delta_fn take, void *arg, struct fault *why)
{
    struct answer_reader *in = mem_zalloc(1, sizeof *in);
    *in = (struct answer_reader){.take = take, .arg = arg, .why = why};
    return in;
}

static void reader_free(struct answer_reader *in)
{
    if (!in) return;
    buf_clear(&in->id);
    buf_clear(&in->model);
    buf_clear(&in->text);
    mem_free(in->items);
    mem_free(in);
}

const struct answer_translation responses_answers = {
    .reader_new = reader_new,
    .reader_free = reader_free,
    .read_event = read_event,
    .read_body = read_body,
    .read_end = read_cut,
    .read_failure = responses_read_failure,
    .writer_new = responses_writer_new,
    .writer_free = responses_writer_free,
    .write = responses_write,
    .word_failure = openai_word_failure,
};
