#include "wire/bedrock.h"

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/eventstream.h"
#include "wire/exceptions.h"
#include "wire/json.h"
#include "wire/translate/answers.h"

struct bedrock {
    const struct dialect *spoken;
    struct eventstream *frames;
    struct json_tape tape; /* of the payload that is looked into */
    struct buf bytes, text;
    bool is_broken;
    struct fault why;
    bedrock_text_fn on_text; /* while bedrock_feed() runs */
    void *arg;
};

/* --- what went wrong --- */

static bool has_words(const struct dialect *spoken)
{
    return spoken->answers && spoken->answers->word_failure && spoken->write_event_error && spoken->write_body_error;
}

static struct dialect_error word(const struct dialect *spoken, struct slice name, struct slice message, int *status)
{
    struct failure failure = {
        .kind = *status ? failure_of_status(*status) : FAILURE_SERVER, .status = *status, .message = message};
    struct dialect_error error = {.status = 0};
    exceptions_find(name, &failure.kind);
    spoken->answers->word_failure(&failure, &error, status);
    error.status = 0; /* its type is the dialect's own */
    return error;
}

static struct slice message_of(const struct json_tape *tape, struct arena *arena)
{
    uint32_t message = json_get(tape, 0, SLICE("message"));
    if (message == JSON_NONE) message = json_get(tape, 0, SLICE("Message"));
    return json_is(tape, message, JSON_STRING) ? json_text(tape, message, arena) : SLICE_NONE;
}

/* Of nothing that is said in it, or in Amazon's form; another's is the model's server's own. */
static bool is_amazons(struct json_tape *tape, struct slice body, struct arena *arena, struct slice *message)
{
    struct fault why;
    *message = SLICE_NONE;
    if (!body.len) return true;
    if (!json_parse(tape, body, &why) || !json_is(tape, 0, JSON_OBJECT)) return false;
    *message = message_of(tape, arena);
    return message->ptr || json_first(tape, 0) == JSON_NONE;
}

bool bedrock_write_error(const struct dialect *spoken, int status, struct slice type, struct slice body,
                         struct buf *out)
{
    struct slice message;
    struct json_tape tape;
    struct arena arena;
    arena_init(&arena);
    json_init(&tape);
    bool is_told = has_words(spoken) && is_amazons(&tape, body, &arena, &message);
    if (is_told) {
        if (!message.len) message = exceptions_bare_name(type);
        struct dialect_error error = word(spoken, type, message, &status);
        spoken->write_body_error(out, &error);
    }
    json_clear(&tape);
    arena_clear(&arena);
    return is_told;
}

/* --- what streams --- */

static bool refuse(struct bedrock *b, const char *what)
{
    b->is_broken = true;
    return fault_set(&b->why, FAULT_UPSTREAM_STREAM, "The provider's event stream is broken: %s.", what);
}

/* What may stand in a line of its own; all of Amazon's names do. */
static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '-' || c == '.';
        if (!is_good) return false;
    }
    return name.len > 0 && name.len <= LIMIT_LABEL_BYTES;
}

/* WHATWG HTML 9.2.5: each line of it is one of "data". */
static void write_event(struct buf *out, struct slice name, struct slice data)
{
    if (name.len) buf_printf(out, "event: %.*s\n", SLICE_FMT(name));
    buf_append(out, SLICE("data: "));
    for (size_t from = 0, i = 0; i <= data.len; i++) {
        bool is_end = i == data.len, is_line_end = !is_end && (data.ptr[i] == '\n' || data.ptr[i] == '\r');
        if (!is_end && !is_line_end) continue;
        buf_append(out, slice_of(data.ptr + from, i - from));
        if (is_line_end) buf_append(out, SLICE("\ndata: "));
        from = i + 1;
    }
    buf_append(out, SLICE("\n\n"));
}

/* The event's "type", which in all but all of them stands first. */
static struct slice type_of(struct bedrock *b, struct slice json)
{
    struct slice begin = SLICE("{\"type\":\""), rest, name = SLICE_NONE;
    struct fault why;
    if (slice_starts(json, begin)) name = slice_split(slice_of(json.ptr + begin.len, json.len - begin.len), '"', &rest);
    if (is_name(name) || !json_parse(&b->tape, json, &why)) return is_name(name) ? name : SLICE_NONE;
    struct slice raw = json_raw(&b->tape, json_get(&b->tape, 0, SLICE("type")));
    name = raw.len > 2 && raw.ptr[0] == '"' ? slice_of(raw.ptr + 1, raw.len - 2) : SLICE_NONE;
    return is_name(name) ? name : SLICE_NONE;
}

static bool read_base64(struct bedrock *b, struct slice text)
{
    buf_reset(&b->bytes);
    uint8_t *bytes = (uint8_t *)buf_reserve(&b->bytes, BASE64_BYTES_MAX(text.len));
    size_t len;
    if (!base64_read(text, bytes, &len)) return false;
    buf_grew(&b->bytes, len);
    return true;
}

static bool read_bytes(struct bedrock *b, uint32_t node)
{
    struct arena arena;
    if (!json_is(&b->tape, node, JSON_STRING)) return false;
    arena_init(&arena);
    bool is_read = read_base64(b, json_text(&b->tape, node, &arena));
    arena_clear(&arena);
    return is_read;
}

/* {"bytes":"…","p":"abc"}: "p" makes the sizes of all chunks alike. */
static bool write_chunk(struct bedrock *b, struct slice payload)
{
    struct fault why;
    if (!json_parse(&b->tape, payload, &why)) return refuse(b, "a chunk that is not JSON");
    if (!read_bytes(b, json_get(&b->tape, 0, SLICE("bytes"))))
        return refuse(b, "a chunk whose bytes are not base64");
    struct slice event = buf_slice(&b->bytes);
    write_event(&b->text, type_of(b, event), event);
    return true;
}

static bool write_named(struct bedrock *b, const struct eventstream_message *m)
{
    struct slice type;
    if (!eventstream_header(m, SLICE(":event-type"), &type) || !is_name(type)) return refuse(b, "an event of no type");
    if (slice_equal(type, SLICE("chunk"))) return write_chunk(b, m->payload);
    write_event(&b->text, type, m->payload);
    return true;
}

static void write_failure(struct bedrock *b, struct slice name, struct slice message)
{
    int status = 0;
    struct dialect_error error = word(b->spoken, name, message, &status);
    b->spoken->write_event_error(&b->text, &error);
}

static bool write_exception(struct bedrock *b, const struct eventstream_message *m)
{
    struct slice name;
    struct arena arena;
    struct fault why;
    if (!eventstream_header(m, SLICE(":exception-type"), &name) || !is_name(name))
        return refuse(b, "an exception of no type");
    if (!has_words(b->spoken)) {
        write_event(&b->text, exceptions_has_name(name) ? name : SLICE("error"), m->payload);
        return true;
    }
    arena_init(&arena);
    struct slice message = json_parse(&b->tape, m->payload, &why) ? message_of(&b->tape, &arena) : SLICE_NONE;
    write_failure(b, name, message.len ? message : name);
    arena_clear(&arena);
    return true;
}

/* The service's, beside those that its API knows: code and text stand in headers. */
static bool write_error(struct bedrock *b, const struct eventstream_message *m)
{
    struct slice code = SLICE_NONE, message = SLICE_NONE;
    struct buf json;
    eventstream_header(m, SLICE(":error-code"), &code);
    eventstream_header(m, SLICE(":error-message"), &message);
    if (!message.len) message = code;
    if (has_words(b->spoken)) {
        write_failure(b, code, message);
        return true;
    }
    buf_init(&json);
    buf_append(&json, SLICE("{\"__type\":"));
    buf_append_json(&json, code);
    buf_append(&json, SLICE(",\"message\":"));
    buf_append_json(&json, message);
    buf_append_char(&json, '}');
    write_event(&b->text, SLICE("error"), buf_slice(&json));
    buf_clear(&json);
    return true;
}

static bool write_message(struct bedrock *b, const struct eventstream_message *m)
{
    struct slice type;
    if (!eventstream_header(m, SLICE(":message-type"), &type)) return refuse(b, "a message of no type");
    if (slice_equal(type, SLICE("event"))) return write_named(b, m);
    if (slice_equal(type, SLICE("exception"))) return write_exception(b, m);
    if (slice_equal(type, SLICE("error"))) return write_error(b, m);
    return refuse(b, "a message of a type that nobody knows");
}

static bool on_message(void *arg, const struct eventstream_message *m)
{
    struct bedrock *b = arg;
    buf_reset(&b->text);
    return write_message(b, m) && b->on_text(b->arg, buf_slice(&b->text));
}

struct bedrock *bedrock_new(const struct dialect *spoken)
{
    struct bedrock *b = mem_zalloc(1, sizeof *b);
    b->spoken = spoken;
    b->frames = eventstream_new();
    json_init(&b->tape);
    return b;
}

void bedrock_free(struct bedrock *b)
{
    if (!b) return;
    eventstream_free(b->frames);
    json_clear(&b->tape);
    buf_clear(&b->bytes);
    buf_clear(&b->text);
    mem_free(b);
}

bool bedrock_feed(struct bedrock *b, struct slice bytes, bedrock_text_fn on_text, void *arg, struct fault *why)
{
    b->on_text = on_text;
    b->arg = arg;
    if (!b->is_broken && eventstream_feed(b->frames, bytes, on_message, b, why)) return true;
    if (b->is_broken) *why = b->why;
    return false;
}

size_t bedrock_held_bytes(const struct bedrock *b)
{
    return eventstream_held_bytes(b->frames);
}
