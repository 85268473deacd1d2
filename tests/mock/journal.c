#include "journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

struct journal {
    FILE *file;
    bool is_off;
    char **lines;         /* a ring: the line of seq s stands at s % JOURNAL_ENTRIES_MAX */
    uint64_t first, last; /* seq of the oldest line kept, and of the newest; empty when first > last */
};

struct journal *journal_open(const char *path, bool is_off, struct fault *why)
{
    FILE *file = path ? fopen(path, "ae") : NULL;
    if (path && !file) {
        fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct journal *j = mem_zalloc(1, sizeof *j);
    j->file = file;
    j->is_off = is_off;
    j->lines = mem_zalloc(JOURNAL_ENTRIES_MAX, sizeof *j->lines);
    j->first = 1;
    return j;
}

void journal_free(struct journal *j)
{
    if (!j) return;
    journal_forget(j);
    if (j->file) fclose(j->file);
    mem_free(j->lines);
    mem_free(j);
}

bool journal_is_on(const struct journal *j)
{
    return !j->is_off;
}

static void forget_oldest(struct journal *j)
{
    char **line = &j->lines[j->first++ % JOURNAL_ENTRIES_MAX];
    free(*line);
    *line = NULL;
}

void journal_forget(struct journal *j)
{
    while (j->first <= j->last)
        forget_oldest(j);
}

void journal_add(struct journal *j, json_t *entry)
{
    if (!j->is_off && entry) {
        if (j->last - j->first + 1 == JOURNAL_ENTRIES_MAX) forget_oldest(j);
        json_object_set_new(entry, "seq", json_integer((json_int_t)++j->last));
        json_object_set_new(entry, "time_us", json_integer((json_int_t)(clock_wall_ns() / 1000)));
        char *line = json_dumps(entry, JSON_COMPACT);
        j->lines[j->last % JOURNAL_ENTRIES_MAX] = line;
        if (j->file) {
            fprintf(j->file, "%s\n", line);
            fflush(j->file);
        }
    }
    json_decref(entry);
}

void journal_append_since(const struct journal *j, uint64_t since, struct buf *out)
{
    uint64_t from = since + 1 > j->first ? since + 1 : j->first;
    buf_append(out, SLICE("{\"entries\":["));
    for (uint64_t seq = from; seq <= j->last; seq++) {
        if (seq != from) buf_append_char(out, ',');
        buf_append(out, slice_str(j->lines[seq % JOURNAL_ENTRIES_MAX]));
    }
    buf_printf(out, "],\"last\":%llu}", (unsigned long long)j->last);
}
