/* System prompt and messages, out of the hub, as Amazon's Converse API takes them. Source: Amazon Bedrock API
 * reference, Message, ContentBlock, ToolResultBlock, SystemContentBlock: turns alternate, no text is blank, pictures
 * and documents are bytes in base64, a document has a text beside it, a mark of a cache is a block behind what it
 * marks. */
#include "wire/converse/converse_translate.h"

/* What is written, and how many documents were. */
struct saying {
    const struct writing *w;
    uint32_t documents;
};

/* --- what can be written --- */

struct format {
    struct slice media_type, name;
};
static const struct format pictures[] = {{{"image/png", 9}, {"png", 3}},   {{"image/jpeg", 10}, {"jpeg", 4}},
                                         {{"image/jpg", 9}, {"jpeg", 4}},  {{"image/gif", 9}, {"gif", 3}},
                                         {{"image/webp", 10}, {"webp", 4}}};
static const struct format documents[] = {{{"application/pdf", 15}, {"pdf", 3}}};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Empty: there is none. */
static struct slice format_of(const struct part *p)
{
    const struct format *formats = p->kind == PART_IMAGE ? pictures : documents;
    size_t count = p->kind == PART_IMAGE ? COUNT(pictures) : COUNT(documents);
    for (size_t i = 0; i < count; i++) {
        if (slice_iequal(p->media_type, formats[i].media_type)) return formats[i].name;
    }
    return SLICE_NONE;
}

/* Of RFC 4648 4, as it stands in a JSON string. */
static bool is_base64(struct slice raw)
{
    for (size_t i = 1; i + 1 < raw.len; i++) {
        char c = raw.ptr[i];
        bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && !strchr("+/=\\", c)) return false;
    }
    return raw.len > 2;
}

/* Signed by Anthropic's models, and for them: others refuse every thought, their own too. */
static bool takes_thought(const struct writing *w, const struct part *p)
{
    if (w->target->traits->publisher != PUBLISHER_ANTHROPIC || writing_has_mark(p)) return false;
    return p->is_redacted ? is_base64(p->text) : p->text.len > 2 && p->signature.len > 2;
}

static bool is_taken(const struct writing *w, const struct part *p)
{
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: return !writing_is_blank(p->text);
    case PART_REASONING: return takes_thought(w, p);
    case PART_IMAGE:
    case PART_DOCUMENT:
    case PART_CALL:
    case PART_RESULT: return true;
    }
    return true;
}

/* For conversation_prune(): what cannot be written is dropped. */
static bool takes_part(void *arg, const struct part *p)
{
    const struct writing *w = arg;
    if (is_taken(w, p)) return true;
    if (p->kind == PART_REASONING) writing_drop(w, p, SLICE(""));
    if (p->cache.len) writing_drop(w, p, SLICE("cache_control"));
    return false;
}

static bool is_thought_alone(const struct message *m)
{
    const struct part *p = m->speaker == SPEAKER_ASSISTANT ? m->parts.first : NULL;
    while (p && p->kind == PART_REASONING)
        p = p->next;
    return m->speaker == SPEAKER_ASSISTANT && !p;
}

static bool keeps(void *arg, const struct part *p)
{
    (void)arg;
    (void)p;
    return true;
}

/* A turn in which nothing was said counts as one that the model is to go on with, which is refused. */
void converse_take_turns(struct conversation *c, const struct writing *w)
{
    bool hoists = !w->target->traits->has_late_system;
    conversation_prune(c, takes_part, (void *)(uintptr_t)w);
    conversation_take_turns(c, hoists);
    for (struct message *m = c->first; m; m = m->next) {
        if (!is_thought_alone(m)) continue;
        for (const struct part *p = m->parts.first; p; p = p->next)
            writing_drop(w, p, SLICE(""));
        m->parts = (struct part_list){NULL, NULL};
    }
    conversation_prune(c, keeps, NULL);
    conversation_take_turns(c, hoists);
}

static bool has_form(const struct writing *w, const struct part *p)
{
    if (p->kind != PART_IMAGE && p->kind != PART_DOCUMENT) return true;
    if (p->url.len)
        return writing_refuse(w, p, "this model's provider takes no pictures by address: give their bytes in base64");
    if (format_of(p).len) return true;
    return writing_refuse(w, p, p->kind == PART_IMAGE ? "this model's provider takes PNG, JPEG, GIF and WebP alone"
                                                      : "this model's provider takes PDF alone");
}

static bool have_forms(const struct writing *w, const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next) {
        bool is_good = has_form(w, p);
        for (const struct part *inner = p->parts.first; inner && is_good; inner = inner->next)
            is_good = has_form(w, inner);
        if (!is_good) return false;
    }
    return true;
}

bool converse_has_form(const struct writing *w)
{
    for (const struct message *m = w->c->first; m; m = m->next) {
        const struct part *p = m->parts.first;
        if (!have_forms(w, &m->parts)) return false;
        while (p && p->kind != PART_DOCUMENT)
            p = p->next;
        if (p && !writing_count(&m->parts, PART_TEXT))
            return writing_refuse(w, p, "this model's provider takes no document without a text beside it: add one");
    }
    return true;
}

/* --- marks of caches --- */

bool converse_takes_marks(const struct writing *w)
{
    return converse_takes_tool_marks(w) || w->target->traits->cache == CACHE_AS_POINT;
}

bool converse_takes_tool_marks(const struct writing *w)
{
    return w->target->traits->cache == CACHE_AS_ANTHROPIC;
}

/* Of {"type":"ephemeral","ttl":"1h"} the life; empty: not said. */
static struct slice life_of(struct slice cache, struct arena *arena)
{
    struct json_tape tape;
    struct fault why;
    struct slice life = SLICE_NONE;
    json_init(&tape);
    if (json_parse(&tape, cache, &why)) {
        uint32_t ttl = json_get(&tape, 0, SLICE("ttl"));
        if (json_text_is(&tape, ttl, SLICE("5m")) || json_text_is(&tape, ttl, SLICE("1h")))
            life = arena_copy(arena, json_raw(&tape, ttl));
    }
    json_clear(&tape);
    return life;
}

void converse_write_mark(const struct writing *w, struct slice cache)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"cachePoint\":{\"type\":\"default\""));
    writing_member(w, SLICE("ttl"), life_of(cache, w->c->arena));
    buf_append(w->out, SLICE("}}"));
}

static void mark(const struct writing *w, const struct part *p)
{
    if (!p->cache.len) return;
    if (converse_takes_marks(w))
        converse_write_mark(w, p->cache);
    else
        writing_drop(w, p, SLICE("cache_control"));
}

/* --- blocks --- */

static void open_block(const struct writing *w, struct slice kind)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\""));
    buf_append(w->out, kind);
    buf_append(w->out, SLICE("\":{"));
}

static void close_block(const struct writing *w)
{
    buf_append(w->out, SLICE("}}"));
}

static void write_text(const struct writing *w, const struct part *p)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"text\":"));
    buf_append(w->out, p->text);
    buf_append_char(w->out, '}');
}

static void write_source(const struct writing *w, const struct part *p)
{
    writing_name(w, SLICE("source"));
    buf_append(w->out, SLICE("{\"bytes\":\""));
    buf_append(w->out, p->data);
    buf_append(w->out, SLICE("\"}"));
}

static void write_format(const struct writing *w, const struct part *p)
{
    buf_append(w->out, SLICE("\"format\":\""));
    buf_append(w->out, format_of(p));
    buf_append_char(w->out, '"');
}

static void write_image(const struct writing *w, const struct part *p)
{
    open_block(w, SLICE("image"));
    write_format(w, p);
    write_source(w, p);
    close_block(w);
}

static void write_document(struct saying *s, const struct part *p)
{
    bool is_changed;
    struct slice name = converse_document_name(s->w, p, ++s->documents, &is_changed);
    open_block(s->w, SLICE("document"));
    write_format(s->w, p);
    writing_member(s->w, SLICE("name"), name);
    write_source(s->w, p);
    close_block(s->w);
    if (is_changed) writing_drop(s->w, p, s->w->c->words->title);
}

static void write_call(const struct writing *w, const struct part *p)
{
    open_block(w, SLICE("toolUse"));
    writing_name(w, SLICE("toolUseId"));
    writing_call_id(w, p->id);
    writing_member(w, SLICE("name"), p->name);
    writing_member(w, SLICE("input"), p->text);
    close_block(w);
}

static void write_thought(const struct writing *w, const struct part *p)
{
    open_block(w, SLICE("reasoningContent"));
    if (p->is_redacted) {
        writing_member(w, SLICE("redactedContent"), p->text);
    } else {
        writing_name(w, SLICE("reasoningText"));
        buf_append_char(w->out, '{');
        writing_member(w, SLICE("text"), p->text);
        writing_member(w, SLICE("signature"), p->signature);
        buf_append_char(w->out, '}');
    }
    close_block(w);
}

static void write_part(struct saying *s, const struct part *p);

/* Of a mark inside, the result's own block bears it. */
static void write_result(struct saying *s, const struct part *p)
{
    const struct writing *w = s->w;
    open_block(w, SLICE("toolResult"));
    writing_name(w, SLICE("toolUseId"));
    writing_call_id(w, p->id);
    writing_name(w, SLICE("content"));
    buf_append_char(w->out, '[');
    for (const struct part *inner = p->parts.first; inner; inner = inner->next)
        if (is_taken(w, inner)) write_part(s, inner);
    buf_append_char(w->out, ']');
    if (p->is_error && w->target->traits->has_result_status) writing_member(w, SLICE("status"), SLICE("\"error\""));
    if (p->is_error && !w->target->traits->has_result_status) writing_drop(w, p, SLICE("is_error"));
    close_block(w);
    for (const struct part *inner = p->parts.first; inner && !p->cache.len; inner = inner->next) {
        if (!inner->cache.len) continue;
        mark(w, inner);
        break;
    }
}

static void write_part(struct saying *s, const struct part *p)
{
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: write_text(s->w, p); return;
    case PART_IMAGE: write_image(s->w, p); return;
    case PART_DOCUMENT: write_document(s, p); return;
    case PART_CALL: write_call(s->w, p); return;
    case PART_RESULT: write_result(s, p); return;
    case PART_REASONING: write_thought(s->w, p); return;
    }
}

static void write_parts(struct saying *s, const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next) {
        write_part(s, p);
        mark(s->w, p);
    }
}

/* --- messages --- */

static struct slice role_of(enum speaker speaker)
{
    switch (speaker) {
    case SPEAKER_SYSTEM: return SLICE("system");
    case SPEAKER_USER: return SLICE("user");
    case SPEAKER_ASSISTANT: return SLICE("assistant");
    }
    return SLICE("user");
}

/* "All of it, as far as it goes" ends with the last message. */
static void write_message(struct saying *s, enum speaker speaker, const struct part_list *list, bool is_last)
{
    const struct writing *w = s->w;
    bool is_marked = is_last && w->c->cache.len && converse_takes_marks(w) && !list->last->cache.len;
    writing_comma(w);
    buf_append(w->out, SLICE("{\"role\":\""));
    buf_append(w->out, role_of(speaker));
    buf_append(w->out, SLICE("\",\"content\":["));
    write_parts(s, list);
    if (is_marked) converse_write_mark(w, w->c->cache);
    buf_append(w->out, SLICE("]}"));
}

static void write_system(struct saying *s)
{
    writing_name(s->w, SLICE("system"));
    buf_append_char(s->w->out, '[');
    write_parts(s, &s->w->c->system);
    buf_append_char(s->w->out, ']');
}

/* Nothing but a system prompt is what the user says there: a message there must be. */
void converse_write_messages(const struct writing *w)
{
    struct saying s = {.w = w};
    const struct conversation *c = w->c;
    if (c->first && c->system.first) write_system(&s);
    writing_name(w, SLICE("messages"));
    buf_append_char(w->out, '[');
    if (!c->first && c->system.first) write_message(&s, SPEAKER_USER, &c->system, true);
    for (const struct message *m = c->first; m; m = m->next)
        write_message(&s, m->speaker, &m->parts, !m->next);
    buf_append_char(w->out, ']');
    if (c->cache.len && !converse_takes_marks(w)) dropped_add(w->dropped, SLICE("cache_control"));
}
