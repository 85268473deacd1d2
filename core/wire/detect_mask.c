#include "wire/detect_inner.h"

#include "base/mem.h"

static bool refuse(struct fault *why, const struct detect_mask *m, const char *what)
{
    return fault_set(why, FAULT_POLICY, "mask \"%.*s\": %s", SLICE_FMT(m->like), what);
}

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

static bool parse_chars(struct mask *m, const struct detect_mask *from, struct fault *why)
{
    for (size_t i = 0; i < from->like.len; i++) {
        unsigned char c = (unsigned char)from->like.ptr[i];
        enum mask_char what = c == '#' ? MASK_DIGIT : c == '@' ? MASK_LETTER : MASK_PLAIN;
        if (c == '\\' && ++i == from->like.len) return refuse(why, from, "nothing follows the last \\");
        if (c == '\\') c = (unsigned char)from->like.ptr[i];
        if (c < 0x20 || c == 0x7F) return refuse(why, from, "control characters cannot stand in a mask");
        m->what[m->len] = (unsigned char)what;
        m->plain[m->len++] = lower(c);
    }
    return true;
}

static bool is_digit_at(const struct mask *m, size_t i)
{
    return m->what[i] == MASK_DIGIT || (m->what[i] == MASK_PLAIN && byte_is(m->plain[i], IS_DIGIT));
}

/* How rarely a plain byte is met in prose. */
static unsigned rarity(unsigned char c)
{
    if (c >= 'a' && c <= 'z') return strchr("jkqvxz", c) ? 2 : 1;
    return c == ' ' ? 1 : 4;
}

/* The trigger: the first digit, which is a digit's first by itself; without digits the rarest two plain bytes. */
static bool choose_anchor(struct mask *m)
{
    for (size_t i = 0; i < m->len; i++) {
        if (!is_digit_at(m, i)) continue;
        m->is_by_digit = true;
        m->anchor = (unsigned char)i;
        return true;
    }
    unsigned best = 0;
    for (size_t i = 0; i + 1 < m->len; i++) {
        if (m->what[i] != MASK_PLAIN || m->what[i + 1] != MASK_PLAIN) continue;
        unsigned worth = rarity(m->plain[i]) + rarity(m->plain[i + 1]);
        if (worth <= best) continue;
        best = worth;
        m->anchor = (unsigned char)i;
    }
    return best > 0;
}

static bool is_wide(const struct mask *m)
{
    for (size_t i = 0; i <= m->anchor; i++) {
        if (m->what[i] == MASK_PLAIN && !byte_is(m->plain[i], IS_LOCAL)) return true;
    }
    return false;
}

bool detect_mask_parse(struct mask *m, const struct detect_mask *from, struct fault *why)
{
    if (from->like.len < 2) return refuse(why, from, "a mask has at least two characters");
    if (from->like.len > LIMIT_DETECT_MASK_BYTES)
        return fault_set(why, FAULT_POLICY, "the mask of \"%.*s\" has %zu bytes, %u are the limit",
                         SLICE_FMT(from->name), from->like.len, LIMIT_DETECT_MASK_BYTES);
    if (!parse_chars(m, from, why)) return false;
    if (m->len < 2) return refuse(why, from, "a mask has at least two characters");
    if (!choose_anchor(m))
        return refuse(why, from, "it would match nearly every word; give it a # or two plain characters in a row");
    m->is_wide = is_wide(m);
    m->name = mem_strndup(from->name.ptr, from->name.len);
    return true;
}

static bool matches(const struct mask *m, size_t i, unsigned char c)
{
    if (m->what[i] == MASK_DIGIT) return detect_class[c] & IS_DIGIT;
    if (m->what[i] == MASK_LETTER) return detect_class[c] & IS_ALPHA;
    return lower(c) == m->plain[i];
}

/* Does the first or last byte of the mask belong to a word, so that no other word character may touch it? */
static bool is_wordy(const struct mask *m, size_t i)
{
    return m->what[i] != MASK_PLAIN || m->plain[i] >= 0x80 || byte_is(m->plain[i], IS_WORD);
}

bool detect_mask_may_follow(const struct mask *m, unsigned char before)
{
    return m->anchor == 0 || matches(m, m->anchor - 1u, before);
}

enum found detect_mask_at(const struct view *v, const struct mask *m, size_t at, struct candidate *c)
{
    if (at < v->floor + m->anchor) return FOUND_NO;
    size_t from = at - m->anchor, i = 0;
    while (i < m->len && from + i < v->len && matches(m, i, v->text[from + i]))
        i++;
    v->state->steps += i + 1;
    if (i < m->len && from + i < v->len) return FOUND_NO;
    if (is_wordy(m, 0) && detect_is_word_before(v, from, 0)) return FOUND_NO;
    *c = (struct candidate){.from = from, .to = from + m->len, .kind = m->kind};
    if (i < m->len) return v->is_last ? FOUND_NO : FOUND_LATER;
    enum found word = is_wordy(m, m->len - 1u) ? detect_is_word_at(v, c->to) : FOUND_NO;
    return word == FOUND_LATER ? FOUND_LATER : word == FOUND_YES ? FOUND_NO : FOUND_YES;
}

size_t detect_mask_pending(const struct view *v, const struct mask *m)
{
    size_t longest = m->anchor + 1u;
    if (longest > v->len - v->floor) longest = v->len - v->floor;
    for (size_t from = v->len - longest; from < v->len; from++) {
        size_t i = 0;
        while (from + i < v->len && matches(m, i, v->text[from + i]))
            i++;
        v->state->steps += i + 1;
        if (from + i == v->len) return from;
    }
    return v->len;
}
