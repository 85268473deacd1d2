#include "wire/redact_walk.h"

struct walk {
    const struct json_tape *tape;
    redact_place_fn fn;
    void *arg;
};

/* {"object":"list","data":[…]}: of a conversation's items. */
static bool is_list_of_objects(const struct json_tape *tape, uint32_t member)
{
    return json_is(tape, member, JSON_ARRAY) && json_key_is(tape, member, SLICE("data"));
}

/* Names, marks and ciphers of the format: to change them breaks something, and nobody reads them. */
static bool is_no_text(const struct json_tape *tape, uint32_t member)
{
    static const struct slice names[] = {
        {"role", 4},           {"type", 4},          {"id", 2},           {"name", 4},
        {"object", 6},         {"model", 5},         {"format", 6},       {"finish_reason", 13},
        {"tool_call_id", 12},  {"logprobs", 8},      {"signature", 9},    {"thought_signature", 17},
        {"data", 4},           {"b64_json", 8},      {"index", 5},        {"encrypted_content", 17},
        {"native_finish_reason", 20}, {"stop_reason", 11}, {"tool_use_id", 11}, {"encrypted_index", 15},
        {"item_id", 7},        {"call_id", 7},       {"response_id", 11}, {"obfuscation", 11},
        {"partial_image_b64", 17}, {"thoughtSignature", 16}, {"finishReason", 12}, {"modelVersion", 12},
        {"responseId", 10},    {"mimeType", 8},      {"createTime", 10},  {"modality", 8},
        {"trafficType", 11},   {"blockReason", 11}, {"logprobsResult", 14}};
    if (is_list_of_objects(tape, member)) return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_key_is(tape, member, names[i])) return true;
    }
    return false;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ull;
    return hash ^ hash >> 32;
}

static uint64_t mix_name(uint64_t hash, struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 0x100000001b3ull;
    return mix(hash, name.len);
}

uint64_t redact_walk_number(const struct json_tape *tape, uint32_t element, uint64_t place)
{
    int64_t index;
    uint32_t node = json_get(tape, element, SLICE("index"));
    return json_is(tape, node, JSON_NUMBER) && json_to_i64(tape, node, &index) ? (uint64_t)index : place;
}

/* What a tool is given, where that is no text with JSON in it; and what the request's sender called it by. */
static bool is_given(const struct json_tape *tape, uint32_t member)
{
    return json_is(tape, member, JSON_OBJECT) &&
           (json_key_is(tape, member, SLICE("input")) || json_key_is(tape, member, SLICE("arguments")) ||
            json_key_is(tape, member, SLICE("args")) || json_key_is(tape, member, SLICE("metadata")));
}

/* A document's words, in {"type":"text","media_type":"text/plain","data":…}. */
static bool is_document_text(const struct json_tape *tape, uint32_t object, uint32_t member)
{
    return json_key_is(tape, member, SLICE("data")) &&
           json_text_is(tape, json_get(tape, object, SLICE("type")), SLICE("text"));
}

/* A picture that was made: base64, in {"type":"image_generation_call"}. */
static bool is_picture(const struct json_tape *tape, uint32_t object, uint32_t member)
{
    return json_key_is(tape, member, SLICE("result")) &&
           json_text_is(tape, json_get(tape, object, SLICE("type")), SLICE("image_generation_call"));
}

static bool is_left_alone(const struct json_tape *tape, uint32_t object, uint32_t member)
{
    return (is_no_text(tape, member) && !is_document_text(tape, object, member)) || is_picture(tape, object, member);
}

/* In OpenAI's word, or in Google's. */
static uint32_t logprobs_of(const struct json_tape *tape, uint32_t choice)
{
    uint32_t node = json_get(tape, choice, SLICE("logprobs"));
    return node != JSON_NONE ? node : json_get(tape, choice, SLICE("logprobsResult"));
}

struct slice redact_walk_text(const struct json_tape *tape, const struct redact_place *place, struct arena *arena)
{
    return place->is_json ? json_raw(tape, place->node) : json_text(tape, place->node, arena);
}

/* What a tool is given is one text, as it is where it stands in a string: its numbers are read too, one behind the
 * other, and no name in it is the format's. */
static void visit_given(const struct walk *w, struct redact_place place)
{
    place.is_json = true;
    place.path = mix(place.path, JSON_OBJECT); /* apart from what stands there as a string */
    if (json_first(w->tape, place.node) != JSON_NONE) w->fn(w->arg, &place);
}

static bool has_number(const struct json_tape *tape, uint32_t element)
{
    return json_is(tape, json_get(tape, element, SLICE("index")), JSON_NUMBER);
}

static void visit(const struct walk *w, struct redact_place place);

static void visit_member(const struct walk *w, struct redact_place object, uint32_t member)
{
    struct redact_place inner = object;
    struct slice name = json_key(w->tape, member);
    if (is_left_alone(w->tape, object.node, member)) return;
    inner.node = member;
    inner.path = mix_name(object.path, name);
    inner.field = mix_name(object.field, name);
    if (is_given(w->tape, member))
        visit_given(w, inner);
    else
        visit(w, inner);
}

/* As deep as the tape lets JSON nest. */
static void visit(const struct walk *w, struct redact_place place)
{
    const struct json_tape *tape = w->tape;
    uint32_t node = place.node;
    struct redact_place inner = place;
    uint64_t number = 0;
    bool is_array = json_is(tape, node, JSON_ARRAY), is_object = json_is(tape, node, JSON_OBJECT);
    if (place.choice_node == JSON_NONE && is_object && logprobs_of(tape, node) != JSON_NONE)
        place.choice_node = inner.choice_node = node;
    if (json_is(tape, node, JSON_STRING) && json_raw(tape, node).len > 2) w->fn(w->arg, &place);
    for (uint32_t n = is_object ? json_first(tape, node) : JSON_NONE; n != JSON_NONE; n = json_next(tape, n))
        visit_member(w, place, n);
    for (uint32_t n = is_array ? json_first(tape, node) : JSON_NONE; n != JSON_NONE; n = json_next(tape, n)) {
        inner.node = n;
        inner.path = mix(place.path, redact_walk_number(tape, n, number++));
        inner.goes_on = place.goes_on || has_number(tape, n);
        visit(w, inner);
    }
}

static void visit_choice(const struct walk *w, struct redact_place choice)
{
    uint32_t delta = json_get(w->tape, choice.node, SLICE("delta"));
    if (!json_is(w->tape, delta, JSON_OBJECT)) {
        visit(w, choice);
        return;
    }
    visit_member(w, choice, delta);
    choice.is_beside = true;
    for (uint32_t n = json_first(w->tape, choice.node); n != JSON_NONE; n = json_next(w->tape, n)) {
        if (n != delta) visit_member(w, choice, n);
    }
}

void redact_walk_choices(const struct json_tape *tape, uint32_t choices, redact_place_fn fn, void *arg)
{
    struct walk w = {tape, fn, arg};
    uint64_t number = 0;
    if (!json_is(tape, choices, JSON_ARRAY)) return;
    for (uint32_t n = json_first(tape, choices); n != JSON_NONE; n = json_next(tape, n), number++) {
        struct redact_place place = {.node = n, .choice_node = n, .choice = redact_walk_number(tape, n, number)};
        visit_choice(&w, place);
    }
}

/* All members of the root but one. */
static void visit_rest(const struct walk *w, uint32_t but)
{
    const struct json_tape *tape = w->tape;
    for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n)) {
        if (n == but || json_type(tape, n) < JSON_STRING || is_no_text(tape, n)) continue;
        uint64_t name = mix_name(0, json_key(tape, n));
        visit(w, (struct redact_place){.node = n,
                                       .choice_node = JSON_NONE,
                                       .choice = REDACT_NO_CHOICE,
                                       .path = name,
                                       .field = name});
    }
}

void redact_walk_rest(const struct json_tape *tape, redact_place_fn fn, void *arg)
{
    struct walk w = {tape, fn, arg};
    uint32_t choices = json_get(tape, 0, SLICE("choices"));
    if (!json_is(tape, 0, JSON_OBJECT)) {
        visit(&w, (struct redact_place){.node = 0, .choice_node = JSON_NONE});
        return;
    }
    visit_rest(&w, json_is(tape, choices, JSON_ARRAY) ? choices : JSON_NONE);
}

void redact_walk_part(const struct json_tape *tape, uint64_t part, redact_place_fn fn, void *arg)
{
    struct walk w = {tape, fn, arg};
    uint32_t delta = json_get(tape, 0, SLICE("delta"));
    visit(&w, (struct redact_place){.node = delta, .choice_node = 0, .choice = part});
    visit_rest(&w, delta);
}

/* ---- Candidates. */

enum candidate_path { PATH_TEXT = 1, PATH_THOUGHT, PATH_ARGUMENTS };

struct candidate {
    const struct walk *w;
    uint32_t node;
    uint64_t number;
};

static void tell_text(const struct candidate *c, uint32_t node, enum candidate_path path)
{
    struct redact_place place = {
        .node = node, .choice_node = c->node, .choice = c->number, .path = path, .field = path, .goes_on = true};
    if (json_is(c->w->tape, node, JSON_STRING) && json_raw(c->w->tape, node).len > 2) c->w->fn(c->w->arg, &place);
}

/* What stands whole, by where it stands. */
static void tell_whole(const struct candidate *c, uint32_t node, uint64_t path)
{
    const struct json_tape *tape = c->w->tape;
    if (json_type(tape, node) < JSON_STRING || is_no_text(tape, node)) return;
    path = mix_name(mix(path, c->number), json_key(tape, node));
    struct redact_place place = {
        .node = node, .choice_node = JSON_NONE, .choice = REDACT_NO_CHOICE, .path = path, .field = path};
    if (is_given(tape, node))
        visit_given(c->w, place);
    else
        visit(c->w, place);
}

/* Arguments that come in pieces: [{"jsonPath":"$.city","stringValue":"Ber","willContinue":true}]. A number comes whole,
 * and is read as what a tool is given: {"jsonPath":"$.card","numberValue":1}. */
static void tell_partial(const struct candidate *c, uint32_t call)
{
    const struct json_tape *tape = c->w->tape;
    uint32_t list = json_get(tape, call, SLICE("partialArgs"));
    uint32_t n = json_is(tape, list, JSON_ARRAY) ? json_first(tape, list) : JSON_NONE;
    for (uint64_t at = 0; n != JSON_NONE; n = json_next(tape, n), at++) {
        uint64_t path = mix(mix(PATH_ARGUMENTS, c->number), at);
        struct redact_place whole = {
            .node = n, .choice_node = JSON_NONE, .choice = REDACT_NO_CHOICE, .path = path, .field = path};
        if (json_get(tape, n, SLICE("numberValue")) != JSON_NONE)
            visit_given(c->w, whole);
        else
            tell_text(c, json_get(tape, n, SLICE("stringValue")), PATH_ARGUMENTS);
    }
}

static void tell_call(const struct candidate *c, uint32_t call, uint64_t path)
{
    const struct json_tape *tape = c->w->tape;
    uint32_t n = json_is(tape, call, JSON_OBJECT) ? json_first(tape, call) : JSON_NONE;
    for (; n != JSON_NONE; n = json_next(tape, n)) {
        if (!json_key_is(tape, n, SLICE("partialArgs"))) tell_whole(c, n, path);
    }
    tell_partial(c, call);
}

static void tell_part(const struct candidate *c, uint32_t part, uint64_t path)
{
    const struct json_tape *tape = c->w->tape;
    bool is_thought = json_is(tape, json_get(tape, part, SLICE("thought")), JSON_TRUE);
    uint32_t n = json_is(tape, part, JSON_OBJECT) ? json_first(tape, part) : JSON_NONE;
    for (; n != JSON_NONE; n = json_next(tape, n)) {
        if (json_key_is(tape, n, SLICE("text")))
            tell_text(c, n, is_thought ? PATH_THOUGHT : PATH_TEXT);
        else if (json_key_is(tape, n, SLICE("functionCall")))
            tell_call(c, n, path);
        else
            tell_whole(c, n, path);
    }
}

static void tell_content(const struct candidate *c, uint32_t content)
{
    const struct json_tape *tape = c->w->tape;
    uint32_t parts = json_get(tape, content, SLICE("parts"));
    uint64_t place = 1;
    for (uint32_t n = json_first(tape, content); n != JSON_NONE; n = json_next(tape, n)) {
        if (n != parts || !json_is(tape, parts, JSON_ARRAY)) tell_whole(c, n, 0);
    }
    if (!json_is(tape, parts, JSON_ARRAY)) return;
    for (uint32_t n = json_first(tape, parts); n != JSON_NONE; n = json_next(tape, n))
        tell_part(c, n, place++);
}

static void tell_candidate(const struct candidate *c, uint32_t candidate)
{
    const struct json_tape *tape = c->w->tape;
    uint32_t content = json_get(tape, candidate, SLICE("content"));
    for (uint32_t n = json_first(tape, candidate); n != JSON_NONE; n = json_next(tape, n)) {
        if (n == content && json_is(tape, n, JSON_OBJECT))
            tell_content(c, n);
        else
            tell_whole(c, n, 0);
    }
}

void redact_walk_candidates(const struct json_tape *tape, uint32_t candidates, redact_place_fn fn, void *arg)
{
    struct walk w = {tape, fn, arg};
    struct candidate c = {.w = &w};
    uint64_t place = 0;
    for (uint32_t n = json_first(tape, candidates); n != JSON_NONE; n = json_next(tape, n)) {
        c.number = redact_walk_number(tape, n, place++) % UINT32_MAX;
        c.node = n;
        if (json_is(tape, n, JSON_OBJECT))
            tell_candidate(&c, n);
        else
            tell_whole(&c, n, c.number);
    }
}

void redact_walk_beside(const struct json_tape *tape, uint32_t member, redact_place_fn fn, void *arg)
{
    struct walk w = {tape, fn, arg};
    visit_rest(&w, member);
}

uint64_t redact_walk_event_choice(const struct json_tape *tape)
{
    return REDACT_NO_CHOICE - 1 - redact_walk_number(tape, 0, 0) % UINT32_MAX;
}

void redact_walk_event(const struct json_tape *tape, redact_place_fn fn, void *arg)
{
    struct walk w = {tape, fn, arg};
    visit(&w, (struct redact_place){.node = 0, .choice_node = JSON_NONE, .choice = redact_walk_event_choice(tape)});
}

/* Of an answer that is a list each element is one. */
static void visit_answer(const struct walk *w, uint32_t answer)
{
    const struct json_tape *tape = w->tape;
    uint32_t candidates = json_get(tape, answer, SLICE("candidates"));
    struct redact_place place = {.node = answer, .choice_node = JSON_NONE, .choice = REDACT_NO_CHOICE};
    if (!json_is(tape, candidates, JSON_ARRAY)) {
        visit(w, place);
        return;
    }
    redact_walk_candidates(tape, candidates, w->fn, w->arg);
    for (uint32_t n = json_first(tape, answer); n != JSON_NONE; n = json_next(tape, n)) {
        if (n != candidates) visit_member(w, place, n);
    }
}

void redact_walk_answer(const struct json_tape *tape, redact_place_fn fn, void *arg)
{
    struct walk w = {tape, fn, arg};
    uint32_t choices = json_get(tape, 0, SLICE("choices"));
    if (json_is(tape, choices, JSON_ARRAY)) {
        redact_walk_choices(tape, choices, fn, arg);
        redact_walk_rest(tape, fn, arg);
    } else if (json_is(tape, 0, JSON_ARRAY)) {
        for (uint32_t n = json_first(tape, 0); n != JSON_NONE; n = json_next(tape, n))
            visit_answer(&w, n);
    } else {
        visit_answer(&w, 0);
    }
}

struct slice redact_walk_logprobs(const struct json_tape *tape, uint32_t choice)
{
    uint32_t logprobs = logprobs_of(tape, choice);
    bool is_empty = json_is(tape, logprobs, JSON_ARRAY) && json_first(tape, logprobs) == JSON_NONE;
    bool has_any = logprobs != JSON_NONE && !json_is(tape, logprobs, JSON_NULL) && !is_empty;
    return has_any ? json_raw(tape, logprobs) : SLICE_NONE;
}
