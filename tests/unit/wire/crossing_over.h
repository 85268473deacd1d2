/*
 * There and back: a request made of some bytes, of what both dialects can say, is translated into the other one and
 * back again. What is said, called, asked for and set must be the same.
 *
 *     if (!over_and_back(from, to, bytes, len, &what)) …            // what: which part of it was lost; clear it
 *     over_any(from, to, body);                                     // any bytes at all: JSON comes out, or a reason
 */
#ifndef MOONGATE_TESTS_CROSSING_OVER_H
#define MOONGATE_TESTS_CROSSING_OVER_H

#include <stdint.h>
#include <stdio.h>

#include "base/check.h"
#include "wire/translate/translate.h"
#include "wire/translate/writing.h"

struct dice {
    const uint8_t *bytes;
    size_t len, at;
};

static inline unsigned roll(struct dice *d, unsigned sides)
{
    return d->at < d->len ? d->bytes[d->at++] % sides : 0;
}

static const struct traits over_traits = {.thinking = THINKING_ADAPTIVE,
                                          .efforts = 1u << EFFORT_LOW | 1u << EFFORT_MEDIUM | 1u << EFFORT_HIGH,
                                          .has_schema = true,
                                          .cache = CACHE_AS_ANTHROPIC,
                                          .publisher = PUBLISHER_ANTHROPIC,
                                          .top_k = TOP_K_AS_MEMBER,
                                          .has_result_status = true,
                                          .has_late_system = true};

static const struct traits over_gemini = {.thinking = THINKING_LEVEL,
                                          .efforts = 1u << EFFORT_LOW | 1u << EFFORT_HIGH,
                                          .has_schema = true,
                                          .has_schema_with_tools = true,
                                          .has_signed_calls = true};

/* --- a request of OpenAI's --- */

static const char *over_text(struct dice *d)
{
    static const char *const texts[] = {"a",       "b c",     "\\u00e9\\n\\\"q\\\"", "\xE2\x82\xAC", "\\ud83d\\ude00",
                                        "{\\\"}",  "\\\\n",   "</s>",            "0",            "\\u0000"};
    return texts[roll(d, sizeof texts / sizeof texts[0])];
}

static const char *over_arguments(struct dice *d)
{
    static const char *const texts[] = {"{}", "{\\\"a\\\": 1e-7}", "{\\\"n\\\":9007199263392129}",
                                        "{\\\"s\\\":\\\"\\\\u00e9\\\\n\\\",\\\"l\\\":[{},[]]}", ""};
    return texts[roll(d, sizeof texts / sizeof texts[0])];
}

static void over_parts(struct dice *d, struct buf *out)
{
    unsigned count = 1 + roll(d, 3);
    buf_append_char(out, '[');
    for (unsigned i = 0; i < count; i++) {
        if (i) buf_append_char(out, ',');
        switch (roll(d, 4)) {
        case 0:
            buf_printf(out, "{\"type\":\"text\",\"text\":\"%s\",\"cache_control\":{\"type\":\"ephemeral\"}}",
                       over_text(d));
            break;
        case 1: buf_append(out, SLICE("{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,iVBO\"}}"));
            break;
        case 2: buf_append(out, SLICE("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.example/a.png\"}}"));
            break;
        default: buf_printf(out, "{\"type\":\"text\",\"text\":\"%s\"}", over_text(d)); break;
        }
    }
    buf_append_char(out, ']');
}

static void over_turn(struct dice *d, struct buf *out, unsigned turn)
{
    unsigned calls = roll(d, 3);
    buf_append(out, SLICE(",{\"role\":\"user\",\"content\":"));
    if (roll(d, 2))
        over_parts(d, out);
    else
        buf_printf(out, "\"%s\"", over_text(d));
    buf_append(out, SLICE("}"));
    if (roll(d, 6) == 0) buf_printf(out, ",{\"role\":\"system\",\"content\":\"%s\"}", over_text(d));
    buf_append(out, SLICE(",{\"role\":\"assistant\""));
    if (roll(d, 2) || !calls) buf_printf(out, ",\"content\":\"%s\"", over_text(d));
    if (calls) buf_append(out, SLICE(",\"tool_calls\":["));
    for (unsigned i = 0; i < calls; i++)
        buf_printf(out, "%s{\"id\":\"call_%u_%u\",\"type\":\"function\",\"function\":{\"name\":\"f%u\",\"arguments\":\"%s\"}}",
                   i ? "," : "", turn, i, i, over_arguments(d));
    buf_append(out, calls ? SLICE("]}") : SLICE("}"));
    for (unsigned i = 0; i < calls; i++)
        buf_printf(out, ",{\"role\":\"tool\",\"tool_call_id\":\"call_%u_%u\",\"content\":\"%s\"}", turn, i, over_text(d));
}

static void over_settings(struct dice *d, struct buf *out)
{
    static const char *const choices[] = {"\"auto\"", "\"none\"", "\"required\"",
                                          "{\"type\":\"function\",\"function\":{\"name\":\"f0\"}}"};
    static const char *const efforts[] = {"none", "low", "medium", "high"};
    if (roll(d, 2)) {
        buf_printf(out, ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f0\",\"description\":\"%s\","
                        "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[1,\"%s\"]}}}}}]",
                   over_text(d), over_text(d));
        if (roll(d, 2)) buf_printf(out, ",\"tool_choice\":%s", choices[roll(d, 2)]);
        if (roll(d, 2)) buf_append(out, SLICE(",\"parallel_tool_calls\":false"));
    }
    bool thinks = roll(d, 3) == 0;
    if (thinks) buf_printf(out, ",\"reasoning_effort\":\"%s\"", efforts[1 + roll(d, 3)]);
    if (!thinks && roll(d, 2)) buf_printf(out, ",\"temperature\":0.%u", roll(d, 10));
    if (!thinks && roll(d, 2)) buf_append(out, SLICE(",\"top_p\":1e-1"));
    if (roll(d, 2)) buf_printf(out, ",\"stop\":[\"%s\",\"END\"]", over_text(d));
    if (roll(d, 2)) buf_printf(out, ",\"user\":\"u%u\"", roll(d, 100));
    if (roll(d, 2)) buf_append(out, SLICE(",\"service_tier\":\"default\""));
    if (roll(d, 2)) buf_append(out, SLICE(",\"stream\":true"));
    if (roll(d, 3) == 0)
        buf_append(out, SLICE(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"answer\","
                              "\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},"
                              "\"required\":[\"a\"],\"additionalProperties\":false},\"strict\":true}}"));
}

static void over_make(struct dice *d, struct buf *out)
{
    unsigned turns = 1 + roll(d, 5);
    buf_printf(out, "{\"model\":\"m\",\"max_tokens\":%u,\"messages\":[{\"role\":\"system\",\"content\":\"%s\"}",
               5000 + roll(d, 200), over_text(d));
    for (unsigned i = 0; i < turns; i++)
        over_turn(d, out, i);
    buf_append_char(out, ']');
    over_settings(d, out);
    buf_append_char(out, '}');
}

/* --- what it says --- */

static void over_spell(struct buf *out, struct slice raw, struct arena *arena)
{
    struct slice text = raw.len ? json_decode(raw, arena) : SLICE("");
    buf_printf(out, "<%.*s>", SLICE_FMT(text));
}

static void over_spell_parts(struct buf *out, const struct part_list *list, bool joins, struct arena *arena)
{
    for (const struct part *p = list->first; p; p = p->next) {
        buf_printf(out, joins && p->kind == PART_TEXT ? "" : "%d", (int)p->kind);
        if (p->kind == PART_CALL)
            buf_printf(out, "(%.*s)", SLICE_FMT(p->text));
        else if (joins)
            buf_append(out, p->text.len ? json_decode(p->text, arena) : SLICE(""));
        else
            over_spell(out, p->text, arena);
        over_spell(out, p->id, arena);
        over_spell(out, p->name, arena);
        over_spell(out, p->url, arena);
        buf_printf(out, "%.*s%.*s", SLICE_FMT(p->data), SLICE_FMT(joins ? SLICE_NONE : p->cache));
        over_spell_parts(out, &p->parts, false, arena);
    }
}

static bool over_is_said(void *arg, const struct part *p)
{
    (void)arg;
    return p->kind != PART_TEXT || !writing_is_blank(p->text);
}

static void over_spell_settings(struct buf *out, const struct conversation *c, struct arena *arena)
{
    /* Not to choose is to choose "auto"; where no tool may be called, nobody asks how many. */
    enum choice choice = c->choice == CHOICE_UNSAID ? CHOICE_AUTO : c->choice;
    int parallel = c->tools && choice != CHOICE_NONE ? (int)c->parallel : 0;
    buf_printf(out, "\nsettings %d %lld %d %d %d %d %d %d", c->is_stream, (long long)c->max_tokens, (int)choice,
               parallel, (int)c->effort, (int)c->format, (int)c->tier, (int)c->is_schema_strict);
    for (int k = 0; k < KNOBS; k++)
        if (c->knobs[k] != JSON_NONE) buf_printf(out, " %d=%.*s", k, SLICE_FMT(json_raw(c->tape, c->knobs[k])));
    for (size_t i = 0; i < c->stop_count; i++)
        if (!writing_is_blank(c->stops[i])) over_spell(out, c->stops[i], arena);
    over_spell(out, c->user, arena);
    over_spell(out, c->choice_name, arena);
    for (const struct tool *t = c->tools; t; t = t->next) {
        over_spell(out, t->name, arena);
        over_spell(out, t->description, arena);
        if (t->parameters != JSON_NONE) buf_append(out, json_raw(c->tape, t->parameters));
    }
    if (c->schema != JSON_NONE) buf_append(out, json_raw(c->tape, c->schema));
}

static bool over_describe(const struct dialect *dialect, struct slice body, struct arena *arena, struct buf *out)
{
    struct chat_request r;
    struct conversation c;
    struct dropped dropped = {.count = 0};
    struct fault why;
    chat_init(&r);
    bool is_read = chat_parse(&r, dialect, body, CHAT_CHAT, arena, &why);
    if (is_read) conversation_init(&c, &r, arena, dialect->request_translation->words);
    is_read = is_read && dialect->request_translation->read(&r, &c, &dropped, &why);
    if (is_read) {
        conversation_prune(&c, over_is_said, NULL);
        conversation_take_turns(&c, false);
        over_spell_parts(out, &c.system, true, arena);
        for (const struct message *m = c.first; m; m = m->next) {
            buf_printf(out, "\n%d: ", (int)m->speaker);
            over_spell_parts(out, &m->parts, m->speaker == SPEAKER_ASSISTANT, arena);
        }
        over_spell_settings(out, &c, arena);
    }
    chat_clear(&r);
    return is_read;
}

/* --- the way --- */

static inline bool over_translate(const struct dialect *from, const struct dialect *to, struct slice body,
                                  struct buf *out, struct buf *dropped, struct fault *why)
{
    struct translate_target target = {.traits = to == &dialect_gemini ? &over_gemini : &over_traits,
                                      .limit = CHAT_LIMIT_ANY,
                                      .model = {"m", 1}};
    struct dropped names = {.count = 0};
    struct arena arena;
    arena_init(&arena);
    bool is_good = translate_request(from, body, to, &target, &arena, out, &names, why);
    dropped_write(&names, dropped);
    arena_clear(&arena);
    return is_good;
}

static inline bool over_and_back(const uint8_t *bytes, size_t len, struct buf *what)
{
    struct dice dice = {bytes, len, 0};
    struct buf first, there, back, before, after, dropped;
    struct buf *const all[] = {&first, &there, &back, &before, &after, &dropped};
    struct arena arena;
    struct fault why = {.code = FAULT_NONE};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_init(all[i]);
    arena_init(&arena);
    over_make(&dice, &first);
    bool is_same = over_translate(&dialect_openai, &dialect_anthropic, buf_slice(&first), &there, &dropped, &why) &&
                   over_translate(&dialect_anthropic, &dialect_openai, buf_slice(&there), &back, &dropped, &why) &&
                   over_describe(&dialect_openai, buf_slice(&first), &arena, &before) &&
                   over_describe(&dialect_openai, buf_slice(&back), &arena, &after) &&
                   slice_equal(buf_slice(&before), buf_slice(&after));
    if (!is_same)
        buf_printf(what, "%s\n%.*s\n→ %.*s\n→ %.*s\n%.*s\n→ %.*s", fault_message(&why), SLICE_FMT(buf_slice(&first)),
                   SLICE_FMT(buf_slice(&there)), SLICE_FMT(buf_slice(&back)), SLICE_FMT(buf_slice(&before)),
                   SLICE_FMT(buf_slice(&after)));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_clear(all[i]);
    arena_clear(&arena);
    return is_same;
}

/* Whatever it is: JSON comes out, names that a header may hold, or a reason. */
static inline void over_any(const struct dialect *from, const struct dialect *to, struct slice body)
{
    struct buf out, dropped;
    struct json_tape tape;
    struct fault why = {.code = FAULT_NONE};
    buf_init(&out);
    buf_init(&dropped);
    json_init(&tape);
    if (over_translate(from, to, body, &out, &dropped, &why))
        check(json_parse(&tape, buf_slice(&out), &why) && json_is(&tape, 0, JSON_OBJECT));
    else
        check(why.code != FAULT_NONE && buf_len(&out) == 0);
    for (size_t i = 0; i < buf_len(&dropped); i++)
        check(buf_ptr(&dropped)[i] >= ' ' && buf_ptr(&dropped)[i] < 0x7F);
    check(buf_len(&dropped) <= DROPPED_MAX * (DROPPED_NAME_BYTES + 2) + 16);
    json_clear(&tape);
    buf_clear(&out);
    buf_clear(&dropped);
}

#endif
