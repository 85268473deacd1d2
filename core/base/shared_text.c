#include "base/shared_text.h"

#include <stdio.h>
#include <string.h>

#define WORDS (SHARED_TEXT_BYTES / 8)

/* The half that is not shown is written, then shown: a writer that dies in between harms nothing. */
void shared_text_set(struct shared_text *t, const char *text)
{
    uint64_t copy[WORDS] = {0};
    uint64_t turn = atomic_load_explicit(&t->turn, memory_order_relaxed) + 1;
    snprintf((char *)copy, sizeof copy, "%s", text);
    atomic_thread_fence(memory_order_release); /* the turn before is seen before any of these words */
    for (size_t i = 0; i < WORDS; i++) {
        atomic_store_explicit(&t->words[turn & 1][i], copy[i], memory_order_relaxed);
    }
    atomic_store_explicit(&t->turn, turn, memory_order_release);
}

void shared_text_get(const struct shared_text *t, char *text, size_t size)
{
    uint64_t copy[WORDS], before, after = atomic_load_explicit(&t->turn, memory_order_acquire);
    do {
        before = after;
        for (size_t i = 0; i < WORDS; i++) {
            copy[i] = atomic_load_explicit(&t->words[before & 1][i], memory_order_relaxed);
        }
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&t->turn, memory_order_relaxed);
    } while (before != after);
    ((char *)copy)[sizeof copy - 1] = '\0';
    snprintf(text, size, "%s", (char *)copy);
}
