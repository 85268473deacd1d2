#include "store/counters/script.h"

/* Made by the Makefile of redis/, sorted by name. */
struct redis_script_text {
    const char *name, *text;
    uint64_t len;
};
extern const struct redis_script_text redis_script_table[];

struct slice counters_script_source(enum counters_script script)
{
    return slice_of(redis_script_table[script].text, redis_script_table[script].len);
}

const char *counters_script_name(enum counters_script script)
{
    return redis_script_table[script].name;
}
