#include "wire/dialect.h"

#include "base/utf8.h"
#include "wire/http.h"
#include "wire/translate/traits.h"

static const struct dialect *const dialects[] = {&dialect_anthropic, &dialect_responses, &dialect_gemini,
                                                &dialect_openai};
#define DIALECT_COUNT (sizeof dialects / sizeof dialects[0])

/* What accounts of each kind are spoken to in, its main dialect first; and, where that is another, about models that
 * Anthropic or Google publishes, or that answer in the Responses API alone, or others' clients better. Amazon's have
 * both ways to Anthropic's: their own API carries all of it, Converse does not (citations, server tools, cache markers'
 * place in a tool's result), so whoever asks goes to it. */
static const struct kind {
    struct slice name;
    const struct dialect *speaks[DIALECT_COUNT];
    const struct dialect *to_anthropics[DIALECT_COUNT], *to_googles[DIALECT_COUNT], *to_responders[DIALECT_COUNT];
    const struct dialect *to_better[DIALECT_COUNT];
} kinds[] = {
    {{"anthropic", 9}, {&dialect_anthropic}, {0}, {0}, {0}, {0}},
    {{"azure", 5}, {&dialect_openai, &dialect_responses}, {0}, {0}, {&dialect_responses}, {0}},
    {{"bedrock", 7}, {&dialect_converse}, {&dialect_anthropic}, {0}, {0}, {0}},
    {{"gemini", 6}, {&dialect_gemini}, {0}, {0}, {0}, {0}},
    {{"openai", 6},
     {&dialect_openai, &dialect_responses},
     {0},
     {0},
     {&dialect_responses},
     {&dialect_responses, &dialect_openai}},
    {{"openai_compatible", 17}, {&dialect_openai}, {0}, {0}, {0}, {0}},
    {{"openai_responses", 16}, {&dialect_responses}, {0}, {0}, {0}, {0}},
    {{"vertex", 6}, {&dialect_openai}, {&dialect_anthropic}, {&dialect_gemini}, {0}, {0}},
};

static const struct kind *find_kind(struct slice name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (slice_equal(name, kinds[i].name)) return &kinds[i];
    }
    return NULL;
}

const struct dialect *dialect_at(size_t index)
{
    return index < DIALECT_COUNT ? dialects[index] : NULL;
}

const struct dialect *dialect_find(struct slice name)
{
    for (size_t i = 0; i < DIALECT_COUNT; i++) {
        if (slice_equal(name, slice_str(dialects[i]->name))) return dialects[i];
    }
    return NULL;
}

bool dialect_has_kind(struct slice kind)
{
    return find_kind(kind) != NULL;
}

static const struct dialect *const *spoken_by(const struct kind *k, const struct traits *traits)
{
    enum trait_publisher publisher = traits ? traits->publisher : PUBLISHER_UNSAID;
    if (publisher == PUBLISHER_ANTHROPIC && k->to_anthropics[0]) return k->to_anthropics;
    enum trait_responses responses = traits ? traits->responses : RESPONSES_AS_ASKED;
    if (responses == RESPONSES_ALONE && k->to_responders[0]) return k->to_responders;
    if (responses == RESPONSES_TRANSLATED && k->to_better[0]) return k->to_better;
    return publisher == PUBLISHER_GOOGLE && k->to_googles[0] ? k->to_googles : k->speaks;
}

const struct dialect *dialect_for(struct slice kind, const struct traits *traits, const struct dialect *client)
{
    const struct kind *k = find_kind(kind);
    const struct dialect *const *speaks = k ? spoken_by(k, traits) : NULL;
    for (size_t i = 0; speaks && i < DIALECT_COUNT && speaks[i]; i++) {
        if (speaks[i] == client) return client;
    }
    return speaks ? speaks[0] : NULL;
}

const struct dialect *dialect_guess(const struct json_tape *tape, enum chat_kind *kind)
{
    for (size_t i = 0; i < DIALECT_COUNT; i++) {
        if (dialects[i]->guess(tape, kind)) return dialects[i];
    }
    return NULL;
}

static bool is_parameter(const struct dialect *dialect, struct slice parameter, struct arena *arena)
{
    struct slice value, wanted, said, name = slice_split(parameter, '=', &value);
    struct slice wanted_name = slice_split(dialect->query, '=', &wanted), read;
    if (!http_decode_segment(arena, name, &read) || !http_decode_segment(arena, value, &said)) return false;
    bool is_other = dialect->query_name.len && slice_equal(read, dialect->query_name);
    return (slice_equal(read, wanted_name) || is_other) && slice_iequal(said, wanted);
}

bool dialect_asks(const struct dialect *dialect, struct slice query)
{
    bool is_asked = false;
    struct arena arena;
    arena_init(&arena);
    while (query.len && dialect->query.len && !is_asked)
        is_asked = is_parameter(dialect, slice_split(query, '&', &query), &arena);
    arena_clear(&arena);
    return is_asked;
}

void dialect_stream_init(struct dialect_stream *stream, uint32_t choices)
{
    *stream = (struct dialect_stream){.choices_expected = choices ? choices : 1};
    usage_init(&stream->usage);
}

void dialect_finish_choice(struct dialect_stream *stream, int64_t index)
{
    if (index >= 0 && index < (int64_t)DIALECT_CHOICES_MAX) stream->finished[index / 64] |= (uint64_t)1 << index % 64;
}

struct dialect_error dialect_error_of(const struct fault *why)
{
    const struct fault_info *info = fault_info(why->code);
    return (struct dialect_error){
        .message = slice_str(fault_message(why)),
        .type = slice_str(info->type),
        .code = slice_str(info->code),
        .param = slice_str(why->param),
        .status = info->status,
    };
}

void dialect_copy_text(char *to, size_t size, const struct json_tape *tape, uint32_t string)
{
    struct arena arena;
    arena_init(&arena);
    struct slice text = utf8_cut(json_text(tape, string, &arena), size - 1);
    memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    arena_clear(&arena);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_done_marker(struct slice data)
{
    size_t from = 0, to = data.len;
    while (from < to && is_space(data.ptr[from]))
        from++;
    while (to > from && is_space(data.ptr[to - 1]))
        to--;
    return slice_equal(slice_of(data.ptr + from, to - from), SLICE("[DONE]"));
}

bool dialect_begin_event(struct said_reader *reader, struct dialect_stream *stream, struct slice name,
                         struct slice data, struct said *said)
{
    said_begin(reader, said, data);
    if (is_done_marker(data)) {
        stream->has_done = true;
        said->what = SAID_DONE;
        return false;
    }
    if (slice_equal(name, SLICE("error"))) {
        stream->has_error = true;
        said->what = SAID_ERROR;
    }
    return true;
}

void dialect_read_json(struct said_reader *reader, struct dialect_stream *stream, struct said *said,
                       dialect_object_fn read_object)
{
    struct fault why;
    bool is_json = json_parse(&reader->tape, said->json, &why),
         is_object = is_json && json_is(&reader->tape, 0, JSON_OBJECT);
    said->what |= is_object ? read_object(reader, stream) : SAID_UNREADABLE;
    if (is_json) said_end(reader, said);
}

/* Some servers write a byte order mark, which RFC 8259 lets readers pass over. */
void dialect_read_body(struct said_reader *reader, struct dialect_stream *stream, struct slice body, struct said *said,
                       dialect_object_fn read_object)
{
    bool has_mark = slice_starts(body, SLICE("\xEF\xBB\xBF"));
    said_begin(reader, said, has_mark ? slice_of(body.ptr + 3, body.len - 3) : body);
    dialect_read_json(reader, stream, said, read_object);
}

static size_t write_rate(struct arena *arena, const struct dialect_rate_form *form, const struct slice names[3],
                         const struct dialect_rate *rate, uint64_t now_ns, struct dialect_header *headers)
{
    uint64_t reset_ns = rate->reset_ns > now_ns ? rate->reset_ns : now_ns;
    if (rate->limit == 0) return 0;
    headers[0] = (struct dialect_header){names[0], arena_printf(arena, "%lld", (long long)rate->limit)};
    headers[1] = (struct dialect_header){names[1], arena_printf(arena, "%lld", (long long)rate->left)};
    headers[2] = (struct dialect_header){names[2], form->spell_reset(arena, reset_ns, now_ns)};
    return 3;
}

size_t dialect_write_rates(struct arena *arena, const struct dialect_rate_form *form,
                           const struct dialect_rates *rates, uint64_t now_ns, struct dialect_header *headers)
{
    size_t count = write_rate(arena, form, form->requests, &rates->requests, now_ns, headers);
    return count + write_rate(arena, form, form->tokens, &rates->tokens, now_ns, headers + count);
}
