/*
 * The tables of <data>/ledger.db. `chain` is the truth; all others but `texts` and `anchors` are made from it and can
 * be made anew (`moongate ledger check`).
 */
#ifndef MOONGATE_STORE_LEDGER_SCHEMA_H
#define MOONGATE_STORE_LEDGER_SCHEMA_H

#define LEDGER_FILE "ledger.db"
#define LEDGER_SCHEMA_VERSION 1

/* What each version adds to the one before; a new file takes them all. */
extern const char *const ledger_schemas[LEDGER_SCHEMA_VERSION];

#endif
