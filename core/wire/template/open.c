#include "wire/template/template_inner.h"

#include "base/limits.h"

static uint64_t padded(uint64_t bytes)
{
    return (bytes + 7) & ~(uint64_t)7;
}

static bool is_text(const struct template *t, struct template_text text)
{
    return text.at <= t->pool_bytes && text.len <= t->pool_bytes - text.at;
}

static bool are_messages_whole(const struct template *t)
{
    for (uint32_t i = 0; i < t->message_count; i++) {
        const struct template_message *m = &t->messages[i];
        bool is_inside = m->first <= t->piece_count && m->count <= t->piece_count - m->first;
        if (m->role >= TEMPLATE_ROLES || !is_inside || m->parts > m->count) return false;
    }
    return true;
}

static bool are_pieces_whole(const struct template *t)
{
    for (uint32_t i = 0; i < t->piece_count; i++) {
        const struct template_piece *p = &t->pieces[i];
        bool is_literal = p->variable == TEMPLATE_LITERAL && is_text(t, p->escaped) && is_text(t, p->plain);
        if (!is_literal && p->variable >= t->variable_count) return false;
    }
    return true;
}

static bool is_variable_whole(const struct template *t, const struct template_variable *v)
{
    bool has_texts = is_text(t, v->name) && is_text(t, v->join) && is_text(t, v->value);
    bool has_choices = v->first_choice <= t->choice_count && v->choice_count <= t->choice_count - v->first_choice;
    return v->type < TEMPLATE_TYPES && v->name.len <= LIMIT_TEMPLATE_NAME_BYTES && has_texts && has_choices;
}

static bool are_variables_whole(struct template *t)
{
    for (uint32_t i = 0; i < t->variable_count; i++) {
        if (!is_variable_whole(t, &t->variables[i])) return false;
        t->has_media |= template_is_media(t->variables[i].type);
    }
    for (uint32_t i = 0; i < t->choice_count; i++) {
        if (!is_text(t, t->choices[i].plain) || !is_text(t, t->choices[i].escaped)) return false;
    }
    return true;
}

/* The next array of so many bytes; NULL: it does not fit. */
static const void *take(struct slice *rest, uint64_t bytes)
{
    const void *array = rest->ptr;
    if (padded(bytes) > rest->len) return NULL;
    *rest = slice_of(rest->ptr + padded(bytes), rest->len - padded(bytes));
    return array;
}

bool template_open(struct template *t, struct slice bytes)
{
    struct slice rest = bytes;
    const struct template_head *head = take(&rest, sizeof *head);
    *t = (struct template){.bytes = bytes};
    if (!head || (uintptr_t)bytes.ptr % 8 || head->magic != TEMPLATE_MAGIC || head->size != bytes.len) return false;
    if (head->message_count > LIMIT_TEMPLATE_MESSAGES || head->variable_count > LIMIT_TEMPLATE_VARIABLES) return false;
    t->message_count = head->message_count;
    t->piece_count = head->piece_count;
    t->variable_count = head->variable_count;
    t->choice_count = head->choice_count;
    t->pool_bytes = head->pool_bytes;
    t->insert_at = head->insert_at;
    t->messages = take(&rest, (uint64_t)t->message_count * sizeof *t->messages);
    t->pieces = t->messages ? take(&rest, (uint64_t)t->piece_count * sizeof *t->pieces) : NULL;
    t->variables = t->pieces ? take(&rest, (uint64_t)t->variable_count * sizeof *t->variables) : NULL;
    t->choices = t->variables ? take(&rest, (uint64_t)t->choice_count * sizeof *t->choices) : NULL;
    t->pool = t->choices ? take(&rest, t->pool_bytes) : NULL;
    return t->pool && rest.len == 0 && t->insert_at <= t->message_count && are_messages_whole(t) &&
           are_pieces_whole(t) && are_variables_whole(t);
}

enum template_role template_role(const struct template *t, uint32_t message)
{
    return (enum template_role)t->messages[message].role;
}

bool template_has_parts(const struct template *t, uint32_t message)
{
    return t->messages[message].parts > 0;
}

struct slice template_variable_name(const struct template *t, uint32_t variable)
{
    return template_text_of(t, t->variables[variable].name);
}

enum template_type template_variable_type(const struct template *t, uint32_t variable)
{
    return (enum template_type)t->variables[variable].type;
}

bool template_variable_is_required(const struct template *t, uint32_t variable)
{
    return !(t->variables[variable].flags & TEMPLATE_HAS_DEFAULT);
}
