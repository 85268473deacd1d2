#include "store/sshsig/signers.h"

#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/sshsig/sshsig.h"

struct signers {
    struct arena arena;
    struct signer lines[LIMIT_SIGNERS];
    struct signers_refused refused[LIMIT_SIGNERS_REFUSED];
    size_t count, refused_count;
};

bool signers_is_principal(struct slice name)
{
    if (!name.len || name.len > LIMIT_SIGNER_NAME_BYTES || memchr(".-+@", name.ptr[0], 4)) return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && !memchr("._@+-", c, 5)) return false;
    }
    return true;
}

static bool lists(struct slice list, struct slice name)
{
    while (list.len) {
        if (slice_equal(slice_split(list, ',', &list), name)) return true;
    }
    return false;
}

/* ---- Times: YYYYMMDD, and HHMM or HHMMSS behind it, and Z. */

static int digits(const char *at, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++)
        value = value * 10 + (at[i] - '0');
    return value;
}

static bool is_all_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    }
    return true;
}

static bool read_time(struct slice text, int64_t *seconds)
{
    bool is_utc = text.len && text.ptr[text.len - 1] == 'Z';
    if (is_utc) text.len--;
    if ((text.len != 8 && text.len != 12 && text.len != 14) || !is_all_digits(text)) return false;
    struct tm tm = {.tm_year = digits(text.ptr, 4) - 1900, .tm_mon = digits(text.ptr + 4, 2) - 1,
                    .tm_mday = digits(text.ptr + 6, 2), .tm_isdst = -1};
    if (text.len >= 12) {
        tm.tm_hour = digits(text.ptr + 8, 2);
        tm.tm_min = digits(text.ptr + 10, 2);
    }
    if (text.len == 14) tm.tm_sec = digits(text.ptr + 12, 2);
    if (tm.tm_year < 70 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59) return false;
    struct tm given = tm;
    *seconds = is_utc ? timegm(&tm) : mktime(&tm);
    /* The 30th of February comes back as another day. */
    return *seconds > 0 && tm.tm_mon == given.tm_mon && tm.tm_mday == given.tm_mday;
}

/* ---- Options. */

static bool read_names(struct slice value)
{
    bool is_good = value.len > 0;
    while (is_good && value.len) {
        struct slice name = slice_split(value, ',', &value);
        is_good = name.len && !memchr(name.ptr, '*', name.len) && !memchr(name.ptr, '?', name.len) &&
                  name.ptr[0] != '!';
    }
    return is_good;
}

static bool take_option(struct signer *s, struct slice name, struct slice value, struct fault *why)
{
    if (slice_iequal(name, SLICE("valid-after"))) {
        if (s->after_s == INT64_MIN && read_time(value, &s->after_s)) return true;
    } else if (slice_iequal(name, SLICE("valid-before"))) {
        if (s->before_s == INT64_MAX && read_time(value, &s->before_s)) return true;
    } else if (slice_iequal(name, SLICE("namespaces"))) {
        if (s->names.len == 0 && read_names(value)) {
            s->names = value;
            return true;
        }
    } else {
        return fault_set(why, FAULT_INTERNAL, "the option `%.*s` is not understood", SLICE_FMT(name));
    }
    return fault_set(why, FAULT_INTERNAL, "`%.*s` says something that is not understood, or stands there twice",
                     SLICE_FMT(name));
}

/* name="value", and the comma behind it. */
static bool take_options(struct signer *s, struct slice text, struct fault *why)
{
    while (text.len) {
        struct slice value = SLICE_NONE, name = slice_split(text, '=', &value);
        if (!value.len || value.ptr[0] != '"') return take_option(s, slice_split(text, ',', &value), SLICE_NONE, why);
        struct slice rest, inner = slice_split(slice_of(value.ptr + 1, value.len - 1), '"', &rest);
        bool is_closed = inner.len + 1 < value.len && !memchr(inner.ptr, '\\', inner.len);
        bool is_apart = rest.len == 0 || (rest.len > 1 && rest.ptr[0] == ',');
        if (!is_closed || !is_apart) return fault_set(why, FAULT_INTERNAL, "its options are not closed");
        if (!take_option(s, name, inner, why)) return false;
        text = rest.len ? slice_of(rest.ptr + 1, rest.len - 1) : rest;
    }
    return s->after_s <= s->before_s || fault_set(why, FAULT_INTERNAL, "it ends before it begins");
}

/* ---- A line. */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word; blanks between quotes are of it. */
static struct slice take_word(struct slice *rest)
{
    size_t len = 0;
    bool is_quoted = false;
    *rest = slice_trim(*rest);
    for (; len < rest->len && (is_quoted || !is_blank(rest->ptr[len])); len++)
        is_quoted ^= rest->ptr[len] == '"';
    struct slice word = slice_of(rest->ptr, len);
    *rest = slice_of(rest->ptr + len, rest->len - len);
    return word;
}

static bool are_principals(struct slice list)
{
    size_t count = 0;
    bool is_good = list.len && list.ptr[list.len - 1] != ',';
    while (is_good && list.len)
        is_good = signers_is_principal(slice_split(list, ',', &list)) && ++count <= LIMIT_SIGNER_NAMES;
    return is_good;
}

static bool read_key(struct signers *all, struct signer *s, struct slice type, struct slice text, struct fault *why)
{
    size_t len = 0;
    char *bytes = arena_alloc(&all->arena, BASE64_BYTES_MAX(text.len) + 1);
    if (!text.len || !base64_read(text, (uint8_t *)bytes, &len))
        return fault_set(why, FAULT_INTERNAL, "its key is not whole");
    s->key = slice_of(bytes, len);
    return sshsig_key_check(type, s->key, why);
}

static bool is_type(struct slice word)
{
    return slice_starts(word, SLICE("ssh-")) || slice_starts(word, SLICE("sk-")) ||
           slice_starts(word, SLICE("ecdsa-"));
}

static bool read_line(struct signers *all, struct signer *s, struct slice line, struct fault *why)
{
    s->principals = take_word(&line);
    struct slice word = take_word(&line);
    if (!are_principals(s->principals))
        return fault_set(why, FAULT_INTERNAL, "its principals must be up to %u names: letters, digits and . _ @ + -",
                         LIMIT_SIGNER_NAMES);
    if (!is_type(word)) {
        if (!take_options(s, word, why)) return false;
        word = take_word(&line);
    }
    return read_key(all, s, word, take_word(&line), why);
}

static void refuse(struct signers *all, unsigned line, const char *why)
{
    if (all->refused_count == LIMIT_SIGNERS_REFUSED) return;
    all->refused[all->refused_count++] =
        (struct signers_refused){line, arena_copy(&all->arena, slice_str(why))};
}

static void add_line(struct signers *all, struct slice line, unsigned number)
{
    struct fault why = {0};
    line = slice_trim(line);
    if (!line.len || line.ptr[0] == '#') return;
    if (all->count == LIMIT_SIGNERS) {
        refuse(all, number, "there are more lines of keys than may be");
        return;
    }
    struct signer s = {.after_s = INT64_MIN, .before_s = INT64_MAX, .line = number, .person = (unsigned)all->count};
    if (read_line(all, &s, line, &why))
        all->lines[all->count++] = s;
    else
        refuse(all, number, fault_message(&why));
}

/* ---- Persons. */

static bool share(const struct signer *a, const struct signer *b)
{
    if (slice_equal(a->key, b->key)) return true;
    for (struct slice rest = a->principals; rest.len;) {
        if (lists(b->principals, slice_split(rest, ',', &rest))) return true;
    }
    return false;
}

/* All of the one person become of the other, who stands further up. */
static void join(struct signers *all, size_t end, unsigned a, unsigned b)
{
    unsigned first = a < b ? a : b, other = a < b ? b : a;
    for (size_t i = 0; i <= end; i++) {
        if (all->lines[i].person == other) all->lines[i].person = first;
    }
}

static void find_persons(struct signers *all)
{
    for (size_t i = 1; i < all->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (all->lines[i].person != all->lines[j].person && share(&all->lines[i], &all->lines[j]))
                join(all, i, all->lines[i].person, all->lines[j].person);
        }
    }
}

/* ---- Verbs. */

struct signers *signers_read(struct slice text)
{
    struct signers *all = mem_zalloc(1, sizeof *all);
    unsigned number = 0;
    arena_init(&all->arena);
    if (text.len > LIMIT_SIGNERS_BYTES || memchr(text.ptr ? text.ptr : "", '\0', text.len)) {
        refuse(all, 0, "the file is too large, or no text");
        return all;
    }
    for (struct slice rest = arena_copy(&all->arena, text); rest.len;) {
        struct slice line = slice_split(rest, '\n', &rest);
        if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
        add_line(all, line, ++number);
    }
    find_persons(all);
    return all;
}

void signers_free(struct signers *all)
{
    if (!all) return;
    arena_clear(&all->arena);
    mem_free(all);
}

size_t signers_count(const struct signers *all)
{
    return all->count;
}

const struct signer *signers_at(const struct signers *all, size_t index)
{
    check(index < all->count);
    return &all->lines[index];
}

size_t signers_refused_count(const struct signers *all)
{
    return all->refused_count;
}

const struct signers_refused *signers_refused_at(const struct signers *all, size_t index)
{
    check(index < all->refused_count);
    return &all->refused[index];
}

bool signer_may(const struct signer *s, struct slice name, int64_t now_s, struct fault *why)
{
    if (s->names.len && !lists(s->names, name))
        return fault_set(why, FAULT_INTERNAL, "line %u of the signers lets the key sign for other namespaces only",
                         s->line);
    if (now_s < s->after_s)
        return fault_set(why, FAULT_INTERNAL, "the key is not valid yet, says line %u of the signers", s->line);
    return now_s <= s->before_s ||
           fault_set(why, FAULT_INTERNAL, "the key is no longer valid, says line %u of the signers", s->line);
}

const struct signer *signers_find(const struct signers *all, struct slice principal, struct slice key,
                                  struct slice name, int64_t now_s, struct fault *why)
{
    fault_set(why, FAULT_INTERNAL, "its key is not one of %.*s among the signers", SLICE_FMT(principal));
    for (size_t i = 0; i < all->count; i++) {
        const struct signer *s = &all->lines[i];
        if (slice_equal(s->key, key) && lists(s->principals, principal) && signer_may(s, name, now_s, why)) return s;
    }
    return NULL;
}

struct slice signers_person(const struct signers *all, unsigned person)
{
    struct slice rest;
    check(person < all->count);
    return slice_split(all->lines[person].principals, ',', &rest);
}
