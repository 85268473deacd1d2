#include "wire/template/template_inner.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/nearest.h"

static const char *const role_names[TEMPLATE_ROLES] = {
    [TEMPLATE_SYSTEM] = "system",
    [TEMPLATE_DEVELOPER] = "developer",
    [TEMPLATE_USER] = "user",
    [TEMPLATE_ASSISTANT] = "assistant",
};

const char *template_role_name(enum template_role role)
{
    return role_names[role];
}

struct compiling {
    const struct json_tape *tape;
    struct arena *arena;
    struct template_error *why;
    struct template_declared declared;
    struct buf messages, pieces;
    struct buf run;     /* of text between two holes */
    uint32_t count;     /* of messages */
    size_t text_bytes;  /* of all of them */
    struct slice text;  /* of the message that is read */
    uint32_t insert_at;
};

/* Characters, as editors count them: continuation bytes are none. */
static void find_place(struct template_error *why, struct slice text, size_t at)
{
    why->line = why->column = 1;
    for (size_t i = 0; i < at; i++) {
        bool is_end = text.ptr[i] == '\n';
        bool is_character = ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
        why->line += is_end;
        why->column = is_end ? 1 : why->column + is_character;
    }
}

static bool refuse_at(struct compiling *c, size_t at, const char *what)
{
    *c->why = (struct template_error){.message = c->count};
    find_place(c->why, c->text, at);
    snprintf(c->why->text, sizeof c->why->text, "%s", what);
    return false;
}

static bool refuse(struct compiling *c, const char *what)
{
    *c->why = (struct template_error){.message = TEMPLATE_NO_MESSAGE};
    snprintf(c->why->text, sizeof c->why->text, "%s", what);
    return false;
}

static struct template_variable *variable_at(const struct compiling *c, uint32_t i)
{
    return (struct template_variable *)(void *)buf_ptr(&c->declared.variables) + i;
}

static struct slice name_of(const struct compiling *c, uint32_t i)
{
    const struct template_variable *v = variable_at(c, i);
    return slice_of(buf_ptr(&c->declared.pool) + v->name.at, v->name.len);
}

static bool refuse_undeclared(struct compiling *c, const struct template_scan *s)
{
    const char *known[LIMIT_TEMPLATE_VARIABLES];
    char what[200];
    for (uint32_t i = 0; i < c->declared.count; i++)
        known[i] = arena_copy(c->arena, name_of(c, i)).ptr;
    const char *near = nearest_word(s->found, known, c->declared.count);
    if (near)
        snprintf(what, sizeof what, "%.*s is not declared: is meant %s?", SLICE_FMT(s->found), near);
    else
        snprintf(what, sizeof what, "%.*s is not declared: add it to the variables", SLICE_FMT(s->found));
    return refuse_at(c, s->began, what);
}

static void add_piece(struct compiling *c, struct template_message *m, struct template_piece piece)
{
    buf_append(&c->pieces, slice_of((const char *)&piece, sizeof piece));
    m->count++;
}

/* A picture and the like become parts of a message: nothing else may stand on their line. */
static bool is_alone(struct slice text, const struct template_scan *s)
{
    size_t from = s->began, to = s->ended;
    while (from > 0 && text.ptr[from - 1] == ' ')
        from--;
    while (to < text.len && text.ptr[to] == ' ')
        to++;
    return (from == 0 || text.ptr[from - 1] == '\n') && (to == text.len || text.ptr[to] == '\n');
}

static bool add_hole(struct compiling *c, struct template_message *m, const struct template_scan *s)
{
    uint32_t i = 0;
    while (i < c->declared.count && !slice_equal(name_of(c, i), s->found))
        i++;
    if (i == c->declared.count) return refuse_undeclared(c, s);
    struct template_variable *v = variable_at(c, i);
    if (template_is_media(v->type)) {
        if (m->role != TEMPLATE_USER)
            return refuse_at(c, s->began, "pictures, files and sound stand in @user messages");
        if (!is_alone(c->text, s))
            return refuse_at(c, s->began, "it must stand alone on its line: it becomes a part of its own");
        m->parts++;
    }
    v->uses++;
    add_piece(c, m, (struct template_piece){.variable = i});
    return true;
}

/* What stands between two holes is one piece, also where an escape parts it: template_matches() goes by that. */
static void end_run(struct compiling *c, struct template_message *m)
{
    struct slice text = arena_copy(c->arena, buf_slice(&c->run));
    if (!text.len) return;
    buf_reset(&c->run);
    struct slice escaped = template_escape(c->arena, text);
    struct template_piece piece = {.variable = TEMPLATE_LITERAL, .plain = template_keep(&c->declared.pool, text)};
    piece.escaped = slice_equal(text, escaped) ? piece.plain : template_keep(&c->declared.pool, escaped);
    add_piece(c, m, piece);
}

static bool add_pieces(struct compiling *c, struct template_message *m)
{
    struct template_scan s = {.text = c->text};
    for (;;) {
        switch (template_scan(&s)) {
        case TEMPLATE_END:
            end_run(c, m);
            return true;
        case TEMPLATE_PLAIN: buf_append(&c->run, s.found); break;
        case TEMPLATE_HOLE:
            end_run(c, m);
            if (!add_hole(c, m, &s)) return false;
            break;
        case TEMPLATE_WRONG: return refuse_at(c, s.began, s.wrong);
        }
        if (buf_len(&c->pieces) / sizeof(struct template_piece) > LIMIT_TEMPLATE_PIECES)
            return refuse_at(c, s.began, "there are more holes than a template may have");
    }
}

static bool read_role(struct compiling *c, uint32_t node, uint32_t *role)
{
    for (uint32_t i = 0; i < TEMPLATE_ROLES; i++) {
        if (!json_text_is(c->tape, node, slice_str(role_names[i]))) continue;
        *role = i;
        return true;
    }
    return refuse(c, "a message's role is system, developer, user or assistant");
}

static bool add_message(struct compiling *c, uint32_t node)
{
    struct template_message m = {.first = (uint32_t)(buf_len(&c->pieces) / sizeof(struct template_piece))};
    uint32_t content = json_get(c->tape, node, SLICE("content"));
    if (!json_is(c->tape, node, JSON_OBJECT) || json_count(c->tape, node) != 2 ||
        !json_is(c->tape, content, JSON_STRING))
        return refuse(c, "a message is {\"role\":…,\"content\":\"…\"}, its content one text");
    if (!read_role(c, json_get(c->tape, node, SLICE("role")), &m.role)) return false;
    c->text = json_text(c->tape, content, c->arena);
    c->text_bytes += c->text.len;
    if (c->text_bytes > LIMIT_TEMPLATE_BYTES) return refuse(c, "all texts together have at most 256 KB");
    if (!add_pieces(c, &m)) return false;
    buf_append(&c->messages, slice_of((const char *)&m, sizeof m));
    c->count++;
    return true;
}

static bool read_messages(struct compiling *c, uint32_t messages)
{
    uint32_t count = json_is(c->tape, messages, JSON_ARRAY) ? json_count(c->tape, messages) : 0;
    if (count == 0 || count > LIMIT_TEMPLATE_MESSAGES) return refuse(c, "messages: a list of 1 to 64");
    for (uint32_t n = json_first(c->tape, messages); n != JSON_NONE; n = json_next(c->tape, n)) {
        if (!add_message(c, n)) return false;
    }
    return true;
}

static bool read_insert(struct compiling *c, uint32_t node)
{
    int64_t at = c->count;
    bool is_said = node != JSON_NONE && !json_is(c->tape, node, JSON_NULL);
    bool is_good = !is_said || (json_is(c->tape, node, JSON_NUMBER) && json_to_i64(c->tape, node, &at));
    if (!is_good || at < 0 || at > c->count)
        return refuse(c, "insert_at: the number of a message, from 0 on");
    c->insert_at = (uint32_t)at;
    return true;
}

/* A variable that stands nowhere is a mistake of who wrote it: callers would hand it in for nothing. */
static bool check_used(struct compiling *c)
{
    char what[200];
    for (uint32_t i = 0; i < c->declared.count; i++) {
        if (variable_at(c, i)->uses) continue;
        snprintf(what, sizeof what, "variable %.*s stands in no message: write {{%.*s}} there, or take it out",
                 SLICE_FMT(name_of(c, i)), SLICE_FMT(name_of(c, i)));
        return refuse(c, what);
    }
    return true;
}

static uint32_t count_of(const struct buf *array, size_t each)
{
    return (uint32_t)(buf_len(array) / each);
}

static void write_all(const struct compiling *c, struct buf *out)
{
    const struct template_declared *d = &c->declared;
    const struct buf *const arrays[] = {&c->messages, &c->pieces, &d->variables, &d->choices, &d->pool};
    struct template_head head = {
        .magic = TEMPLATE_MAGIC,
        .message_count = c->count,
        .piece_count = count_of(&c->pieces, sizeof(struct template_piece)),
        .variable_count = d->count,
        .choice_count = count_of(&d->choices, sizeof(struct template_choice)),
        .pool_bytes = (uint32_t)buf_len(&d->pool),
        .insert_at = c->insert_at,
    };
    size_t began = buf_len(out);
    buf_append(out, slice_of((const char *)&head, sizeof head));
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        buf_append(out, buf_slice(arrays[i]));
        while ((buf_len(out) - began) % 8)
            buf_append_char(out, '\0');
    }
    head.size = (uint32_t)(buf_len(out) - began);
    memcpy(buf_ptr(out) + began, &head, sizeof head);
}

bool template_compile(const struct json_tape *tape, uint32_t object, struct buf *out, struct template_error *why)
{
    struct arena arena;
    struct compiling c = {.tape = tape, .arena = &arena, .why = why, .declared = {.why = why, .arena = &arena}};
    struct template_declared *d = &c.declared;
    struct buf *const all[] = {&c.run, &c.messages, &c.pieces, &d->variables, &d->choices, &d->pool};
    arena_init(&arena);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_init_small(all[i], 256);
    bool is_good = template_declare(&c.declared, tape, json_get(tape, object, SLICE("variables"))) &&
                   read_messages(&c, json_get(tape, object, SLICE("messages"))) &&
                   read_insert(&c, json_get(tape, object, SLICE("insert_at"))) && check_used(&c);
    if (is_good) write_all(&c, out);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_clear(all[i]);
    arena_clear(&arena);
    return is_good;
}
