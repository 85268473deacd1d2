#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/reader.h"
#include "store/texts/texts_inner.h"

#define SCHEMA_VERSION 1
#define BUSY_TIMEOUT_MS 5000
#define SEARCH_BYTES 65536
#define NS_PER_US 1000u

struct text_keys {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *find;
    bool is_making; /* a transaction with new keys is open */
};

static bool fail(const struct text_keys *k, struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, "%s: %s", k->path, sqlite3_errmsg(k->db));
}

static bool run(struct text_keys *k, const char *sql, struct fault *why)
{
    return sqlite3_exec(k->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(k, why);
}

/* ---- The file. */

static bool read_number(struct text_keys *k, const char *sql, int *number, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(k->db, sql, -1, &q, NULL) != SQLITE_OK) return fail(k, why);
    bool is_good = sqlite3_step(q) == SQLITE_ROW || fail(k, why);
    if (is_good) *number = sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    return is_good;
}

/* Inside one transaction, so that two processes that start together make it once. */
static bool migrate(struct text_keys *k, struct fault *why)
{
    int version = 0;
    if (!run(k, "BEGIN IMMEDIATE", why) || !read_number(k, "PRAGMA user_version", &version, why)) return false;
    if (version > SCHEMA_VERSION)
        return fault_set(why, FAULT_INTERNAL, "%s: made by a newer moongate (schema %d, this one knows %d)", k->path,
                         version, SCHEMA_VERSION);
    if (version == 0 &&
        !run(k,
             "CREATE TABLE subjects(subject BLOB NOT NULL UNIQUE, id BLOB NOT NULL, key BLOB NOT NULL,"
             " made_us INTEGER NOT NULL) STRICT; PRAGMA user_version = 1",
             why))
        return false;
    return run(k, "COMMIT", why);
}

/* SQLite would make it with the umask's mode. Its -wal and -shm take the mode of the file. */
static bool touch_private(const char *path, struct fault *why)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    bool is_private = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) == 0;
    int error = errno;
    if (fd >= 0) close(fd);
    if (fd < 0) return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(error));
    return is_private || fault_set(why, FAULT_INTERNAL, "%s must be a file that nobody else reads: chmod 600", path);
}

/* temp_store: what VACUUM makes anew must not pass through a file elsewhere. */
static bool open_to_write(struct text_keys *k, struct fault *why)
{
    if (!touch_private(k->path, why)) return false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(k->path, &k->db, flags, NULL) != SQLITE_OK) return fail(k, why);
    sqlite3_busy_timeout(k->db, BUSY_TIMEOUT_MS);
    return run(k, "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY", why) &&
           run(k, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", why) && migrate(k, why);
}

static bool open_db(struct text_keys *k, bool is_reader, struct fault *why)
{
    const char *sql = "SELECT id, key FROM subjects WHERE subject = ?";
    if (is_reader) k->db = reader_open(k->path, why);
    if (is_reader ? !k->db : !open_to_write(k, why)) return false;
    return sqlite3_prepare_v3(k->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &k->find, NULL) == SQLITE_OK || fail(k, why);
}

struct text_keys *text_keys_open(const char *data_dir, bool is_reader, struct fault *why)
{
    struct text_keys *k = mem_zalloc(1, sizeof *k);
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" TEXTS_FILE, data_dir);
    k->path = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    bool is_missing = is_reader && access(k->path, F_OK) != 0 && errno == ENOENT;
    if (is_missing) *why = (struct fault){0};
    if (!is_missing && open_db(k, is_reader, why)) return k;
    text_keys_close(k);
    return NULL;
}

void text_keys_close(struct text_keys *k)
{
    if (!k) return;
    sqlite3_finalize(k->find);
    sqlite3_close(k->db);
    mem_free(k->path);
    mem_free(k);
}

/* ---- Finding and making. */

static bool take_key(sqlite3_stmt *q, struct text_key *key)
{
    if (sqlite3_column_bytes(q, 0) != TEXT_KEY_ID_BYTES || sqlite3_column_bytes(q, 1) != TEXT_KEY_BYTES) return false;
    memcpy(key->id, sqlite3_column_blob(q, 0), TEXT_KEY_ID_BYTES);
    memcpy(key->bytes, sqlite3_column_blob(q, 1), TEXT_KEY_BYTES);
    return true;
}

static void bind_subject(sqlite3_stmt *q, int at, struct slice subject)
{
    sqlite3_bind_blob(q, at, subject.ptr ? subject.ptr : "", (int)subject.len, SQLITE_STATIC);
}

enum texts_found text_keys_find(struct text_keys *k, struct slice subject, struct text_key *key, struct fault *why)
{
    bind_subject(k->find, 1, subject);
    int rc = sqlite3_step(k->find);
    bool is_whole = rc == SQLITE_ROW && take_key(k->find, key);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) fail(k, why);
    if (rc == SQLITE_ROW && !is_whole) fault_set(why, FAULT_INTERNAL, "%s: a key in it is damaged", k->path);
    sqlite3_reset(k->find);
    sqlite3_clear_bindings(k->find);
    return rc == SQLITE_DONE ? TEXTS_MISSING : is_whole ? TEXTS_FOUND : TEXTS_FAILED;
}

static bool insert_key(struct text_keys *k, struct slice subject, const struct text_key *key, struct fault *why)
{
    sqlite3_stmt *q;
    const char *sql = "INSERT INTO subjects(subject, id, key, made_us) VALUES(?, ?, ?, ?)";
    if (sqlite3_prepare_v2(k->db, sql, -1, &q, NULL) != SQLITE_OK) return fail(k, why);
    bind_subject(q, 1, subject);
    sqlite3_bind_blob(q, 2, key->id, sizeof key->id, SQLITE_STATIC);
    sqlite3_bind_blob(q, 3, key->bytes, sizeof key->bytes, SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, (sqlite3_int64)(clock_wall_ns() / NS_PER_US));
    bool is_good = sqlite3_step(q) == SQLITE_DONE || fail(k, why);
    sqlite3_finalize(q);
    return is_good;
}

/* Looks again once it alone may write: another process may have made one. */
bool text_keys_make(struct text_keys *k, struct slice subject, struct text_key *key, struct fault *why)
{
    if (!k->is_making && !run(k, "BEGIN IMMEDIATE", why)) return false;
    k->is_making = true;
    enum texts_found found = text_keys_find(k, subject, key, why);
    if (found != TEXTS_MISSING) return found == TEXTS_FOUND;
    if (RAND_bytes(key->id, sizeof key->id) != 1 || RAND_priv_bytes(key->bytes, sizeof key->bytes) != 1)
        return fault_set(why, FAULT_INTERNAL, "the system gives no random bytes");
    return insert_key(k, subject, key, why);
}

bool text_keys_commit(struct text_keys *k, struct fault *why)
{
    if (!k->is_making) return true;
    if (!run(k, "COMMIT", why)) return false;
    k->is_making = false;
    return true;
}

void text_keys_rollback(struct text_keys *k)
{
    if (k->is_making) sqlite3_exec(k->db, "ROLLBACK", NULL, NULL, NULL);
    k->is_making = false;
}

/* ---- Destroying. */

static bool run_for(struct text_keys *k, const char *sql, struct slice subject, struct fault *why)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(k->db, sql, -1, &q, NULL) != SQLITE_OK) return fail(k, why);
    bind_subject(q, 1, subject);
    bool is_good = sqlite3_step(q) == SQLITE_DONE || fail(k, why);
    sqlite3_finalize(q);
    return is_good;
}

static bool overwrite(struct text_keys *k, struct slice subject, struct fault *why)
{
    bool is_good = run(k, "BEGIN IMMEDIATE", why) &&
                   run_for(k, "UPDATE subjects SET key = zeroblob(32) WHERE subject = ?", subject, why) &&
                   run_for(k, "DELETE FROM subjects WHERE subject = ?", subject, why) && run(k, "COMMIT", why);
    if (!is_good) sqlite3_exec(k->db, "ROLLBACK", NULL, NULL, NULL);
    return is_good;
}

/* The log has the key from when it was made. Somebody who reads keeps it from being cut. */
static bool cut_log(struct text_keys *k, struct fault *why)
{
    int busy = 1;
    if (!read_number(k, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, why)) return false;
    return !busy || fault_set(why, FAULT_INTERNAL, "%s is being read by another process; try again", k->path);
}

/* Through SQLite's own descriptor: closing another one would give up its locks. */
static bool file_has(struct text_keys *k, const struct text_key *key)
{
    sqlite3_file *file;
    sqlite3_int64 size;
    check(sqlite3_file_control(k->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK);
    if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) return true;
    char *piece = mem_alloc(SEARCH_BYTES);
    bool is_found = false;
    for (sqlite3_int64 at = 0; at < size && !is_found; at += SEARCH_BYTES - TEXT_KEY_BYTES) {
        int len = size - at < SEARCH_BYTES ? (int)(size - at) : SEARCH_BYTES;
        is_found = file->pMethods->xRead(file, piece, len, at) != SQLITE_OK ||
                   memmem(piece, (size_t)len, key->bytes, sizeof key->bytes);
    }
    explicit_bzero(piece, SEARCH_BYTES);
    mem_free(piece);
    return is_found;
}

/* Rows that were moved inside of the file may have left a copy where they were. */
static bool clean(struct text_keys *k, const struct text_key *key, struct fault *why)
{
    if (!cut_log(k, why)) return false;
    if (!file_has(k, key)) return true;
    if (!run(k, "VACUUM", why) || !cut_log(k, why)) return false;
    return !file_has(k, key) || fault_set(why, FAULT_INTERNAL, "%s still has a copy of the key", k->path);
}

bool text_keys_destroy(struct text_keys *k, struct slice subject, bool *destroyed, struct fault *why)
{
    struct text_key key;
    *destroyed = false;
    enum texts_found found = text_keys_find(k, subject, &key, why);
    if (found == TEXTS_FAILED) return false;
    /* Also when there is none: who was killed here before may have left copies, which cannot be looked for. */
    if (found == TEXTS_MISSING) return run(k, "VACUUM", why) && cut_log(k, why);
    bool is_good = overwrite(k, subject, why);
    *destroyed = is_good;
    is_good = is_good && clean(k, &key, why);
    explicit_bzero(&key, sizeof key);
    sqlite3_db_release_memory(k->db);
    return is_good;
}
