#include "store/ledger/days.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/zone.h"

#define PREFIX "zone."

struct ledger_zone {
    uint64_t from; /* seq */
    size_t count;
    struct zone_change changes[ZONE_CHANGES_MAX];
};

/* UTC also where no zones are installed. */
static bool read_zone(struct ledger_zone *zone, const char *name)
{
    zone->changes[0] = (struct zone_change){INT64_MIN, 0};
    zone->count = 1;
    if (strcmp(name, "UTC") == 0) return true;
    zone->count = zone_read(name, zone->changes, ZONE_CHANGES_MAX);
    return zone->count > 0;
}

static bool add_zone(struct ledger_days *days, const char *key, const char *name, struct fault *why)
{
    days->zones = mem_realloc(days->zones, (days->count + 1) * sizeof *days->zones);
    struct ledger_zone *zone = &days->zones[days->count++];
    zone->from = strtoull(key + strlen(PREFIX), NULL, 10);
    return read_zone(zone, name) ||
           fault_set(why, FAULT_INTERNAL,
                     "there is no time zone '%s' on this system, in which days are billed from entry %llu on: "
                     "install it (tzdata-legacy has older names)", name, (unsigned long long)zone->from);
}

bool ledger_days_read(struct ledger_days *days, sqlite3 *db, enum ledger_days_which which, struct fault *why)
{
    static const char *const sql[] = {
        [LEDGER_DAYS_ALL] = "SELECT k, v FROM meta WHERE k GLOB '" PREFIX "*' ORDER BY k",
        [LEDGER_DAYS_LAST] = "SELECT k, v FROM meta WHERE k GLOB '" PREFIX "*' ORDER BY k DESC LIMIT 1",
    };
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(db, sql[which], -1, &q, NULL);
    bool is_good = rc == SQLITE_OK;
    *days = (struct ledger_days){NULL, 0};
    while (is_good && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(q, 0), *name = (const char *)sqlite3_column_text(q, 1);
        is_good = add_zone(days, key, name ? name : "", why);
    }
    if (is_good && rc != SQLITE_DONE) is_good = fault_set(why, FAULT_INTERNAL, "billing zones: %s", sqlite3_errmsg(db));
    sqlite3_finalize(q);
    return is_good;
}

void ledger_days_clear(struct ledger_days *days)
{
    mem_free(days->zones);
    *days = (struct ledger_days){NULL, 0};
}

int64_t ledger_days_of(const struct ledger_days *days, uint64_t seq, int64_t time_us)
{
    int64_t s = time_us / 1000000;
    for (size_t i = days->count; i-- > 0;) {
        const struct ledger_zone *zone = &days->zones[i];
        if (zone->from <= seq || i == 0) return zone_day(s + zone_offset(zone->changes, zone->count, s));
    }
    return zone_day(s);
}
