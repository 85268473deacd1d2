/*
 * A SQLite file opened by who only reads it, also where nobody may write, and also when a forger made it.
 *
 *     struct sqlite3 *db = reader_open("/mnt/ledger.db", &why);     // NULL and *why, whose second line is the cure
 *
 * In a folder that may not be written SQLite cannot make the index of a log (-shm). Where there is no log nobody
 * writes, and the file is all there is: it is read as it stands. Where there is one it is refused, as what it holds
 * would be missed. Views, triggers and functions that the file brings with it do nothing.
 */
#ifndef MOONGATE_STORE_READER_H
#define MOONGATE_STORE_READER_H

#include "base/fault.h"

struct sqlite3;

struct sqlite3 *reader_open(const char *path, struct fault *why);

#endif
