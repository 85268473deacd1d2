#include "cli/folder.h"
#include "cli/looking.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

bool looking_read_count(const char *option, const char *text, uint64_t most, uint64_t *count)
{
    uint64_t n;
    if (!text) return true;
    if (slice_to_u64(slice_str(text), &n) && n > 0 && n <= most) {
        *count = n;
        return true;
    }
    cli_usage_error(NULL, "%s takes a number from 1 to %" PRIu64 ", not `%s`", option, most, text);
    return false;
}

static bool read_time(struct looking *k, const char *option, const char *text, bool is_end, int64_t *us)
{
    if (period_instant(&k->zone, text, is_end, k->now_us, us)) return true;
    cli_usage_error("24h, today, 2026-11-01, 2026-11, or 2026-11-01T12:00:00Z", "%s: `%s` is no time", option, text);
    return false;
}

static bool add_times(struct looking *k)
{
    int64_t until_us = k->now_us;
    if (k->until && !read_time(k, "--until", k->until, true, &until_us)) return false;
    if (k->since && !read_time(k, "--since", k->since, false, &k->since_us)) return false;
    if (k->until) ledger_filter_until(k->filter, until_us);
    k->is_recent = k->is_recent && !k->since;
    if (k->is_recent) k->since_us = until_us - LOOKING_DAYS * 24ll * 3600 * 1000000;
    if (k->is_recent || k->since) ledger_filter_since(k->filter, k->since_us);
    return true;
}

static bool add_all(struct looking *k, const char *const *words, size_t count, struct fault *why)
{
    for (size_t i = 0; i < k->where.count; i++)
        if (!ledger_filter_add(k->filter, slice_str(k->where.items[i]), why)) return false;
    for (size_t i = 0; i < count; i++)
        if (!ledger_filter_add(k->filter, slice_str(words[i]), why)) return false;
    return true;
}

static bool open_all(struct looking *k, const char *const *words, size_t count)
{
    struct fault why = {0};
    char zone[LEDGER_ZONE_BYTES];
    k->filter = ledger_filter_new();
    if (!add_all(k, words, count, &why)) {
        cli_fault(&why, NULL);
        return false;
    }
    k->ledger = ledger_read_open(k->data_dir, &why);
    if (!k->ledger || !ledger_read_zone(k->ledger, zone, &why)) {
        cli_fault(&why, NULL);
        return false;
    }
    period_zone_read(&k->zone, zone);
    return add_times(k);
}

bool looking_open(struct looking *k, const char *config, const char *const *words, size_t count)
{
    k->now_us = (int64_t)(clock_wall_ns() / 1000);
    k->data_dir = folder_find(config);
    if (k->data_dir && open_all(k, words, count)) return true;
    looking_close(k);
    return false;
}

void looking_close(struct looking *k)
{
    ledger_read_close(k->ledger);
    ledger_filter_free(k->filter);
    mem_free(k->data_dir);
    k->ledger = NULL;
    k->filter = NULL;
    k->data_dir = NULL;
}

static bool has_ledger(const char *data_dir)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/ledger.db", data_dir);
    return access(path, F_OK) == 0;
}

bool looking_charges(const char *data_dir, int64_t now_s,
                     void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why)
{
    if (!has_ledger(data_dir)) return true;
    struct ledger_read *ledger = ledger_read_open(data_dir, why);
    bool is_good = ledger && ledger_read_charges(ledger, now_s, visit, arg, why);
    ledger_read_close(ledger);
    return is_good;
}

bool looking_charge(const char *data_dir, struct slice key, int64_t start_s, int64_t now_s,
                    void (*visit)(void *arg, const struct counters_spent *spent), void *arg, struct fault *why)
{
    if (!has_ledger(data_dir)) return true;
    struct ledger_read *ledger = ledger_read_open(data_dir, why);
    bool is_good = ledger && ledger_read_charge(ledger, key, start_s, now_s, visit, arg, why);
    ledger_read_close(ledger);
    return is_good;
}
