/*
 * What is searched and summed of one exchange, read from the JSON of its entry (flow/record.h writes it).
 *
 *     struct ledger_reader reader;
 *     ledger_reader_init(&reader);
 *     ledger_record_read(&reader, &record, CHAIN_EXCHANGE, body, id);
 *     ledger_reader_clear(&reader);
 *
 * Reading never fails: what is not there, not of its type, or not JSON at all leaves texts empty and numbers 0. Texts
 * longer than LIMIT_LEDGER_TEXT_BYTES are cut: the whole of them stands in the entry. Sums end at INT64_MAX.
 */
#ifndef MOONGATE_STORE_LEDGER_RECORD_H
#define MOONGATE_STORE_LEDGER_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/slice.h"
#include "store/chain.h"
#include "store/ledger/held.h"
#include "wire/json.h"

#define LEDGER_ID_BYTES 16

/* What was paid for. Input holds what caches gave and took, output the reasoning. */
struct ledger_paid {
    int64_t input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nano;
};

/* What one target was paid for. */
struct ledger_share {
    struct slice model, provider;
    struct ledger_paid paid;
};

struct ledger_label {
    struct slice name, value;
};

struct ledger_record {
    uint8_t id[LEDGER_ID_BYTES];
    int64_t time_us, day; /* the day is the writer's: it knows the zone */
    struct slice api, outcome, app, department, team, user, key_id;
    struct slice model_asked, model, target, provider, policy, rule, code, data;
    int64_t status;
    struct ledger_paid paid;
    int64_t estimated, unpriced, attempts, duration_us, first_byte_us;
    struct slice price, bundle, session, prompt;
    int64_t prompt_version;
    struct slice collections, class_raised, cache, cache_key, approval;
    int64_t chunks, saved_nano;

    struct ledger_share shares[LIMIT_LEDGER_SHARES];
    size_t share_count; /* 0: nothing was billed */
    struct ledger_label labels[LIMIT_LEDGER_LABELS];
    size_t label_count;
    struct ledger_held held;
    uint32_t objects_node; /* of the reader's tape; JSON_NONE: it names none (store/ledger/objects.h) */
    bool is_failed, is_denied; /* failed: neither ok nor denied, and not the client's own leaving */
};

/* The columns of `records` behind seq, in the table's order. */
enum ledger_column_type { LEDGER_BLOB, LEDGER_NUMBER, LEDGER_TEXT };
struct ledger_column {
    const char *name;
    enum ledger_column_type type;
    size_t offset; /* in struct ledger_record: of uint8_t[LEDGER_ID_BYTES], an int64_t, a struct slice */
};
#define LEDGER_COLUMNS 41
extern const struct ledger_column ledger_columns[LEDGER_COLUMNS];

/* Memory that one reading leaves to the next. */
struct ledger_reader {
    struct json_tape tape;
    struct arena arena;
};

void ledger_reader_init(struct ledger_reader *reader);
void ledger_reader_clear(struct ledger_reader *reader);

/* The record borrows from the body and the reader, until the next reading. `id`: LEDGER_ID_BYTES to go by where the
 * body has none; NULL: then it is made of the body itself, the same each time. */
void ledger_record_read(struct ledger_reader *reader, struct ledger_record *record, enum chain_kind kind,
                        struct slice body, const uint8_t *id);
/* The id alone, by the same rule; false: it does not stand in the body. */
bool ledger_record_id(struct ledger_reader *reader, uint8_t out[LEDGER_ID_BYTES], enum chain_kind kind,
                      struct slice body, const uint8_t *id);

/* "req_" and a UUID. */
bool ledger_id_read(struct slice text, uint8_t id[LEDGER_ID_BYTES]);
/* "2026-11-24T06:41:07.123Z", as clock_format() writes it, in microseconds since 1970. */
bool ledger_time_read(struct slice text, int64_t *us);

/* Adds to a sum that is never negative; false: it would be more than INT64_MAX, and is that. */
bool ledger_add(int64_t *sum, int64_t more);
void ledger_paid_add(struct ledger_paid *sum, const struct ledger_paid *more);

#endif
