#include "wire/detect_run.h"

/* What may not follow: a letter; a dot, slash, colon or hyphen that goes on with a digit is in the run already, but for
 * the colon of a time. */
static enum found ends_there(const struct view *v, const struct candidate *c)
{
    int next = byte_at(v, c->to), after = next == ':' ? byte_at(v, c->to + 1) : AT_END;
    if (next == AT_LATER || after == AT_LATER) return FOUND_LATER;
    if (next == ':' && byte_is(after, IS_DIGIT) && c->kind == DETECT_PHONE) return FOUND_NO;
    enum found word = detect_is_word_at(v, c->to);
    return word == FOUND_LATER ? FOUND_LATER : word == FOUND_YES ? FOUND_NO : FOUND_YES;
}

/* The next kind, in their order of precedence, that the run is; *tried counts those asked. */
static bool next_kind(const struct view *v, const struct run *run, unsigned *tried, struct candidate *c)
{
    uint32_t kinds = v->d->kinds;
    for (unsigned kind = (*tried)++; kind < 3; kind = (*tried)++) {
        if (kind == 0 && (kinds & 1u << DETECT_CREDIT_CARD) && detect_card(run, c)) return true;
        if (kind == 1 && (kinds & 1u << DETECT_US_SSN) && detect_ssn(run, c)) return true;
        if (kind == 2 && (kinds & 1u << DETECT_PHONE) && detect_phone(v, run, c)) return true;
    }
    return false;
}

enum found detect_number(const struct view *v, size_t at, struct candidate *c)
{
    struct run run = {.count = 0};
    unsigned tried = 0;
    detect_run_prefix(v, at, &run);
    if (detect_is_word_before(v, at, run.prefix)) return FOUND_NO;
    if (byte_before(v, at, 1) == '.' && run.is_tail) return FOUND_NO;
    detect_run_read(v, at, &run);
    *c = (struct candidate){.from = detect_run_start(v, &run)};
    if (run.count == 0) return FOUND_NO;
    if (run.is_later) return FOUND_LATER;
    /* A parenthesis that the first group does not close is the sentence's. */
    if (run.is_open && run.groups[0].after != SEP_PAREN) run.prefix -= 1;
    while (next_kind(v, &run, &tried, c)) {
        enum found found = ends_there(v, c);
        if (found != FOUND_NO) return found;
    }
    return FOUND_NO;
}
