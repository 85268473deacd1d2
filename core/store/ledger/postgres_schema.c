#include "store/ledger/postgres_schema.h"

/* Columns are those of ledger.db (store/ledger/schema.c), but for time, day and id, which have types here, and
 * user_name: `user` is a word of SQL. Texts are '' and numbers 0 where nothing was said, never NULL. */
#define TABLES                                                                                                         \
    "CREATE TABLE moongate.gateway("                                                                                   \
    "  gw int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"                                                               \
    "  name text NOT NULL UNIQUE,"                                                                                     \
    "  epoch bigint NOT NULL DEFAULT 0,"                                                                               \
    "  seq bigint NOT NULL DEFAULT 0,"                                                                                 \
    "  hash bytea NOT NULL DEFAULT '',"                                                                                \
    "  seen timestamptz NOT NULL DEFAULT now());"                                                                      \
    "CREATE TABLE moongate.audit("                                                                                     \
    "  time timestamptz NOT NULL, gw int NOT NULL, seq bigint NOT NULL, kind bigint NOT NULL,"                         \
    "  body bytea NOT NULL, hash bytea NOT NULL,"                                                                      \
    "  PRIMARY KEY(gw, seq, time)) PARTITION BY RANGE(time);"                                                          \
    "CREATE TABLE moongate.records("                                                                                   \
    "  time timestamptz NOT NULL, id uuid NOT NULL, gw int NOT NULL, seq bigint NOT NULL, day date NOT NULL,"          \
    "  api text NOT NULL, status bigint NOT NULL, outcome text NOT NULL,"                                              \
    "  app text NOT NULL, department text NOT NULL, team text NOT NULL, user_name text NOT NULL,"                      \
    "  key_id text NOT NULL,"                                                                                          \
    "  model_asked text NOT NULL, model text NOT NULL, target text NOT NULL, provider text NOT NULL,"                  \
    "  policy text NOT NULL, rule text NOT NULL, code text NOT NULL, data text NOT NULL,"                              \
    "  input_tokens bigint NOT NULL, cached_tokens bigint NOT NULL,"                                                   \
    "  output_tokens bigint NOT NULL, reasoning_tokens bigint NOT NULL,"                                               \
    "  cost_nano bigint NOT NULL,"                                                                                     \
    "  estimated bigint NOT NULL, unpriced bigint NOT NULL, attempts bigint NOT NULL,"                                 \
    "  duration_us bigint NOT NULL, first_byte_us bigint NOT NULL,"                                                    \
    "  price text NOT NULL, bundle text NOT NULL, session text NOT NULL,"                                              \
    "  prompt text NOT NULL, prompt_version bigint NOT NULL,"                                                          \
    "  collections text NOT NULL, chunks bigint NOT NULL, class_raised text NOT NULL,"                                 \
    "  cache text NOT NULL, cache_key text NOT NULL, saved_nano bigint NOT NULL, approval text NOT NULL,"              \
    "  PRIMARY KEY(time, id)) PARTITION BY RANGE(time);"                                                               \
    "CREATE TABLE moongate.rollup("                                                                                    \
    "  day date NOT NULL,"                                                                                             \
    "  department text NOT NULL, app text NOT NULL, user_name text NOT NULL, model text NOT NULL,"                     \
    "  provider text NOT NULL, key_id text NOT NULL, shard int NOT NULL,"                                              \
    "  requests bigint NOT NULL, denied bigint NOT NULL, failed bigint NOT NULL, unpriced bigint NOT NULL,"            \
    "  input_tokens bigint NOT NULL, cached_tokens bigint NOT NULL,"                                                   \
    "  output_tokens bigint NOT NULL, reasoning_tokens bigint NOT NULL,"                                               \
    "  cost_nano bigint NOT NULL, saved_nano bigint NOT NULL,"                                                         \
    "  PRIMARY KEY(day, department, app, user_name, model, provider, key_id, shard)) WITH (fillfactor = 50);"          \
    "CREATE TABLE moongate.rollup_label("                                                                              \
    "  day date NOT NULL, label text NOT NULL, value text NOT NULL, shard int NOT NULL,"                               \
    "  requests bigint NOT NULL, input_tokens bigint NOT NULL, output_tokens bigint NOT NULL,"                         \
    "  cost_nano bigint NOT NULL,"                                                                                     \
    "  PRIMARY KEY(day, label, value, shard)) WITH (fillfactor = 50);"                                                 \
    "CREATE TABLE moongate.anchor("                                                                                    \
    "  gw int NOT NULL, seq bigint NOT NULL, time timestamptz NOT NULL, hash bytea NOT NULL,"                          \
    "  signature bytea NOT NULL,"                                                                                      \
    "  PRIMARY KEY(gw, seq));"

/* What batches bring (store/ledger/batch.h); columns in the order in which they are written. */
#define ROWS                                                                                                           \
    "CREATE TYPE moongate.audit_row AS (seq bigint, time timestamptz, kind bigint, body bytea, hash bytea);"           \
    "CREATE TYPE moongate.record_row AS ("                                                                             \
    "  seq bigint, id uuid, time timestamptz, day date, api text, status bigint, outcome text, app text,"              \
    "  department text, team text, user_name text, key_id text, model_asked text, model text, target text,"            \
    "  provider text, policy text, rule text, code text, data text, input_tokens bigint, cached_tokens bigint,"        \
    "  output_tokens bigint, reasoning_tokens bigint, cost_nano bigint, estimated bigint, unpriced bigint,"            \
    "  attempts bigint, duration_us bigint, first_byte_us bigint, price text, bundle text, session text,"              \
    "  prompt text, prompt_version bigint, collections text, chunks bigint, class_raised text, cache text,"            \
    "  cache_key text, saved_nano bigint, approval text);"                                                             \
    "CREATE TYPE moongate.line_row AS ("                                                                               \
    "  seq bigint, model text, provider text, requests bigint, denied bigint, failed bigint, unpriced bigint,"         \
    "  input_tokens bigint, cached_tokens bigint, output_tokens bigint, reasoning_tokens bigint,"                      \
    "  cost_nano bigint, saved_nano bigint);"                                                                          \
    "CREATE TYPE moongate.label_row AS (seq bigint, label text, value text);"                                          \
    "CREATE TYPE moongate.anchor_row AS (seq bigint, time timestamptz, hash bytea, signature bytea);"

/* Without shards, in dollars: what people ask for. */
#define VIEWS                                                                                                          \
    "CREATE VIEW moongate.spend AS SELECT day, department, app, user_name, model, provider, key_id,"                   \
    "  sum(requests) AS requests, sum(denied) AS denied, sum(failed) AS failed, sum(unpriced) AS unpriced,"            \
    "  sum(input_tokens) AS input_tokens, sum(cached_tokens) AS cached_tokens,"                                        \
    "  sum(output_tokens) AS output_tokens, sum(reasoning_tokens) AS reasoning_tokens,"                                \
    "  sum(cost_nano) / 1000000000.0 AS usd, sum(saved_nano) / 1000000000.0 AS saved_usd"                              \
    "  FROM moongate.rollup GROUP BY 1, 2, 3, 4, 5, 6, 7;"                                                             \
    "CREATE VIEW moongate.spend_label AS SELECT day, label, value, sum(requests) AS requests,"                         \
    "  sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,"                                        \
    "  sum(cost_nano) / 1000000000.0 AS usd"                                                                           \
    "  FROM moongate.rollup_label GROUP BY 1, 2, 3;"

/* A partition is made beside its table and then attached: that waits for nobody who reads or writes. Gateways that
 * make the same one wait for each other. */
#define MAKE_DAYS                                                                                                      \
    "CREATE FUNCTION moongate.make_days(days int[]) RETURNS int  LANGUAGE plpgsql AS $fn$"                             \
    "DECLARE n int; d date; t text; part text; made int := 0;"                                                         \
    "BEGIN"                                                                                                            \
    "  PERFORM pg_advisory_xact_lock(7236839120);"                                                                     \
    "  FOREACH n IN ARRAY days LOOP FOREACH t IN ARRAY ARRAY['audit', 'records'] LOOP"                                 \
    "    d := date '1970-01-01' + n;"                                                                                  \
    "    part := t || '_' || to_char(d, 'YYYYMMDD');"                                                                  \
    "    IF to_regclass('moongate.' || part) IS NULL THEN"                                                             \
    "      EXECUTE format('CREATE TABLE moongate.%I (LIKE moongate.%I INCLUDING CONSTRAINTS)', part, t);"              \
    "      EXECUTE format('ALTER TABLE moongate.%I ATTACH PARTITION moongate.%I FOR VALUES FROM (%L) TO (%L)',"        \
    "        t, part, d::timestamp AT TIME ZONE 'UTC', (d + 1)::timestamp AT TIME ZONE 'UTC');"                        \
    "      made := made + 1;"                                                                                          \
    "    END IF;"                                                                                                      \
    "  END LOOP; END LOOP;"                                                                                            \
    "  RETURN made;"                                                                                                   \
    "END $fn$;"

/* Some at a time: each is locked for a moment against all who read. */
#define DROP_DAYS                                                                                                      \
    "CREATE FUNCTION moongate.drop_days(before date, at_most int) RETURNS int LANGUAGE plpgsql AS $fn$"                \
    "DECLARE part text; dropped int := 0;"                                                                             \
    "BEGIN"                                                                                                            \
    "  PERFORM pg_advisory_xact_lock(7236839120);"                                                                     \
    "  FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"                          \
    "    WHERE i.inhparent IN ('moongate.audit'::regclass, 'moongate.records'::regclass)"                              \
    "      AND c.relname ~ '_[0-9]{8}$' AND right(c.relname, 8) < to_char(before, 'YYYYMMDD')"                         \
    "    ORDER BY right(c.relname, 8) LIMIT at_most LOOP"                                                              \
    "    EXECUTE format('DROP TABLE moongate.%I', part);"                                                              \
    "    dropped := dropped + 1;"                                                                                      \
    "  END LOOP;"                                                                                                      \
    "  RETURN dropped;"                                                                                                \
    "END $fn$;"

/* What each version adds to the one before; a new database takes them all. */
static const char *const versions[LEDGER_POSTGRES_VERSION] = {TABLES ROWS VIEWS MAKE_DAYS DROP_DAYS};

/* A role that may not make schemas works in one that was made for it. */
static const char opening[] =
    "DO $migrate$ DECLARE v int := 0; BEGIN "
    "PERFORM pg_advisory_xact_lock(7236839120); "
    "IF to_regnamespace('moongate') IS NULL THEN CREATE SCHEMA moongate; END IF; "
    "IF to_regclass('moongate.schema_version') IS NULL THEN "
    "  CREATE TABLE moongate.schema_version(version int NOT NULL); "
    "  INSERT INTO moongate.schema_version VALUES (0); "
    "END IF; "
    "SELECT version INTO STRICT v FROM moongate.schema_version; ";

void ledger_postgres_migration(struct buf *sql)
{
    buf_append(sql, slice_str(opening));
    buf_printf(sql,
               "IF v > %d THEN RAISE EXCEPTION USING ERRCODE = '" LEDGER_POSTGRES_NEWER "', MESSAGE = "
               "'the tables were made by a newer moongate (schema ' || v || ', this one knows %d)'; END IF; ",
               LEDGER_POSTGRES_VERSION, LEDGER_POSTGRES_VERSION);
    for (int i = 0; i < LEDGER_POSTGRES_VERSION; i++) {
        buf_printf(sql, "IF v < %d THEN %s UPDATE moongate.schema_version SET version = %d; END IF; ", i + 1,
                   versions[i], i + 1);
    }
    buf_append(sql, SLICE("END $migrate$"));
}
