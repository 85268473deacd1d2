#include "store/registry/backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/ledger/lock.h"
#include "store/placing.h"
#include "store/registry/check.h"
#include "store/registry/registry_inner.h"

static char *path_of(const char *data_dir)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" REGISTRY_FILE, data_dir);
    char *text = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    return text;
}

/* ---- A copy. */

static bool copy_into(struct registry *from, const char *part, struct registry_backup *about, struct fault *why)
{
    struct registry *to = registry_open_file(part, why);
    if (!to) return false;
    bool is_good = registry_read_begin(from, why) &&
                   registry_read_end(from,
                                     registry_moment(from, &about->epoch, &about->revision, why) &&
                                         registry_copy(from, to, &about->rows, why),
                                     why) &&
                   registry_run(to, "PRAGMA journal_mode = DELETE", why);
    registry_close(to);
    return is_good;
}

static bool copy_new(struct registry *from, const char *part, struct registry_backup *about, struct fault *why)
{
    struct stat st;
    if (!placing_begin(part, why)) return false;
    if (copy_into(from, part, about, why) && placing_sync(part, why)) {
        about->bytes = stat(part, &st) == 0 ? st.st_size : 0;
        return true;
    }
    unlink(part);
    return false;
}

bool registry_backup(struct registry *r, const char *to, struct registry_backup *about, struct fault *why)
{
    char *part = placing_part(to);
    *about = (struct registry_backup){.rows = 0};
    bool is_good = placing_refuse_existing(to, "give another name, or move it away", why) &&
                   copy_new(r, part, about, why) && placing_new(part, to, why);
    mem_free(part);
    return is_good;
}

/* ---- The way back. */

static void first_finding(void *arg, const struct registry_finding *finding)
{
    struct fault *why = arg;
    if (!why->text[0])
        fault_set(why, FAULT_INTERNAL, "%s: %s: %.*s", finding->rule, finding->what, SLICE_FMT(finding->object));
}

/* A file that breaks what is promised is not put into the place of one that may not. */
static bool check_source(struct registry *from, const char *path, struct fault *why)
{
    struct fault said = {.text = ""};
    struct registry_checked sum;
    if (!registry_check(from, first_finding, &said, &sum, why)) return false;
    return !sum.findings || fault_set(why, FAULT_INTERNAL, "%s: %llu findings, the first of them: %.120s", path,
                                      (unsigned long long)sum.findings, said.text);
}

/* The largest revision that anybody may have seen: of the file that is replaced, and of what its ledger was told. */
static int64_t seen_revision(const char *data_dir)
{
    struct fault ignored;
    struct registry *old = NULL;
    int64_t epoch, rev = 0;
    if (registry_read_folder(data_dir, &old, &ignored) && old && !registry_moment(old, &epoch, &rev, &ignored)) rev = 0;
    registry_close(old);
    return rev;
}

static bool begin_epoch(struct registry *r, int64_t seen, const struct registry_restoring *how,
                        struct registry_backup *about, struct fault *why)
{
    int64_t next = (seen > about->revision ? seen : about->revision) + about->lost;
    bool is_good = registry_begin(r, why) &&
                   REGISTRY_DO(r, why, "UPDATE rev SET rev = ? WHERE id = 1", value_int(next + 1)) &&
                   registry_run(r, "UPDATE meta SET v = CAST(CAST(v AS bigint) + 1 AS TEXT) WHERE k = 'epoch'", why);
    r->rev = next + 1;
    return (is_good && registry_commit(r, how->by, "registry.restore", SLICE(REGISTRY_FILE), NULL, NULL, why)) ||
           registry_abort(r);
}

static bool make_part(struct registry *from, const char *data_dir, const char *part,
                      const struct registry_restoring *how, struct registry_backup *about, struct fault *why)
{
    int64_t seen = seen_revision(data_dir);
    if (!copy_new(from, part, about, why)) return false;
    struct registry *r = registry_open_file(part, why);
    bool is_good = r && registry_count_later(r, data_dir, about, why) && begin_epoch(r, seen, how, about, why) &&
                   registry_replay(r, data_dir, how, about, why) &&
                   registry_moment(r, &about->epoch, &about->revision, why) &&
                   registry_run(r, "PRAGMA journal_mode = DELETE", why);
    registry_close(r);
    if (is_good && placing_sync(part, why)) return true;
    unlink(part);
    return false;
}

static bool restore(const char *data_dir, const char *path, const struct registry_restoring *how,
                    struct registry_backup *about, struct fault *why)
{
    struct registry *from = registry_open_reader_file(path, why);
    if (!from) return false;
    char *to = path_of(data_dir), *part = placing_part(to);
    bool is_good = (how->is_forced || placing_refuse_existing(to, "--yes puts the backup in its place", why)) &&
                   check_source(from, path, why) && make_part(from, data_dir, part, how, about, why) &&
                   placing_over(part, to, why);
    registry_close(from);
    mem_free(part);
    mem_free(to);
    return is_good;
}

bool registry_restore(const char *data_dir, const char *from, const struct registry_restoring *how,
                      struct registry_backup *about, struct fault *why)
{
    *about = (struct registry_backup){.rows = 0};
    int lock = ledger_lock(data_dir, why);
    if (lock < 0) return false;
    bool is_good = restore(data_dir, from, how, about, why);
    close(lock);
    return is_good;
}

/* ---- Into PostgreSQL. */

/* Nobody changes the file while it is copied; should the last step fail, both are there, and the file still counts. */
static bool move(struct registry *from, struct registry *to, struct registry_backup *about, struct fault *why)
{
    bool is_good = registry_run(from, from->engine->begin_change, why) &&
                   registry_moment(from, &about->epoch, &about->revision, why) &&
                   registry_copy(from, to, &about->rows, why) &&
                   registry_run(from, "INSERT INTO meta(k, v) VALUES('moved_to', 'postgres')", why) &&
                   registry_run(from, "COMMIT", why);
    return is_good || registry_abort(from);
}

bool registry_move(const char *data_dir, struct registry *to, struct registry_backup *about, struct fault *why)
{
    *about = (struct registry_backup){.rows = 0};
    int lock = ledger_lock(data_dir, why);
    if (lock < 0) return false;
    struct registry *from = registry_open_folder(data_dir, why);
    bool is_good = from && move(from, to, about, why);
    registry_close(from);
    close(lock);
    return is_good;
}
