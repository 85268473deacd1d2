#include "wire/translate/conversation.h"

#include "base/limits.h"

const struct slice knob_names[KNOBS] = {
    [KNOB_TEMPERATURE] = {"temperature", 11},
    [KNOB_TOP_P] = {"top_p", 5},
    [KNOB_TOP_K] = {"top_k", 5},
    [KNOB_SEED] = {"seed", 4},
    [KNOB_FREQUENCY] = {"frequency_penalty", 17},
    [KNOB_PRESENCE] = {"presence_penalty", 16},
};

static const struct slice effort_words[EFFORTS] = {
    [EFFORT_UNSAID] = {"", 0},       [EFFORT_NONE] = {"none", 4}, [EFFORT_MINIMAL] = {"minimal", 7},
    [EFFORT_LOW] = {"low", 3},       [EFFORT_MEDIUM] = {"medium", 6}, [EFFORT_HIGH] = {"high", 4},
    [EFFORT_XHIGH] = {"xhigh", 5}, [EFFORT_MAX] = {"max", 3},
};

void conversation_init(struct conversation *c, const struct chat_request *r, struct arena *arena,
                       const struct conversation_words *words)
{
    *c = (struct conversation){.tape = &r->tape,
                               .arena = arena,
                               .words = words,
                               .model = json_raw(&r->tape, r->model_node),
                               .is_stream = r->is_stream,
                               .max_tokens = r->max_tokens,
                               .thinking_tokens = -1,
                               .schema = JSON_NONE,
                               .labels = JSON_NONE};
    struct slice key = r->max_tokens_node == JSON_NONE ? SLICE_NONE : json_key(&r->tape, r->max_tokens_node);
    if (key.len > 2) c->max_tokens_name = slice_of(key.ptr + 1, key.len - 2);
    for (int k = 0; k < KNOBS; k++)
        c->knobs[k] = JSON_NONE;
}

static void append(struct part_list *to, const struct part_list *from)
{
    if (!from->first) return;
    if (to->last)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
}

static void append_message(struct conversation *c, struct message *m)
{
    m->next = NULL;
    if (c->last)
        c->last->next = m;
    else
        c->first = m;
    c->last = m;
}

bool conversation_count(struct conversation *c)
{
    if (c->count == LIMIT_TRANSLATE_PARTS) return false;
    c->count++;
    return true;
}

/* NULL: there are too many already. */
static void *add(struct conversation *c, size_t size)
{
    return conversation_count(c) ? arena_zalloc(c->arena, size) : NULL;
}

struct message *conversation_add_message(struct conversation *c, enum speaker speaker)
{
    struct message *m = add(c, sizeof *m);
    if (!m) return NULL;
    m->speaker = speaker;
    append_message(c, m);
    return m;
}

struct part *conversation_add_part(struct conversation *c, struct part_list *list, enum part_kind kind)
{
    struct part *p = add(c, sizeof *p);
    if (!p) return NULL;
    p->kind = kind;
    append(list, &(struct part_list){p, p});
    return p;
}

struct tool *conversation_add_tool(struct conversation *c, uint32_t number)
{
    struct tool *t = add(c, sizeof *t);
    if (!t) return NULL;
    t->number = number;
    t->parameters = JSON_NONE;
    if (c->last_tool)
        c->last_tool->next = t;
    else
        c->tools = t;
    return c->last_tool = t;
}

/* --- turns --- */

static void results_first(struct part_list *list)
{
    struct part_list results = {0}, rest = {0};
    for (struct part *p = list->first, *next; p; p = next) {
        next = p->next;
        p->next = NULL;
        append(p->kind == PART_RESULT ? &results : &rest, &(struct part_list){p, p});
    }
    append(&results, &rest);
    *list = results;
}

static void prune(struct part_list *list, bool (*keeps)(void *arg, const struct part *part), void *arg)
{
    struct part *p = list->first;
    *list = (struct part_list){NULL, NULL};
    for (struct part *next; p; p = next) {
        next = p->next;
        p->next = NULL;
        if (keeps(arg, p)) append(list, &(struct part_list){p, p});
    }
}

void conversation_prune(struct conversation *c, bool (*keeps)(void *arg, const struct part *part), void *arg)
{
    struct message *m = c->first;
    c->first = c->last = NULL;
    prune(&c->system, keeps, arg);
    for (struct message *next; m; m = next) {
        next = m->next;
        prune(&m->parts, keeps, arg);
        if (m->parts.first) append_message(c, m);
    }
}

void conversation_take_turns(struct conversation *c, bool hoists)
{
    struct message *all = c->first;
    c->first = c->last = NULL;
    for (struct message *m = all, *next; m; m = next) {
        next = m->next;
        if (m->speaker == SPEAKER_SYSTEM && hoists) {
            append(&c->system, &m->parts);
        } else if (c->last && c->last->speaker == m->speaker) {
            append(&c->last->parts, &m->parts);
        } else {
            append_message(c, m);
        }
    }
    for (struct message *m = c->first; m; m = m->next)
        if (m->speaker == SPEAKER_USER) results_first(&m->parts);
}

struct slice conversation_knob(const struct conversation *c, enum knob knob)
{
    return c->words->knobs ? c->words->knobs[knob] : knob_names[knob];
}

enum effort effort_named(struct slice word)
{
    for (int e = EFFORT_NONE; e < EFFORTS; e++) {
        if (slice_equal(word, effort_words[e])) return (enum effort)e;
    }
    return EFFORT_UNSAID;
}

struct slice effort_word(enum effort effort)
{
    return effort_words[effort];
}

int64_t effort_tokens(enum effort effort)
{
    switch (effort) {
    case EFFORT_UNSAID:
    case EFFORT_NONE: return 0;
    case EFFORT_MINIMAL:
    case EFFORT_LOW: return 1024;
    case EFFORT_MEDIUM: return 8192;
    case EFFORT_HIGH:
    case EFFORT_XHIGH:
    case EFFORT_MAX: return 24576;
    }
    return 0;
}
