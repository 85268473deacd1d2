#include "ledger/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/json.h"

#define NAMED_MAX 10u /* broken lines that the log names */
#define WAITING_MAX (4u * LIMIT_LEDGER_SLICE) /* entries in the queue: what workers bring has its turn */
#define READ_BYTES (256u * KIB)
#define SUFFIXES 100

struct import {
    char *path;
    int fd;
    struct commit *commit;
    struct buf bytes;
    struct json_tape tape;
    uint64_t line, taken, broken;
    bool has_ended, has_failed; /* has_failed: the rest could not be read, and the file stays where it is */
    bool is_long;               /* in the middle of a line that is too long */
    uint64_t last; /* the queue's number of the last entry */
};

/* "req_" and a UUID in text. */
static bool read_uuid(struct slice text, uint8_t id[LINK_ID_BYTES])
{
    char digits[2 * LINK_ID_BYTES];
    size_t count = 0;
    if (text.len != 40 || !slice_starts(text, SLICE("req_"))) return false;
    for (size_t i = 4; i < text.len; i++) {
        bool is_dash = i == 12 || i == 17 || i == 22 || i == 27;
        if (is_dash != (text.ptr[i] == '-')) return false;
        if (!is_dash) digits[count++] = text.ptr[i];
    }
    return count == sizeof digits && hex_read(slice_of(digits, count), id, LINK_ID_BYTES);
}

static bool read_id(struct json_tape *tape, struct slice line, uint8_t id[LINK_ID_BYTES])
{
    struct fault ignored;
    struct arena arena;
    if (!json_parse(tape, line, &ignored) || !json_is(tape, 0, JSON_OBJECT)) return false;
    uint32_t node = json_get(tape, 0, SLICE("id"));
    if (!json_is(tape, node, JSON_STRING)) return false;
    arena_init(&arena);
    bool is_good = read_uuid(json_text(tape, node, &arena), id);
    arena_clear(&arena);
    return is_good;
}

bool import_read_id(struct slice line, uint8_t id[LINK_ID_BYTES])
{
    struct json_tape tape;
    json_init(&tape);
    bool is_good = read_id(&tape, line, id);
    json_clear(&tape);
    return is_good;
}

static bool is_ours(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

struct import *import_new(const char *path, struct commit *commit)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return NULL;
    if (fd < 0 || !is_ours(fd)) {
        log_event(LOG_ERROR, "import_failed", "%s is not a file of this user's own, and is left where it is", path);
        if (fd >= 0) close(fd);
        return NULL;
    }
    struct import *i = mem_zalloc(1, sizeof *i);
    i->path = mem_strdup(path);
    i->fd = fd;
    i->commit = commit;
    buf_init(&i->bytes);
    json_init(&i->tape);
    log_event(LOG_INFO, "import", "%s is taken into the ledger", path);
    return i;
}

void import_free(struct import *i)
{
    if (!i) return;
    close(i->fd);
    buf_clear(&i->bytes);
    json_clear(&i->tape);
    mem_free(i->path);
    mem_free(i);
}

/* ---- Lines. */

static void note_broken(struct import *i)
{
    if (i->broken++ < NAMED_MAX)
        log_event(LOG_WARN, "import_broken", "%s:%llu is no record, and is left out", i->path,
                  (unsigned long long)i->line);
}

static void take_line(struct import *i, struct slice line)
{
    uint8_t id[LINK_ID_BYTES];
    i->line++;
    if (line.len == 0) return;
    if (i->is_long || line.len > LIMIT_PIPE_MESSAGE_BYTES || !read_id(&i->tape, line, id)) {
        note_broken(i);
        return;
    }
    commit_add(i->commit, &(struct commit_entry){.kind = CHAIN_IMPORT, .id = id, .body = line});
    i->last = commit_added(i->commit);
    i->taken++;
}

/* Of a line that is too long its number is kept, nothing else. */
static void drop_long(struct import *i)
{
    if (buf_len(&i->bytes) <= LIMIT_PIPE_MESSAGE_BYTES) return;
    i->is_long = true;
    buf_reset(&i->bytes);
}

static void read_more(struct import *i)
{
    drop_long(i);
    char *to = buf_reserve(&i->bytes, READ_BYTES);
    ssize_t got;
    do
        got = read(i->fd, to, READ_BYTES);
    while (got < 0 && errno == EINTR);
    if (got < 0) log_event(LOG_ERROR, "import_failed", "%s: %s", i->path, strerror(errno));
    if (got > 0) buf_grew(&i->bytes, (size_t)got);
    i->has_failed = got < 0;
    i->has_ended = got <= 0;
}

static bool next_line(struct import *i, struct slice *line, size_t *used)
{
    struct slice all = buf_slice(&i->bytes);
    const char *end = memchr(all.ptr, '\n', all.len);
    bool is_last = !end && i->has_ended && !i->has_failed && all.len > 0;
    if (!end && !is_last) return false;
    *line = slice_of(all.ptr, end ? (size_t)(end - all.ptr) : all.len);
    *used = line->len + (end ? 1 : 0);
    return true;
}

/* ---- The end. */

static bool move_away(const char *path, char *to, size_t size)
{
    for (int n = 0; n < SUFFIXES; n++) {
        if (n == 0)
            snprintf(to, size, "%s.imported", path);
        else
            snprintf(to, size, "%s.imported.%d", path, n);
        if (renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return true;
        if (errno != EEXIST) return false;
    }
    return false;
}

static void finish(struct import *i)
{
    char to[4096];
    if (!move_away(i->path, to, sizeof to)) {
        log_event(LOG_ERROR, "import_failed", "%s cannot be renamed: %s", i->path, strerror(errno));
        return;
    }
    log_event(LOG_INFO, "imported",
              "%llu records of %s are in the ledger, %llu broken lines are left out; it is %s now",
              (unsigned long long)i->taken, i->path, (unsigned long long)i->broken, to);
}

bool import_some(struct import *i)
{
    struct slice line;
    size_t used;
    unsigned lines = 0;
    while (lines < LIMIT_LEDGER_SLICE && commit_waiting(i->commit) < WAITING_MAX) {
        if (next_line(i, &line, &used)) {
            take_line(i, line);
            i->is_long = false;
            buf_consume(&i->bytes, used);
            lines++;
        } else if (i->has_ended) {
            break;
        } else {
            read_more(i);
        }
    }
    if (i->has_failed) return false;
    if (!i->has_ended || buf_len(&i->bytes) || commit_done(i->commit) < i->last) return true;
    finish(i);
    return false;
}
