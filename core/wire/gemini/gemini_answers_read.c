/*
 * What Gemini's providers say, as deltas: pieces of a stream and whole answers, part by part. Its parts have no
 * numbers: texts that follow each other are one, each call is one. What no other API has (tools that the provider runs,
 * pictures, sources) is told as lost. Why it ended is told at the very end, for some say it with every piece.
 * Source: Gemini API reference, GenerateContentResponse, Candidate, Part; "Thought signatures"; Vertex AI API
 * reference, FunctionCall, for calls in pieces.
 */
#include "base/mem.h"
#include "wire/gemini/gemini_answers.h"
#include "wire/gemini/gemini_translate.h"

enum open_part { OPEN_NONE, OPEN_TEXT, OPEN_THOUGHT };

struct answer_reader {
    delta_fn take;
    void *arg;
    struct fault *why;
    const struct json_tape *tape; /* of what is being read */
    uint32_t part;                /* of what is open, or was last */
    enum open_part open;
    bool in_call; /* of which more comes */
    bool has_started, has_finished, has_ended;
    enum delta_reason reason;
    struct buf refusal; /* why, in the provider's words: inside of a JSON string */
    struct buf signature;
    struct gemini_partial partial;
};

static bool refuse(const struct answer_reader *in, const char *text)
{
    return fault_set(in->why, FAULT_UNTRANSLATABLE, "The provider's answer cannot be translated: %s.", text);
}

static struct slice inside(const struct answer_reader *in, uint32_t string)
{
    if (!json_is(in->tape, string, JSON_STRING)) return SLICE_NONE;
    struct slice raw = json_raw(in->tape, string);
    return slice_of(raw.ptr + 1, raw.len - 2);
}

static uint32_t at(const struct answer_reader *in, uint32_t object, const char *name, const char *other)
{
    return gemini_get(in->tape, object, (struct gemini_name){slice_str(name), slice_str(other)});
}

static bool is_filled(const struct answer_reader *in, uint32_t node)
{
    if (node == JSON_NONE) return false;
    enum json_type type = json_type(in->tape, node);
    if (type >= JSON_ARRAY) return json_first(in->tape, node) != JSON_NONE;
    return type != JSON_NULL && (type != JSON_STRING || json_raw(in->tape, node).len > 2);
}

/* ---- deltas */

static bool tell(const struct answer_reader *in, enum delta_kind kind, struct slice text)
{
    return in->take(in->arg, &(struct delta){.kind = kind, .part = in->part, .text = text});
}

static bool lose(const struct answer_reader *in, struct slice name)
{
    return in->take(in->arg, &(struct delta){.kind = DELTA_LOST, .name = name});
}

static bool lose_filled(const struct answer_reader *in, uint32_t object, const char *name, const char *other)
{
    return !is_filled(in, at(in, object, name, other)) || lose(in, slice_str(name));
}

static bool close_part(struct answer_reader *in)
{
    bool was_open = in->open != OPEN_NONE;
    in->open = OPEN_NONE;
    return !was_open || tell(in, DELTA_PART_END, SLICE_NONE);
}

static bool open_part(struct answer_reader *in, enum open_part kind)
{
    if (in->open == kind) return true;
    if (!close_part(in)) return false;
    in->part++;
    in->open = kind;
    return true;
}

static bool say(struct answer_reader *in, enum open_part kind, struct slice text)
{
    if (!text.len) return true;
    return open_part(in, kind) && tell(in, kind == OPEN_TEXT ? DELTA_TEXT : DELTA_REASONING, text);
}

/* As that of the thought in front of the part that it is of (gemini_translate.h). */
static bool sign(struct answer_reader *in, uint32_t part, const char *mark)
{
    struct slice signature = inside(in, at(in, part, "thoughtSignature", "thought_signature"));
    if (!signature.len) return true;
    buf_reset(&in->signature);
    buf_append(&in->signature, slice_str(mark));
    buf_append(&in->signature, signature);
    return open_part(in, OPEN_THOUGHT) && tell(in, DELTA_SIGNATURE, buf_slice(&in->signature)) && close_part(in);
}

/* ---- calls */

static bool end_call(struct answer_reader *in)
{
    struct delta arguments = {.kind = DELTA_ARGUMENTS, .part = in->part, .is_json = true};
    in->in_call = false;
    if (!gemini_partial_end(&in->partial)) return refuse(in, "what a tool is asked was cut");
    arguments.text = buf_slice(&in->partial.json);
    return in->take(in->arg, &arguments) && tell(in, DELTA_PART_END, SLICE_NONE);
}

static bool begin_call(struct answer_reader *in, uint32_t call)
{
    struct delta begin = {.kind = DELTA_CALL,
                          .id = inside(in, json_get(in->tape, call, SLICE("id"))),
                          .name = inside(in, json_get(in->tape, call, SLICE("name")))};
    if (!begin.name.len) return refuse(in, "a call of a tool has no name");
    if (!close_part(in)) return false;
    begin.part = ++in->part;
    in->in_call = true;
    gemini_partial_begin(&in->partial);
    return in->take(in->arg, &begin);
}

static bool add_to_call(struct answer_reader *in, uint32_t call)
{
    uint32_t args = json_get(in->tape, call, SLICE("args")), partial = at(in, call, "partialArgs", "partial_args");
    if (partial != JSON_NONE && !gemini_partial_add(&in->partial, in->tape, partial))
        return refuse(in, "what a tool is asked came in pieces that make no object");
    if (!is_filled(in, args)) return true;
    if (!json_is(in->tape, args, JSON_OBJECT) || buf_len(&in->partial.json))
        return refuse(in, "what a tool is asked is no JSON object");
    buf_append(&in->partial.json, json_raw(in->tape, args));
    return true;
}

/* Whole, but for those that the client asked to have in pieces: a name begins one, the last piece says no more. */
static bool read_call(struct answer_reader *in, uint32_t part, uint32_t call)
{
    bool has_name = is_filled(in, json_get(in->tape, call, SLICE("name")));
    bool goes_on = json_is(in->tape, at(in, call, "willContinue", "will_continue"), JSON_TRUE);
    if (has_name == in->in_call) return refuse(in, has_name ? "a call of a tool was cut" : "a call has no name");
    if (has_name && (!sign(in, part, GEMINI_SIGNED_CALL) || !begin_call(in, call))) return false;
    return add_to_call(in, call) && (goes_on || end_call(in));
}

/* ---- parts */

/* What is not known here is lost by its own name; but of it no part is nothing. */
static bool lose_part(const struct answer_reader *in, uint32_t part)
{
    static const struct slice beside[] = {{"thought", 7}, {"thoughtSignature", 16}, {"thought_signature", 17},
                                          {"videoMetadata", 13}, {"mediaResolution", 15}, {"partMetadata", 12}};
    for (uint32_t n = json_first(in->tape, part); n != JSON_NONE; n = json_next(in->tape, n)) {
        struct slice raw = json_key(in->tape, n);
        bool is_beside = !is_filled(in, n);
        for (size_t i = 0; i < sizeof beside / sizeof beside[0] && !is_beside; i++)
            is_beside = json_key_is(in->tape, n, beside[i]);
        if (!is_beside && !lose(in, slice_of(raw.ptr + 1, raw.len - 2))) return false;
    }
    return true;
}

/* A text that is signed begins one, for it goes behind its signature; of an empty one that alone is told. */
static bool read_text(struct answer_reader *in, uint32_t part, uint32_t text)
{
    bool is_thought = json_is(in->tape, json_get(in->tape, part, SLICE("thought")), JSON_TRUE);
    struct slice said = inside(in, text);
    if (is_thought) return say(in, OPEN_THOUGHT, said) && sign(in, part, GEMINI_SIGNED_END);
    return sign(in, part, said.len ? GEMINI_SIGNED_TEXT : GEMINI_SIGNED_END) && say(in, OPEN_TEXT, said);
}

/* A text, or a signature, which is one of a part that would begin inside of a call. */
static bool says_more(const struct answer_reader *in, uint32_t part)
{
    return is_filled(in, json_get(in->tape, part, SLICE("text"))) ||
           is_filled(in, at(in, part, "thoughtSignature", "thought_signature"));
}

static bool read_part(struct answer_reader *in, uint32_t part)
{
    uint32_t text = json_get(in->tape, part, SLICE("text")), call = at(in, part, "functionCall", "function_call");
    if (json_is(in->tape, call, JSON_OBJECT)) return read_call(in, part, call);
    if (json_is(in->tape, text, JSON_STRING)) {
        if (in->in_call && says_more(in, part)) return refuse(in, "a call of a tool was cut");
        return in->in_call || read_text(in, part, text);
    }
    return close_part(in) && lose_part(in, part);
}

static bool read_parts(struct answer_reader *in, uint32_t parts)
{
    if (!json_is(in->tape, parts, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(in->tape, parts); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_part(in, n)) return false;
    }
    return true;
}

/* ---- why it ended */

static const struct {
    struct slice word;
    enum delta_reason reason;
} reasons[] = {
    {{"STOP", 4}, REASON_STOP},
    {{"MAX_TOKENS", 10}, REASON_LENGTH},
    {{"SAFETY", 6}, REASON_REFUSED},
    {{"RECITATION", 10}, REASON_REFUSED},
    {{"BLOCKLIST", 9}, REASON_REFUSED},
    {{"PROHIBITED_CONTENT", 18}, REASON_REFUSED},
    {{"SPII", 4}, REASON_REFUSED},
    {{"MODEL_ARMOR", 11}, REASON_REFUSED},
    {{"LANGUAGE", 8}, REASON_REFUSED},
    {{"IMAGE_SAFETY", 12}, REASON_REFUSED},
    {{"IMAGE_PROHIBITED_CONTENT", 24}, REASON_REFUSED},
    {{"IMAGE_RECITATION", 16}, REASON_REFUSED},
    /* Some write the number of the word. */
    {{"1", 1}, REASON_STOP},
    {{"2", 1}, REASON_LENGTH},
    {{"3", 1}, REASON_REFUSED},
    {{"4", 1}, REASON_REFUSED},
};

/* The model meant to call a tool, and could not: an answer without that call would be another one. */
static bool is_lost_call(struct slice word)
{
    static const struct slice words[] = {{"MALFORMED_FUNCTION_CALL", 23}, {"UNEXPECTED_TOOL_CALL", 20},
                                         {"TOO_MANY_TOOL_CALLS", 19},     {"MISSING_THOUGHT_SIGNATURE", 25},
                                         {"MALFORMED_RESPONSE", 18}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (slice_iequal(word, words[i])) return true;
    }
    return false;
}

static bool refuse_call(const struct answer_reader *in, struct slice word)
{
    return fault_set(in->why, FAULT_UNTRANSLATABLE,
                     "The provider's answer cannot be translated: its model did not end it in order (%.*s).",
                     SLICE_FMT(word));
}

/* Others that speak this API write them in small letters. A word that is none of these (OTHER, NO_IMAGE, one that is
 * new) is told as a filter's: all of them mean that the model did not come to its own end, and who is told "stop" takes
 * half an answer for a whole one. */
static bool finish(struct answer_reader *in, struct slice word)
{
    if (is_lost_call(word)) return refuse_call(in, word);
    in->has_finished = true;
    in->reason = REASON_REFUSED;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (!slice_iequal(word, reasons[i].word)) continue;
        in->reason = reasons[i].reason;
        return true;
    }
    return lose(in, SLICE("finishReason"));
}

static void explain(struct answer_reader *in, uint32_t text)
{
    buf_reset(&in->refusal);
    if (in->reason == REASON_REFUSED) buf_append(&in->refusal, inside(in, text));
}

static bool read_finish(struct answer_reader *in, uint32_t candidate)
{
    uint32_t reason = at(in, candidate, "finishReason", "finish_reason");
    bool is_number = json_is(in->tape, reason, JSON_NUMBER);
    if (!gemini_is_finish(in->tape, reason)) return true;
    if (!finish(in, is_number ? json_raw(in->tape, reason) : inside(in, reason))) return false;
    explain(in, at(in, candidate, "finishMessage", "finish_message"));
    return true;
}

/* Of a prompt that was blocked no candidate comes. */
static bool read_block(struct answer_reader *in, uint32_t object)
{
    uint32_t feedback = at(in, object, "promptFeedback", "prompt_feedback");
    if (!is_filled(in, at(in, feedback, "blockReason", "block_reason"))) return true;
    in->has_finished = true;
    in->reason = REASON_REFUSED;
    explain(in, at(in, feedback, "blockReasonMessage", "block_reason_message"));
    return true;
}

static bool end(struct answer_reader *in)
{
    if (in->has_ended) return true;
    if (!in->has_finished) return refuse(in, "it ended without a finishReason");
    if (in->in_call) return refuse(in, "it ended inside a call of a tool");
    if (!close_part(in)) return false;
    in->has_ended = true;
    in->part++;
    if (buf_len(&in->refusal) && !tell(in, DELTA_REFUSAL, buf_slice(&in->refusal))) return false;
    return in->take(in->arg, &(struct delta){.kind = DELTA_FINISH, .reason = in->reason}) &&
           in->take(in->arg, &(struct delta){.kind = DELTA_END});
}

/* ---- a piece */

/* What it was made of, how sure it was: no other API has that. */
static bool lose_sources(const struct answer_reader *in, uint32_t candidate)
{
    return lose_filled(in, candidate, "groundingMetadata", "grounding_metadata") &&
           lose_filled(in, candidate, "citationMetadata", "citation_metadata") &&
           lose_filled(in, candidate, "urlContextMetadata", "url_context_metadata") &&
           lose_filled(in, candidate, "logprobsResult", "logprobs_result");
}

/* Where none says which it is, they stand in their order. */
static bool is_first(const struct answer_reader *in, uint32_t candidate, uint32_t place)
{
    int64_t index;
    uint32_t node = json_get(in->tape, candidate, SLICE("index"));
    bool is_known = json_is(in->tape, node, JSON_NUMBER) && json_to_i64(in->tape, node, &index) && index >= 0 &&
                    index < UINT32_MAX;
    return is_known ? index == 0 : place == 0;
}

static bool read_candidate(struct answer_reader *in, uint32_t candidate, uint32_t place)
{
    uint32_t content = json_get(in->tape, candidate, SLICE("content"));
    if (!is_first(in, candidate, place)) return lose(in, SLICE("candidates"));
    return read_parts(in, json_get(in->tape, content, SLICE("parts"))) && lose_sources(in, candidate) &&
           read_finish(in, candidate);
}

static bool read_candidates(struct answer_reader *in, uint32_t candidates)
{
    uint32_t place = 0;
    if (!json_is(in->tape, candidates, JSON_ARRAY)) return true;
    for (uint32_t n = json_first(in->tape, candidates); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_candidate(in, n, place++)) return false;
    }
    return true;
}

static bool start(struct answer_reader *in, uint32_t object)
{
    if (in->has_started) return true;
    in->has_started = true;
    return in->take(in->arg, &(struct delta){.kind = DELTA_START,
                                             .id = inside(in, at(in, object, "responseId", "response_id")),
                                             .name = inside(in, at(in, object, "modelVersion", "model_version"))});
}

/* One of its members there must be, or it is an answer of another API. */
static bool is_ours(const struct answer_reader *in, uint32_t object)
{
    return json_is(in->tape, object, JSON_OBJECT) &&
           (json_is(in->tape, json_get(in->tape, object, SLICE("candidates")), JSON_ARRAY) ||
            at(in, object, "promptFeedback", "prompt_feedback") != JSON_NONE ||
            at(in, object, "usageMetadata", "usage_metadata") != JSON_NONE);
}

static bool read_piece(struct answer_reader *in, uint32_t object)
{
    if (!is_ours(in, object)) return refuse(in, "it is no answer of Gemini's API");
    return start(in, object) && read_block(in, object) &&
           read_candidates(in, json_get(in->tape, object, SLICE("candidates")));
}

bool gemini_answers_read_event(struct answer_reader *in, struct slice name, const struct said *said)
{
    (void)name;
    if (in->has_ended) return true;
    if (said->what & SAID_DONE) return end(in); /* the list is closed */
    in->tape = said->tape;
    return read_piece(in, 0);
}

/* One answer, or a list of its pieces. */
bool gemini_answers_read_body(struct answer_reader *in, const struct said *said)
{
    in->tape = said->tape;
    if (!json_is(in->tape, 0, JSON_ARRAY)) return read_piece(in, 0) && end(in);
    for (uint32_t n = json_first(in->tape, 0); n != JSON_NONE; n = json_next(in->tape, n)) {
        if (!read_piece(in, n)) return false;
    }
    return end(in);
}

bool gemini_answers_read_end(struct answer_reader *in)
{
    return end(in);
}

struct answer_reader *gemini_reader_new(delta_fn take, void *arg, struct fault *why)
{
    struct answer_reader *in = mem_zalloc(1, sizeof *in);
    *in = (struct answer_reader){.take = take, .arg = arg, .why = why};
    buf_init(&in->refusal);
    buf_init(&in->signature);
    gemini_partial_init(&in->partial);
    return in;
}

void gemini_reader_free(struct answer_reader *in)
{
    if (!in) return;
    buf_clear(&in->refusal);
    buf_clear(&in->signature);
    gemini_partial_clear(&in->partial);
    mem_free(in);
}
