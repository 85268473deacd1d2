/* Tools, out of the hub, as Amazon's Converse API takes them. Source: Amazon Bedrock API reference, ToolConfiguration,
 * ToolSpecification, ToolChoice; it refuses calls and results in messages where no tools are declared, and has no word
 * for that none may be called. */
#include "wire/converse/converse_translate.h"
#include "wire/translate/schema.h"

#define UNDECLARED_MAX 64u /* tools that were called and are not declared: of more, each is one too many */

static bool is_strict(const struct writing *w, const struct tool *t)
{
    return t->is_strict && t->parameters != JSON_NONE && w->target->traits->has_schema;
}

static void write_schema(const struct writing *w, const struct tool *t)
{
    writing_name(w, SLICE("inputSchema"));
    buf_append(w->out, SLICE("{\"json\":"));
    if (is_strict(w, t))
        schema_write_strict(w->c->tape, t->parameters, w->out, w->dropped,
                            arena_printf(w->c->arena, "tools[%u]", t->number));
    else
        writing_parameters(w, t);
    buf_append_char(w->out, '}');
}

static void write_tool(const struct writing *w, const struct tool *t)
{
    writing_comma(w);
    buf_append(w->out, SLICE("{\"toolSpec\":{\"name\":"));
    buf_append(w->out, t->name);
    if (t->description.len > 2) writing_member(w, SLICE("description"), t->description);
    write_schema(w, t);
    if (is_strict(w, t)) writing_member(w, SLICE("strict"), SLICE("true"));
    buf_append(w->out, SLICE("}}"));
    if (t->is_strict && !is_strict(w, t)) dropped_add_at(w->dropped, "tools", t->number, SLICE("strict"));
    if (!t->cache.len) return;
    if (converse_takes_tool_marks(w))
        converse_write_mark(w, t->cache);
    else
        dropped_add_at(w->dropped, "tools", t->number, SLICE("cache_control"));
}

/* --- tools that nobody declares --- */

struct undeclared {
    struct slice names[UNDECLARED_MAX]; /* JSON strings */
    uint32_t count;
};

static void add(struct undeclared *all, struct slice name)
{
    for (uint32_t i = 0; i < all->count; i++) {
        if (slice_equal(all->names[i], name)) return;
    }
    if (all->count < UNDECLARED_MAX) all->names[all->count++] = name;
}

/* Those that were called; of results alone, whose calls are not there, some name. */
static void find_called(const struct conversation *c, struct undeclared *all)
{
    bool has_results = false;
    for (const struct message *m = c->first; m; m = m->next) {
        has_results |= writing_count(&m->parts, PART_RESULT) > 0;
        for (const struct part *p = m->parts.first; p; p = p->next)
            if (p->kind == PART_CALL) add(all, p->name);
    }
    if (has_results && !all->count) add(all, SLICE("\"unknown\""));
}

static void write_undeclared(const struct writing *w, const struct undeclared *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        writing_comma(w);
        buf_append(w->out, SLICE("{\"toolSpec\":{\"name\":"));
        buf_append(w->out, all->names[i]);
        buf_append(w->out, SLICE(",\"description\":\"It was there before and is no more: do not call it.\","
                                 "\"inputSchema\":{\"json\":{\"type\":\"object\",\"properties\":{}}}}}"));
    }
}

/* --- which --- */

static void write_choice(const struct writing *w, const struct thinking *thinking)
{
    const struct conversation *c = w->c;
    switch (thinking_choice(w, thinking)) {
    case CHOICE_UNSAID: return;
    case CHOICE_NONE: dropped_add(w->dropped, c->words->choice); return;
    case CHOICE_AUTO: writing_member(w, SLICE("toolChoice"), SLICE("{\"auto\":{}}")); return;
    case CHOICE_ANY: writing_member(w, SLICE("toolChoice"), SLICE("{\"any\":{}}")); return;
    case CHOICE_NAMED:
        writing_name(w, SLICE("toolChoice"));
        buf_append(w->out, SLICE("{\"tool\":{\"name\":"));
        buf_append(w->out, c->choice_name);
        buf_append(w->out, SLICE("}}"));
        return;
    }
}

static void write_declared(const struct writing *w, const struct thinking *thinking)
{
    const struct conversation *c = w->c;
    writing_name(w, SLICE("toolConfig"));
    buf_append(w->out, SLICE("{\"tools\":["));
    for (const struct tool *t = c->tools; t; t = t->next)
        write_tool(w, t);
    buf_append_char(w->out, ']');
    write_choice(w, thinking);
    buf_append_char(w->out, '}');
    if (c->parallel == CHAT_FALSE && c->choice != CHOICE_NONE) dropped_add(w->dropped, c->words->parallel);
}

/* Where none may be called, and none was, there are none. */
void converse_write_tools(const struct writing *w, const struct thinking *thinking)
{
    const struct conversation *c = w->c;
    struct undeclared called = {.count = 0};
    bool is_forced = c->choice == CHOICE_ANY || c->choice == CHOICE_NAMED;
    find_called(c, &called);
    if (c->tools && (c->choice != CHOICE_NONE || called.count)) {
        write_declared(w, thinking);
        return;
    }
    if (is_forced && !c->tools) dropped_add(w->dropped, c->words->choice);
    if (!called.count) return;
    writing_name(w, SLICE("toolConfig"));
    buf_append(w->out, SLICE("{\"tools\":["));
    write_undeclared(w, &called);
    buf_append(w->out, SLICE("]}"));
    dropped_add(w->dropped, c->words->choice);
}
