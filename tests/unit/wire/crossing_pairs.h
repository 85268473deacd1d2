/*
 * There and back, for every pair of dialects that is translated: a request made of some bytes, of what such APIs can say,
 * means the same in the other dialect, and after the way back where there is one: what is said, called, asked for and
 * set, by what it means and not by how it is written, but for what is told as dropped. A new dialect takes part by itself
 * where clients of one that is here reach it; one whose clients are new has its own makes().
 *
 *     struct pair pair;
 *     for (size_t i = 0; pairs_at(i, &pair); i++)
 *         if (!pair_keeps(&pair, bytes, len, &what)) …            // what: the section that was lost; clear it
 */
#ifndef MOONGATE_TESTS_CROSSING_PAIRS_H
#define MOONGATE_TESTS_CROSSING_PAIRS_H

#include "crossing_over.h"

struct pair {
    const struct dialect *from, *to;
};

/* What nobody reads as a client's there are no words for to compare: then it is only written. */
static inline bool pairs_reads(const struct dialect *d)
{
    return d->request_translation && d->request_translation->read;
}

/* Who has its own makes(), or is written to by OpenAI's clients. */
static inline bool pairs_makes(const struct dialect *d)
{
    return d == &dialect_responses || d == &dialect_openai || translate_can(&dialect_openai, d, CHAT_CHAT);
}

static inline bool pairs_at(size_t index, struct pair *pair)
{
    for (size_t f = 0; (pair->from = dialect_at(f)) != NULL; f++) {
        for (size_t t = 0; (pair->to = dialect_at(t)) != NULL; t++) {
            bool is_pair = pair->from != pair->to && translate_can(pair->from, pair->to, CHAT_CHAT);
            if (is_pair && pairs_makes(pair->from) && index-- == 0) return true;
        }
    }
    return false;
}

/* --- a request of the Responses API --- */

static void pairs_item(struct dice *d, struct buf *out, unsigned turn)
{
    unsigned calls = roll(d, 3);
    buf_printf(out, ",{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"%s\"}", over_text(d));
    if (roll(d, 3) == 0)
        buf_append(out, SLICE(",{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,iVBO\"}"));
    buf_append(out, SLICE("]}"));
    if (roll(d, 2) || !calls)
        buf_printf(out,
                   ",{\"type\":\"message\",\"role\":\"assistant\","
                   "\"content\":[{\"type\":\"output_text\",\"text\":\"%s\"}]}",
                   over_text(d));
    for (unsigned i = 0; i < calls; i++)
        buf_printf(out, ",{\"type\":\"function_call\",\"call_id\":\"call_%u_%u\",\"name\":\"f%u\",\"arguments\":\"%s\"}",
                   turn, i, i, over_arguments(d));
    for (unsigned i = 0; i < calls; i++)
        buf_printf(out, ",{\"type\":\"function_call_output\",\"call_id\":\"call_%u_%u\",\"output\":\"%s\"}", turn, i,
                   over_text(d));
}

static void pairs_make_responses(struct dice *d, struct buf *out)
{
    unsigned turns = 1 + roll(d, 5);
    buf_printf(out,
               "{\"model\":\"m\",\"max_output_tokens\":%u,\"instructions\":\"%s\","
               "\"input\":[{\"role\":\"user\",\"content\":\"%s\"}",
               5000 + roll(d, 200), over_text(d), over_text(d));
    for (unsigned i = 0; i < turns; i++)
        pairs_item(d, out, i);
    buf_append_char(out, ']');
    if (roll(d, 2))
        buf_printf(out, ",\"tools\":[{\"type\":\"function\",\"name\":\"f0\",\"strict\":false,\"description\":\"%s\",\"parameters\":"
                        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}}],\"parallel_tool_calls\":%s",
                   over_text(d), roll(d, 2) ? "true" : "false");
    if (roll(d, 2)) buf_printf(out, ",\"temperature\":0.%u", roll(d, 10));
    if (roll(d, 2)) buf_printf(out, ",\"user\":\"u%u\"", roll(d, 100));
    if (roll(d, 2)) buf_append(out, SLICE(",\"stream\":true"));
    buf_append_char(out, '}');
}

/* --- what it means, in sections --- */

enum section {
    SECTION_TALK,
    SECTION_MARKS,
    SECTION_TOOLS,
    SECTION_CHOICE,
    SECTION_PARALLEL,
    SECTION_LENGTH,
    SECTION_KNOBS,
    SECTION_STOPS,
    SECTION_EFFORT,
    SECTION_FORMAT,
    SECTION_USER,
    SECTION_TIER,
    SECTION_STREAM,
    SECTIONS
};
static const char *const section_names[SECTIONS] = {"talk",  "marks",  "tools",  "choice", "parallel", "length", "knobs",
                                                    "stops", "effort", "format", "user",   "tier",     "stream"};

struct meaning {
    struct buf sections[SECTIONS];
    struct conversation_words words;
    bool is_of_gemini;
};

static void meaning_init(struct meaning *m)
{
    for (int i = 0; i < SECTIONS; i++)
        buf_init(&m->sections[i]);
}

static void meaning_clear(struct meaning *m)
{
    for (int i = 0; i < SECTIONS; i++)
        buf_clear(&m->sections[i]);
}

/* JSON as it is written without blanks; what a string means, not its escapes. */
static void pairs_spell_json(struct buf *out, struct slice json, struct arena *arena)
{
    struct slice text = json.ptr && json.len && json.ptr[0] == '"' ? json_decode(json, arena) : json;
    bool is_string = false;
    for (size_t i = 0; i < text.len; i++) {
        is_string ^= text.ptr[i] == '"' && (i == 0 || text.ptr[i - 1] != '\\');
        if (is_string || text.ptr[i] != ' ') buf_append_char(out, text.ptr[i]);
    }
}

/* Texts that follow each other are one, wherever lines end. */
static void pairs_spell_parts(struct meaning *m, const struct part_list *list, struct arena *arena)
{
    struct buf *out = &m->sections[SECTION_TALK];
    bool is_text = false;
    for (const struct part *p = list->first; p; p = p->next) {
        struct slice text = p->text.len && p->kind != PART_CALL ? json_decode(p->text, arena) : SLICE_NONE;
        if (p->cache.len) buf_printf(&m->sections[SECTION_MARKS], "%.*s", SLICE_FMT(p->cache));
        if (p->kind != PART_TEXT || !is_text) buf_printf(out, "\n%d ", (int)p->kind);
        is_text = p->kind == PART_TEXT;
        for (size_t i = 0; i < text.len; i++)
            if (text.ptr[i] != '\n') buf_append_char(out, text.ptr[i]);
        if (p->kind == PART_CALL) pairs_spell_json(out, p->text, arena);
        pairs_spell_json(out, p->id, arena);
        pairs_spell_json(out, p->name, arena);
        pairs_spell_json(out, p->url, arena);
        buf_append(out, p->data);
        if (p->parts.first) pairs_spell_parts(m, &p->parts, arena);
    }
}

static void pairs_spell_tools(struct meaning *m, const struct conversation *c, struct arena *arena)
{
    enum choice choice = c->choice == CHOICE_UNSAID ? CHOICE_AUTO : c->choice;
    for (const struct tool *t = c->tools; t; t = t->next) {
        pairs_spell_json(&m->sections[SECTION_TOOLS], t->name, arena);
        pairs_spell_json(&m->sections[SECTION_TOOLS], t->description, arena);
        if (t->parameters != JSON_NONE)
            pairs_spell_json(&m->sections[SECTION_TOOLS], json_raw(c->tape, t->parameters), arena);
    }
    buf_printf(&m->sections[SECTION_CHOICE], "%d", c->tools ? (int)choice : 0);
    buf_printf(&m->sections[SECTION_PARALLEL], "%d", c->tools && choice != CHOICE_NONE && c->parallel == CHAT_FALSE);
}

static void pairs_spell_settings(struct meaning *m, const struct conversation *c, struct arena *arena)
{
    buf_printf(&m->sections[SECTION_LENGTH], "%lld", (long long)c->max_tokens);
    for (int k = 0; k < KNOBS; k++)
        if (c->knobs[k] != JSON_NONE)
            buf_printf(&m->sections[SECTION_KNOBS], " %d=%.*s", k, SLICE_FMT(json_raw(c->tape, c->knobs[k])));
    for (size_t i = 0; i < c->stop_count; i++)
        if (!writing_is_blank(c->stops[i])) over_spell(&m->sections[SECTION_STOPS], c->stops[i], arena);
    buf_printf(&m->sections[SECTION_EFFORT], "%d", c->effort > EFFORT_NONE);
    buf_printf(&m->sections[SECTION_FORMAT], "%d", (int)c->format);
    if (c->schema != JSON_NONE)
        pairs_spell_json(&m->sections[SECTION_FORMAT], json_raw(c->tape, c->schema), arena);
    pairs_spell_json(&m->sections[SECTION_USER], c->user, arena);
    buf_printf(&m->sections[SECTION_TIER], "%d", (int)c->tier);
    buf_printf(&m->sections[SECTION_STREAM], "%d", c->is_stream);
}

static void pairs_spell(struct meaning *m, struct conversation *c, bool hoists, struct arena *arena)
{
    conversation_prune(c, over_is_said, NULL);
    conversation_take_turns(c, hoists);
    pairs_spell_parts(m, &c->system, arena);
    for (const struct message *message = c->first; message; message = message->next) {
        buf_printf(&m->sections[SECTION_TALK], "\n%d:", (int)message->speaker);
        pairs_spell_parts(m, &message->parts, arena);
    }
    pairs_spell_tools(m, c, arena);
    pairs_spell_settings(m, c, arena);
}

static bool pairs_read(const struct dialect *dialect, struct slice body, bool hoists, struct arena *arena,
                       struct meaning *m, struct fault *why)
{
    struct chat_request r;
    struct conversation c;
    struct dropped dropped = {.count = 0};
    chat_init(&r);
    bool is_read = chat_parse(&r, dialect, body, CHAT_CHAT, arena, why);
    m->words = *dialect->request_translation->words;
    m->is_of_gemini = dialect == &dialect_gemini;
    if (is_read) conversation_init(&c, &r, arena, dialect->request_translation->words);
    is_read = is_read && dialect->request_translation->read(&r, &c, &dropped, why);
    if (is_read) pairs_spell(m, &c, hoists, arena);
    chat_clear(&r);
    return is_read;
}

/* Has the client been told that this was left out? */
static bool pairs_is_told(enum section section, const struct conversation_words *w, struct slice dropped)
{
    const struct slice names[SECTIONS] = {
        [SECTION_MARKS] = {"cache_control", 13}, [SECTION_CHOICE] = w->choice, [SECTION_PARALLEL] = w->parallel,
        [SECTION_STOPS] = w->stop,     [SECTION_EFFORT] = w->effort, [SECTION_FORMAT] = w->format,
        [SECTION_USER] = w->user,      [SECTION_TIER] = w->tier,     [SECTION_KNOBS] = {"temperature", 11}};
    return names[section].len && dropped.len && memmem(dropped.ptr, dropped.len, names[section].ptr, names[section].len);
}

static bool pairs_same(const struct meaning *a, const struct meaning *b, struct slice dropped, struct buf *what)
{
    bool is_same = true;
    for (int i = 0; i < SECTIONS; i++) {
        struct slice one = buf_slice(&a->sections[i]), other = buf_slice(&b->sections[i]);
        /* Of Gemini's requests the path says whether it is a stream, and nothing that the tier is the standard one. */
        bool is_apart = (i == SECTION_STREAM || i == SECTION_TIER) && (a->is_of_gemini || b->is_of_gemini);
        if (slice_equal(one, other) || is_apart || pairs_is_told((enum section)i, &a->words, dropped)) continue;
        is_same = false;
        buf_printf(what, "%s:\n%.*s\n→ %.*s\n", section_names[i], SLICE_FMT(one), SLICE_FMT(other));
    }
    return is_same;
}

/* --- the way --- */

static inline bool pairs_make(const struct pair *p, struct dice *dice, struct buf *body, struct fault *why)
{
    struct buf first, dropped;
    bool is_made = true;
    buf_init(&first);
    buf_init(&dropped);
    if (p->from == &dialect_responses) {
        pairs_make_responses(dice, body);
    } else if (p->from == &dialect_openai) {
        over_make(dice, body);
    } else {
        over_make(dice, &first);
        is_made = over_translate(&dialect_openai, p->from, buf_slice(&first), body, &dropped, why);
    }
    buf_clear(&first);
    buf_clear(&dropped);
    return is_made;
}

static bool pairs_compare(const struct pair *p, struct slice body, struct slice there, struct slice dropped,
                          struct buf *what)
{
    struct meaning before, after;
    struct arena arena;
    struct fault why = {.code = FAULT_NONE};
    if (!pairs_reads(p->to)) return true;
    arena_init(&arena);
    meaning_init(&before);
    meaning_init(&after);
    bool hoists = p->from == &dialect_gemini || p->to == &dialect_gemini; /* all that the system says stands apart */
    bool is_same = pairs_read(p->from, body, hoists, &arena, &before, &why) &&
                   pairs_read(p->to, there, hoists, &arena, &after, &why) &&
                   pairs_same(&before, &after, dropped, what);
    if (!is_same)
        buf_printf(what, "%s → %s %s\n%.*s\n→ %.*s\ndropped: %.*s\n", p->from->name, p->to->name, fault_message(&why),
                   SLICE_FMT(body), SLICE_FMT(there), SLICE_FMT(dropped));
    meaning_clear(&before);
    meaning_clear(&after);
    arena_clear(&arena);
    return is_same;
}

static inline bool pair_keeps(const struct pair *p, const uint8_t *bytes, size_t len, struct buf *what)
{
    struct dice dice = {bytes, len, 0};
    struct pair way_back = {p->to, p->from};
    struct buf body, there, back, dropped;
    struct buf *const all[] = {&body, &there, &back, &dropped};
    struct fault why = {.code = FAULT_NONE};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_init(all[i]);
    bool is_kept = pairs_make(p, &dice, &body, &why) &&
                   over_translate(p->from, p->to, buf_slice(&body), &there, &dropped, &why);
    if (!is_kept) buf_printf(what, "%s: %.*s\n", fault_message(&why), SLICE_FMT(buf_slice(&body)));
    is_kept = is_kept && pairs_compare(p, buf_slice(&body), buf_slice(&there), buf_slice(&dropped), what);
    if (is_kept && translate_can(p->to, p->from, CHAT_CHAT)) {
        is_kept = over_translate(p->to, p->from, buf_slice(&there), &back, &dropped, &why) &&
                  pairs_compare(&way_back, buf_slice(&there), buf_slice(&back), buf_slice(&dropped), what);
        if (!is_kept) buf_printf(what, "on the way back: %s", fault_message(&why));
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_clear(all[i]);
    return is_kept;
}

#endif
