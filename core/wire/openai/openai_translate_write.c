/* Out of the hub, as OpenAI's chat API and its many relatives take it. Source: OpenAI API reference, POST
 * /v1/chat/completions; reasoning_content: DeepSeek, "Thinking mode". */
#include "wire/openai/openai_translate.h"
#include "wire/translate/schema.h"
#include "wire/translate/writing.h"

#define STOPS_MAX 4u
#define USER_CHARACTERS_MAX 64u

static const struct traits *traits_of(const struct writing *w)
{
    return w->target->traits;
}

/* --- parts --- */

static bool takes_marks(const struct writing *w)
{
    return traits_of(w)->cache == CACHE_AS_ANTHROPIC || traits_of(w)->cache == CACHE_AS_BREAKPOINT;
}

static void write_cache(const struct writing *w, const struct part *p)
{
    if (!p->cache.len) return;
    switch (traits_of(w)->cache) {
    case CACHE_UNMARKED:
    case CACHE_AS_POINT: writing_drop(w, p, SLICE("cache_control")); return;
    case CACHE_AS_ANTHROPIC: writing_member(w, SLICE("cache_control"), p->cache); return;
    case CACHE_AS_BREAKPOINT: writing_breakpoint(w, p); return;
    }
}

static void drop_cache(const struct writing *w, const struct part *p)
{
    if (p->cache.len) writing_drop(w, p, SLICE("cache_control"));
}

static void write_text(const struct writing *w, const struct part *p)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"type\":\"text\",\"text\":"));
    buf_append(w->out, p->text);
    write_cache(w, p);
    buf_append_char(w->out, '}');
}

static void write_image(const struct writing *w, const struct part *p)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"type\":\"image_url\",\"image_url\":{\"url\":"));
    if (p->url.len)
        buf_append(w->out, p->url);
    else
        writing_data_url(w, p);
    buf_append_char(w->out, '}');
    write_cache(w, p);
    buf_append_char(w->out, '}');
}

static void write_file(const struct writing *w, const struct part *p)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"type\":\"file\",\"file\":{\"filename\":"));
    buf_append(w->out, p->name.len > 2 ? p->name : SLICE("\"document.pdf\""));
    buf_append(w->out, SLICE(",\"file_data\":"));
    writing_data_url(w, p);
    buf_append_char(w->out, '}');
    write_cache(w, p);
    buf_append_char(w->out, '}');
}

/* What a user or a system says; false: it is said elsewhere. */
static bool write_part(const struct writing *w, const struct part *p)
{
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: write_text(w, p); return true;
    case PART_IMAGE: write_image(w, p); return true;
    case PART_DOCUMENT: write_file(w, p); return true;
    case PART_CALL:
    case PART_RESULT:
    case PART_REASONING: return false;
    }
    return false;
}

static bool is_one_text(const struct writing *w, const struct part_list *list)
{
    const struct part *p = list->first;
    bool is_marked = p && p->cache.len && takes_marks(w);
    return p && p == list->last && p->kind == PART_TEXT && !is_marked;
}

static void open_message(const struct writing *w, struct slice role)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"role\":\""));
    buf_append(w->out, role);
    buf_append_char(w->out, '"');
}

/* --- what the system says --- */

/* One text, unless a mark of it can be carried. */
static void write_system(const struct writing *w, const struct part_list *list)
{
    bool is_marked = writing_has_marks(list) && takes_marks(w);
    if (!list->first) return;
    open_message(w, traits_of(w)->has_developer ? SLICE("developer") : SLICE("system"));
    writing_name(w, SLICE("content"));
    if (is_marked) {
        buf_append_char(w->out, '[');
        for (const struct part *p = list->first; p; p = p->next)
            write_part(w, p);
        buf_append_char(w->out, ']');
    } else {
        writing_joined(w, list, PART_TEXT, SLICE("\\n"));
        for (const struct part *p = list->first; p; p = p->next)
            drop_cache(w, p);
    }
    buf_append_char(w->out, '}');
}

/* --- what a user says --- */

static bool has_pictures(const struct part *result)
{
    return writing_count(&result->parts, PART_IMAGE) || writing_count(&result->parts, PART_DOCUMENT);
}

/* Some servers take texts of a message as one alone. */
static bool is_plain(const struct writing *w, const struct part_list *list)
{
    const struct part *p = traits_of(w)->has_plain_content ? list->first : NULL;
    while (p && (p->kind == PART_TEXT || (p->kind == PART_RESULT && !has_pictures(p))))
        p = p->next;
    return traits_of(w)->has_plain_content && !p;
}

static void write_texts(const struct writing *w, const struct part_list *list)
{
    writing_name(w, SLICE("content"));
    if (writing_count(list, PART_TEXT) <= 1 || traits_of(w)->has_plain_content) {
        writing_joined(w, list, PART_TEXT, SLICE("\\n\\n"));
        return;
    }
    buf_append_char(w->out, '[');
    for (const struct part *p = list->first; p; p = p->next)
        if (p->kind == PART_TEXT) write_text(w, p);
    buf_append_char(w->out, ']');
}

static void write_result(const struct writing *w, const struct part *p)
{
    open_message(w, SLICE("tool"));
    writing_name(w, SLICE("tool_call_id"));
    writing_call_id(w, p->id);
    write_texts(w, &p->parts);
    buf_append_char(w->out, '}');
    if (p->is_error) writing_drop(w, p, SLICE("is_error"));
    drop_cache(w, p);
}

/* Pictures and files that a tool gave back: its own message takes texts alone. */
static bool has_more(const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next) {
        if (p->kind != PART_RESULT || has_pictures(p)) return true;
    }
    return false;
}

static void write_user_parts(const struct writing *w, const struct part_list *list)
{
    buf_append_char(w->out, '[');
    for (const struct part *p = list->first; p; p = p->next) {
        for (const struct part *inner = p->parts.first; inner; inner = inner->next)
            if (inner->kind != PART_TEXT) write_part(w, inner);
        write_part(w, p);
    }
    buf_append_char(w->out, ']');
}

static void write_user(const struct writing *w, const struct part_list *list)
{
    for (const struct part *p = list->first; p; p = p->next)
        if (p->kind == PART_RESULT) write_result(w, p);
    if (!has_more(list)) return;
    open_message(w, SLICE("user"));
    writing_name(w, SLICE("content"));
    if (is_one_text(w, list)) {
        buf_append(w->out, list->first->text);
        drop_cache(w, list->first);
    } else if (is_plain(w, list)) {
        writing_joined(w, list, PART_TEXT, SLICE("\\n\\n"));
        for (const struct part *p = list->first; p; p = p->next)
            drop_cache(w, p);
    } else {
        write_user_parts(w, list);
    }
    buf_append_char(w->out, '}');
}

/* --- what an assistant says --- */

/* Texts that were looked through one by one are not to be one word together. */
#define BETWEEN SLICE("\\n")

static void write_calls(const struct writing *w, const struct part_list *list)
{
    if (!writing_count(list, PART_CALL)) return;
    writing_name(w, SLICE("tool_calls"));
    buf_append_char(w->out, '[');
    for (const struct part *p = list->first; p; p = p->next) {
        if (p->kind != PART_CALL) continue;
        writing_comma(w);
        buf_append(w->out, SLICE("{\"id\":"));
        writing_call_id(w, p->id);
        buf_append(w->out, SLICE(",\"type\":\"function\",\"function\":{\"name\":"));
        buf_append(w->out, p->name);
        buf_append(w->out, SLICE(",\"arguments\":"));
        buf_append_json(w->out, p->text);
        buf_append(w->out, SLICE("}}"));
    }
    buf_append_char(w->out, ']');
}

static void write_assistant(const struct writing *w, const struct part_list *list)
{
    open_message(w, SLICE("assistant"));
    writing_name(w, SLICE("content"));
    if (writing_count(list, PART_TEXT))
        writing_joined(w, list, PART_TEXT, BETWEEN);
    else
        buf_append(w->out, SLICE("null"));
    if (writing_count(list, PART_REFUSAL)) {
        writing_name(w, SLICE("refusal"));
        writing_joined(w, list, PART_REFUSAL, BETWEEN);
    }
    if (writing_count(list, PART_REASONING)) {
        writing_name(w, SLICE("reasoning_content"));
        writing_joined(w, list, PART_REASONING, BETWEEN);
    }
    write_calls(w, list);
    buf_append_char(w->out, '}');
    for (const struct part *p = list->first; p; p = p->next)
        drop_cache(w, p);
}

/* What it thought goes back to models that want it; others' providers take no such member. */
static bool takes_part(void *arg, const struct part *p)
{
    const struct writing *w = arg;
    bool takes = p->kind != PART_REASONING || (traits_of(w)->has_reasoning && !p->is_redacted);
    if (!takes) writing_drop(w, p, SLICE(""));
    return takes;
}

static void write_messages(const struct writing *w)
{
    writing_name(w, SLICE("messages"));
    buf_append_char(w->out, '[');
    write_system(w, &w->c->system);
    for (const struct message *m = w->c->first; m; m = m->next) {
        switch (m->speaker) {
        case SPEAKER_SYSTEM: write_system(w, &m->parts); break;
        case SPEAKER_USER: write_user(w, &m->parts); break;
        case SPEAKER_ASSISTANT: write_assistant(w, &m->parts); break;
        }
    }
    buf_append_char(w->out, ']');
}

/* --- tools --- */

static void write_tool(const struct writing *w, const struct tool *t)
{
    bool is_strict = writing_is_strict(w, t);
    writing_comma(w);
    buf_append(w->out, SLICE("{\"type\":\"function\",\"function\":{\"name\":"));
    buf_append(w->out, t->name);
    if (t->description.len > 2) writing_member(w, SLICE("description"), t->description);
    writing_name(w, SLICE("parameters"));
    writing_parameters(w, t);
    if (is_strict) writing_member(w, SLICE("strict"), SLICE("true"));
    buf_append_char(w->out, '}');
    if (traits_of(w)->cache == CACHE_AS_ANTHROPIC)
        writing_member(w, SLICE("cache_control"), t->cache);
    else if (t->cache.len)
        dropped_add_at(w->dropped, "tools", t->number, SLICE("cache_control"));
    buf_append_char(w->out, '}');
}

static void write_choice(const struct writing *w)
{
    const struct conversation *c = w->c;
    switch (c->choice) {
    case CHOICE_UNSAID: return;
    case CHOICE_AUTO: writing_member(w, SLICE("tool_choice"), SLICE("\"auto\"")); return;
    case CHOICE_NONE: writing_member(w, SLICE("tool_choice"), SLICE("\"none\"")); return;
    case CHOICE_ANY: writing_member(w, SLICE("tool_choice"), SLICE("\"required\"")); return;
    case CHOICE_NAMED:
        writing_name(w, SLICE("tool_choice"));
        buf_append(w->out, SLICE("{\"type\":\"function\",\"function\":{\"name\":"));
        buf_append(w->out, c->choice_name);
        buf_append(w->out, SLICE("}}"));
        return;
    }
}

static void write_tools(const struct writing *w)
{
    const struct conversation *c = w->c;
    bool is_forced = c->choice == CHOICE_ANY || c->choice == CHOICE_NAMED;
    if (!c->tools && is_forced) dropped_add(w->dropped, c->words->choice);
    if (!c->tools) return;
    writing_name(w, SLICE("tools"));
    buf_append_char(w->out, '[');
    for (const struct tool *t = c->tools; t; t = t->next)
        write_tool(w, t);
    buf_append_char(w->out, ']');
    write_choice(w);
    if (c->parallel == CHAT_FALSE) writing_member(w, SLICE("parallel_tool_calls"), SLICE("false"));
}

/* --- settings --- */

static void write_length(const struct writing *w)
{
    const struct conversation *c = w->c;
    int64_t most = traits_of(w)->output_tokens;
    bool is_over = most && c->max_tokens > most;
    if (c->max_tokens < 0) return;
    writing_number(w, w->target->limit == CHAT_LIMIT_COMPLETION ? SLICE("max_completion_tokens") : SLICE("max_tokens"),
                   is_over ? most : c->max_tokens);
    if (is_over) dropped_add(w->dropped, c->max_tokens_name);
}

static void write_knobs(const struct writing *w)
{
    bool draws = !traits_of(w)->has_fixed_sampling;
    writing_knob(w, KNOB_TEMPERATURE, draws, 1);
    writing_knob(w, KNOB_TOP_P, draws, 1);
    writing_knob(w, KNOB_TOP_K, false, -1);
    writing_knob(w, KNOB_SEED, true, 0);
    writing_knob(w, KNOB_FREQUENCY, draws, 0);
    writing_knob(w, KNOB_PRESENCE, draws, 0);
}

static void write_stops(const struct writing *w)
{
    const struct conversation *c = w->c;
    size_t most = traits_of(w)->has_no_stop ? 0 : STOPS_MAX;
    if (c->stop_count > most) dropped_add(w->dropped, c->words->stop);
    if (!c->stop_count || !most) return;
    writing_name(w, SLICE("stop"));
    buf_append_char(w->out, '[');
    for (size_t i = 0; i < c->stop_count && i < most; i++) {
        writing_comma(w);
        buf_append(w->out, c->stops[i]);
    }
    buf_append_char(w->out, ']');
}

static void write_effort(const struct writing *w)
{
    enum effort effort = writing_depth(w);
    if (effort == EFFORT_UNSAID) return;
    writing_name(w, SLICE("reasoning_effort"));
    buf_printf(w->out, "\"%.*s\"", SLICE_FMT(effort_word(effort)));
}

static void write_schema(const struct writing *w)
{
    const struct conversation *c = w->c;
    bool is_strict = writing_is_schema_strict(w);
    writing_name(w, SLICE("response_format"));
    buf_append(w->out, SLICE("{\"type\":\"json_schema\",\"json_schema\":{\"name\":"));
    buf_append(w->out, c->schema_name.len > 2 ? c->schema_name : SLICE("\"answer\""));
    buf_append(w->out, SLICE(",\"schema\":"));
    buf_append(w->out, json_raw(c->tape, c->schema));
    if (is_strict) buf_append(w->out, SLICE(",\"strict\":true"));
    buf_append(w->out, SLICE("}}"));
}

static void write_format(const struct writing *w)
{
    switch (w->c->format) {
    case FORMAT_TEXT: return;
    case FORMAT_OBJECT: writing_member(w, SLICE("response_format"), SLICE("{\"type\":\"json_object\"}")); return;
    case FORMAT_SCHEMA: write_schema(w); return;
    }
}

static void write_rest(const struct writing *w)
{
    const struct conversation *c = w->c;
    bool is_long = c->user.len > 2 && !writing_fits(c->user, USER_CHARACTERS_MAX);
    if (is_long) dropped_add(w->dropped, c->words->user);
    if (c->user.len > 2 && !is_long) writing_member(w, SLICE("user"), c->user);
    if (c->tier == TIER_AUTO) writing_member(w, SLICE("service_tier"), SLICE("\"auto\""));
    if (c->tier == TIER_STANDARD) writing_member(w, SLICE("service_tier"), SLICE("\"default\""));
    if (c->tier > TIER_STANDARD) dropped_add(w->dropped, c->words->tier); /* OpenAI's own are asked in its own API */
    if (traits_of(w)->cache == CACHE_AS_ANTHROPIC)
        writing_member(w, SLICE("cache_control"), c->cache);
    else if (c->cache.len && !takes_marks(w))
        dropped_add(w->dropped, SLICE("cache_control"));
    if (!c->is_stream) return;
    writing_member(w, SLICE("stream"), SLICE("true"));
    if (w->target->asks_usage) writing_member(w, SLICE("stream_options"), SLICE("{\"include_usage\":true}"));
}

bool openai_write_conversation(struct conversation *c, const struct translate_target *target, struct buf *out,
                               struct dropped *dropped, struct fault *why)
{
    struct writing w = {.c = c, .target = target, .out = out, .dropped = dropped, .why = why};
    conversation_prune(c, takes_part, &w);
    conversation_take_turns(c, false);
    writing_drop_beginning(&w);
    buf_append_char(out, '{');
    writing_member(&w, SLICE("model"), c->model);
    write_messages(&w);
    write_tools(&w);
    write_length(&w);
    write_knobs(&w);
    write_stops(&w);
    write_effort(&w);
    write_format(&w);
    write_rest(&w);
    buf_append_char(out, '}');
    return true;
}
