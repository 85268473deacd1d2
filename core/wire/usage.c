#include "wire/usage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "wire/usage_shapes.h"

void usage_init(struct usage *u)
{
    *u = (struct usage){
        .input_tokens = USAGE_UNKNOWN,
        .output_tokens = USAGE_UNKNOWN,
        .total_tokens = USAGE_UNKNOWN,
        .cached_tokens = USAGE_UNKNOWN,
        .cache_write_tokens = USAGE_UNKNOWN,
        .reasoning_tokens = USAGE_UNKNOWN,
        .audio_input_tokens = USAGE_UNKNOWN,
        .audio_output_tokens = USAGE_UNKNOWN,
        .cache_write_5m_tokens = USAGE_UNKNOWN,
        .cache_write_1h_tokens = USAGE_UNKNOWN,
        .image_input_tokens = USAGE_UNKNOWN,
        .video_input_tokens = USAGE_UNKNOWN,
        .image_output_tokens = USAGE_UNKNOWN,
        .cached_audio_tokens = USAGE_UNKNOWN,
        .cached_image_tokens = USAGE_UNKNOWN,
        .tool_tokens = USAGE_UNKNOWN,
        .tool_audio_tokens = USAGE_UNKNOWN,
        .tool_image_tokens = USAGE_UNKNOWN,
        .images = USAGE_UNKNOWN,
        .web_searches = USAGE_UNKNOWN,
        .x_searches = USAGE_UNKNOWN,
        .file_searches = USAGE_UNKNOWN,
        .code_runs = USAGE_UNKNOWN,
        .seconds = USAGE_UNKNOWN,
    };
}

static uint32_t unless_null(const struct json_tape *tape, uint32_t node)
{
    return json_is(tape, node, JSON_NULL) ? JSON_NONE : node;
}

/* The last member of that name that is not null: what it is for a client that lets later ones win. Two of a name are no
 * report to rely on. */
static uint32_t member_of_many(struct usage *u, const struct json_tape *tape, uint32_t object, struct slice name)
{
    uint32_t found = JSON_NONE;
    unsigned seen = 0, count = 0;
    for (uint32_t n = json_first(tape, object); n != JSON_NONE; n = json_next(tape, n)) {
        if (++seen > LIMIT_USAGE_MEMBERS) {
            u->is_malformed = true;
            return JSON_NONE;
        }
        if (!json_key_is(tape, n, name)) continue;
        if (!json_is(tape, n, JSON_NULL)) found = n;
        count++;
    }
    if (count > 1) u->is_malformed = true;
    return found;
}

/* The same, quickly where there are few members and one of that name at most: every chunk of a stream is asked. */
static uint32_t member(struct usage *u, const struct json_tape *tape, uint32_t object, struct slice name)
{
    if (!json_is(tape, object, JSON_OBJECT)) return JSON_NONE;
    if (json_after(tape, object) - object > LIMIT_USAGE_MEMBERS) return member_of_many(u, tape, object, name);
    uint32_t found = json_get(tape, object, name);
    bool is_alone = found == JSON_NONE || json_get_behind(tape, object, found, name) == JSON_NONE;
    return is_alone ? unless_null(tape, found) : member_of_many(u, tape, object, name);
}

static uint32_t follow(struct usage *u, const struct json_tape *tape, uint32_t node, const char *path)
{
    struct slice rest = slice_str(path);
    while (rest.len && node != JSON_NONE) {
        if (json_is(tape, node, JSON_ARRAY)) node = json_first(tape, node);
        node = member(u, tape, node, slice_split(rest, '.', &rest));
    }
    return node;
}

/* Mostly it is not, which is seen quickly: chunks come by the thousand. */
static bool is_there(const struct json_tape *tape, uint32_t node, const char *path)
{
    struct slice rest = slice_str(path);
    while (rest.len && node != JSON_NONE) {
        if (json_is(tape, node, JSON_ARRAY)) node = json_first(tape, node);
        node = json_get(tape, node, slice_split(rest, '.', &rest));
    }
    return node != JSON_NONE;
}

/* Some write 12.0, or 1e3. */
static bool to_integer(const struct json_tape *tape, uint32_t node, int64_t *value)
{
    if (!json_is(tape, node, JSON_NUMBER)) return false;
    if (json_to_i64(tape, node, value)) return true;
    double number = json_to_double(tape, node);
    if (!(number >= 0 && number <= (double)USAGE_TOKENS_MAX) || number != floor(number)) return false;
    *value = (int64_t)number;
    return true;
}

static void take_count(struct usage *u, int64_t *count, const struct json_tape *tape, uint32_t node)
{
    int64_t value;
    if (to_integer(tape, node, &value) && value >= 0 && value <= USAGE_TOKENS_MAX) {
        if (value || *count == USAGE_UNKNOWN) *count = value; /* what was spent stays spent: some end with zeros */
    } else {
        u->is_malformed = true;
    }
}

#define ANY_NAME UINT64_MAX

/* Of a usage object, or one inside; looked up when a member of it is asked for. */
struct usage_object {
    bool is_known;
    bool is_plain; /* no two names are the same */
    uint32_t node; /* JSON_NONE: it is not there */
    uint64_t prints;
};

/* One of 64 bits by which names are told apart: most that a form asks for are not there,
 * and most that are there differ. */
static uint64_t print_of(struct slice name)
{
    size_t sum = name.len;
    if (name.len) sum += 5 * (unsigned char)name.ptr[0] + 11 * (unsigned char)name.ptr[name.len - 1];
    return (uint64_t)1 << sum % 64;
}

static void look_at(struct usage_object *object, const struct json_tape *tape, uint32_t node)
{
    unsigned seen = 0;
    *object = (struct usage_object){.is_known = true, .is_plain = true, .node = node};
    if (!json_is(tape, node, JSON_OBJECT)) return;
    for (uint32_t n = json_first(tape, node); n != JSON_NONE; n = json_next(tape, n)) {
        struct slice key = json_key(tape, n); /* with its quotes */
        uint64_t print = print_of(slice_of(key.ptr + 1, key.len - 2));
        if (++seen > LIMIT_USAGE_MEMBERS || memchr(key.ptr, '\\', key.len)) object->prints = ANY_NAME;
        if (object->prints & print) object->is_plain = false;
        if (object->prints == ANY_NAME) return;
        object->prints |= print;
    }
}

static uint32_t member_of(struct usage *u, const struct usage_object *object, const struct json_tape *tape,
                          const char *text)
{
    struct slice name = slice_str(text);
    if (!(object->prints & print_of(name))) return JSON_NONE;
    if (!object->is_plain) return member(u, tape, object->node, name);
    return unless_null(tape, json_get(tape, object->node, name));
}

/* A form's object of that number, 0: the usage object itself. */
static const struct usage_object *object_of(struct usage *u, struct usage_object *objects,
                                            const struct usage_inner *inner, const struct json_tape *tape,
                                            unsigned number)
{
    struct usage_object *object = &objects[number];
    if (object->is_known) return object;
    const struct usage_object *outer = object_of(u, objects, inner, tape, inner[number].object);
    look_at(object, tape, member_of(u, outer, tape, inner[number].name));
    return object;
}

static void take_members(struct usage *u, const struct usage_form *form, const struct json_tape *tape, uint32_t node)
{
    struct usage_object objects[USAGE_OBJECTS_MAX] = {0};
    bool is_taken = false;
    look_at(&objects[0], tape, node);
    for (size_t i = 0; i < form->member_count; i++) {
        const struct usage_member *m = &form->members[i];
        if (i == 0 || m->offset != m[-1].offset) is_taken = false;
        if (is_taken) continue;
        uint32_t value = member_of(u, object_of(u, objects, form->objects, tape, m->object), tape, m->name);
        if (value == JSON_NONE) continue;
        take_count(u, usage_count(u, m->offset), tape, value);
        is_taken = true;
    }
}

/* A list may be long enough for its sum to wrap. */
static void add(struct usage *u, int64_t *sum, int64_t more)
{
    *sum += more;
    if (*sum <= USAGE_TOKENS_MAX) return;
    *sum = USAGE_TOKENS_MAX;
    u->is_malformed = true;
}

/* By name, or by number, as protobuf's JSON may have it: 2 IMAGE, 3 VIDEO, 4 AUDIO. NULL: text, documents, not said. */
static int64_t *modality_count(struct usage *u, const struct usage_modality *row, const struct json_tape *tape,
                               uint32_t modality)
{
    int64_t number = 0;
    if (json_is(tape, modality, JSON_NUMBER)) json_to_i64(tape, modality, &number);
    if (number == 2 || json_text_is(tape, modality, SLICE("IMAGE"))) return usage_count(u, row->image);
    if (number == 3 || json_text_is(tape, modality, SLICE("VIDEO"))) return usage_count(u, row->video);
    if (number == 4 || json_text_is(tape, modality, SLICE("AUDIO"))) return usage_count(u, row->audio);
    return NULL;
}

static void take_modality(struct usage *u, const struct usage_modality *row, const struct json_tape *tape,
                          uint32_t list)
{
    *usage_count(u, row->audio) = *usage_count(u, row->image) = *usage_count(u, row->video) = 0;
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n)) {
        int64_t tokens = 0;
        uint32_t count = member(u, tape, n, SLICE("tokenCount"));
        int64_t *sum = modality_count(u, row, tape, member(u, tape, n, SLICE("modality")));
        if (count != JSON_NONE) take_count(u, &tokens, tape, count);
        if (sum) add(u, sum, tokens);
    }
}

static void take_modalities(struct usage *u, const struct usage_form *form, const struct json_tape *tape, uint32_t node)
{
    for (size_t i = 0; i < form->modality_count; i++) {
        uint32_t list = follow(u, tape, node, form->modalities[i].path);
        if (json_is(tape, list, JSON_ARRAY)) {
            take_modality(u, &form->modalities[i], tape, list);
        } else if (list != JSON_NONE) {
            u->is_malformed = true;
        }
    }
}

/* Of a life that is none of the two the whole tells. */
static void take_life(struct usage *u, const struct json_tape *tape, uint32_t node)
{
    int64_t tokens = 0;
    uint32_t life = member(u, tape, node, SLICE("ttl")), count = member(u, tape, node, SLICE("inputTokens"));
    if (count != JSON_NONE) take_count(u, &tokens, tape, count);
    if (json_text_is(tape, life, SLICE("5m"))) add(u, &u->cache_write_5m_tokens, tokens);
    if (json_text_is(tape, life, SLICE("1h"))) add(u, &u->cache_write_1h_tokens, tokens);
}

static void take_lives(struct usage *u, const struct usage_form *form, const struct json_tape *tape, uint32_t node)
{
    uint32_t list = form->lives ? follow(u, tape, node, form->lives) : JSON_NONE;
    if (!json_is(tape, list, JSON_ARRAY) || json_first(tape, list) == JSON_NONE) return;
    u->cache_write_5m_tokens = u->cache_write_1h_tokens = 0;
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n))
        take_life(u, tape, n);
}

static int64_t count_or_zero(int64_t count)
{
    return count == USAGE_UNKNOWN ? 0 : count;
}

/* Compacting a conversation is one more sampling of the same model; others than that and the answer's own are of
 * another model, at its price. */
static void take_iteration(struct usage *u, const struct usage_form *form, const struct json_tape *tape, uint32_t node)
{
    struct usage one;
    uint32_t type = member(u, tape, node, SLICE("type"));
    if (type == JSON_NONE || json_text_is(tape, type, SLICE("message"))) return;
    if (!json_text_is(tape, type, SLICE("compaction"))) {
        u->has_foreign = true;
        return;
    }
    usage_init(&one);
    take_members(&one, form, tape, node);
    int64_t one_hour = count_or_zero(one.cache_write_1h_tokens);
    int64_t written = one.cache_write_tokens == USAGE_UNKNOWN ? count_or_zero(one.cache_write_5m_tokens) + one_hour
                                                             : one.cache_write_tokens;
    if (one.is_malformed || one_hour > written) u->is_malformed = true;
    add(u, &u->apart.input, count_or_zero(one.input_tokens));
    add(u, &u->apart.cached, count_or_zero(one.cached_tokens));
    add(u, &u->apart.cache_write, written > one_hour ? written - one_hour : 0);
    add(u, &u->apart.cache_write_1h, one_hour);
    add(u, &u->apart.output, count_or_zero(one.output_tokens));
}

static void take_iterations(struct usage *u, const struct usage_form *form, const struct json_tape *tape, uint32_t node)
{
    uint32_t list = form->iterations ? follow(u, tape, node, form->iterations) : JSON_NONE;
    if (!json_is(tape, list, JSON_ARRAY)) return;
    u->apart = (struct usage_apart){0};
    u->has_foreign = false;
    for (uint32_t n = json_first(tape, list); n != JSON_NONE; n = json_next(tape, n))
        take_iteration(u, form, tape, n);
}

/* Proxies pass Anthropic's report on under OpenAI's roof. */
static bool has_names_of_anthropic(struct usage *u, const struct json_tape *tape, uint32_t node)
{
    if (member(u, tape, node, SLICE("input_tokens")) == JSON_NONE) return false;
    return member(u, tape, node, SLICE("cache_read_input_tokens")) != JSON_NONE ||
           member(u, tape, node, SLICE("cache_creation_input_tokens")) != JSON_NONE;
}

static bool take_report(struct usage *u, const struct usage_form *form, const struct json_tape *tape, uint32_t node)
{
    if (node == JSON_NONE || json_is(tape, node, JSON_NULL)) return false;
    if (!json_is(tape, node, JSON_OBJECT)) {
        u->is_malformed = true;
        return false;
    }
    u->is_beside |= has_names_of_anthropic(u, tape, node);
    take_members(u, form, tape, node);
    take_modalities(u, form, tape, node);
    take_lives(u, form, tape, node);
    take_iterations(u, form, tape, node);
    return true;
}

static bool is_tier_byte(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* The name goes into records: no more than a plain word is believed. Enumerations as numbers (Vertex) say nothing. */
static void take_word(struct usage *u, char word[USAGE_TIER_BYTES], const struct json_tape *tape, uint32_t node)
{
    if (!json_is(tape, node, JSON_STRING)) return;
    struct slice raw = json_raw(tape, node);
    struct slice name = slice_of(raw.ptr + 1, raw.len - 2);
    bool is_plain = name.len < USAGE_TIER_BYTES;
    for (size_t i = 0; i < name.len && is_plain; i++)
        is_plain = is_tier_byte(name.ptr[i]);
    if (!is_plain) {
        u->is_malformed = true;
        return;
    }
    memcpy(word, name.ptr, name.len);
    word[name.len] = '\0';
}

static void take_words(struct usage *u, char word[USAGE_TIER_BYTES], const struct json_tape *tape, uint32_t root,
                       const char *const paths[USAGE_PLACES_MAX])
{
    for (size_t i = 0; i < USAGE_PLACES_MAX && paths[i]; i++) {
        if (is_there(tape, root, paths[i])) take_word(u, word, tape, follow(u, tape, root, paths[i]));
    }
}

static void add_to_tier(struct usage *u, const char *word)
{
    static const char *const usual[] = {"", "standard", "global", "not_available"};
    size_t len = strlen(u->tier);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (strcmp(word, usual[i]) == 0) return;
    }
    snprintf(u->tier + len, sizeof u->tier - len, "%s%s", len ? "_" : "", word);
}

/* A price is of one name. */
static void name_tier(struct usage *u)
{
    u->tier[0] = '\0';
    add_to_tier(u, u->service_tier);
    add_to_tier(u, u->speed);
    add_to_tier(u, u->geography);
    if (!u->tier[0]) memcpy(u->tier, u->service_tier, sizeof u->service_tier);
}

static bool take_object(struct usage *u, const struct usage_form *form, const struct json_tape *tape, uint32_t root)
{
    bool has_report = false;
    for (size_t i = 0; i < USAGE_PLACES_MAX && form->places[i]; i++) {
        if (!is_there(tape, root, form->places[i])) continue;
        has_report |= take_report(u, form, tape, follow(u, tape, root, form->places[i]));
    }
    take_words(u, u->service_tier, tape, root, form->tiers);
    take_words(u, u->speed, tape, root, form->speeds);
    take_words(u, u->geography, tape, root, form->geographies);
    return has_report;
}

/* Judged anew after every report: a stream's first one may not hold together with the next, and is replaced by it. Most
 * of its chunks have none, and leave what is known as it was. */
static void judge(struct usage *u)
{
    struct usage_parts parts;
    usage_normalise(u, &parts);
    u->is_suspect = parts.is_suspect;
}

/* Of an object that says so itself: what else is called "duration" or "seconds" is no length of sound. Source: OpenAI
 * API reference, transcriptions: usage of the type "duration", and "duration" of a verbose_json, whose "task" says what
 * it is. */
static void take_seconds(struct usage *u, const struct json_tape *tape)
{
    uint32_t usage = json_get(tape, 0, SLICE("usage")), task = json_get(tape, 0, SLICE("task"));
    bool is_listened = json_text_is(tape, task, SLICE("transcribe")) || json_text_is(tape, task, SLICE("translate"));
    uint32_t node = JSON_NONE;
    if (is_listened) node = json_get(tape, 0, SLICE("duration"));
    if (json_text_is(tape, json_get(tape, usage, SLICE("type")), SLICE("duration")))
        node = json_get(tape, usage, SLICE("seconds"));
    if (!json_is(tape, node, JSON_NUMBER)) return;
    double seconds = ceil(json_to_double(tape, node));
    if (seconds >= 0 && seconds <= (double)USAGE_TOKENS_MAX)
        u->seconds = (int64_t)seconds;
    else
        u->is_malformed = true;
}

bool usage_read(struct usage *u, enum usage_shape shape, const struct json_tape *tape)
{
    const struct usage_form *form = usage_form(shape);
    bool has_report = false, was_malformed = u->is_malformed, is_another = u->shape != shape;
    u->shape = shape;
    if (json_is(tape, 0, JSON_ARRAY)) {
        for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n))
            has_report |= take_object(u, form, tape, n);
    } else {
        has_report = take_object(u, form, tape, 0);
    }
    if (shape == USAGE_SHAPE_OPENAI) take_seconds(u, tape);
    if (has_report || is_another || u->is_malformed != was_malformed) judge(u);
    name_tier(u);
    return has_report;
}

void usage_add_call(int64_t *calls)
{
    if (*calls == USAGE_UNKNOWN) *calls = 0;
    if (*calls < USAGE_TOKENS_MAX) ++*calls;
}

struct slice usage_service_tier(const struct usage *u)
{
    return slice_str(u->tier);
}
