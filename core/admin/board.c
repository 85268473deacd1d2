#include "admin/board.h"

#include <stdio.h>
#include <string.h>

#define WORDS (BOARD_TEXT_BYTES / 8)

size_t board_bytes(unsigned worker_count)
{
    return sizeof(struct board) + worker_count * sizeof(struct board_slot);
}

/* The half that is not shown is written, then shown: a writer that dies in between harms nothing. */
void board_text_set(struct board_text *t, const char *text)
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

void board_text_get(const struct board_text *t, char *text, size_t size)
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

const char *board_state_name(enum board_state state)
{
    static const char *const names[] = {"starting", "ready", "draining", "stopping"};
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

const char *board_slot_state_name(enum board_slot_state state)
{
    static const char *const names[] = {"down", "starting", "ready", "leaving"};
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}
