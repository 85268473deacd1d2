#include "store/ledger/schema.h"

/* Texts are "" and numbers 0 where nothing was said, never NULL: what is counted by them has one name for nothing.
 * Times are microseconds since 1970, days yyyymmdd in the billing zone, money nano-dollars. */
const char *const ledger_schemas[LEDGER_SCHEMA_VERSION] = {
    /* "gateway" and "key": what the chain begins with; "zone.00000000000000000001": the billing zone from that seq;
     * "cut.seq" and "cut.hash": the last entry that was deleted for its age; "counters.source" and "session.…": what
     * counters of a fleet know it by (store/ledger/sessions.h). */
    "CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
    /* In the order of their commits: seq has no gaps. */
    "CREATE TABLE chain("
    "  seq INTEGER PRIMARY KEY,"
    "  kind INTEGER NOT NULL," /* enum chain_kind */
    "  body BLOB NOT NULL,"    /* canonical JSON */
    "  hash BLOB NOT NULL) STRICT;"
    /* One row an exchange, narrow: what is searched and summed (store/ledger/record.h). Input holds the cached tokens,
     * output those of reasoning, as they were billed. */
    "CREATE TABLE records("
    "  seq INTEGER PRIMARY KEY,"
    "  id BLOB NOT NULL UNIQUE,"
    "  time_us INTEGER NOT NULL,"
    "  day INTEGER NOT NULL,"
    "  api TEXT NOT NULL,"
    "  status INTEGER NOT NULL,"
    "  outcome TEXT NOT NULL,"
    "  app TEXT NOT NULL, department TEXT NOT NULL, team TEXT NOT NULL, user TEXT NOT NULL, key_id TEXT NOT NULL,"
    "  model_asked TEXT NOT NULL,"
    "  model TEXT NOT NULL," /* that was called last; else the one that was decided for */
    "  target TEXT NOT NULL, provider TEXT NOT NULL,"
    "  policy TEXT NOT NULL, rule TEXT NOT NULL," /* of a denial */
    "  code TEXT NOT NULL,"                        /* of a denial or a fault */
    "  data TEXT NOT NULL,"                        /* its class */
    "  input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,"
    "  output_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,"
    "  cost_nano INTEGER NOT NULL,"
    "  estimated INTEGER NOT NULL, unpriced INTEGER NOT NULL," /* 0 or 1 */
    "  attempts INTEGER NOT NULL,"
    "  duration_us INTEGER NOT NULL, first_byte_us INTEGER NOT NULL,"
    "  price TEXT NOT NULL,"    /* its revision */
    "  bundle TEXT NOT NULL," /* SHA-256 of the policies */
    "  session TEXT NOT NULL,"
    "  prompt TEXT NOT NULL, prompt_version INTEGER NOT NULL,"
    "  collections TEXT NOT NULL, chunks INTEGER NOT NULL, class_raised TEXT NOT NULL,"
    "  cache TEXT NOT NULL, cache_key TEXT NOT NULL, saved_nano INTEGER NOT NULL," /* hit, miss */
    "  approval TEXT NOT NULL) STRICT;" /* the grant it was let through by */
    "CREATE INDEX records_time ON records(time_us);"
    /* Announced before the call; open until there is a row of that id in records. */
    "CREATE TABLE intents("
    "  id BLOB PRIMARY KEY, seq INTEGER NOT NULL, instance BLOB NOT NULL, open INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX intents_open ON intents(seq) WHERE open = 1;"
    /* Sums of each day. A request is counted where its last attempt went, tokens and money where each went. Failed:
     * neither ok nor denied, nor left by its client. */
    "CREATE TABLE rollup(" LEDGER_ROLLUP_COLUMNS ") STRICT, WITHOUT ROWID;"
    /* Of a key's labels (cost_center = 4711) and of the data's (eu_customer, with value ''). */
    "CREATE TABLE rollup_label(" LEDGER_LABEL_COLUMNS ") STRICT, WITHOUT ROWID;"
    /* What of these is of entries that were deleted for their age: all sums are those and the chain's. */
    "CREATE TABLE rollup_cut(" LEDGER_ROLLUP_COLUMNS ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE rollup_label_cut(" LEDGER_LABEL_COLUMNS ") STRICT, WITHOUT ROWID;"
    /* Signed heads of the chain (store/anchor/anchor.h). */
    "CREATE TABLE anchors("
    "  seq INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, hash BLOB NOT NULL, signature BLOB NOT NULL) STRICT;"
    /* What each witness has. */
    "CREATE TABLE witnesses(name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* Prompts and answers, sealed with the key of whom they are about (store/texts/texts.h). */
    "CREATE TABLE texts("
    "  id BLOB NOT NULL, part TEXT NOT NULL, subject TEXT NOT NULL, time_us INTEGER NOT NULL, sealed BLOB NOT NULL,"
    "  PRIMARY KEY(id, part)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX texts_time ON texts(time_us);"
    /* Of what is no request (nor one of an older audit.jsonl): few among many, and looked for without the others. */
    "CREATE INDEX chain_rest ON chain(kind, seq) WHERE kind <> 2 AND kind <> 7;"
    /* What administrators changed is known by its id (store/change.h), also when its entry was deleted for its age. */
    "CREATE TABLE changes(id BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;",
    /* What each budget was spent in each of its periods, [start, stop) in seconds since 1970
     * (store/counters/counters.h); a session has 0 and 0, lasts until nothing was spent for idle_s, and begins anew
     * then. */
    "CREATE TABLE charges(" LEDGER_CHARGES_COLUMNS("") ") STRICT, WITHOUT ROWID;"
    /* Those that still count, and those that nobody asks for any more. */
    "CREATE INDEX charges_stop ON charges(max(stop_s, last_s + idle_s));"
    /* What of these is of entries that were deleted for their age. */
    "CREATE TABLE charges_cut(" LEDGER_CHARGES_COLUMNS("") ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX charges_cut_stop ON charges_cut(max(stop_s, last_s + idle_s));"
    /* The highest threshold of each budget that was told of in a period, in hundredths of a percent. budget is
     * "policy/budget": two of them may be of the same key, and begin on the same day. */
    "CREATE TABLE alerts("
    "  key TEXT NOT NULL, start_s INTEGER NOT NULL, budget TEXT NOT NULL, at INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL, time_s INTEGER NOT NULL,"
    "  PRIMARY KEY(key, start_s, budget)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX alerts_time ON alerts(time_s);"
    /* A session that begins anew is told of anew. */
    "CREATE TRIGGER charges_anew AFTER UPDATE ON charges"
    "  WHEN new.stop_s = 0 AND new.last_s - old.last_s > old.idle_s"
    "  BEGIN DELETE FROM alerts WHERE key = new.key AND start_s = new.start_s; END;"
    /* What is still to be sent of them, a row a receiver; body and text stand in the chain. */
    "CREATE TABLE outbox("
    "  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, sink TEXT NOT NULL, receiver TEXT NOT NULL,"
    "  since_us INTEGER NOT NULL, tries INTEGER NOT NULL, next_us INTEGER NOT NULL) STRICT;"
    "CREATE INDEX outbox_sink ON outbox(sink, next_us);",
    "ALTER TABLE charges ADD COLUMN " LEDGER_CHARGES_BEGUN ";"
    "ALTER TABLE charges_cut ADD COLUMN " LEDGER_CHARGES_BEGUN ";"
    /* last_s is when its last answer ended, and says no more when it began. */
    "DROP TRIGGER charges_anew;"
    "CREATE TRIGGER charges_anew AFTER UPDATE ON charges WHEN new.begun_s <> old.begun_s"
    "  BEGIN DELETE FROM alerts WHERE key = new.key AND start_s = new.start_s; END;"
    /* Who gives it out (enum alerts_whose), as the counters that a fleet shares have said; they may forget it. */
    "ALTER TABLE alerts ADD COLUMN whose INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX alerts_seq ON alerts(seq);",
    /* Objects that providers keep, under a hash of owner and id (store/owned.h); kind: enum kept_kind; seq: of the
     * record that says that it was made. */
    "CREATE TABLE objects("
    "  key BLOB PRIMARY KEY, owner TEXT NOT NULL, id TEXT NOT NULL, kind INTEGER NOT NULL, account TEXT NOT NULL,"
    "  until_s INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX objects_until ON objects(until_s);",
    /* When its making was recorded; what can be listed, files and batches, was known for 366 days from then. */
    "ALTER TABLE objects ADD COLUMN made_s INTEGER NOT NULL DEFAULT 0;"
    "UPDATE objects SET made_s = max(0, until_s - 31622400);"
    "CREATE INDEX objects_owner ON objects(owner, kind, seq, key);"};

static bool read_version(sqlite3 *db, const char *path, int *version, struct fault *why)
{
    sqlite3_stmt *q = NULL;
    bool is_good = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL) == SQLITE_OK &&
                   sqlite3_step(q) == SQLITE_ROW;
    if (is_good) *version = sqlite3_column_int(q, 0);
    if (!is_good) fault_set(why, FAULT_INTERNAL, "%s: %s", path, sqlite3_errmsg(db));
    sqlite3_finalize(q);
    return is_good;
}

static bool is_newer(const char *path, int version, const char *cure, struct fault *why)
{
    if (version >= 0 && version <= LEDGER_SCHEMA_VERSION) return false;
    fault_set(why, FAULT_INTERNAL, "%s: made by a newer moongate (schema %d, this one knows %d)%s", path, version,
              LEDGER_SCHEMA_VERSION, cure);
    return true;
}

bool ledger_schema_read(sqlite3 *db, const char *path, int *version, struct fault *why)
{
    return read_version(db, path, version, why) && !is_newer(path, *version, "", why);
}

bool ledger_schema_is_known(sqlite3 *db, const char *path, struct fault *why)
{
    int version;
    if (!read_version(db, path, &version, why) || is_newer(path, version, "\ngo on with that version", why)) {
        return false;
    }
    if (version == LEDGER_SCHEMA_VERSION) return true;
    return fault_set(why, FAULT_INTERNAL,
                     "%s: no ledger of this version (schema %d, this one knows %d)\n"
                     "start the gateway once: it brings it up to date",
                     path, version, LEDGER_SCHEMA_VERSION);
}
