/*
 * A chat completion for clients of the OpenAI API, in chunks and as one body.
 * Source: OpenAI API reference, the chat completion object and its chunks. Reasoning as DeepSeek and many others have
 * it (reasoning_content), and beside it as OpenRouter has it (reasoning_details), because that can hold what its
 * provider wants back: signatures, and what only it can read.
 */
#include "wire/openai/openai_answers.h"
#include "wire/translate/event.h"
#include "wire/translate/reported.h"

static void append_text(struct buf *out, const char *before, struct slice inside, const char *behind)
{
    buf_append(out, slice_str(before));
    buf_append(out, inside);
    buf_append(out, slice_str(behind));
}

/* Clients know a completion's id by its beginning. */
static void append_head(const struct openai_out *out, const struct delta *start, const char *object, struct buf *text)
{
    struct slice id = start->id.len ? start->id : out->manner->id;
    append_text(text, slice_starts(id, SLICE("chatcmpl-")) ? "{\"id\":\"" : "{\"id\":\"chatcmpl-", id, "\"");
    append_text(text, ",\"object\":\"", slice_str(object), "\",\"created\":");
    buf_printf(text, "%lld", (long long)out->manner->created);
    append_text(text, ",\"model\":\"", start->name, "\"");
}

static void append_usage(const struct usage *usage, struct buf *out)
{
    struct reported u = reported_of(usage);
    buf_printf(out,
               ",\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld,"
               "\"prompt_tokens_details\":{\"cached_tokens\":%lld,\"cache_write_tokens\":%lld}",
               (long long)u.input, (long long)u.output, (long long)(u.input + u.output), (long long)u.cached,
               (long long)u.written);
    if (u.has_reasoning)
        buf_printf(out, ",\"completion_tokens_details\":{\"reasoning_tokens\":%lld}", (long long)u.reasoning);
    buf_append_char(out, '}');
}

static void append_call(struct slice id, struct slice name, struct buf *out)
{
    append_text(out, "\"id\":\"", id, "\",\"type\":\"function\"");
    append_text(out, ",\"function\":{\"name\":\"", name, "\",\"arguments\":\"");
}

/* As they stand inside a string. */
static void append_arguments(const struct delta *arguments, struct buf *out)
{
    struct buf quoted;
    if (!arguments->is_json) {
        buf_append(out, arguments->lead);
        buf_append(out, arguments->text);
        return;
    }
    buf_init(&quoted);
    buf_append_json(&quoted, arguments->text);
    buf_append(out, slice_of(buf_ptr(&quoted) + 1, buf_len(&quoted) - 2));
    buf_clear(&quoted);
}

/* ---- chunks */

static struct buf *begin(struct openai_out *out)
{
    event_begin(&out->text, NULL);
    buf_append(&out->text, buf_slice(&out->head));
    return &out->text;
}

static struct buf *begin_delta(struct openai_out *out)
{
    struct buf *text = begin(out);
    buf_append(text, SLICE(",\"choices\":[{\"index\":0,\"delta\":{"));
    return text;
}

static bool send(struct openai_out *out)
{
    return event_end(&out->text, NULL, out->event, out->arg);
}

static bool send_delta(struct openai_out *out)
{
    buf_append(&out->text, SLICE("},\"finish_reason\":null}]}"));
    return send(out);
}

static bool start_chunks(struct openai_out *out, const struct delta *start)
{
    append_head(out, start, "chat.completion.chunk", &out->head);
    buf_append(begin_delta(out), SLICE("\"role\":\"assistant\",\"content\":\"\""));
    return send_delta(out);
}

static bool text_chunk(struct openai_out *out, enum openai_text kind, const struct delta *d)
{
    struct buf *text = begin_delta(out);
    append_text(text, kind == OPENAI_CONTENT ? "\"content\":\"" : "\"refusal\":\"", d->lead, "");
    append_text(text, "", d->text, "\"");
    return send_delta(out);
}

static void append_index(struct buf *text, uint32_t thought)
{
    buf_append(text, SLICE("\",\"index\":"));
    buf_append_u64(text, thought);
    buf_append(text, SLICE("}"));
}

static bool think_chunk(struct openai_out *out, uint32_t thought, const struct delta *d)
{
    struct buf *text = begin_delta(out);
    append_text(text, "\"reasoning_content\":\"", d->lead, "");
    append_text(text, "", d->text, "\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"");
    append_text(text, "", d->lead, "");
    buf_append(text, d->text);
    append_index(text, thought);
    buf_append_char(text, ']');
    return send_delta(out);
}

static bool sign_chunk(struct openai_out *out, uint32_t thought, struct slice signature)
{
    struct buf *text = begin_delta(out);
    append_text(text, "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"signature\":\"", signature, "");
    append_index(text, thought);
    buf_append_char(text, ']');
    return send_delta(out);
}

static bool redacted_chunk(struct openai_out *out, uint32_t thought, struct slice data)
{
    struct buf *text = begin_delta(out);
    append_text(text, "\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"data\":\"", data, "");
    append_index(text, thought);
    buf_append_char(text, ']');
    return send_delta(out);
}

static struct buf *begin_call(struct openai_out *out, uint32_t call)
{
    struct buf *text = begin_delta(out);
    buf_append(text, SLICE("\"tool_calls\":[{\"index\":"));
    buf_append_u64(text, call);
    buf_append_char(text, ',');
    return text;
}

static bool call_chunk(struct openai_out *out, uint32_t call, struct slice id, struct slice name)
{
    struct buf *text = begin_call(out, call);
    append_call(id, name, text);
    buf_append(text, SLICE("\"}}]"));
    return send_delta(out);
}

static bool ask_chunk(struct openai_out *out, uint32_t call, const struct delta *arguments)
{
    struct buf *text = begin_call(out, call);
    buf_append(text, SLICE("\"function\":{\"arguments\":\""));
    append_arguments(arguments, text);
    buf_append(text, SLICE("\"}}]"));
    return send_delta(out);
}

static bool finish_chunk(struct openai_out *out, const char *reason)
{
    struct buf *text = begin_delta(out);
    append_text(text, "},\"finish_reason\":\"", slice_str(reason), "\"}]}");
    return send(out);
}

/* What the provider did not count is not made up. */
static bool end_chunks(struct openai_out *out, const char *reason, const struct usage *usage)
{
    (void)reason; /* it has been told */
    if (out->manner->wants_usage && usage_is_known(usage)) {
        struct buf *text = begin(out);
        buf_append(text, SLICE(",\"choices\":[]"));
        append_usage(usage, text);
        buf_append_char(text, '}');
        if (!send(out)) return false;
    }
    event_begin(&out->text, NULL);
    buf_append(&out->text, SLICE("[DONE]"));
    return send(out);
}

const struct openai_form openai_chunks = {start_chunks, text_chunk, think_chunk,  sign_chunk, redacted_chunk,
                                          call_chunk,   ask_chunk,  finish_chunk, end_chunks};

/* ---- one body */

static bool start_body(struct openai_out *out, const struct delta *start)
{
    append_head(out, start, "chat.completion", &out->text);
    return true;
}

static bool keep_text(struct openai_out *out, enum openai_text kind, const struct delta *d)
{
    struct buf *text = kind == OPENAI_CONTENT ? &out->content : &out->refusal;
    if (kind == OPENAI_CONTENT) out->has_content = true;
    if (kind == OPENAI_REFUSAL) out->has_refusal = true;
    buf_append(text, d->lead);
    buf_append(text, d->text);
    return true;
}

static void close_detail(struct openai_out *out)
{
    if (out->open_detail) append_index(&out->details, out->open_detail - 1);
    out->open_detail = 0;
}

/* A list's next element, which stays open: more of the same thought may come. */
static void open_detail(struct openai_out *out, uint32_t thought, const char *head)
{
    close_detail(out);
    if (buf_len(&out->details)) buf_append_char(&out->details, ',');
    buf_append(&out->details, slice_str(head));
    out->open_detail = thought + 1;
}

static bool keep_thought(struct openai_out *out, uint32_t thought, const struct delta *d)
{
    out->has_reasoning = true;
    buf_append(&out->reasoning, d->lead);
    buf_append(&out->reasoning, d->text);
    if (out->open_detail != thought + 1)
        open_detail(out, thought, "{\"type\":\"reasoning.text\",\"text\":\"");
    buf_append(&out->details, d->lead);
    buf_append(&out->details, d->text);
    return true;
}

static bool keep_signature(struct openai_out *out, uint32_t thought, struct slice signature)
{
    if (out->open_detail == thought + 1)
        buf_append(&out->details, SLICE("\",\"signature\":\""));
    else
        open_detail(out, thought, "{\"type\":\"reasoning.text\",\"signature\":\"");
    buf_append(&out->details, signature);
    close_detail(out);
    return true;
}

static bool keep_redacted(struct openai_out *out, uint32_t thought, struct slice data)
{
    open_detail(out, thought, "{\"type\":\"reasoning.encrypted\",\"data\":\"");
    buf_append(&out->details, data);
    close_detail(out);
    return true;
}

static bool keep_call(struct openai_out *out, uint32_t call, struct slice id, struct slice name)
{
    buf_append(&out->calls, call ? SLICE("\"}},{") : SLICE("{"));
    append_call(id, name, &out->calls);
    return true;
}

static bool keep_arguments(struct openai_out *out, uint32_t call, const struct delta *arguments)
{
    (void)call; /* the last one */
    append_arguments(arguments, &out->calls);
    return true;
}

static bool finish_body(struct openai_out *out, const char *reason)
{
    (void)out, (void)reason; /* the end says it */
    return true;
}

static void append_member(struct buf *text, const char *before, bool is_there, const struct buf *inside)
{
    if (is_there)
        append_text(text, before, buf_slice(inside), "\"");
}

/* Without a word of the model's, null where it called tools or said no, else an empty text. */
static void append_message(struct openai_out *out)
{
    struct buf *text = &out->text;
    bool is_null = !out->has_content && (buf_len(&out->calls) || out->has_refusal);
    buf_append(text, SLICE(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\""));
    if (is_null)
        buf_append(text, SLICE(",\"content\":null"));
    else
        append_member(text, ",\"content\":\"", true, &out->content);
    if (out->has_refusal)
        append_member(text, ",\"refusal\":\"", true, &out->refusal);
    else
        buf_append(text, SLICE(",\"refusal\":null"));
    append_member(text, ",\"reasoning_content\":\"", out->has_reasoning, &out->reasoning);
    close_detail(out);
    if (buf_len(&out->details)) append_text(text, ",\"reasoning_details\":[", buf_slice(&out->details), "]");
    if (buf_len(&out->calls)) append_text(text, ",\"tool_calls\":[", buf_slice(&out->calls), "\"}}]");
}

static bool end_body(struct openai_out *out, const char *reason, const struct usage *usage)
{
    append_message(out);
    append_text(&out->text, "},\"logprobs\":null,\"finish_reason\":\"", slice_str(reason), "\"}]");
    if (usage_is_known(usage)) append_usage(usage, &out->text);
    buf_append_char(&out->text, '}');
    return event_body(&out->text, out->event, out->arg);
}

const struct openai_form openai_body = {start_body, keep_text,      keep_thought, keep_signature, keep_redacted,
                                        keep_call,  keep_arguments, finish_body,  end_body};
