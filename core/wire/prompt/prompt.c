#include "wire/prompt/prompt_inner.h"

#include "base/limits.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool prompt_is_label(struct slice label)
{
    if (label.len == 0 || label.len > 64 || !is_word(label.ptr[0])) return false;
    for (size_t i = 0; i < label.len; i++) {
        if (!is_word(label.ptr[i]) && !strchr("._-", label.ptr[i])) return false;
    }
    return true;
}

bool prompt_is_name(struct slice name)
{
    struct slice rest = name;
    if (name.len == 0 || name.len > PROMPT_NAME_BYTES || name.ptr[name.len - 1] == '/') return false;
    while (rest.len) {
        if (!prompt_is_label(slice_split(rest, '/', &rest))) return false;
    }
    return true;
}

static const char *base(const struct prompt *p)
{
    return (const char *)p->head + sizeof *p->head + p->head->template_bytes;
}

static const struct prompt_member *fields(const struct prompt *p)
{
    return (const struct prompt_member *)(const void *)base(p);
}

static const struct prompt_text *names(const struct prompt *p)
{
    return (const struct prompt_text *)(const void *)(fields(p) + p->head->field_count);
}

static struct slice text_of(const struct prompt *p, struct prompt_text text)
{
    const char *pool = (const char *)(names(p) + p->head->open_count + p->head->app_count);
    return slice_of(pool + text.at, text.len);
}

size_t prompt_length(struct slice bytes)
{
    const struct prompt_head *head = (const struct prompt_head *)(const void *)bytes.ptr;
    if (bytes.len < sizeof *head || (uintptr_t)bytes.ptr % 8 || head->magic != PROMPT_MAGIC) return 0;
    return head->size >= sizeof *head && head->size <= bytes.len ? head->size : 0;
}

static bool has_room(const struct prompt_head *h)
{
    uint64_t all = sizeof *h + (uint64_t)h->template_bytes + (uint64_t)h->field_count * sizeof(struct prompt_member) +
                   ((uint64_t)h->open_count + h->app_count) * sizeof(struct prompt_text) + h->pool_bytes;
    return h->template_bytes % 8 == 0 && ((all + 7) & ~(uint64_t)7) == h->size;
}

static bool is_text(const struct prompt *p, struct prompt_text text)
{
    return text.at <= p->head->pool_bytes && text.len <= p->head->pool_bytes - text.at;
}

static bool are_texts_whole(const struct prompt *p)
{
    const struct prompt_head *h = p->head;
    for (uint32_t i = 0; i < h->field_count; i++) {
        if (!is_text(p, fields(p)[i].name) || !is_text(p, fields(p)[i].json)) return false;
    }
    for (uint32_t i = 0; i < h->open_count + h->app_count; i++) {
        if (!is_text(p, names(p)[i])) return false;
    }
    return is_text(p, h->name) && is_text(p, h->model) && is_text(p, h->data);
}

bool prompt_open(struct prompt *p, struct slice bytes)
{
    *p = (struct prompt){0};
    if (bytes.len == 0 || prompt_length(bytes) != bytes.len) return false;
    p->head = (const struct prompt_head *)(const void *)bytes.ptr;
    if (!has_room(p->head) || !are_texts_whole(p)) return false;
    p->name = text_of(p, p->head->name);
    p->model = text_of(p, p->head->model);
    p->data = text_of(p, p->head->data);
    p->version = (struct semver){p->head->major, p->head->minor, p->head->patch};
    p->sha256 = p->head->sha256;
    p->field_count = p->head->field_count;
    return template_open(&p->template, slice_of(bytes.ptr + sizeof *p->head, p->head->template_bytes));
}

struct prompt_field prompt_field(const struct prompt *p, uint32_t i)
{
    const struct prompt_member *field = &fields(p)[i];
    return (struct prompt_field){text_of(p, field->name), text_of(p, field->json), field->is_open != 0};
}

static bool has_name(const struct prompt *p, uint32_t from, uint32_t count, struct slice name)
{
    for (uint32_t i = from; i < from + count; i++) {
        if (slice_equal(text_of(p, names(p)[i]), name)) return true;
    }
    return false;
}

bool prompt_opens(const struct prompt *p, struct slice name)
{
    return has_name(p, 0, p->head->open_count, name);
}

bool prompt_serves(const struct prompt *p, struct slice app)
{
    return p->head->app_count == 0 || has_name(p, p->head->open_count, p->head->app_count, app);
}
