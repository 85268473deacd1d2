#include "wire/detect_inner.h"

#define LABEL_BYTES 63u

/* A name does not begin with these, though they may stand in it. */
static bool is_trimmed(unsigned char c)
{
    return c == '.' || c == '\'' || c == '-' || c == '+' || c == '%';
}

size_t detect_local_start(const struct view *v, size_t i)
{
    size_t lowest = i - v->floor > LOCAL_BYTES ? i - LOCAL_BYTES : v->floor, from = i;
    while (from > lowest) {
        unsigned char c = v->text[from - 1];
        size_t len = c < 0x80 ? detect_class[c] & IS_LOCAL ? 1 : 0 : 0;
        if (c >= 0x80 && c < 0xC0 && from - lowest >= 2 && detect_letter_len(v->text[from - 2], c) == 2) len = 2;
        if (c >= 0x80 && c < 0xC0 && from - lowest >= 3 && detect_letter_len(v->text[from - 3], v->text[from - 2]) == 3)
            len = 3;
        if (len == 0) break;
        from -= len;
    }
    v->state->steps += i - from + 1;
    return from;
}

/* Bytes of the label character at i, 0 for none, LETTER_LATER when it has not come. */
static size_t label_char(const struct view *v, size_t i)
{
    int c = byte_at(v, i);
    if (c == AT_LATER) return LETTER_LATER;
    if (c >= 0x80) return detect_letter_at(v, i);
    return byte_is(c, IS_LABEL) ? 1 : 0;
}

/* Where a top-level domain that begins with this label ends: two letters or more, up to a hyphen or the label's end;
 * 0 when it cannot be one. */
static size_t top_level_end(const struct view *v, size_t from, size_t to)
{
    size_t letters = 0, i = from;
    if (to - from > LABEL_BYTES) return 0;
    if (to - from > 4 && memcmp(v->text + from, "xn--", 4) == 0) return v->text[to - 1] == '-' ? 0 : to;
    while (i < to && (v->text[i] >= 0x80 || byte_is(v->text[i], IS_ALPHA))) {
        if (v->text[i] < 0x80 || v->text[i] >= 0xC0) letters++;
        i++;
    }
    return letters >= 2 && (i == to || v->text[i] == '-') ? i : 0;
}

/* Walks the labels of a domain from `i`; in *end where the longest one that can stand as a whole ends, 0 for none. */
static enum found walk_domain(const struct view *v, size_t i, size_t *end)
{
    size_t limit = i + DOMAIN_BYTES, first = i;
    for (*end = 0;; i++) {
        size_t from = i, len;
        while ((len = label_char(v, i)) > 0 && len != LETTER_LATER && i + len <= limit)
            i += len;
        v->state->steps += i - from + 1;
        if (len == LETTER_LATER) return FOUND_LATER;
        if (len > 0 || i == from || i - from > LABEL_BYTES || v->text[from] == '-') break;
        size_t top = from > first ? top_level_end(v, from, i) : 0;
        if (top) *end = top;
        if (v->text[i - 1] == '-' || byte_at(v, i) != '.' || i == limit) break;
    }
    return *end ? FOUND_YES : FOUND_NO;
}

/* Endings of file names and of systemd units that are no top-level domains, by their first letter. */
static bool is_file_ending(const struct view *v, size_t from, size_t to)
{
    static const char *const endings[26] = {
        ['a' - 'a'] = "avif ", ['b' - 'a'] = "bmp bz ", ['c' - 'a'] = "css csv cjs ", ['d' - 'a'] = "dll ",
        ['e' - 'a'] = "exe ", ['g' - 'a'] = "gif gz ", ['h' - 'a'] = "html htm heic ", ['i' - 'a'] = "ico ",
        ['j' - 'a'] = "js json jpg jpeg jsx jar ", ['l' - 'a'] = "log lock ", ['m' - 'a'] = "mjs mp3 mp4 mount ",
        ['p' - 'a'] = "png pdf php ", ['r' - 'a'] = "rar ", ['s' - 'a'] = "svg scss sql service socket slice ",
        ['t' - 'a'] = "ts tsx txt toml tiff tgz ttf timer ", ['w' - 'a'] = "webp woff whl ", ['x' - 'a'] = "xml xz ",
        ['y' - 'a'] = "yaml yml "};
    unsigned char first = v->text[from] | 0x20;
    const char *at = first >= 'a' && first <= 'z' ? endings[first - 'a'] : NULL;
    while (at && *at) {
        size_t i = 0;
        while (at[i] != ' ' && from + i < to && (v->text[from + i] | 0x20) == at[i])
            i++;
        if (at[i] == ' ' && from + i == to) return true;
        while (*at++ != ' ')
            continue;
    }
    return false;
}

static size_t last_label(const struct view *v, size_t from, size_t to)
{
    while (to > from && v->text[to - 1] != '.')
        to--;
    return to;
}

/* "1.2.…", "v1.2.…" */
static bool is_version(const struct view *v, size_t from, size_t to)
{
    size_t i = from + (v->text[from] == 'v'), digits = 0;
    for (; i < to && byte_is(v->text[i], IS_DIGIT); i++)
        digits++;
    return digits > 0 && i + 1 < to && v->text[i] == '.' && byte_is(v->text[i + 1], IS_DIGIT);
}

/* "git@host:path", "ssh://git@host/path": nobody's address. */
static enum found is_git(const struct view *v, size_t from, size_t at, size_t to)
{
    if (at - from != 3 || memcmp(v->text + from, "git", 3) != 0) return FOUND_NO;
    if (byte_before(v, from, 1) == '/') return FOUND_YES;
    int next = byte_at(v, to), behind = next == ':' ? byte_at(v, to + 1) : AT_END;
    if (next == AT_LATER || behind == AT_LATER) return FOUND_LATER;
    return next == ':' && behind > ' ' ? FOUND_YES : FOUND_NO;
}

#define USER_BYTES 12u /* of the name before a password that is looked at */

/* "//name:" stands before the password that begins here. */
static bool is_password(const struct view *v, size_t from)
{
    size_t back = 2;
    if (byte_before(v, from, 1) != ':') return false;
    while (back < USER_BYTES + 2 && byte_is(byte_before(v, from, back), IS_LOCAL))
        back++;
    v->state->steps += back;
    return byte_before(v, from, back) == '/' && byte_before(v, from, back + 1) == '/';
}

/* A password in a URL, up to the '@'. */
static enum found find_password(const struct view *v, size_t from, size_t at, struct candidate *c)
{
    *c = (struct candidate){.from = from, .to = at, .kind = DETECT_API_KEY};
    if (!(v->d->kinds & 1u << DETECT_API_KEY)) return FOUND_NO;
    int next = byte_at(v, at + 1);
    return next == AT_LATER ? FOUND_LATER : next > ' ' ? FOUND_YES : FOUND_NO;
}

enum found detect_email(const struct view *v, size_t at, struct candidate *c)
{
    size_t from = detect_local_start(v, at);
    if (from < at && is_password(v, from)) return find_password(v, from, at, c);
    while (from < at && is_trimmed(v->text[from]))
        from++;
    if (from == at || !(v->d->kinds & 1u << DETECT_EMAIL)) return FOUND_NO;
    *c = (struct candidate){.from = from, .kind = DETECT_EMAIL};
    enum found found = walk_domain(v, at + 1, &c->to);
    if (found != FOUND_YES) return found;
    if (is_file_ending(v, last_label(v, at + 1, c->to), c->to) || is_version(v, at + 1, c->to)) return FOUND_NO;
    enum found git = is_git(v, from, at, c->to);
    return git == FOUND_LATER ? FOUND_LATER : git == FOUND_YES ? FOUND_NO : FOUND_YES;
}
