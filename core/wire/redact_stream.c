#include "wire/redact_stream_inner.h"

#include "base/mem.h"
#include "wire/redact_changes.h"
#include "wire/redact_event.h"

struct redact_stream *redact_stream_new(struct redact *r, redact_out_fn out, void *arg)
{
    struct redact_stream *s = mem_zalloc(1, sizeof *s);
    s->r = r;
    s->out = out;
    s->arg = arg;
    s->end = &s->first;
    arena_init(&s->arena);
    return s;
}

static void event_free(struct event *e)
{
    buf_clear(&e->raw);
    buf_clear(&e->spread);
    mem_free(e->pieces);
    mem_free(e->texts);
    mem_free(e);
}

void redact_stream_free(struct redact_stream *s)
{
    if (!s) return;
    for (struct event *e = s->first, *next; e; e = next) {
        next = e->next;
        event_free(e);
    }
    for (uint32_t i = 0; i < s->channel_count; i++)
        redact_text_clear(&s->channels[i].text);
    mem_free(s->channels);
    arena_clear(&s->arena);
    mem_free(s);
}

/* --- an event comes in --- */

static bool has_field(const struct redact_stream *s, uint64_t choice, uint64_t field)
{
    for (uint32_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        if (c->choice == choice && c->field == field && c->seen == s->events) return true;
    }
    return false;
}

/* Texts of a choice that has its finish reason, or goes on in another field, are over. */
static void end_texts(struct redact_stream *s, uint64_t choice, bool is_finished)
{
    bool goes_on = redact_stream_has_text(s, choice);
    for (uint32_t i = 0; i < s->channel_count; i++) {
        struct channel *c = &s->channels[i];
        if (c->choice != choice || c->text.is_ended) continue;
        if (is_finished || (goes_on && !has_field(s, choice, c->field))) redact_text_end(&c->text, s->r);
    }
}

static void end_choices(struct redact_stream *s, uint32_t choices)
{
    uint64_t number = 0;
    for (uint32_t n = json_first(s->tape, choices); n != JSON_NONE; n = json_next(s->tape, n), number++) {
        bool is_finished = json_is(s->tape, json_get(s->tape, n, SLICE("finish_reason")), JSON_STRING);
        end_texts(s, redact_walk_number(s->tape, n, number), is_finished);
    }
}

/* What belongs to no choice stands whole in its event: the next event has another text there. */
static void end_rest(struct redact_stream *s)
{
    for (uint32_t i = 0; i < s->channel_count; i++) {
        struct channel *c = &s->channels[i];
        if (c->choice != REDACT_NO_CHOICE || c->text.is_ended) continue;
        redact_text_end(&c->text, s->r);
        redact_text_restart(&c->text);
    }
}

static void keep_texts(struct event *e, const struct said *said)
{
    if (!said->text_count) return;
    e->texts = mem_alloc(said->text_count * sizeof *e->texts);
    memcpy(e->texts, said->texts, said->text_count * sizeof *e->texts);
    e->text_count = said->text_count;
}

static void keep_as_it_came(struct event *e, const struct sse_event *event, const struct said *said)
{
    e->is_joined = !redact_event_has(event->raw, said->json);
    if (e->is_joined) buf_append(&e->spread, event->raw);
    redact_event_write(&e->raw, event, said->json, &e->data_at);
    e->data_len = said->json.len;
}

/* An event of choices: its strings join their texts. */
static void read_choices(struct redact_stream *s, struct event *e, const struct sse_event *event,
                         const struct said *said)
{
    s->reading = e;
    s->tape = said->tape;
    redact_walk_choices(s->tape, json_get(s->tape, 0, SLICE("choices")), redact_stream_text, s);
    redact_walk_rest(s->tape, redact_stream_text, s);
    end_rest(s);
    end_choices(s, json_get(s->tape, 0, SLICE("choices")));
    s->tape = NULL;
    keep_as_it_came(e, event, said);
}

/* An event of another dialect: its strings join those that stood at the same place of the last. */
static void read_foreign(struct redact_stream *s, struct event *e, const struct sse_event *event,
                         const struct said *said)
{
    s->reading = e;
    s->tape = said->tape;
    redact_walk_event(s->tape, redact_stream_text, s);
    end_rest(s);
    end_texts(s, redact_walk_event_choice(s->tape), said->what & SAID_PART_ENDS);
    s->tape = NULL;
    keep_as_it_came(e, event, said);
}

static bool has_only(const struct json_tape *tape, uint32_t object, const struct slice *names, size_t count)
{
    if (!json_is(tape, object, JSON_OBJECT)) return false;
    for (uint32_t n = json_first(tape, object); n != JSON_NONE; n = json_next(tape, n)) {
        size_t i = 0;
        while (i < count && !json_key_is(tape, n, names[i]))
            i++;
        if (i == count) return false;
    }
    return true;
}
#define HAS_ONLY(tape, object, names) has_only(tape, object, names, sizeof names / sizeof names[0])

static bool is_words(const struct json_tape *tape, uint32_t candidate)
{
    static const struct slice of_candidate[] = {{"content", 7}, {"index", 5}};
    static const struct slice of_content[] = {{"parts", 5}, {"role", 4}};
    static const struct slice of_part[] = {{"text", 4}, {"thought", 7}};
    uint32_t content = json_get(tape, candidate, SLICE("content")), parts = json_get(tape, content, SLICE("parts"));
    if (!HAS_ONLY(tape, candidate, of_candidate) || !HAS_ONLY(tape, content, of_content)) return false;
    uint32_t n = json_is(tape, parts, JSON_ARRAY) ? json_first(tape, parts) : JSON_NONE;
    while (n != JSON_NONE && HAS_ONLY(tape, n, of_part))
        n = json_next(tape, n);
    return n == JSON_NONE && json_is(tape, parts, JSON_ARRAY);
}

/* No end, no call, no signature: what is beside its words the last event says again. */
static bool is_words_alone(const struct json_tape *tape, uint32_t candidates)
{
    static const struct slice of_root[] = {
        {"candidates", 10}, {"usageMetadata", 13}, {"modelVersion", 12}, {"responseId", 10}, {"createTime", 10}};
    uint32_t n = json_first(tape, candidates);
    while (n != JSON_NONE && is_words(tape, n))
        n = json_next(tape, n);
    return n == JSON_NONE && HAS_ONLY(tape, 0, of_root);
}

/* An event of candidates. What one has said is over when it goes on in another way, and at the end: a reason for having
 * finished stands in each event of some models. */
static void read_candidates(struct redact_stream *s, struct event *e, const struct sse_event *event,
                            const struct said *said, uint32_t candidates)
{
    uint64_t place = 0;
    s->reading = e;
    s->tape = said->tape;
    redact_walk_candidates(s->tape, candidates, redact_stream_text, s);
    redact_walk_beside(s->tape, candidates, redact_stream_text, s);
    end_rest(s);
    for (uint32_t n = json_first(s->tape, candidates); n != JSON_NONE; n = json_next(s->tape, n))
        end_texts(s, redact_walk_number(s->tape, n, place++) % UINT32_MAX, false);
    e->is_text_alone = e->piece_count && is_words_alone(s->tape, candidates);
    s->tape = NULL;
    keep_as_it_came(e, event, said);
}

/* What a text's number is as a choice: never REDACT_NO_CHOICE. */
static uint64_t choice_of(const struct said *said)
{
    return said->part >> 1;
}

/* An event that adds to one text; all else in it stands whole. */
static void read_part(struct redact_stream *s, struct event *e, const struct sse_event *event, const struct said *said)
{
    s->reading = e;
    s->tape = said->tape;
    redact_walk_part(s->tape, choice_of(said), redact_stream_text, s);
    end_rest(s);
    s->tape = NULL;
    keep_as_it_came(e, event, said);
}

/* Any other event is read by itself. */
static void read_other(struct redact_stream *s, struct event *e, const struct sse_event *event, const struct said *said)
{
    struct buf data;
    buf_init(&data);
    if (redact_answer(s->r, said, &data, e->texts)) {
        redact_event_write(&e->raw, event, buf_slice(&data), &e->data_at);
        e->data_len = buf_len(&data);
    } else {
        keep_as_it_came(e, event, said);
    }
    buf_clear(&data);
}

/* --- events go out --- */

static bool is_settled(const struct redact_stream *s, const struct event *e)
{
    for (uint32_t i = 0; i < e->piece_count; i++) {
        if (s->channels[e->pieces[i].channel].text.settled < e->pieces[i].to) return false;
    }
    return true;
}

static bool is_changed(const struct redact_stream *s, const struct event *e)
{
    bool has_mask, is = false;
    for (uint32_t i = 0; i < e->piece_count && !is; i++) {
        const struct piece *p = &e->pieces[i];
        is = redact_text_is_changed(&s->channels[p->channel].text, p->from, p->to, &has_mask);
    }
    return is;
}

/* False: nothing of it is left. */
static bool change_piece(struct redact_stream *s, const struct piece *p, struct slice data,
                         struct redact_changes *changes)
{
    const struct redact_text *text = &s->channels[p->channel].text;
    bool has_mask = false;
    struct buf out;
    if (!redact_text_is_changed(text, p->from, p->to, &has_mask)) return true;
    buf_init(&out);
    struct slice raw = slice_of(data.ptr + p->at, p->len);
    redact_text_write(text, p->from, p->is_json ? raw : json_decode(raw, &s->arena), &out);
    if (p->is_json)
        redact_changes_json(changes, p->at, p->len, buf_slice(&out));
    else
        redact_changes_text(changes, p->at, p->len, buf_slice(&out));
    if (has_mask && p->logprobs_len) redact_changes_null(changes, p->logprobs_at, p->logprobs_len);
    bool is_left = buf_len(&out) > 0;
    buf_clear(&out);
    return is_left;
}

/* The event becomes what it says now. */
static void change(struct redact_stream *s, struct event *e)
{
    struct redact_changes changes = {0};
    struct slice raw = buf_slice(&e->raw), data = slice_of(raw.ptr + e->data_at, e->data_len);
    struct buf bytes;
    buf_init(&bytes);
    e->is_emptied = true;
    for (uint32_t i = 0; i < e->piece_count; i++)
        if (change_piece(s, &e->pieces[i], data, &changes)) e->is_emptied = false;
    buf_append(&bytes, slice_of(raw.ptr, e->data_at));
    redact_changes_apply(&changes, data, &bytes);
    size_t behind = e->data_at + e->data_len, changed_len = buf_len(&bytes) - e->data_at;
    buf_append(&bytes, slice_of(raw.ptr + behind, raw.len - behind));
    redact_changes_move(&changes, e->texts, e->text_count);
    buf_clear(&e->raw);
    e->raw = bytes;
    e->data_len = changed_len;
    e->is_joined = false;
    redact_changes_clear(&changes);
    arena_clear(&s->arena);
}

static bool put_out(struct redact_stream *s, const struct event *e)
{
    struct slice raw = buf_slice(&e->raw), data = slice_of(raw.ptr + e->data_at, e->data_len);
    struct said said = {.what = e->what, .json = data, .texts = e->texts, .text_count = e->text_count};
    struct sse_event event = {.raw = e->is_joined ? buf_slice(&e->spread) : raw,
                              .data = data,
                              .retry_ms = -1,
                              .ends = !e->is_tail,
                              .is_tail = e->is_tail};
    return s->out(s->arg, &event, &said);
}

/* What is told again is changed again, unless that would be too much. */
static void forget(struct channel *c, uint64_t to)
{
    uint32_t edits = c->text.edit_count;
    if (c->is_told_again && edits < LIMIT_REDACT_TEXTS) return;
    redact_text_forget(&c->text, to);
    if (c->text.edit_count < edits) c->has_forgotten = true;
}

static bool send_first(struct redact_stream *s)
{
    struct event *e = s->first;
    s->first = e->next;
    if (!s->first) s->end = &s->first;
    s->held_bytes -= buf_len(&e->raw);
    if (is_changed(s, e)) change(s, e);
    bool goes_on = (e->is_text_alone && e->is_emptied) || put_out(s, e);
    for (uint32_t i = 0; i < e->piece_count; i++)
        forget(&s->channels[e->pieces[i].channel], e->pieces[i].to);
    event_free(e);
    return goes_on;
}

static void end_texts_of(struct redact_stream *s, const struct event *e)
{
    for (uint32_t i = 0; i < e->piece_count; i++)
        redact_text_end(&s->channels[e->pieces[i].channel].text, s->r);
}

static bool send_settled(struct redact_stream *s)
{
    while (s->first) {
        if (!is_settled(s, s->first)) {
            /* Its own bytes do not count: who sends a large one must not see the end of its text let go unread. */
            if (s->held_bytes - buf_len(&s->first->raw) <= LIMIT_REDACT_QUEUE_BYTES) return true;
            end_texts_of(s, s->first);
        }
        if (!send_first(s)) return false;
    }
    return true;
}

bool redact_stream_flush(struct redact_stream *s)
{
    for (uint32_t i = 0; i < s->channel_count; i++)
        redact_text_end(&s->channels[i].text, s->r);
    return send_settled(s);
}

static void append(struct redact_stream *s, struct event *e)
{
    *s->end = e;
    s->end = &e->next;
    s->held_bytes += buf_len(&e->raw);
}

static bool take_event(struct redact_stream *s, const struct sse_event *event, const struct said *said,
                       struct fault *why)
{
    uint32_t choices = said->tape ? json_get(said->tape, 0, SLICE("choices")) : JSON_NONE;
    uint32_t candidates = said->tape ? json_get(said->tape, 0, SLICE("candidates")) : JSON_NONE;
    bool has_error = said->tape && json_is(said->tape, json_get(said->tape, 0, SLICE("error")), JSON_OBJECT);
    bool has_choices = said->tape && json_is(said->tape, choices, JSON_ARRAY) && !has_error;
    if (!has_choices && (has_error || said->what & SAID_DONE) && !redact_stream_flush(s)) return false;
    struct event *e = mem_zalloc(1, sizeof *e);
    e->is_tail = event->is_tail;
    e->what = said->what;
    s->events++;
    keep_texts(e, said);
    if (has_choices)
        read_choices(s, e, event, said);
    else if (candidates != JSON_NONE && json_is(said->tape, candidates, JSON_ARRAY) && !has_error)
        read_candidates(s, e, event, said, candidates);
    else if (said->has_parts && json_is(said->tape, json_get(said->tape, 0, SLICE("delta")), JSON_STRING))
        read_part(s, e, event, said);
    else if (said->tape && json_is(said->tape, 0, JSON_OBJECT) && !has_error && !said->has_parts)
        read_foreign(s, e, event, said);
    else
        read_other(s, e, event, said);
    if (said->has_parts && said->what & SAID_PART_ENDS) end_texts(s, choice_of(said), true);
    arena_clear(&s->arena);
    append(s, e);
    if (s->has_too_many) {
        return fault_set(why, FAULT_UPSTREAM_PROTOCOL, "The provider's answer has more than %u texts.",
                         LIMIT_REDACT_TEXTS);
    }
    if (redact_answer_is_too_deep(s->r)) {
        return fault_set(why, FAULT_UPSTREAM_PROTOCOL, REDACT_TOO_DEEP, LIMIT_SIGHT_LEVELS);
    }
    return send_settled(s);
}

bool redact_stream_event(struct redact_stream *s, const struct sse_event *event, const struct said *said,
                         struct fault *why)
{
    why->code = FAULT_NONE;
    if (event->is_raw)
        return fault_set(why, FAULT_UPSTREAM_PROTOCOL, "The provider sent an event too large to be redacted.");
    if (event->is_comment_only) return s->out(s->arg, event, NULL);
    return take_event(s, event, said, why);
}
