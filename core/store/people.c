#include "store/people.h"

#include <stddef.h>

#include "base/limits.h"
#include "base/mem.h"
#include "store/section/build.h"

enum { PEOPLE_SIGN_INS, PEOPLE_BY_NAME, PEOPLE_TABLES };

#define NAME_BYTES_MAX (2u * LIMIT_KEY_FIELD_BYTES + 1u)

struct sign_in_row {
    struct section_text name; /* issuer, a NUL, subject: neither has one */
    struct section_text id;   /* empty: he is disabled */
};

static const struct section_shape shape = {
    .kind = SECTION_PEOPLE,
    .version = 1,
    .table_count = PEOPLE_TABLES,
    .bytes_max = LIMIT_KEYRING_BYTES,
    .tables = {
        [PEOPLE_SIGN_INS] = {.row_bytes = sizeof(struct sign_in_row),
                             .rows_max = LIMIT_KEYS,
                             .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct sign_in_row, name), 2,
                                          NAME_BYTES_MAX}}},
        [PEOPLE_BY_NAME] = {.rows_max = UINT32_MAX,
                            .is_index = true,
                            .index_of = PEOPLE_SIGN_INS,
                            .key_at = offsetof(struct sign_in_row, name)},
    }};

struct people {
    unsigned refs;
    struct section *section; /* NULL: empty */
    const struct sign_in_row *rows;
    uint32_t count;
};

/* ---- Having them. */

struct people *people_empty(void)
{
    struct people *p = mem_zalloc(1, sizeof *p);
    p->refs = 1;
    return p;
}

static struct people *take(struct section *section)
{
    if (!section) return NULL;
    struct people *p = people_empty();
    p->section = section;
    p->rows = section_rows(section, PEOPLE_SIGN_INS, &p->count);
    return p;
}

struct people *people_map(int fd, struct fault *why)
{
    return take(section_map(fd, &shape, why));
}

struct people *people_copy(struct slice section, struct fault *why)
{
    return take(section_copy(section, &shape, why));
}

struct people *people_ref(struct people *people)
{
    people->refs++;
    return people;
}

void people_unref(struct people *people)
{
    if (!people || --people->refs > 0) return;
    section_unref(people->section);
    mem_free(people);
}

size_t people_count(const struct people *people)
{
    return people->count;
}

const struct section_about *people_about(const struct people *people)
{
    return people->section ? section_about(people->section) : NULL;
}

/* Into room of NAME_BYTES_MAX; empty: there can be no such sign-in. */
static struct slice name_of(struct slice issuer, struct slice subject, char *room)
{
    if (!issuer.len || !subject.len || issuer.len > LIMIT_KEY_FIELD_BYTES || subject.len > LIMIT_KEY_FIELD_BYTES ||
        memchr(issuer.ptr, '\0', issuer.len) || memchr(subject.ptr, '\0', subject.len))
        return SLICE_NONE;
    memcpy(room, issuer.ptr, issuer.len);
    room[issuer.len] = '\0';
    memcpy(room + issuer.len + 1, subject.ptr, subject.len);
    return slice_of(room, issuer.len + 1 + subject.len);
}

static bool find(const struct people *people, struct slice issuer, struct slice subject, struct slice *id)
{
    uint32_t row;
    char room[NAME_BYTES_MAX];
    struct slice name = name_of(issuer, subject, room);
    bool is_known = people && people->section && name.len && section_find(people->section, PEOPLE_BY_NAME, name, &row);
    *id = is_known ? section_text(people->section, people->rows[row].id) : SLICE_NONE;
    return is_known;
}

struct slice people_find(const struct people *people, struct slice issuer, struct slice subject)
{
    struct slice id;
    find(people, issuer, subject, &id);
    return id;
}

bool people_is_disabled(const struct people *people, struct slice issuer, struct slice subject)
{
    struct slice id;
    return find(people, issuer, subject, &id) && id.len == 0;
}

/* ---- Making the section. */

struct people_build {
    struct section_build *section;
};

struct people_build *people_build_new(void)
{
    struct people_build *b = mem_zalloc(1, sizeof *b);
    b->section = section_build_new(&shape);
    return b;
}

void people_build_free(struct people_build *b)
{
    if (!b) return;
    section_build_free(b->section);
    mem_free(b);
}

bool people_build_add(struct people_build *b, struct slice issuer, struct slice subject, struct slice id,
                      struct fault *why)
{
    char room[NAME_BYTES_MAX];
    struct slice name = name_of(issuer, subject, room);
    if (!name.len || id.len > LIMIT_KEY_FIELD_BYTES)
        return fault_set(why, FAULT_INTERNAL, "person %.*s: an issuer and a subject of 1 to %u bytes are needed",
                         SLICE_FMT(id), LIMIT_KEY_FIELD_BYTES);
    struct sign_in_row row = {section_build_text(b->section, name), section_build_text(b->section, id)};
    return section_build_row(b->section, PEOPLE_SIGN_INS, &row, why);
}

bool people_build_end(struct people_build *b, const struct section_about *about, struct buf *out, struct fault *why)
{
    return section_build_end(b->section, about, out, why);
}
