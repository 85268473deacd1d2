#include "admin/board.h"

size_t board_bytes(unsigned worker_count)
{
    return sizeof(struct board) + worker_count * sizeof(struct board_slot);
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
