#include "wire/tokens/tokens_inner.h"

#include "base/check.h"

/* The build's tables (Makefile: $(B)/gen/vocabulary.S). */
extern const struct table_head vocabulary_o200k_base, vocabulary_cl100k_base;

#define VOCABULARY(place, label, scan)                                                                                 \
    {                                                                                                                  \
        .name = #label, .index = place, .head = &vocabulary_##label, .piece_end = scan                                 \
    }
static const struct vocabulary all[VOCABULARIES] = {
    VOCABULARY(0, o200k_base, piece_end_o200k),
    VOCABULARY(1, cl100k_base, piece_end_cl100k),
};
#undef VOCABULARY

const struct vocabulary *vocabulary_find(struct slice name)
{
    for (unsigned i = 0; i < VOCABULARIES; i++) {
        if (slice_equal(name, slice_str(all[i].name))) return &all[i];
    }
    return NULL;
}

const struct vocabulary *vocabulary_at(unsigned index)
{
    check(index < VOCABULARIES);
    return &all[index];
}

unsigned vocabulary_index(const struct vocabulary *v)
{
    return v->index;
}

const char *vocabulary_name(const struct vocabulary *v)
{
    return v->name;
}

size_t vocabulary_bytes(const struct vocabulary *v)
{
    return v->head->size;
}
