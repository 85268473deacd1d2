/*
 * The dialect of the OpenAI API, and of the many providers that speak it more or less.
 * Source: OpenAI API reference, chat, completions, embeddings; what providers were seen to send.
 */
#include "wire/dialect.h"

#include "base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CHOICES_MAX 128u /* bits in dialect_stream.finished; the API allows n up to 128 */

static const char *path(enum chat_kind kind)
{
    switch (kind) {
    case CHAT_CHAT: return "/chat/completions";
    case CHAT_COMPLETIONS: return "/completions";
    case CHAT_EMBEDDINGS: return "/embeddings";
    }
    return "";
}

/* Decoded, cut at a character, NUL-terminated. */
static void copy_text(char *to, size_t size, const struct json_tape *tape, uint32_t string)
{
    struct arena arena;
    arena_init(&arena);
    struct slice text = utf8_cut(json_text(tape, string, &arena), size - 1);
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    arena_clear(&arena);
}

/* What JavaScript's `if (value)` sees: the official client raises any such "error". */
static bool is_truthy(const struct json_tape *tape, uint32_t node)
{
    if (node == JSON_NONE) return false;
    switch (json_type(tape, node)) {
    case JSON_NULL:
    case JSON_FALSE: return false;
    case JSON_NUMBER: return json_to_double(tape, node) != 0;
    case JSON_STRING: return json_raw(tape, node).len > 2;
    case JSON_TRUE:
    case JSON_ARRAY:
    case JSON_OBJECT: return true;
    }
    return false;
}

static bool read_finish(struct dialect_stream *stream, const struct json_tape *tape, uint32_t choice, uint32_t place)
{
    uint32_t reason = json_get(tape, choice, SLICE("finish_reason"));
    if (!json_is(tape, reason, JSON_STRING)) return false;
    uint32_t number = json_get(tape, choice, SLICE("index"));
    int64_t index = place;
    if (json_is(tape, number, JSON_NUMBER)) json_to_i64(tape, number, &index);
    copy_text(stream->finish_reason, sizeof stream->finish_reason, tape, reason);
    if (index >= 0 && index < CHOICES_MAX) stream->finished[index / 64] |= (uint64_t)1 << index % 64;
    return true;
}

static unsigned read_choices(struct dialect_stream *stream, const struct json_tape *tape, uint32_t choices)
{
    unsigned what = 0;
    uint32_t place = 0;
    if (!json_is(tape, choices, JSON_ARRAY)) return 0;
    for (uint32_t n = json_first(tape, choices); n != JSON_NONE; n = json_next(tape, n), place++) {
        if (read_finish(stream, tape, n, place)) what |= DIALECT_FINISHED;
    }
    return what;
}

/* Members that may go with a usage chunk that is left out. What else a chunk without choices holds (Azure's
 * prompt_filter_results, a search provider's citations) is content: then it stays. */
static bool is_plain_member(const struct json_tape *tape, uint32_t member)
{
    static const struct slice containers[] = {{"choices", 7}, {"usage", 5}, {"x_groq", 6}, {"usage_breakdown", 15}};
    if (json_type(tape, member) < JSON_ARRAY || json_first(tape, member) == JSON_NONE) return true;
    for (size_t i = 0; i < sizeof containers / sizeof containers[0]; i++) {
        if (json_key_is(tape, member, containers[i])) return true;
    }
    return false;
}

static bool is_usage_only(const struct json_tape *tape)
{
    uint32_t choices = json_get(tape, 0, SLICE("choices"));
    if (!json_is(tape, choices, JSON_ARRAY) || json_first(tape, choices) != JSON_NONE) return false;
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        if (!is_plain_member(tape, n)) return false;
    }
    return true;
}

/* One chunk of a stream, or a whole answer: they are alike in all that is read here. */
static unsigned read_object(struct dialect_stream *stream, const struct json_tape *tape)
{
    uint32_t model = json_get(tape, 0, SLICE("model"));
    unsigned what = read_choices(stream, tape, json_get(tape, 0, SLICE("choices")));
    bool has_usage = usage_read(&stream->usage, USAGE_SHAPE_OPENAI, tape);
    if (!stream->model[0] && json_is(tape, model, JSON_STRING)) {
        copy_text(stream->model, sizeof stream->model, tape, model);
    }
    if (is_truthy(tape, json_get(tape, 0, SLICE("error"))) ||
        json_text_is(tape, json_get(tape, 0, SLICE("object")), SLICE("error"))) {
        stream->has_error = true;
        what |= DIALECT_ERROR;
    } else if (has_usage && is_usage_only(tape)) {
        what |= DIALECT_USAGE_ONLY;
    }
    return what;
}

static bool inspect_body(struct dialect_stream *stream, struct slice body)
{
    struct json_tape tape;
    struct fault why;
    json_init(&tape);
    bool is_object = json_parse(&tape, body, &why) && json_is(&tape, 0, JSON_OBJECT);
    if (is_object) read_object(stream, &tape);
    json_clear(&tape);
    return is_object;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice skip_space(struct slice s)
{
    while (s.len && is_space(s.ptr[0]))
        s = slice_of(s.ptr + 1, s.len - 1);
    return s;
}

/* s begins behind the quote of a possible key: is it `name": ` and anything but null? A value of that name, or the
 * name inside a string, may pass: then the event is read in vain. */
static bool is_set_key(struct slice s, struct slice name)
{
    if (!slice_starts(s, name)) return false;
    s = skip_space(slice_of(s.ptr + name.len, s.len - name.len));
    if (!s.len || s.ptr[0] != ':') return true;
    return !slice_starts(skip_space(slice_of(s.ptr + 1, s.len - 1)), SLICE("null"));
}

/* s begins at a quote or backslash. A key can hide a letter or underscore from a search for its bytes only as \u004x to
 * \u007x: the short escapes spell neither. */
static bool is_of_note(struct slice s)
{
    struct slice rest = slice_of(s.ptr + 1, s.len - 1);
    if (s.ptr[0] == '\\') return s.len >= 6 && slice_starts(rest, SLICE("u00")) && s.ptr[4] >= '4' && s.ptr[4] <= '7';
    return is_set_key(rest, SLICE("usage\"")) || is_set_key(rest, SLICE("error\"")) ||
           is_set_key(rest, SLICE("finish_reason\""));
}

static bool may_begin_note(const char *p)
{
    return p[0] == '"' ? p[1] == 'u' || p[1] == 'e' || p[1] == 'f' : p[0] == '\\' && p[1] == 'u';
}

/*
 * Whether the event can tell anything: a usage, an error or a finish reason that is not null. One look at the bytes, a
 * quarter of what parsing costs, and most events of a stream end here. It never misses one; see is_of_note().
 */
static bool may_tell(struct slice data)
{
    size_t at = 0;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i u = _mm_set1_epi8('u'), e = _mm_set1_epi8('e'), f = _mm_set1_epi8('f');
    for (; data.len - at >= 17; at += 16) {
        __m128i now = _mm_loadu_si128((const __m128i *)(const void *)(data.ptr + at));
        __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(data.ptr + at + 1));
        __m128i is_u = _mm_cmpeq_epi8(next, u);
        __m128i letters = _mm_or_si128(is_u, _mm_or_si128(_mm_cmpeq_epi8(next, e), _mm_cmpeq_epi8(next, f)));
        __m128i hits = _mm_or_si128(_mm_and_si128(_mm_cmpeq_epi8(now, quote), letters),
                                    _mm_and_si128(_mm_cmpeq_epi8(now, backslash), is_u));
        for (unsigned mask = (unsigned)_mm_movemask_epi8(hits); mask; mask &= mask - 1) {
            size_t hit = at + (size_t)__builtin_ctz(mask);
            if (is_of_note(slice_of(data.ptr + hit, data.len - hit))) return true;
        }
    }
#endif
    for (; at + 1 < data.len; at++) {
        if (may_begin_note(data.ptr + at) && is_of_note(slice_of(data.ptr + at, data.len - at))) return true;
    }
    return false;
}

/* The outside of an object: what a truncated or foreign event mostly lacks. Only reading it shows all that is wrong. */
static bool looks_like_object(struct slice data)
{
    if (data.len < 2 || data.ptr[0] != '{' || data.ptr[data.len - 1] != '}') return false;
    struct slice inside = skip_space(slice_of(data.ptr + 1, data.len - 1));
    return inside.ptr[0] == '"' || inside.ptr[0] == '}';
}

static struct slice trim(struct slice data)
{
    data = skip_space(data);
    while (data.len && is_space(data.ptr[data.len - 1]))
        data.len--;
    return data;
}

static unsigned inspect_event(struct dialect_stream *stream, struct slice name, struct slice data)
{
    struct json_tape tape;
    struct fault why;
    unsigned what = 0;
    data = trim(data);
    if (slice_equal(data, SLICE("[DONE]"))) {
        stream->has_done = true;
        return DIALECT_DONE;
    }
    /* Groq ends a stream with an event of this name; the client's library raises it whatever is in it. */
    if (slice_equal(name, SLICE("error"))) {
        stream->has_error = true;
        what = DIALECT_ERROR;
    }
    if (stream->model[0] && looks_like_object(data) && !may_tell(data)) return what;
    json_init(&tape);
    if (json_parse(&tape, data, &why) && json_is(&tape, 0, JSON_OBJECT)) {
        what |= read_object(stream, &tape);
    } else {
        what |= DIALECT_UNREADABLE;
    }
    json_clear(&tape);
    return what;
}

static enum dialect_end judge_end(const struct dialect_stream *stream)
{
    uint32_t finished = (uint32_t)__builtin_popcountll(stream->finished[0]);
    uint32_t expected = stream->choices_expected < CHOICES_MAX ? stream->choices_expected : CHOICES_MAX;
    finished += (uint32_t)__builtin_popcountll(stream->finished[1]);
    if (stream->has_error) return DIALECT_FAILED;
    if (stream->has_done) return DIALECT_COMPLETE;
    return finished >= expected ? DIALECT_COMPLETE_UNMARKED : DIALECT_CUT;
}

static void write_member(struct buf *out, const char *name, struct slice value)
{
    buf_printf(out, ",\"%s\":", name);
    if (value.len) {
        buf_append_json(out, value);
    } else {
        buf_append(out, SLICE("null"));
    }
}

static void write_body_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("{\"error\":{\"message\":"));
    buf_append_json(out, error->message);
    write_member(out, "type", error->type);
    write_member(out, "param", error->param);
    write_member(out, "code", error->code);
    write_member(out, "request_id", error->request_id);
    if (error->policy.len) write_member(out, "policy", error->policy);
    if (error->rule.len) write_member(out, "rule", error->rule);
    buf_append(out, SLICE("}}"));
}

/* No `event: error`: the client raises any data with a truthy "error", and with its fields only then. */
static void write_event_error(struct buf *out, const struct dialect_error *error)
{
    buf_append(out, SLICE("data: "));
    write_body_error(out, error);
    buf_append(out, SLICE("\n\n"));
}

const struct dialect dialect_openai = {
    .kind = "openai",
    .path = path,
    .inspect_body = inspect_body,
    .inspect_event = inspect_event,
    .each_text = openai_each_text,
    .judge_end = judge_end,
    .write_event_error = write_event_error,
    .write_body_error = write_body_error,
};
