#include "words.h"

static const char *const made_up[] = {
    " amber",  " basin",   " cedar",  " delta",   " ember",  " fjord",   " gravel",  " harbor",
    " island", " juniper", " kelp",   " lantern", " meadow", " north",   " orchard", " pebble",
    " quarry", " river",   " stone",  " timber",  " upland", " valley",  " willow",  " yarrow",
    " zenith", " anchor",  " bridge", " canyon",  " dune",   " estuary", " forest",  " glacier",
};
#define MADE_UP (sizeof made_up / sizeof made_up[0])

uint64_t words_seed(struct slice prompt)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < prompt.len; i++)
        hash = (hash ^ (unsigned char)prompt.ptr[i]) * 1099511628211u;
    return hash;
}

struct words words_of(uint64_t seed, uint64_t count, struct slice fixed)
{
    return (struct words){seed, 0, count, fixed};
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice cut_word(struct slice *text)
{
    size_t at = 0;
    while (at < text->len && is_space(text->ptr[at]))
        at++;
    while (at < text->len && !is_space(text->ptr[at]))
        at++;
    struct slice word = slice_of(text->ptr, at);
    *text = slice_of(text->ptr + at, text->len - at);
    return word;
}

bool words_next(struct words *w, struct slice *piece)
{
    if (w->at == w->count) return false;
    if (w->fixed.ptr) {
        if (w->fixed.len == 0) return false;
        *piece = cut_word(&w->fixed);
    } else {
        uint64_t mixed = (w->seed + w->at) * 0x9e3779b97f4a7c15u;
        const char *word = made_up[(mixed >> 32) % MADE_UP];
        *piece = slice_str(w->at ? word : word + 1);
    }
    w->at++;
    return true;
}

uint64_t words_count(struct slice text)
{
    uint64_t count = 0;
    while (text.len) {
        struct slice word = cut_word(&text);
        if (!is_space(word.ptr[word.len - 1])) count++;
    }
    return count;
}
