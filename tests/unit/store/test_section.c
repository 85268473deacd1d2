/* Sections: what is built is read back; what is damaged, cut off or refers to what is not there is refused. */
#include "../unit.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "net/pipe.h"
#include "store/section/build.h"
#include "store/section/section.h"

enum { OWNERS, ITEMS, BY_NAME, BY_CODE, TABLES };

struct owner {
    uint8_t code[8];
    struct section_text name, place;
    struct section_list items;
    uint32_t friend, number;
};

struct item {
    struct section_text text;
};

static const struct section_shape shape = {
    .kind = SECTION_PROMPTS,
    .version = 3,
    .table_count = TABLES,
    .bytes_max = 1 << 20,
    .tables = {
        [OWNERS] = {.row_bytes = sizeof(struct owner),
                    .rows_max = 1000,
                    .columns = {{SECTION_COLUMN_TEXTS, offsetof(struct owner, name), 2, 40},
                                {SECTION_COLUMN_LISTS, offsetof(struct owner, items), 1, ITEMS},
                                {SECTION_COLUMN_ROW, offsetof(struct owner, friend), 1, OWNERS}}},
        [ITEMS] = {.row_bytes = sizeof(struct item), .rows_max = 9000, .columns = {{SECTION_COLUMN_TEXTS, 0, 1, 9}}},
        [BY_NAME] = {.rows_max = 4096, .is_index = true, .index_of = OWNERS, .key_at = offsetof(struct owner, name)},
        [BY_CODE] = {.rows_max = 4096, .is_index = true, .index_of = OWNERS, .key_bytes = 8},
    }};

static bool add_owner(struct section_build *b, uint32_t number, struct fault *why)
{
    char name[24];
    struct owner row = {.number = number, .friend = number / 2};
    snprintf(name, sizeof name, "owner %u", number);
    memcpy(row.code, &number, sizeof number);
    row.name = section_build_text(b, slice_str(name));
    row.place = section_build_text(b, SLICE("everywhere"));
    row.items = (struct section_list){section_build_count(b, ITEMS), number % 4};
    for (uint32_t i = 0; i < number % 4; i++) {
        struct item item = {section_build_text(b, slice_of("abc" + i, 1))};
        if (!section_build_row(b, ITEMS, &item, why)) return false;
    }
    return section_build_row(b, OWNERS, &row, why);
}

static void build(uint32_t count, struct buf *out)
{
    struct fault why = {0};
    struct section_build *b = section_build_new(&shape);
    buf_init(out);
    for (uint32_t i = 0; i < count; i++) {
        if (!add_owner(b, i, &why)) UNIT_FAIL("%s", why.text);
    }
    if (!section_build_end(b, &(struct section_about){.part = 7, .epoch = 2, .revision = 42}, out, &why))
        UNIT_FAIL("%s", why.text);
    section_build_free(b);
}

static void expect_owner(const struct section *s, uint32_t number)
{
    char name[24];
    uint32_t row = 0, count;
    snprintf(name, sizeof name, "owner %u", number);
    EXPECT(section_find(s, BY_NAME, slice_str(name), &row));
    EXPECT_INT(number, row);
    uint8_t code[8] = {0};
    memcpy(code, &number, sizeof number);
    EXPECT(section_find(s, BY_CODE, slice_of((const char *)code, 8), &row));
    const struct owner *owners = section_rows(s, OWNERS, &count);
    const struct item *items = section_rows(s, ITEMS, &count);
    EXPECT_INT(number, owners[row].number);
    EXPECT_SLICE(slice_str(name), section_text(s, owners[row].name));
    EXPECT_SLICE(SLICE("everywhere"), section_text(s, owners[row].place));
    EXPECT_INT(number % 4, owners[row].items.count);
    for (uint32_t i = 0; i < owners[row].items.count; i++)
        EXPECT_SLICE(slice_of("abc" + i, 1), section_text(s, items[owners[row].items.first + i].text));
}

static void what_is_built_is_found(void)
{
    struct buf bytes;
    struct fault why = {0};
    uint32_t row;
    for (uint32_t count = 0; count < 600; count = 3 * count + 1) {
        build(count, &bytes);
        struct section *s = section_copy(buf_slice(&bytes), &shape, &why);
        EXPECT(s != NULL);
        for (uint32_t i = 0; s && i < count; i++)
            expect_owner(s, i);
        EXPECT(s && !section_find(s, BY_NAME, SLICE("owner 1000"), &row));
        EXPECT(s && !section_find(s, BY_NAME, SLICE(""), &row));
        section_unref(s);
        buf_clear(&bytes);
    }
}

static void a_sealed_memory_file_is_read_in_place(void)
{
    struct buf bytes;
    struct fault why = {0};
    struct section_about about;
    build(5, &bytes);
    int fd = pipe_memfd_new("section", buf_slice(&bytes), &why);
    struct section *s = section_map(fd, &shape, &why);
    EXPECT(s != NULL);
    close(fd);
    if (s) expect_owner(s, 4);
    section_unref(section_ref(s));
    EXPECT(section_head(buf_slice(&bytes), &about, &why));
    EXPECT_INT(SECTION_PROMPTS, about.kind);
    EXPECT_INT(7, about.part);
    EXPECT_INT(3, about.version);
    EXPECT_INT(42, about.revision);
    EXPECT_INT(2, about.epoch);
    EXPECT_INT(buf_len(&bytes), about.bytes);
    EXPECT(s && section_about(s)->content == about.content);
    section_unref(s);
    buf_clear(&bytes);
}

static void the_same_content_has_the_same_hash(void)
{
    struct section_about one, two, three;
    struct fault why;
    struct buf a, b, c;
    build(50, &a);
    build(50, &b);
    build(51, &c);
    EXPECT(section_head(buf_slice(&a), &one, &why) && section_head(buf_slice(&b), &two, &why));
    EXPECT(section_head(buf_slice(&c), &three, &why));
    EXPECT(one.content == two.content && one.content != three.content);
    buf_clear(&a);
    buf_clear(&b);
    buf_clear(&c);
}

static void what_cannot_be_in_one_is_refused_by_the_builder(void)
{
    struct fault why = {0};
    struct buf out;
    struct section_build *b = section_build_new(&shape);
    buf_init(&out);
    EXPECT(add_owner(b, 3, &why)); /* its friend is the owner of row 1, who is not there */
    EXPECT(!add_owner(b, 3, &why));
    EXPECT(strstr(why.text, "another has its key") != NULL);
    EXPECT_INT(1, section_build_count(b, OWNERS));
    EXPECT(!section_build_end(b, &(struct section_about){.kind = 0}, &out, &why));
    EXPECT(strstr(why.text, "not there") != NULL);
    EXPECT_INT(0, buf_len(&out));
    section_build_free(b);
    b = section_build_new(&shape);
    for (uint32_t i = 0; i < 1000; i++)
        EXPECT(add_owner(b, i, &why));
    EXPECT(!add_owner(b, 1000, &why));
    EXPECT(strstr(why.text, "more than there may be") != NULL);
    section_build_free(b);
    b = section_build_new(&shape);
    char *wide = mem_zalloc(1 << 21, 1);
    section_build_text(b, slice_of(wide, 1 << 21));
    EXPECT(!section_build_end(b, &(struct section_about){.kind = 0}, &out, &why));
    section_build_free(b);
    mem_free(wide);
    buf_clear(&out);
}

static void expect_refused(struct slice bytes, const char *word)
{
    struct fault why = {0};
    struct section *s = section_copy(bytes, &shape, &why);
    if (s || !strstr(why.text, word)) UNIT_FAIL("%s: %s", word, why.text);
    section_unref(s);
}

static void each_flipped_bit_and_each_cut_is_seen(void)
{
    struct buf bytes;
    build(5, &bytes);
    for (size_t i = 0; i < buf_len(&bytes) * 8; i++) {
        buf_ptr(&bytes)[i / 8] ^= (char)(1 << i % 8);
        expect_refused(buf_slice(&bytes), "");
        buf_ptr(&bytes)[i / 8] ^= (char)(1 << i % 8);
    }
    for (size_t i = 0; i < buf_len(&bytes); i++)
        expect_refused(slice_of(buf_ptr(&bytes), i), "");
    buf_append_char(&bytes, '\0');
    expect_refused(buf_slice(&bytes), "more behind it");
    buf_clear(&bytes);
}

static void another_kind_version_or_file_is_refused(void)
{
    struct buf bytes;
    struct fault why = {0};
    struct section_shape other = shape;
    build(5, &bytes);
    other.version = 4;
    EXPECT(section_copy(buf_slice(&bytes), &other, &why) == NULL);
    EXPECT(strstr(why.text, "another kind or version") != NULL);
    other = shape;
    other.kind = SECTION_KEYS;
    EXPECT(section_copy(buf_slice(&bytes), &other, &why) == NULL);
    other = shape;
    other.bytes_max = 100;
    EXPECT(section_copy(buf_slice(&bytes), &other, &why) == NULL);
    int ends[2];
    EXPECT_INT(0, pipe(ends));
    EXPECT(section_map(ends[0], &shape, &why) == NULL);
    EXPECT(strstr(why.text, "sealed") != NULL);
    close(ends[0]);
    close(ends[1]);
    buf_clear(&bytes);
}

/* ---- Bytes that say of themselves that they are whole. */

#define HEAD_CONTENT 72 /* where the head has the hash of what is behind it, before its own */

/* As one who can compute hashes would send them. */
static void seal(char *bytes, size_t len)
{
    uint64_t hash = hash_bytes(slice_of(bytes + SECTION_HEAD_BYTES, len - SECTION_HEAD_BYTES), 0);
    memcpy(bytes + HEAD_CONTENT, &hash, sizeof hash);
    hash = hash_bytes(slice_of(bytes, HEAD_CONTENT + 8), 0);
    memcpy(bytes + HEAD_CONTENT + 8, &hash, sizeof hash);
}

static uint32_t below(uint32_t n)
{
    static uint64_t state = 0x9E3779B97F4A7C15ull;
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(state >> 33) % n;
}

/* Everything that a reader would do with it. */
static void walk(const struct section *s)
{
    uint32_t owner_count, item_count, row;
    volatile char last = 0;
    const struct owner *owners = section_rows(s, OWNERS, &owner_count);
    const struct item *items = section_rows(s, ITEMS, &item_count);
    for (uint32_t i = 0; i < owner_count; i++) {
        struct slice name = section_text(s, owners[i].name);
        if (name.len) last = name.ptr[name.len - 1];
        EXPECT(owners[i].friend < owner_count);
        section_find(s, BY_NAME, name, &row);
        for (uint32_t n = 0; n < owners[i].items.count; n++) {
            struct slice text = section_text(s, items[owners[i].items.first + n].text);
            if (text.len) last = text.ptr[text.len - 1];
        }
    }
    section_find(s, BY_CODE, SLICE("12345678"), &row);
    (void)last;
}

static void forged_bytes_are_refused_or_read_to_no_harm(void)
{
    struct buf bytes;
    unsigned taken = 0, refused = 0;
    build(9, &bytes);
    size_t len = buf_len(&bytes);
    for (int i = 0; i < 40000; i++) {
        struct fault why = {0};
        char *copy = mem_alloc(len); /* just as long: what is read behind it is seen by the sanitizer */
        memcpy(copy, buf_ptr(&bytes), len);
        for (uint32_t n = 1 + below(3); n > 0; n--)
            copy[i % 2 ? 8 + below(300) : below((uint32_t)len)] = (char)(below(2) ? below(256) : 255);
        seal(copy, len);
        struct section *s = section_copy(slice_of(copy, len), &shape, &why);
        if (s) walk(s);
        EXPECT(s || why.text[0]);
        taken += s != NULL;
        refused += s == NULL;
        section_unref(s);
        mem_free(copy);
    }
    EXPECT(taken > 1000 && refused > 1000);
    buf_clear(&bytes);
}

int main(void)
{
    RUN(what_is_built_is_found);
    RUN(a_sealed_memory_file_is_read_in_place);
    RUN(the_same_content_has_the_same_hash);
    RUN(what_cannot_be_in_one_is_refused_by_the_builder);
    RUN(each_flipped_bit_and_each_cut_is_seen);
    RUN(another_kind_version_or_file_is_refused);
    RUN(forged_bytes_are_refused_or_read_to_no_harm);
    return unit_close("section");
}
