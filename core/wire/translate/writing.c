#include "wire/translate/writing.h"

#include <stdlib.h>
#include <xxhash.h>

#include "wire/translate/schema.h"

#define CALL_ID_BYTES 40 /* OpenAI's APIs take no longer one */

void writing_comma(const struct writing *w)
{
    char last = buf_ptr(w->out)[buf_len(w->out) - 1];
    if (last != '{' && last != '[') buf_append_char(w->out, ',');
}

void writing_name(const struct writing *w, struct slice name)
{
    writing_comma(w);
    buf_append_char(w->out, '"');
    buf_append(w->out, name);
    buf_append(w->out, SLICE("\":"));
}

void writing_member(const struct writing *w, struct slice name, struct slice json)
{
    if (!json.len) return;
    writing_name(w, name);
    buf_append(w->out, json);
}

void writing_number(const struct writing *w, struct slice name, int64_t value)
{
    writing_name(w, name);
    buf_append_u64(w->out, value < 0 ? 0 : (uint64_t)value);
}

void writing_joined(const struct writing *w, const struct part_list *list, enum part_kind kind, struct slice between)
{
    bool is_first = true;
    buf_append_char(w->out, '"');
    for (const struct part *p = list->first; p; p = p->next) {
        if (p->kind != kind) continue;
        if (!is_first) buf_append(w->out, between);
        is_first = false;
        buf_append(w->out, slice_of(p->text.ptr + 1, p->text.len - 2));
    }
    buf_append_char(w->out, '"');
}

void writing_data_url(const struct writing *w, const struct part *p)
{
    buf_append(w->out, SLICE("\"data:"));
    buf_append(w->out, p->media_type);
    buf_append(w->out, SLICE(";base64,"));
    buf_append(w->out, p->data);
    buf_append_char(w->out, '"');
}

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Sources: Anthropic API reference, tool_use ids match ^[a-zA-Z0-9_-]+$; OpenAI, ids of calls have at most 40
 * characters. */
void writing_call_id(const struct writing *w, struct slice id)
{
    struct slice text = slice_of(id.ptr + 1, id.len - 2);
    bool is_good = text.len > 0 && text.len <= CALL_ID_BYTES;
    for (size_t i = 0; i < text.len && is_good; i++)
        is_good = is_id_char(text.ptr[i]);
    if (is_good) {
        buf_append(w->out, id);
        return;
    }
    XXH128_hash_t hash = XXH3_128bits(text.ptr, text.len);
    buf_printf(w->out, "\"call_%016llx%016llx\"", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

void writing_parameters(const struct writing *w, const struct tool *t)
{
    if (t->takes_text)
        buf_append(w->out, SLICE("{\"type\":\"object\",\"properties\":{\"input\":"
                                 "{\"type\":\"string\"}},\"required\":[\"input\"]}"));
    else
        schema_write_object(w->c->tape, t->parameters, w->out);
}

void writing_hint_format(const struct writing *w, struct conversation *c)
{
    static const char any[] = "Answer with one JSON object and nothing else.",
                      fitting[] = "Answer with JSON alone, and nothing else, that fits this JSON schema: ";
    bool has_schema = c->format == FORMAT_SCHEMA;
    struct part *p = conversation_add_part(c, &c->system, PART_TEXT);
    dropped_add(w->dropped, c->words->format);
    if (!p) return;
    struct buf text, json;
    buf_init(&text);
    buf_init(&json);
    buf_append(&text, slice_str(has_schema ? fitting : any));
    if (has_schema) buf_append(&text, json_raw(c->tape, c->schema));
    buf_append_json(&json, buf_slice(&text));
    p->text = arena_copy(c->arena, buf_slice(&json));
    p->message = CHAT_NO_MESSAGE;
    buf_clear(&text);
    buf_clear(&json);
}

bool writing_is_marked(const struct part *p, struct slice mark)
{
    struct slice raw = p->is_redacted ? p->text : p->signature;
    return raw.len > 2 && slice_starts(slice_of(raw.ptr + 1, raw.len - 2), mark);
}

bool writing_has_mark(const struct part *p)
{
    return writing_is_marked(p, SLICE(SIGNATURE_OF_GEMINI)) || writing_is_marked(p, SLICE(SIGNATURE_OF_OPENAI));
}

size_t writing_count(const struct part_list *list, enum part_kind kind)
{
    size_t count = 0;
    for (const struct part *p = list->first; p; p = p->next)
        count += p->kind == kind;
    return count;
}

bool writing_has_marks(const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next) {
        if (p->cache.len) return true;
    }
    return false;
}

bool writing_is_blank(struct slice raw)
{
    for (size_t i = 1; i + 1 < raw.len; i++) {
        char c = raw.ptr[i];
        bool is_escape = c == '\\' && strchr("ntr", raw.ptr[i + 1]) != NULL;
        if (c != ' ' && !is_escape) return false;
        i += is_escape;
    }
    return true;
}

bool writing_fits(struct slice raw, size_t most)
{
    return raw.len <= most + 2;
}

static const char *content_word(const struct conversation_words *words)
{
    return words->content ? words->content : "content";
}

void writing_drop(const struct writing *w, const struct part *p, struct slice name)
{
    struct slice reasoning = w->c->words->reasoning;
    bool is_in_message = p->message != CHAT_NO_MESSAGE;
    struct slice path = name;
    if (p->kind == PART_REASONING && (reasoning.len || w->c->words->has_items))
        path = reasoning;
    else if (is_in_message)
        path = arena_printf(w->c->arena, "%s[%u]%s%.*s", content_word(w->c->words),
                            p->number, name.len ? "." : "", SLICE_FMT(name));
    dropped_add_at(w->dropped, is_in_message ? w->c->words->messages : "system",
                   is_in_message ? p->message : p->number, path);
}

bool writing_refuse(const struct writing *w, const struct part *p, const char *text)
{
    const struct conversation_words *words = w->c->words;
    if (p->message == CHAT_NO_MESSAGE) return fault_set(w->why, FAULT_BAD_BODY, "system[%u]: %s", p->number, text);
    return fault_set(w->why, FAULT_BAD_BODY, "%s[%u].%s[%u]: %s", words->messages, p->message, content_word(words),
                     p->number, text);
}

enum effort writing_effort(const struct writing *w, enum effort least)
{
    unsigned known = w->target->traits->efforts;
    enum effort wanted = w->c->effort, best = EFFORT_UNSAID;
    for (int e = least; e < EFFORTS; e++) {
        bool is_nearer = best == EFFORT_UNSAID || abs(e - (int)wanted) < abs((int)best - (int)wanted);
        if ((known & 1u << e) && is_nearer) best = (enum effort)e;
    }
    if (best != EFFORT_UNSAID && best != wanted) dropped_add(w->dropped, w->c->words->effort);
    return best;
}

void writing_breakpoint(const struct writing *w, const struct part *p)
{
    writing_member(w, SLICE("prompt_cache_breakpoint"), SLICE("{\"mode\":\"explicit\"}"));
    if (memmem(p->cache.ptr, p->cache.len, "\"ttl\"", 5)) writing_drop(w, p, SLICE("cache_control.ttl"));
}

void writing_knob(const struct writing *w, enum knob knob, bool is_taken, double usual)
{
    uint32_t node = w->c->knobs[knob];
    if (node == JSON_NONE) return;
    if (is_taken)
        writing_member(w, knob_names[knob], json_raw(w->c->tape, node));
    else if (json_to_double(w->c->tape, node) != usual)
        dropped_add(w->dropped, conversation_knob(w->c, knob));
}

enum effort writing_depth(const struct writing *w)
{
    enum effort said = w->c->effort, least = said == EFFORT_NONE ? EFFORT_NONE : EFFORT_MINIMAL;
    enum effort effort = said == EFFORT_UNSAID ? EFFORT_UNSAID : writing_effort(w, least);
    if (effort == EFFORT_UNSAID && said > EFFORT_NONE) dropped_add(w->dropped, w->c->words->effort);
    return effort;
}

bool writing_is_strict(const struct writing *w, const struct tool *t)
{
    bool is_strict = t->is_strict && t->parameters != JSON_NONE && schema_is_closed(w->c->tape, t->parameters);
    if (t->is_strict && !is_strict) dropped_add_at(w->dropped, "tools", t->number, SLICE("strict"));
    return is_strict;
}

bool writing_is_schema_strict(const struct writing *w)
{
    const struct conversation *c = w->c;
    bool is_strict = c->is_schema_strict && schema_is_closed(c->tape, c->schema);
    if (c->is_schema_strict && !is_strict)
        dropped_add(w->dropped, arena_join(c->arena, c->words->format, SLICE(".strict")));
    return is_strict;
}

void writing_drop_beginning(const struct writing *w)
{
    const struct message *last = w->c->last;
    const struct part *p = last && last->speaker == SPEAKER_ASSISTANT ? last->parts.last : NULL;
    if (p && p->kind == PART_TEXT && w->c->words->has_beginnings) writing_drop(w, p, SLICE(""));
}
