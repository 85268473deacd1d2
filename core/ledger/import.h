/*
 * The audit.jsonl of an older data folder on its way into the ledger, once: each line becomes an entry of its own with
 * the id that it has, so that an import that was broken off and begun anew doubles nothing. Then the file is renamed to
 * audit.jsonl.imported.
 *
 *     struct import *i = import_new(path, commit);      // NULL: there is nothing to import
 *     while (import_some(i)) …                          // a slice, whenever the queue is short
 *     import_free(i);
 *
 * A line that is no record (not a JSON object with an id of ours) is left out; the first of them are named in the log
 * by their number, all are counted. A file that cannot be read to its end is not renamed: the next process begins anew.
 */
#ifndef MOONGATE_LEDGER_IMPORT_H
#define MOONGATE_LEDGER_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "ledger/commit.h"

struct import;

struct import *import_new(const char *path, struct commit *commit);
/* Adds some lines, unless many entries wait. False: it is over: all of it is committed, or the rest
 * cannot be read. */
bool import_some(struct import *i);
void import_free(struct import *i); /* NULL is welcome */

/* {"id":"req_…" → the id's 16 bytes; false: it is no record. */
bool import_read_id(struct slice line, uint8_t id[LINK_ID_BYTES]);

#endif
