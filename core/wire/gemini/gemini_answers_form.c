/*
 * A response for Gemini's clients, as the events of a stream and as one body.
 *
 * Its streams have no end marker: the event that has the finish reason is their end, so it waits for the provider's.
 * Libraries keep a turn only where each of its events says something, that one too: it has in it the last character
 * that was said or thought, or the last call or signature, which are held for that.
 * Source: Gemini API reference, GenerateContentResponse; Google's libraries for Python and JavaScript (chats).
 */
#include "wire/gemini/gemini_told.h"
#include "wire/translate/event.h"
#include "wire/translate/reported.h"

static void append_text(struct buf *out, const char *before, struct slice inside, const char *behind)
{
    buf_append(out, slice_str(before));
    buf_append(out, inside);
    buf_append(out, slice_str(behind));
}

void gemini_out_begin(struct gemini_out *out, const struct delta *start)
{
    buf_reset(&out->tail);
    if (start->name.len) append_text(&out->tail, ",\"modelVersion\":\"", start->name, "\"");
    append_text(&out->tail, ",\"responseId\":\"", start->id.len ? start->id : out->manner->id, "\"}");
}

void gemini_out_clear(struct gemini_out *out)
{
    buf_clear(&out->text);
    buf_clear(&out->tail);
    buf_clear(&out->parts);
    buf_clear(&out->held);
}

/* What was thought is beside what was said there. */
static void append_usage(struct buf *out, const struct usage *usage)
{
    struct reported u = reported_of(usage);
    if (!u.is_known) return;
    buf_printf(out,
               ",\"usageMetadata\":{\"promptTokenCount\":%lld,\"candidatesTokenCount\":%lld,"
               "\"totalTokenCount\":%lld",
               (long long)u.input, (long long)(u.output > u.reasoning ? u.output - u.reasoning : 0),
               (long long)(u.input + u.output));
    if (u.cached) buf_printf(out, ",\"cachedContentTokenCount\":%lld", (long long)u.cached);
    if (u.has_reasoning) buf_printf(out, ",\"thoughtsTokenCount\":%lld", (long long)u.reasoning);
    buf_append_char(out, '}');
}

static void append_head(struct buf *out)
{
    buf_append(out, SLICE("{\"candidates\":[{\"content\":{\"parts\":["));
}

static void append_end(struct gemini_out *out, const char *reason, const struct usage *usage)
{
    buf_append(&out->text, SLICE("],\"role\":\"model\"}"));
    if (reason) append_text(&out->text, ",\"finishReason\":\"", slice_str(reason), "\"");
    buf_append(&out->text, SLICE(",\"index\":0}]"));
    if (usage) append_usage(&out->text, usage);
    buf_append(&out->text, buf_slice(&out->tail));
}

/* In one line, for events have one: an object's blanks may be line ends. */
static void append_object(struct buf *out, struct slice json)
{
    for (size_t i = 0; i < json.len; i++)
        buf_append_char(out, json.ptr[i] == '\n' || json.ptr[i] == '\r' ? ' ' : json.ptr[i]);
}

static void append_call(struct buf *out, struct slice id, struct slice name, struct slice args)
{
    append_text(out, "{\"functionCall\":{\"id\":\"", id, "\"");
    append_text(out, ",\"name\":\"", name, "\",\"args\":");
    append_object(out, args);
    buf_append(out, SLICE("}}"));
}

/* ---- events */

static bool send(struct gemini_out *out, const char *reason, const struct usage *usage)
{
    append_end(out, reason, usage);
    return event_end(&out->text, NULL, out->event, out->arg);
}

static struct buf *begin(struct gemini_out *out)
{
    event_begin(&out->text, NULL);
    append_head(&out->text);
    return &out->text;
}

static void append_part(struct buf *out, enum gemini_text kind, struct slice text)
{
    append_text(out, "{\"text\":\"", text, kind == GEMINI_THOUGHT ? "\",\"thought\":true}" : "\"}");
}

static void append_held(struct gemini_out *out)
{
    if (out->holds == GEMINI_PART)
        buf_append(&out->text, buf_slice(&out->held));
    else
        append_part(&out->text, out->holds, buf_slice(&out->held));
    buf_reset(&out->held);
    out->holds = GEMINI_NOTHING;
}

static bool send_held(struct gemini_out *out)
{
    if (!buf_len(&out->held)) return true;
    begin(out);
    append_held(out);
    return send(out, NULL, NULL);
}

static bool is_half(struct slice text, size_t at)
{
    return text.len - at >= 6 && text.ptr[at + 1] == 'u' && (text.ptr[at + 2] | 0x20) == 'd' &&
           strchr("89abAB", text.ptr[at + 3]);
}

/* Bytes of the character at a place of a text inside a JSON string, escapes as they stand. */
static size_t character_len(struct slice text, size_t at)
{
    unsigned char c = (unsigned char)text.ptr[at];
    size_t len = c == '\\' ? (text.len - at > 1 && text.ptr[at + 1] == 'u' ? 6 : 2) : c < 0x80 ? 1 : c < 0xE0 ? 2
                                                                                     : c < 0xF0 ? 3 : 4;
    if (c == '\\' && is_half(text, at)) len = 12;
    return len < text.len - at ? len : text.len - at;
}

/* Where its last character begins. */
static size_t last_of(struct slice text)
{
    size_t last = 0;
    for (size_t at = 0; at < text.len; at += character_len(text, at))
        last = at;
    return last;
}

static bool say_event(struct gemini_out *out, enum gemini_text kind, uint32_t part, struct slice lead,
                      struct slice text)
{
    (void)part;
    if (out->holds != kind && !send_held(out)) return false;
    out->holds = kind;
    buf_append(&out->held, lead);
    buf_append(&out->held, text);
    struct slice all = buf_slice(&out->held);
    size_t last = last_of(all);
    if (!last) return true;
    append_part(begin(out), kind, slice_of(all.ptr, last));
    buf_consume(&out->held, last);
    return send(out, NULL, NULL);
}

static bool sign_event(struct gemini_out *out, uint32_t part, struct slice signature)
{
    (void)part;
    if (!send_held(out)) return false;
    append_text(&out->held, "{\"thought\":true,\"thoughtSignature\":\"", signature, "\"}");
    out->holds = GEMINI_PART;
    return true;
}

static bool call_event(struct gemini_out *out, struct slice id, struct slice name, struct slice args)
{
    if (!send_held(out)) return false;
    append_call(&out->held, id, name, args);
    out->holds = GEMINI_PART;
    return true;
}

/* Of nothing at all the text is empty, and no thought. */
static bool end_events(struct gemini_out *out, const char *reason, const struct usage *usage)
{
    if (!buf_len(&out->held)) out->holds = GEMINI_NOTHING;
    begin(out);
    append_held(out);
    return send(out, reason, usage);
}

const struct gemini_form gemini_events = {say_event, sign_event, call_event, end_events, send_held};

/* ---- one body */

static void close_part(struct gemini_out *out)
{
    if (out->open == GEMINI_SAID) buf_append(&out->parts, SLICE("\"}"));
    if (out->open == GEMINI_THOUGHT) buf_append(&out->parts, SLICE("\",\"thought\":true}"));
    out->open = GEMINI_NOTHING;
}

static void next_part(struct gemini_out *out)
{
    close_part(out);
    if (buf_len(&out->parts)) buf_append_char(&out->parts, ',');
}

static bool say_body(struct gemini_out *out, enum gemini_text kind, uint32_t part, struct slice lead,
                     struct slice text)
{
    if (out->open != kind || out->part != part) {
        next_part(out);
        buf_append(&out->parts, SLICE("{\"text\":\""));
        out->open = kind;
        out->part = part;
    }
    buf_append(&out->parts, lead);
    buf_append(&out->parts, text);
    return true;
}

/* With the thought that it is of, where that stands in front of it. */
static bool sign_body(struct gemini_out *out, uint32_t part, struct slice signature)
{
    bool is_of_open = out->open == GEMINI_THOUGHT && out->part == part;
    if (!is_of_open) next_part(out);
    append_text(&out->parts, is_of_open ? "\",\"thought\":true,\"thoughtSignature\":\"" :
                                          "{\"thought\":true,\"thoughtSignature\":\"", signature, "\"}");
    out->open = GEMINI_NOTHING;
    return true;
}

static bool call_body(struct gemini_out *out, struct slice id, struct slice name, struct slice args)
{
    next_part(out);
    append_call(&out->parts, id, name, args);
    return true;
}

static bool end_body(struct gemini_out *out, const char *reason, const struct usage *usage)
{
    close_part(out);
    append_head(&out->text);
    buf_append(&out->text, buf_len(&out->parts) ? buf_slice(&out->parts) : SLICE("{\"text\":\"\"}"));
    append_end(out, reason, usage);
    return event_body(&out->text, out->event, out->arg);
}

/* Half a body is none. */
static bool cut_body(struct gemini_out *out)
{
    (void)out;
    return true;
}

const struct gemini_form gemini_body = {say_body, sign_body, call_body, end_body, cut_body};
