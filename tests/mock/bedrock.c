#include "bedrock.h"

#include <stdlib.h>
#include <string.h>

#include "anthropic.h"
#include "base/mem.h"
#include "converse.h"
#include "frames.h"
#include "signature.h"

/* ---- errors ---- */

static const char *type_of_status(int status)
{
    switch (status) {
    case 400: return "ValidationException";
    case 403: return "AccessDeniedException";
    case 404: return "ResourceNotFoundException";
    case 408: return "ModelTimeoutException";
    case 424: return "ModelErrorException";
    case 429: return "ThrottlingException";
    case 503: return "ServiceUnavailableException";
    default: return "InternalServerException";
    }
}

struct source *bedrock_error(int status, const char *type, const char *message)
{
    struct buf out;
    buf_init(&out);
    buf_append(&out, SLICE("{\"message\":"));
    buf_append_json(&out, slice_str(message));
    buf_append_char(&out, '}');
    struct source *s = source_of_bytes(status, "application/json", buf_slice(&out), 0);
    buf_printf(&s->headers, "x-amzn-RequestId: 11111111-2222-3333-4444-555555555555\r\nx-amzn-ErrorType: %s:http://"
               "internal.amazon.com/coral/com.amazon.bedrock/\r\n", type ? type : type_of_status(status));
    buf_clear(&out);
    return s;
}

static struct source *refuse(const char *message)
{
    return bedrock_error(400, NULL, message);
}

/* ---- what Anthropic's models stream, in chunks ---- */

struct framed {
    struct source base;
    struct source *inner; /* server-sent events */
};

/* Each event's data is one line. */
static struct slice data_of(struct slice event)
{
    const char *data = memmem(event.ptr, event.len, "data: ", 6);
    struct slice rest = slice_of(data + 6, event.len - (size_t)(data + 6 - event.ptr)), end;
    return slice_trim(slice_split(rest, '\n', &end));
}

/* The last one tells what the whole came to. */
static void append_event(struct buf *out, struct slice json, uint64_t tokens)
{
    struct buf whole;
    buf_init(&whole);
    if (memmem(json.ptr, json.len, "\"message_stop\"", 14)) {
        buf_append(&whole, slice_of(json.ptr, json.len - 1));
        buf_printf(&whole, ",\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":1,\"outputTokenCount\":%llu,"
                   "\"invocationLatency\":20,\"firstByteLatency\":10}}", (unsigned long long)tokens);
        json = buf_slice(&whole);
    }
    frames_append_chunk(out, json);
    buf_clear(&whole);
}

static bool framed_next(struct source *s, struct buf *out)
{
    struct framed *f = (struct framed *)s;
    struct buf event;
    buf_init(&event);
    bool has = source_next(f->inner, &event);
    s->tokens = f->inner->tokens;
    if (has) append_event(out, data_of(buf_slice(&event)), s->tokens);
    buf_clear(&event);
    return has;
}

static void framed_free(struct source *s)
{
    source_free(((struct framed *)s)->inner);
}

static void append_exception(struct buf *out, const char *type, const char *message)
{
    struct buf payload;
    buf_init(&payload);
    buf_append(&payload, SLICE("{\"message\":"));
    buf_append_json(&payload, slice_str(message));
    buf_append_char(&payload, '}');
    frames_append(out, "exception", type ? type : "modelStreamErrorException", buf_slice(&payload));
    buf_clear(&payload);
}

static void append_bad(struct buf *out)
{
    frames_append(out, "event", "chunk", SLICE("{\"bytes\":\"e30=\"}"));
    frames_break(out);
}

static struct source *framed(struct source *inner)
{
    struct framed *f = mem_zalloc(1, sizeof *f);
    f->base = (struct source){.next = framed_next, .free = framed_free, .status = 200, .is_stream = true,
                              .content_type = FRAMES_TYPE};
    f->inner = inner;
    return &f->base;
}

/* ---- what was asked ---- */

static bool is_known_preview(const char *name)
{
    static const char *const known[] = {"interleaved-thinking-2025-05-14", "context-1m-2025-08-07"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i]) == 0) return true;
    }
    return false;
}

static const char *fault_of(const json_t *body)
{
    const char *version = json_string_value(json_object_get(body, "anthropic_version"));
    size_t i;
    json_t *preview;
    if (!version || strcmp(version, "bedrock-2023-05-31") != 0) return "anthropic_version: Field required";
    if (json_object_get(body, "model")) return "Malformed input request: extraneous key [model] is not permitted";
    if (json_object_get(body, "stream")) return "Malformed input request: extraneous key [stream] is not permitted";
    json_array_foreach(json_object_get(body, "anthropic_beta"), i, preview)
    {
        if (!json_is_string(preview) || !is_known_preview(json_string_value(preview))) return "invalid beta flag";
    }
    return NULL;
}

static struct source *invoke(json_t *body, json_t *model, bool is_stream, const struct script *script)
{
    const char *fault = fault_of(body);
    if (fault) return refuse(fault);
    json_object_set(body, "model", model);
    json_object_set_new(body, "stream", json_boolean(is_stream));
    struct source *s = anthropic_answer(SLICE("/v1/messages"), body, script);
    return is_stream && s->status == 200 ? framed(s) : s;
}

/* Decoded; a slash or a colon that stands in it bare is one segment too many, or none of Amazon's. */
static json_t *model_of(struct slice segment)
{
    struct buf name;
    buf_init(&name);
    for (size_t i = 0; i < segment.len; i++) {
        char hex[3] = "";
        bool is_escape = segment.ptr[i] == '%' && i + 2 < segment.len;
        if (is_escape) memcpy(hex, segment.ptr + i + 1, 2);
        buf_append_char(&name, is_escape ? (char)strtol(hex, NULL, 16) : segment.ptr[i]);
        if (is_escape) i += 2;
    }
    json_t *model = json_stringn(buf_ptr(&name), buf_len(&name));
    buf_clear(&name);
    return model;
}

bool bedrock_is_path(struct slice path)
{
    return slice_starts(path, SLICE("/model/"));
}

static struct source *answer(struct slice verb, json_t *body, json_t *model, const struct script *script)
{
    bool is_stream = slice_equal(verb, SLICE("invoke-with-response-stream"));
    if (is_stream || slice_equal(verb, SLICE("invoke"))) return invoke(body, model, is_stream, script);
    is_stream = slice_equal(verb, SLICE("converse-stream"));
    if (is_stream || slice_equal(verb, SLICE("converse"))) return converse_answer(body, is_stream, script);
    return bedrock_error(404, "UnknownOperationException", "The operation is not known.");
}

struct source *bedrock_answer(const struct request *request, json_t *body, const struct script *script)
{
    struct slice verb, path = request->path;
    struct slice segment = slice_split(slice_of(path.ptr + 7, path.len - 7), '/', &verb);
    const char *fault = signature_is_one(request) ? signature_fault(request, time(NULL)) : NULL;
    if (fault) return bedrock_error(403, "InvalidSignatureException", fault);
    if (script->status != 200)
        return bedrock_error((int)script->status, script->error_type,
                             script->error_message ? script->error_message : "The mock was asked to fail.");
    if (!json_is_object(body)) return refuse("Malformed input request");
    json_t *model = model_of(segment);
    struct source *s = answer(verb, body, model, script);
    s->append_error = append_exception;
    s->append_bad = append_bad;
    json_decref(model);
    return s;
}
