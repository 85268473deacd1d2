/* What the model says in responses is masked and given back, part by part, and where it is said again. */
#include "answering.h"

static bool append_out(void *arg, const struct sse_event *event, const struct said *said)
{
    (void)said;
    buf_append(arg, event->data);
    buf_append_char(arg, '\n');
    return true;
}

/* What deltas of two parts said in the end, and what it is said to be when that is over. */
struct heard {
    struct buf parts[2], done;
};

static bool hear(void *arg, const struct sse_event *event, const struct said *said)
{
    struct heard *h = arg;
    struct arena texts;
    (void)event;
    arena_init(&texts);
    for (uint32_t i = 0; i < said->text_count; i++)
        buf_append(&h->parts[said->texts[i].call], said_decode(said, &said->texts[i], &texts));
    if (!said->text_count) buf_append(&h->done, said->json);
    arena_clear(&texts);
    return true;
}

static void feed_responses(struct redact_stream *redacting, struct dialect_stream *stream, struct slice data)
{
    struct sse_event event = {.raw = data, .data = data, .retry_ms = -1, .ends = true};
    struct said said;
    struct fault why;
    dialect_responses.read_event(&reader, stream, SLICE(""), data, &said);
    EXPECT(redact_stream_event(redacting, &event, &said, &why));
}

static void write_part(struct buf *to, const char *type, unsigned item, const char *name, struct slice text)
{
    buf_reset(to);
    buf_printf(to, "{\"type\":\"response.output_text.%s\",\"output_index\":%u,\"%s\":", type, item, name);
    buf_append_json(to, text);
    buf_append_char(to, '}');
}

/* The same text in two parts by turns, in pieces of `step` characters; then again, whole. */
static void hear_in_steps(struct slice text, size_t step, struct heard *heard)
{
    struct dialect_stream stream;
    struct buf event;
    buf_init(&event);
    dialect_stream_init(&stream, 1);
    struct redact_stream *redacting = redact_stream_new(r, hear, heard);
    for (size_t at = 0, next; at < text.len; at = next) {
        for (next = at; next < text.len && next < at + step;)
            next += char_len(text.ptr + next);
        for (unsigned item = 0; item < 2; item++) {
            write_part(&event, "delta", item, "delta", slice_of(text.ptr + at, next - at));
            feed_responses(redacting, &stream, buf_slice(&event));
        }
    }
    write_part(&event, "done", 0, "text", text);
    feed_responses(redacting, &stream, buf_slice(&event));
    redact_stream_flush(redacting);
    redact_stream_free(redacting);
    buf_clear(&event);
}

static void however_it_is_cut_a_response_is_the_same(void)
{
    for (size_t a = 0; a < ANSWERS; a++) {
        for (size_t step = 1; step <= strlen(answers[a][0]); step++) {
            struct heard heard = {0};
            struct buf done_event;
            buf_init(&done_event);
            use_rules(true, true);
            send_request(ASKED, CHAT_CHAT);
            hear_in_steps(slice_str(answers[a][0]), step, &heard);
            write_part(&done_event, "done", 0, "text", slice_str(answers[a][1]));
            EXPECT_TEXT(answers[a][1], buf_slice(&heard.parts[0]));
            EXPECT_TEXT(answers[a][1], buf_slice(&heard.parts[1]));
            EXPECT_SLICE(buf_slice(&done_event), buf_slice(&heard.done));
            for (int i = 0; i < 2; i++)
                buf_clear(&heard.parts[i]);
            buf_clear(&heard.done);
            buf_clear(&done_event);
            done();
        }
    }
}

/* Events as lines; what comes out, likewise. */
static void expect_responses(const char *const events[], size_t count, const char *want)
{
    struct dialect_stream stream;
    struct buf got;
    buf_init(&got);
    use_rules(true, true);
    send_request(ASKED, CHAT_CHAT);
    dialect_stream_init(&stream, 1);
    struct redact_stream *redacting = redact_stream_new(r, append_out, &got);
    for (size_t i = 0; i < count; i++)
        feed_responses(redacting, &stream, slice_str(events[i]));
    redact_stream_flush(redacting);
    EXPECT_SLICE(slice_str(want), buf_slice(&got));
    redact_stream_free(redacting);
    buf_clear(&got);
    done();
}

#define PART(item, part) "\"output_index\":" #item ",\"content_index\":" #part ","
#define DELTA(item, part, text) "{\"type\":\"response.output_text.delta\"," PART(item, part) "\"delta\":\"" text "\"}"
#define WHY(item, text) "{\"type\":\"response.reasoning_text.delta\"," PART(item, 0) "\"delta\":\"" text "\"}"

static void a_secret_across_deltas_of_one_part_is_caught_and_said_again_likewise(void)
{
    static const char *const events[] = {
        DELTA(0, 0, "EMP-33"), DELTA(1, 0, "b EMP"), WHY(0, "EMP-12"), DELTA(0, 0, "3333 x"), DELTA(0, 1, "3333"),
        WHY(0, "3456"), DELTA(1, 0, "-44"),
        "{\"type\":\"response.output_text.done\"," PART(0, 0) "\"text\":\"EMP-333333 x\",\"item_id\":\"EMP-333333\"}",
        "{\"type\":\"response.completed\",\"response\":{\"id\":\"EMP-333333\",\"output\":[{\"type\":\"message\",\"content\":"
        "[{\"text\":\"EMP-333333 x\",\"logprobs\":[{\"token\":\"EMP\"}]},{\"text\":\"fine\",\"logprobs\":[1]}]},"
        "{\"type\":\"image_generation_call\",\"result\":\"EMP-333333\"}]}}"};
    expect_responses(
        events, sizeof events / sizeof events[0],
        DELTA(0, 0, "[employee_id_2]") "\n" DELTA(1, 0, "b EMP") "\n" WHY(0, "EMP-12") "\n" DELTA(0, 0, " x") "\n"
        DELTA(0, 1, "3333") "\n" WHY(0, "3456") "\n" DELTA(1, 0, "-44") "\n"
        "{\"type\":\"response.output_text.done\"," PART(0, 0) "\"text\":\"[employee_id_2] x\",\"item_id\":\"EMP-333333\"}\n"
        "{\"type\":\"response.completed\",\"response\":{\"id\":\"EMP-333333\",\"output\":[{\"type\":\"message\",\"content\":"
        "[{\"text\":\"[employee_id_2] x\",\"logprobs\":null},{\"text\":\"fine\",\"logprobs\":[1]}]},"
        "{\"type\":\"image_generation_call\",\"result\":\"EMP-333333\"}]}}\n");
}

/* What is done is waited for no longer, and an echo of all tools is no text that grows. */
static void an_event_that_holds_much_is_read_by_itself(void)
{
    struct buf event;
    buf_init(&event);
    buf_append(&event, SLICE("{\"type\":\"response.created\",\"response\":{\"tools\":["));
    for (unsigned i = 0; i < 2 * LIMIT_REDACT_TEXTS; i++)
        buf_printf(&event, "%s{\"description\":\"tool %u\"}", i ? "," : "", i);
    buf_append(&event, SLICE("]}}"));
    buf_append_char(&event, '\0');
    const char *events[] = {DELTA(0, 0, "EMP-3"), "{\"type\":\"response.output_text.done\"," PART(0, 0) "\"text\":\"x\"}",
                            buf_ptr(&event)};
    struct buf want;
    buf_init(&want);
    buf_printf(&want, "%s\n%s\n%s\n", events[0], events[1], events[2]);
    buf_append_char(&want, '\0');
    expect_responses(events, 3, buf_ptr(&want));
    buf_clear(&want);
    buf_clear(&event);
}

int main(void)
{
    arena_init(&arena);
    buf_init(&sent);
    buf_init(&out);
    RUN(a_secret_across_deltas_of_one_part_is_caught_and_said_again_likewise);
    RUN(an_event_that_holds_much_is_read_by_itself);
    RUN(however_it_is_cut_a_response_is_the_same);
    buf_clear(&sent);
    buf_clear(&out);
    return unit_close("redact_parts");
}
