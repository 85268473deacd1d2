/* System prompt and messages, out of the hub, as Anthropic's API takes them. Source: Anthropic API reference, POST
 * /v1/messages: turns alternate, results come first in their message, texts are not blank. */
#include "wire/anthropic/anthropic_translate.h"

static void write_cache(const struct writing *w, const struct part *p)
{
    writing_member(w, SLICE("cache_control"), p->cache);
}

static void open_block(const struct writing *w, struct slice type)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"type\":\""));
    buf_append(w->out, type);
    buf_append_char(w->out, '"');
}

static void write_text(const struct writing *w, const struct part *p)
{
    open_block(w, SLICE("text"));
    writing_member(w, SLICE("text"), p->text);
    write_cache(w, p);
    buf_append_char(w->out, '}');
}

static void write_source(const struct writing *w, const struct part *p)
{
    writing_name(w, SLICE("source"));
    if (p->url.len) {
        buf_append(w->out, SLICE("{\"type\":\"url\",\"url\":"));
        buf_append(w->out, p->url);
    } else {
        buf_append(w->out, SLICE("{\"type\":\"base64\",\"media_type\":\""));
        buf_append(w->out, p->media_type);
        buf_append(w->out, SLICE("\",\"data\":\""));
        buf_append(w->out, p->data);
        buf_append_char(w->out, '"');
    }
    buf_append_char(w->out, '}');
}

static void write_picture(const struct writing *w, const struct part *p)
{
    bool is_document = p->kind == PART_DOCUMENT;
    open_block(w, is_document ? SLICE("document") : SLICE("image"));
    write_source(w, p);
    if (is_document && p->name.len > 2) writing_member(w, SLICE("title"), p->name);
    write_cache(w, p);
    buf_append_char(w->out, '}');
}

static void write_call(const struct writing *w, const struct part *p)
{
    open_block(w, SLICE("tool_use"));
    writing_name(w, SLICE("id"));
    writing_call_id(w, p->id);
    writing_member(w, SLICE("name"), p->name);
    writing_member(w, SLICE("input"), p->text);
    write_cache(w, p);
    buf_append_char(w->out, '}');
}

static void write_reasoning(const struct writing *w, const struct part *p)
{
    open_block(w, p->is_redacted ? SLICE("redacted_thinking") : SLICE("thinking"));
    writing_member(w, p->is_redacted ? SLICE("data") : SLICE("thinking"), p->text);
    if (!p->is_redacted) writing_member(w, SLICE("signature"), p->signature);
    buf_append_char(w->out, '}');
}

/* Blank texts are refused there, and so is what a model has thought without its provider's signature. */
static bool is_taken(const struct part *p)
{
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: return !writing_is_blank(p->text);
    case PART_REASONING: return (p->is_redacted || p->signature.len) && !writing_has_mark(p);
    case PART_IMAGE:
    case PART_DOCUMENT:
    case PART_CALL:
    case PART_RESULT: return true;
    }
    return true;
}

bool anthropic_takes_part(void *arg, const struct part *p)
{
    const struct writing *w = arg;
    if (is_taken(p)) return true;
    if (p->kind == PART_REASONING) writing_drop(w, p, SLICE(""));
    if (p->cache.len) writing_drop(w, p, SLICE("cache_control"));
    return false;
}

static bool is_one_text(const struct part_list *list)
{
    return list->first && list->first == list->last && list->first->kind == PART_TEXT && !list->first->cache.len;
}

static void write_part(const struct writing *w, const struct part *p);

static void write_result(const struct writing *w, const struct part *p)
{
    open_block(w, SLICE("tool_result"));
    writing_name(w, SLICE("tool_use_id"));
    writing_call_id(w, p->id);
    if (is_one_text(&p->parts)) {
        writing_member(w, SLICE("content"), p->parts.first->text);
    } else if (p->parts.first) {
        writing_name(w, SLICE("content"));
        buf_append_char(w->out, '[');
        for (const struct part *inner = p->parts.first; inner; inner = inner->next)
            if (is_taken(inner)) write_part(w, inner);
        buf_append_char(w->out, ']');
    }
    if (p->is_error) writing_member(w, SLICE("is_error"), SLICE("true"));
    write_cache(w, p);
    buf_append_char(w->out, '}');
}

static void write_part(const struct writing *w, const struct part *p)
{
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: write_text(w, p); return;
    case PART_IMAGE:
    case PART_DOCUMENT: write_picture(w, p); return;
    case PART_CALL: write_call(w, p); return;
    case PART_RESULT: write_result(w, p); return;
    case PART_REASONING: write_reasoning(w, p); return;
    }
}

/* --- messages --- */

static void write_parts(const struct writing *w, const struct part_list *list)
{
    buf_append_char(w->out, '[');
    for (const struct part *p = list->first; p; p = p->next)
        write_part(w, p);
    buf_append_char(w->out, ']');
}

static void write_message(const struct writing *w, struct slice role, const struct part_list *list)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"role\":\""));
    buf_append(w->out, role);
    buf_append(w->out, SLICE("\",\"content\":"));
    if (is_one_text(list))
        buf_append(w->out, list->first->text);
    else
        write_parts(w, list);
    buf_append_char(w->out, '}');
}

static void write_system(const struct writing *w, const struct part_list *list)
{
    if (!list->first) return;
    writing_name(w, SLICE("system"));
    if (writing_has_marks(list))
        write_parts(w, list);
    else
        writing_joined(w, list, PART_TEXT, SLICE("\\n"));
}

static struct slice role_of(enum speaker speaker)
{
    switch (speaker) {
    case SPEAKER_SYSTEM: return SLICE("system");
    case SPEAKER_USER: return SLICE("user");
    case SPEAKER_ASSISTANT: return SLICE("assistant");
    }
    return SLICE("user");
}

/* Nothing but a system prompt is what the user says there: a message there must be. */
void anthropic_write_messages(const struct writing *w)
{
    const struct conversation *c = w->c;
    if (c->first) write_system(w, &c->system);
    writing_name(w, SLICE("messages"));
    buf_append_char(w->out, '[');
    if (!c->first && c->system.first) write_message(w, SLICE("user"), &c->system);
    for (const struct message *m = c->first; m; m = m->next)
        write_message(w, role_of(m->speaker), &m->parts);
    buf_append_char(w->out, ']');
}
