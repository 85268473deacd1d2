/* Items of the Responses API's input, out of the hub. Source: OpenAI API reference, POST /v1/responses, input; "Prompt
 * caching" (breakpoints); "Reasoning models", encrypted reasoning items. */
#include "wire/responses/responses_translate.h"

static bool takes_marks(const struct writing *w)
{
    return w->target->traits->cache == CACHE_AS_BREAKPOINT;
}

static struct slice system_role(const struct writing *w)
{
    return w->target->traits->has_developer ? SLICE("developer") : SLICE("system");
}

/* --- parts --- */

static void drop_cache(const struct writing *w, const struct part *p)
{
    if (p->cache.len) writing_drop(w, p, SLICE("cache_control"));
}

static void open_part(const struct writing *w, struct slice type)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"type\":\""));
    buf_append(w->out, type);
    buf_append_char(w->out, '"');
}

static void close_part(const struct writing *w, const struct part *p)
{
    if (p->cache.len && takes_marks(w))
        writing_breakpoint(w, p);
    else
        drop_cache(w, p);
    buf_append_char(w->out, '}');
}

static void write_text(const struct writing *w, const struct part *p)
{
    open_part(w, SLICE("input_text"));
    writing_member(w, SLICE("text"), p->text);
    close_part(w, p);
}

/* In its words. */
static struct slice detail_of(const struct writing *w, const struct part *p)
{
    static const struct slice words[] = {{"\"low\"", 5}, {"\"high\"", 6}, {"\"original\"", 10}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (slice_equal(p->detail, words[i])) return words[i];
    }
    if (p->detail.len) writing_drop(w, p, w->c->words->detail);
    return SLICE("\"auto\"");
}

static void write_image(const struct writing *w, const struct part *p)
{
    open_part(w, SLICE("input_image"));
    writing_member(w, SLICE("detail"), detail_of(w, p));
    writing_name(w, SLICE("image_url"));
    if (p->url.len)
        buf_append(w->out, p->url);
    else
        writing_data_url(w, p);
    close_part(w, p);
}

static void write_file(const struct writing *w, const struct part *p)
{
    open_part(w, SLICE("input_file"));
    writing_member(w, SLICE("filename"), p->name.len > 2 ? p->name : SLICE("\"document.pdf\""));
    writing_name(w, SLICE("file_data"));
    writing_data_url(w, p);
    close_part(w, p);
}

/* What a user or a system says, or a tool gave back; what is an item of its own is written elsewhere. */
static void write_part(const struct writing *w, const struct part *p)
{
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: write_text(w, p); return;
    case PART_IMAGE: write_image(w, p); return;
    case PART_DOCUMENT: write_file(w, p); return;
    case PART_CALL:
    case PART_RESULT:
    case PART_REASONING: return;
    }
}

/* A text alone is a string; nothing is an empty one. Results are items of their own. */
static void write_content(const struct writing *w, struct slice name, const struct part_list *list)
{
    const struct part *first = list->first;
    while (first && first->kind == PART_RESULT)
        first = first->next;
    bool is_marked = first && first->cache.len && takes_marks(w);
    bool is_text = !first || (!first->next && first->kind == PART_TEXT && !is_marked);
    writing_name(w, name);
    if (is_text) {
        buf_append(w->out, first ? first->text : SLICE("\"\""));
        if (first) drop_cache(w, first);
        return;
    }
    buf_append_char(w->out, '[');
    for (const struct part *p = first; p; p = p->next)
        write_part(w, p);
    buf_append_char(w->out, ']');
}

/* --- messages --- */

static void open_message(const struct writing *w, struct slice role)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"role\":\""));
    buf_append(w->out, role);
    buf_append_char(w->out, '"');
}

static void write_message(const struct writing *w, struct slice role, const struct part_list *list)
{
    open_message(w, role);
    write_content(w, SLICE("content"), list);
    buf_append_char(w->out, '}');
}

static void write_result(const struct writing *w, const struct part *p)
{
    open_part(w, SLICE("function_call_output"));
    writing_name(w, SLICE("call_id"));
    writing_call_id(w, p->id);
    write_content(w, SLICE("output"), &p->parts);
    buf_append_char(w->out, '}');
    if (p->is_error) writing_drop(w, p, SLICE("is_error"));
    drop_cache(w, p);
}

/* Results stand first. */
static void write_user(const struct writing *w, const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next)
        if (p->kind == PART_RESULT) write_result(w, p);
    if (list->last->kind != PART_RESULT) write_message(w, SLICE("user"), list);
}

/* --- what an assistant says --- */

static void write_call(const struct writing *w, const struct part *p)
{
    open_part(w, SLICE("function_call"));
    writing_name(w, SLICE("call_id"));
    writing_call_id(w, p->id);
    writing_member(w, SLICE("name"), p->name);
    writing_name(w, SLICE("arguments"));
    buf_append_json(w->out, p->text);
    buf_append_char(w->out, '}');
    drop_cache(w, p);
}

/* Each text is a message of its own, which needs no id there; what says no has a part of its own. */
static void write_said(const struct writing *w, const struct part *p)
{
    open_message(w, SLICE("assistant"));
    writing_name(w, SLICE("content"));
    if (p->kind == PART_TEXT) {
        buf_append(w->out, p->text);
    } else {
        buf_append(w->out, SLICE("[{\"type\":\"refusal\",\"refusal\":"));
        buf_append(w->out, p->text);
        buf_append(w->out, SLICE("}]"));
    }
    buf_append_char(w->out, '}');
    drop_cache(w, p);
}

/* Its provider refuses one that nothing was said or done behind. */
static bool is_followed(const struct part *p)
{
    while (p && p->kind == PART_REASONING)
        p = p->next;
    return p != NULL;
}

static void write_quoted(const struct writing *w, struct slice name, struct slice inside)
{
    if (!inside.len) return;
    writing_name(w, name);
    buf_append_char(w->out, '"');
    buf_append(w->out, inside);
    buf_append_char(w->out, '"');
}

/* False: another's, or not all of it. */
static bool read_thought(const struct part *p, struct slice *id, struct slice *encrypted)
{
    struct slice raw = p->is_redacted ? p->text : p->signature;
    size_t mark = sizeof SIGNATURE_OF_OPENAI; /* behind the quote */
    if (!writing_is_marked(p, SLICE(SIGNATURE_OF_OPENAI))) return false;
    *id = slice_split(slice_of(raw.ptr + mark, raw.len - mark - 1), '.', encrypted);
    return encrypted->len > 0;
}

static void write_thought(const struct writing *w, const struct part *p)
{
    struct slice id, encrypted;
    if (!read_thought(p, &id, &encrypted)) return;
    open_part(w, SLICE("reasoning"));
    write_quoted(w, SLICE("id"), id);
    writing_name(w, SLICE("summary"));
    buf_append_char(w->out, '[');
    if (!p->is_redacted && p->text.len > 2) {
        open_part(w, SLICE("summary_text"));
        writing_member(w, SLICE("text"), p->text);
        buf_append_char(w->out, '}');
    }
    buf_append_char(w->out, ']');
    write_quoted(w, SLICE("encrypted_content"), encrypted);
    buf_append_char(w->out, '}');
}

static void write_thoughts(const struct writing *w, const struct part *p)
{
    if (is_followed(p))
        write_thought(w, p);
    else
        writing_drop(w, p, SLICE(""));
}

static void write_assistant(const struct writing *w, const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next) {
        switch (p->kind) {
        case PART_TEXT:
        case PART_REFUSAL: write_said(w, p); break;
        case PART_CALL: write_call(w, p); break;
        case PART_REASONING: write_thoughts(w, p); break;
        case PART_IMAGE:
        case PART_DOCUMENT:
        case PART_RESULT: break; /* nothing that an assistant says */
        }
    }
}

/* --- all of it --- */

static bool takes_part(void *arg, const struct part *p)
{
    struct slice id, encrypted;
    bool takes = p->kind != PART_REASONING || read_thought(p, &id, &encrypted);
    if (!takes) writing_drop(arg, p, SLICE(""));
    return takes;
}

void responses_take_turns(struct conversation *c, const struct writing *w)
{
    conversation_prune(c, takes_part, (void *)w);
    conversation_take_turns(c, false);
}

/* One text, unless a mark of it can be carried, or nothing else is said; or it is to be an object, of which the input
 * itself must say that it is JSON. */
static bool has_instructions(const struct writing *w)
{
    const struct conversation *c = w->c;
    bool is_carried = takes_marks(w) && writing_has_marks(&c->system);
    return c->system.first && c->first && c->format != FORMAT_OBJECT && !is_carried;
}

static void write_instructions(const struct writing *w)
{
    writing_name(w, SLICE("instructions"));
    writing_joined(w, &w->c->system, PART_TEXT, SLICE("\\n"));
    for (const struct part *p = w->c->system.first; p; p = p->next)
        drop_cache(w, p);
}

void responses_write_input(const struct writing *w)
{
    const struct conversation *c = w->c;
    bool is_apart = has_instructions(w);
    if (is_apart) write_instructions(w);
    writing_name(w, SLICE("input"));
    buf_append_char(w->out, '[');
    if (!is_apart && c->system.first) write_message(w, system_role(w), &c->system);
    for (const struct message *m = c->first; m; m = m->next) {
        switch (m->speaker) {
        case SPEAKER_SYSTEM: write_message(w, system_role(w), &m->parts); break;
        case SPEAKER_USER: write_user(w, &m->parts); break;
        case SPEAKER_ASSISTANT: write_assistant(w, &m->parts); break;
        }
    }
    buf_append_char(w->out, ']');
}
