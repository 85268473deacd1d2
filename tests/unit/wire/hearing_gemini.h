/*
 * A strict client of Gemini's API: the part of hearing.h that reads responses. Each event must say something, as
 * Google's libraries want it of a turn that they keep; the one with the finish reason is the last.
 */
#ifndef MOONGATE_TESTS_UNIT_HEARING_GEMINI_H
#define MOONGATE_TESTS_UNIT_HEARING_GEMINI_H

static inline int hearing_sextet(char c)
{
    static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(signs, c) : NULL;
    return at ? (int)(at - signs) : -1;
}

/* base64, padded; false: it is none. */
static inline bool hearing_base64(struct slice text, struct buf *out)
{
    if (text.len % 4) return false;
    for (size_t i = 0; i < text.len; i += 4) {
        int a = hearing_sextet(text.ptr[i]), b = hearing_sextet(text.ptr[i + 1]), c = hearing_sextet(text.ptr[i + 2]),
            d = hearing_sextet(text.ptr[i + 3]);
        bool is_last = i + 4 == text.len, has_c = text.ptr[i + 2] != '=', has_d = text.ptr[i + 3] != '=';
        if (a < 0 || b < 0 || (has_c && c < 0) || (has_d && (d < 0 || !has_c)) || (!is_last && !has_d)) return false;
        buf_append_char(out, (char)(a << 2 | b >> 4));
        if (has_c) buf_append_char(out, (char)((b & 15) << 4 | c >> 2));
        if (has_d) buf_append_char(out, (char)((c & 3) << 6 | d));
    }
    return true;
}

static inline void hearing_gemini_signature(struct hearing *h, json_t *part)
{
    static const struct slice begins[] = {{"moongate.signature.", 19}, {"moongate.redacted.", 18}};
    struct buf *to[] = {&h->signatures, &h->redacted};
    struct buf text;
    const char *coded = hearing_text(part, "thoughtSignature");
    bool is_known = false;
    buf_init(&text);
    hearing_must(h, hearing_base64(slice_str(coded), &text), "a signature that is no base64");
    for (int i = 0; i < 2; i++) {
        if (!slice_starts(buf_slice(&text), begins[i])) continue;
        is_known = true;
        buf_append(to[i], slice_of(buf_ptr(&text) + begins[i].len, buf_len(&text) - begins[i].len));
    }
    hearing_must(h, is_known, "a signature of nobody's");
    buf_clear(&text);
}

static inline void hearing_gemini_call(struct hearing *h, json_t *call)
{
    json_t *args = json_object_get(call, "args");
    hearing_must(h, hearing_has(call, "id"), "a call without an id");
    hearing_must(h, ORACLE_IS(args, OBJECT), "a call without args");
    int number = hearing_new_call(h, call);
    if (h->wrong) return;
    char *text = json_dumps(args, JSON_COMPACT);
    buf_append(&h->asked[number], slice_str(text ? text : "?"));
    free(text);
}

static inline void hearing_gemini_part(struct hearing *h, json_t *part, bool is_alone)
{
    json_t *call = json_object_get(part, "functionCall"), *text = json_object_get(part, "text");
    bool is_thought = ORACLE_IS(json_object_get(part, "thought"), TRUE);
    bool is_signed = json_object_get(part, "thoughtSignature") != NULL;
    hearing_must(h, (call != NULL) + (text != NULL || is_signed) == 1, "a part of no kind, or of two");
    if (text) hearing_must(h, json_string_length(text) > 0 || is_alone || h->is_masked, "an empty text");
    if (is_signed) hearing_must(h, is_thought, "a signature on what is no thought");
    hearing_add(is_thought ? &h->reasoning : &h->text, part, "text");
    if (is_signed) hearing_gemini_signature(h, part);
    if (call) hearing_gemini_call(h, call);
}

static inline void hearing_gemini_usage(struct hearing *h, json_t *usage)
{
    if (!usage) return;
    h->has_usage = true;
    h->input = hearing_number(usage, "promptTokenCount");
    h->thought = hearing_number(usage, "thoughtsTokenCount");
    h->output = hearing_number(usage, "candidatesTokenCount") + h->thought;
    h->cached = hearing_number(usage, "cachedContentTokenCount");
    hearing_must(h, hearing_number(usage, "totalTokenCount") == h->input + h->output, "the total is no sum");
}

static inline void hearing_gemini_response(struct hearing *h, json_t *root)
{
    json_t *candidates = json_object_get(root, "candidates"), *candidate = json_array_get(candidates, 0);
    json_t *content = json_object_get(candidate, "content"), *parts = json_object_get(content, "parts");
    const char *reason = hearing_text(candidate, "finishReason"), *id = hearing_text(root, "responseId");
    bool is_first = !h->has_begun;
    if (is_first) snprintf(h->id, sizeof h->id, "%s", id);
    if (is_first) snprintf(h->model, sizeof h->model, "%s", hearing_text(root, "modelVersion"));
    h->has_begun = true;
    hearing_must(h, id[0] && strncmp(h->id, id, sizeof h->id - 1) == 0, "another id");
    hearing_must(h, json_array_size(candidates) == 1 && hearing_number(candidate, "index") == 0, "not one candidate");
    hearing_must(h, strcmp(hearing_text(content, "role"), "model") == 0, "no role");
    hearing_must(h, json_array_size(parts) > 0, "no parts");
    for (size_t i = 0; i < json_array_size(parts); i++)
        hearing_gemini_part(h, json_array_get(parts, i), reason[0] && !buf_len(&h->text) && json_array_size(parts) == 1);
    hearing_gemini_usage(h, json_object_get(root, "usageMetadata"));
    if (!reason[0]) return;
    snprintf(h->reason, sizeof h->reason, "%s", reason);
    h->has_reason = true;
}

static inline void hearing_gemini_error(struct hearing *h, json_t *error)
{
    h->has_error = true;
    snprintf(h->error_type, sizeof h->error_type, "%s", hearing_text(error, "status"));
    snprintf(h->error_message, sizeof h->error_message, "%s", hearing_text(error, "message"));
    hearing_must(h, hearing_has(error, "status") && hearing_has(error, "message"), "an error without words");
    hearing_must(h, hearing_number(error, "code") >= 400, "an error without a code");
}

static inline void hearing_gemini_event(struct hearing *h, const struct sse_event *e)
{
    json_t *root = hearing_load(h, e->data);
    json_t *error = json_object_get(root, "error");
    hearing_must(h, !e->name.len, "a name");
    if (error) {
        hearing_gemini_error(h, error);
    } else if (root) {
        hearing_gemini_response(h, root);
        h->has_ended = h->has_reason;
        if (h->has_ended) hearing_end_calls(h);
    }
    json_decref(root);
}

static inline void hearing_gemini_body(struct hearing *h, json_t *root)
{
    hearing_gemini_response(h, root);
    hearing_must(h, h->reason[0], "no finish reason");
}

/* A stream as an array: what it holds is what events would. */
static inline void hearing_list(struct hearing *h, struct slice bytes)
{
    json_t *root = hearing_load(h, bytes);
    hearing_must(h, ORACLE_IS(root, ARRAY), "no array");
    for (size_t i = 0; i < json_array_size(root); i++) {
        char *text = json_dumps(json_array_get(root, i), JSON_COMPACT);
        struct sse_event event = {.raw = slice_str(text), .data = slice_str(text)};
        hearing_must(h, !h->has_ended && !h->has_error, "something behind the end");
        hearing_gemini_event(h, &event);
        free(text);
    }
    json_decref(root);
}

#endif
