#include <stdio.h>
#include <string.h>

#include "store/anchor/anchor.h"
#include "store/ledger/read_inner.h"

bool ledger_read_ends(struct ledger_read *l, uint64_t *oldest, uint64_t *newest, struct fault *why)
{
    sqlite3_stmt *q =
        ledger_read_prepare(l,
                            SLICE("SELECT (SELECT min(seq) FROM chain WHERE seq > 0),"
                                  " (SELECT max(seq) FROM chain WHERE seq > 0)"),
                            NULL, why);
    if (!q) return false;
    int rc = sqlite3_step(q);
    *oldest = (uint64_t)sqlite3_column_int64(q, 0);
    *newest = (uint64_t)sqlite3_column_int64(q, 1);
    return ledger_read_end(l, q, rc, why);
}

static bool read_text(struct ledger_read *l, struct slice sql, char *text, size_t size, struct fault *why)
{
    sqlite3_stmt *q = ledger_read_prepare(l, sql, NULL, why);
    if (!q) return false;
    int rc = sqlite3_step(q);
    struct slice found = rc == SQLITE_ROW ? column_bytes(q, 0) : SLICE("");
    snprintf(text, size, "%.*s", SLICE_FMT(found));
    return ledger_read_end(l, q, rc, why);
}

bool ledger_read_zone(struct ledger_read *l, char zone[LEDGER_ZONE_BYTES], struct fault *why)
{
    bool ok = read_text(l, SLICE("SELECT v FROM meta WHERE k GLOB 'zone.*' ORDER BY k DESC LIMIT 1"), zone,
                        LEDGER_ZONE_BYTES, why);
    if (ok && !*zone) snprintf(zone, LEDGER_ZONE_BYTES, "UTC");
    return ok;
}

bool ledger_read_zone_day(struct ledger_read *l, int64_t *day, struct fault *why)
{
    sqlite3_stmt *q = ledger_read_prepare(
        l,
        SLICE("SELECT day FROM records WHERE (SELECT count(*) FROM meta WHERE k GLOB 'zone.*') > 1 AND seq >="
              " (SELECT CAST(substr(k, 6) AS INTEGER) FROM meta WHERE k GLOB 'zone.*' ORDER BY k DESC LIMIT 1)"
              " ORDER BY seq LIMIT 1"),
        NULL, why);
    if (!q) return false;
    int rc = sqlite3_step(q);
    *day = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    return ledger_read_end(l, q, rc, why);
}

bool ledger_read_gateway(struct ledger_read *l, char name[LEDGER_GATEWAY_BYTES], struct fault *why)
{
    return read_text(l, SLICE("SELECT v FROM meta WHERE k = 'gateway'"), name, LEDGER_GATEWAY_BYTES, why);
}

struct sqlite3 *ledger_read_connection(struct ledger_read *l)
{
    return l->db;
}

bool ledger_read_cut(struct ledger_read *l, uint64_t *seq, uint8_t hash[CHAIN_HASH_BYTES], struct fault *why)
{
    sqlite3_stmt *q = ledger_read_prepare(
        l, SLICE("SELECT s.v, h.v FROM meta s, meta h WHERE s.k = 'cut.seq' AND h.k = 'cut.hash'"), NULL, why);
    *seq = 0;
    if (!q) return false;
    int rc = sqlite3_step(q);
    struct slice found = rc == SQLITE_ROW ? column_bytes(q, 1) : SLICE("");
    if (found.len == CHAIN_HASH_BYTES) {
        *seq = (uint64_t)sqlite3_column_int64(q, 0);
        memcpy(hash, found.ptr, found.len);
    }
    return ledger_read_end(l, q, rc, why);
}

bool ledger_read_anchor(struct ledger_read *l, uint64_t seq, struct anchor *anchor, struct fault *why)
{
    struct ledger_where w;
    ledger_where_init(&w);
    ledger_where_number(&w, (int64_t)seq);
    sqlite3_stmt *q = ledger_read_prepare(
        l, SLICE("SELECT seq, time_us, hash, signature FROM anchors WHERE seq > ?1 ORDER BY seq LIMIT 1"), &w, why);
    ledger_where_clear(&w);
    *anchor = (struct anchor){0};
    if (!q) return false;
    int rc = sqlite3_step(q);
    struct slice hash = rc == SQLITE_ROW ? column_bytes(q, 2) : SLICE("");
    struct slice signature = rc == SQLITE_ROW ? column_bytes(q, 3) : SLICE("");
    bool is_whole = hash.len == CHAIN_HASH_BYTES && signature.len == ANCHOR_SIGNATURE_BYTES;
    if (rc == SQLITE_ROW && !is_whole) {
        fault_set(why, FAULT_INTERNAL, "%s: the anchor of entry %lld is damaged\n`moongate audit verify` says more",
                  l->path, (long long)sqlite3_column_int64(q, 0));
        sqlite3_finalize(q);
        return false;
    }
    if (is_whole) {
        anchor->seq = (uint64_t)sqlite3_column_int64(q, 0);
        anchor->time_us = (uint64_t)sqlite3_column_int64(q, 1);
        memcpy(anchor->hash, hash.ptr, hash.len);
        memcpy(anchor->signature, signature.ptr, signature.len);
    }
    return ledger_read_end(l, q, rc, why);
}
