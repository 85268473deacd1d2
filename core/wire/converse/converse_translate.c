/* Settings out of the hub, as Amazon's Converse API takes them. Source: Amazon Bedrock API reference, Converse
 * (InferenceConfiguration, OutputConfig, ServiceTier, requestMetadata); Amazon Bedrock user guide, inference parameters
 * of the models, for what goes there in additionalModelRequestFields. */
#include "wire/converse/converse_translate.h"

#include "wire/translate/schema.h"

#define METADATA_PAIRS 16u
#define METADATA_BYTES 256u /* of a name, and of a value */
#define STOPS_MAX 2500u

struct asking {
    struct writing w;
    struct thinking thinking;
    unsigned knobs; /* that are said: 1 << enum knob */
};

static const struct traits *traits_of(const struct asking *a)
{
    return a->w.target->traits;
}

static void drop(const struct asking *a, struct slice name)
{
    dropped_add(a->w.dropped, name);
}

/* A member that is an object, and what is inside it; an empty one is taken back. */
static size_t open_object(const struct asking *a, struct slice name)
{
    size_t before = buf_len(a->w.out);
    writing_name(&a->w, name);
    buf_append_char(a->w.out, '{');
    return before;
}

static void close_object(const struct asking *a, size_t before)
{
    if (buf_ptr(a->w.out)[buf_len(a->w.out) - 1] == '{')
        buf_shorten(a->w.out, before);
    else
        buf_append_char(a->w.out, '}');
}

/* --- what is settled first --- */

static double knob_of(const struct asking *a, enum knob knob)
{
    return json_to_double(a->w.c->tape, a->w.c->knobs[knob]);
}

static bool has_knob(const struct asking *a, enum knob knob)
{
    return a->w.c->knobs[knob] != JSON_NONE;
}

/* What says the same as nothing is not missed. */
static void drop_knob(const struct asking *a, enum knob knob, double usual)
{
    if (has_knob(a, knob) && knob_of(a, knob) != usual) drop(a, conversation_knob(a->w.c, knob));
}

static void settle_knobs(struct asking *a)
{
    a->knobs = thinking_knobs(&a->w, &a->thinking);
    if (traits_of(a)->top_k == TOP_K_NOWHERE) a->knobs &= ~(1u << KNOB_TOP_K);
    if (!(a->knobs & 1u << KNOB_TEMPERATURE)) drop_knob(a, KNOB_TEMPERATURE, 1);
    if (!(a->knobs & 1u << KNOB_TOP_P)) drop_knob(a, KNOB_TOP_P, 1);
    if (!(a->knobs & 1u << KNOB_TOP_K)) drop_knob(a, KNOB_TOP_K, -1);
    drop_knob(a, KNOB_FREQUENCY, 0);
    drop_knob(a, KNOB_PRESENCE, 0);
    if (has_knob(a, KNOB_SEED)) drop(a, conversation_knob(a->w.c, KNOB_SEED));
}

/* Where the effort is a field of the model's own. */
static void settle_depth(struct asking *a)
{
    enum effort wanted = a->w.c->effort;
    if (wanted == EFFORT_UNSAID) return;
    a->thinking.effort = writing_effort(&a->w, wanted == EFFORT_NONE ? EFFORT_NONE : EFFORT_MINIMAL);
}

static void settle(struct asking *a)
{
    thinking_settle_length(&a->w, 0, &a->thinking);
    if (traits_of(a)->depth != DEPTH_NOWHERE)
        settle_depth(a);
    else
        thinking_settle(&a->w, &a->thinking);
    settle_knobs(a);
}

/* --- inferenceConfig --- */

static void write_knob(const struct asking *a, enum knob knob, struct slice name)
{
    if (a->knobs & 1u << knob) writing_member(&a->w, name, json_raw(a->w.c->tape, a->w.c->knobs[knob]));
}

static void write_temperature(const struct asking *a)
{
    bool is_over = has_knob(a, KNOB_TEMPERATURE) && knob_of(a, KNOB_TEMPERATURE) > 1;
    if (!is_over) {
        write_knob(a, KNOB_TEMPERATURE, SLICE("temperature"));
    } else if (a->knobs & 1u << KNOB_TEMPERATURE) {
        writing_member(&a->w, SLICE("temperature"), SLICE("1"));
        drop(a, conversation_knob(a->w.c, KNOB_TEMPERATURE));
    }
}

/* Anthropic's models refuse blank ones. */
static bool is_stop(const struct asking *a, struct slice stop)
{
    return traits_of(a)->publisher == PUBLISHER_ANTHROPIC ? !writing_is_blank(stop) : stop.len > 2;
}

static void write_stops(const struct asking *a)
{
    const struct conversation *c = a->w.c;
    size_t most = traits_of(a)->has_no_stop ? 0 : STOPS_MAX, count = 0;
    for (size_t i = 0; i < c->stop_count; i++) {
        if (count == most || !is_stop(a, c->stops[i])) {
            drop(a, c->words->stop);
            continue;
        }
        if (!count++) {
            writing_name(&a->w, SLICE("stopSequences"));
            buf_append_char(a->w.out, '[');
        }
        writing_comma(&a->w);
        buf_append(a->w.out, c->stops[i]);
    }
    if (count) buf_append_char(a->w.out, ']');
}

/* Unsaid, an answer may be as long as the model's can be; what is to be thought has to be less than what is said. */
static void write_inference(const struct asking *a)
{
    bool has_length = a->w.c->max_tokens >= 0 || a->thinking.kind == THINKING_BUDGET;
    size_t before = open_object(a, SLICE("inferenceConfig"));
    if (has_length) writing_number(&a->w, SLICE("maxTokens"), a->thinking.max_tokens);
    write_temperature(a);
    write_knob(a, KNOB_TOP_P, SLICE("topP"));
    write_stops(a);
    close_object(a, before);
}

/* --- additionalModelRequestFields --- */

static void write_thinking(const struct asking *a)
{
    if (a->thinking.is_disabled) writing_member(&a->w, SLICE("thinking"), SLICE("{\"type\":\"disabled\"}"));
    if (a->thinking.kind == THINKING_ADAPTIVE)
        writing_member(&a->w, SLICE("thinking"), SLICE("{\"type\":\"adaptive\"}"));
    if (a->thinking.kind != THINKING_BUDGET) return;
    writing_name(&a->w, SLICE("thinking"));
    buf_printf(a->w.out, "{\"type\":\"enabled\",\"budget_tokens\":%lld}", (long long)a->thinking.tokens);
}

static void write_top_k(const struct asking *a)
{
    switch (traits_of(a)->top_k) {
    case TOP_K_NOWHERE: return;
    case TOP_K_AS_MEMBER: write_knob(a, KNOB_TOP_K, SLICE("top_k")); return;
    case TOP_K_IN_CONFIG: break;
    }
    size_t before = open_object(a, SLICE("inferenceConfig"));
    write_knob(a, KNOB_TOP_K, SLICE("topK"));
    close_object(a, before);
}

static void write_depth(const struct asking *a)
{
    struct slice word = effort_word(a->thinking.effort);
    if (a->thinking.effort == EFFORT_UNSAID) return;
    switch (traits_of(a)->depth) {
    case DEPTH_NOWHERE: return;
    case DEPTH_AS_EFFORT:
        writing_name(&a->w, SLICE("reasoning_effort"));
        buf_printf(a->w.out, "\"%.*s\"", SLICE_FMT(word));
        return;
    case DEPTH_IN_CONFIG: break;
    }
    writing_name(&a->w, SLICE("reasoningConfig"));
    if (a->thinking.effort == EFFORT_NONE)
        buf_append(a->w.out, SLICE("{\"type\":\"disabled\"}"));
    else
        buf_printf(a->w.out, "{\"type\":\"enabled\",\"maxReasoningEffort\":\"%.*s\"}", SLICE_FMT(word));
}

static void write_fields(const struct asking *a)
{
    size_t before = open_object(a, SLICE("additionalModelRequestFields"));
    write_thinking(a);
    write_top_k(a);
    write_depth(a);
    close_object(a, before);
}

/* --- outputConfig --- */

static bool carries_format(const struct conversation *c, const struct traits *traits)
{
    return c->format == FORMAT_TEXT || (c->format == FORMAT_SCHEMA && traits->has_schema);
}

/* The schema is a text there. */
static void write_schema(const struct asking *a)
{
    const struct conversation *c = a->w.c;
    struct buf schema;
    buf_init(&schema);
    schema_write_strict(c->tape, c->schema, &schema, a->w.dropped, c->words->format);
    writing_name(&a->w, SLICE("textFormat"));
    buf_append(a->w.out, SLICE("{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{\"schema\":"));
    buf_append_json(a->w.out, buf_slice(&schema));
    if (c->schema_name.len > 2) writing_member(&a->w, SLICE("name"), c->schema_name);
    buf_append(a->w.out, SLICE("}}}"));
    buf_clear(&schema);
}

static void write_output(const struct asking *a)
{
    size_t before = open_object(a, SLICE("outputConfig"));
    if (a->w.c->format == FORMAT_SCHEMA && traits_of(a)->has_schema) write_schema(a);
    if (a->thinking.effort != EFFORT_UNSAID && traits_of(a)->depth == DEPTH_NOWHERE) {
        writing_name(&a->w, SLICE("effort"));
        buf_printf(a->w.out, "\"%.*s\"", SLICE_FMT(effort_word(a->thinking.effort)));
    }
    close_object(a, before);
}

/* --- requestMetadata --- */

/* What was written: each name once. */
struct pairs {
    struct slice names[METADATA_PAIRS];
    size_t count;
};

/* Source: RequestMetadata, the pattern of its names and values. */
static bool is_metadata(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && (!c || !strchr(" :_@$#=/+,-.", c))) return false;
    }
    return text.len <= METADATA_BYTES;
}

static bool has_name(const struct pairs *pairs, struct slice name)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (slice_equal(pairs->names[i], name)) return true;
    }
    return false;
}

/* raw: both as JSON strings; name: what the first of them says. False: it has no place there. */
static bool write_pair(const struct asking *a, struct pairs *pairs, struct slice name, const struct slice raw[2])
{
    bool is_full = pairs->count == METADATA_PAIRS;
    if (is_full || !name.len || !is_metadata(name) || has_name(pairs, name)) return false;
    if (!is_metadata(json_decode(raw[1], a->w.c->arena))) return false;
    pairs->names[pairs->count++] = name;
    writing_comma(&a->w);
    buf_append(a->w.out, raw[0]);
    buf_append_char(a->w.out, ':');
    buf_append(a->w.out, raw[1]);
    return true;
}

static void write_label(const struct asking *a, struct pairs *pairs, uint32_t label)
{
    const struct conversation *c = a->w.c;
    struct slice raw[2] = {json_key(c->tape, label), json_raw(c->tape, label)}, name = json_decode(raw[0], c->arena);
    bool is_text = json_is(c->tape, label, JSON_STRING);
    if (!is_text || !write_pair(a, pairs, name, raw)) drop(a, arena_join(c->arena, SLICE("metadata."), name));
}

/* Who asks comes first, and what the caller calls by that name gives way. */
static void write_metadata(const struct asking *a)
{
    const struct conversation *c = a->w.c;
    struct pairs pairs = {.count = 0};
    const struct slice user[2] = {SLICE("\"user_id\""), c->user};
    size_t before = open_object(a, SLICE("requestMetadata"));
    if (c->user.len > 2 && !write_pair(a, &pairs, SLICE("user_id"), user)) drop(a, c->words->user);
    for (uint32_t n = c->labels == JSON_NONE ? JSON_NONE : json_first(c->tape, c->labels); n != JSON_NONE;
         n = json_next(c->tape, n))
        write_label(a, &pairs, n);
    close_object(a, before);
}

/* --- the rest --- */

/* "auto" leaves it to the provider, as not to say it does. */
static void write_tier(const struct asking *a)
{
    static const struct slice tiers[] = {[TIER_UNSAID] = {"", 0},
                                         [TIER_AUTO] = {"", 0},
                                         [TIER_STANDARD] = {"{\"type\":\"default\"}", 18},
                                         [TIER_FLEX] = {"{\"type\":\"flex\"}", 15},
                                         [TIER_PRIORITY] = {"{\"type\":\"priority\"}", 19}};
    writing_member(&a->w, SLICE("serviceTier"), tiers[a->w.c->tier]);
}

/* The model, and whether it is to be a stream, are in the path. */
static bool write(struct conversation *c, const struct translate_target *target, struct buf *out,
                  struct dropped *dropped, struct fault *why)
{
    struct asking a = {.w = {.c = c, .target = target, .out = out, .dropped = dropped, .why = why}};
    converse_take_turns(c, &a.w);
    if (!converse_has_form(&a.w)) return false;
    if (!carries_format(c, target->traits)) writing_hint_format(&a.w, c);
    settle(&a);
    buf_append_char(out, '{');
    write_inference(&a);
    converse_write_tools(&a.w, &a.thinking);
    converse_write_messages(&a.w);
    write_fields(&a);
    write_output(&a);
    write_metadata(&a);
    write_tier(&a);
    buf_append_char(out, '}');
    return true;
}

const struct request_translation converse_request_translation = {
    .write = write, .carries = CARRIES_LABELS | CARRIES_TIER};
